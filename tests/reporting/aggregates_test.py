"""Tests of means, errors and ranks."""
import math

import numpy as np
import pytest
from scipy import stats

from pgak.reporting import aggregates
from pgak.reporting import runs
from pgak.runs import scores as scores_lib

COLUMN = runs.Column('fid', 'samples', 'gaussian')


def run_with(seed, *scores):
  run = runs.Run('run', bindings={'train.seed': seed})
  run.scores = [runs.Score(step, COLUMN, ('c',), measured, value)
                for step, measured, value in scores]
  return run


def test_the_last_measurement_of_a_seed_counts_and_seeds_are_averaged():
  run = run_with('0', (1, '0', 9.), (1, '0', 4.), (1, '1', 6.), (2, '0', 3.))
  assert aggregates.by_step(run, ('c',), COLUMN) == {1: 5., 2: 3.}
  assert not aggregates.by_step(run, ('d',), COLUMN)


def test_a_run_counts_with_its_newest_step():
  cell = runs.Cell('a', [run_with('0', (1, '0', 9.), (2, '0', 3.)),
                         run_with('0', (1, '0', 7.)), run_with('1'),
                         # Its newest is neither the least nor the last row.
                         run_with('2', (9, '0', 5.), (10, '0', 6.),
                                  (2, '0', 4.))], 0)
  assert list(aggregates.values(cell, ('c',), COLUMN).values()) == [3., 7., 6.]


@pytest.mark.parametrize('metric, images, sign', [
    ('fid_768', 'samples', -1), ('reconstruction_mse', 'reconstructions', -1),
    ('trustworthiness', 'data', 1), ('continuity', 'data', 1),
    ('neighbour_overlap', 'data', 1), ('geodesic_correlation', 'data', 1),
    ('smallest_class_share', 'samples', 1), ('confident_share', 'samples', 1),
    # Of real images, not of the model.
    ('smallest_class_share', 'data', 0), ('fid_768', 'data', 0)])
def test_which_way_is_better_depends_on_what_is_measured(metric, images, sign):
  assert _sign(metric, images) == sign


def _sign(metric, images, better=''):
  row = dict.fromkeys(scores_lib.COLUMNS, 'x') | dict(
      step='1', value='2.', metric=metric, images=images, better=better)
  run = runs.Run('run')
  run.scores = [runs.read_score(row)]
  return aggregates.sign([runs.Cell('a', [run], 0)], metric, images)


@pytest.mark.parametrize('better, sign', [
    ('lower', -1), ('higher', 1), ('neither', 0)])
def test_what_was_recorded_counts_before_what_the_name_says(better, sign):
  assert _sign('fid', 'samples', better) == sign
  assert _sign('a_metric_of_somebody', 'samples', better) == sign


def test_standard_error():
  # 1, 2, 6: mean 3, s^2 = (4 + 1 + 9) / 2 = 7, so s / sqrt(3) = sqrt(7 / 3).
  mean, error = aggregates.mean_error([1., 2., 6.])
  assert mean == 3. and error == pytest.approx(math.sqrt(7 / 3))
  assert aggregates.mean_error([4.]) == (4., None)
  numbers = np.random.default_rng(0).normal(size=9)
  assert aggregates.mean_error(numbers)[1] == pytest.approx(stats.sem(numbers))


@pytest.mark.parametrize('mean, error, text', [
    (12.3456, None, '12.35'), (12.3456, .123, '12.35 ± 0.12'),
    (1234.5, 12.3, '1234 ± 12'), (.012345, .00012, '0.01235 ± 0.00012'),
    (5., 0., '5.000 ± 0'), (325., None, '325.0'), (43210., None, '4.321e+04'),
    (1234.4, None, '1234'),
])
def test_a_mean_as_text(mean, error, text):
  assert aggregates.format_mean(mean, error) == text


@pytest.mark.parametrize('a, b', [
    ([1, 2, 3, 4], [1, 2, 3, 4]), ([1, 2, 3, 4], [4, 3, 2, 1]),
    ([1, 2, 2, 5, 3], [9, 1, 1, 1, 7]), ([3.5, -1, 0, 8], [1, 5, 2, 2])])
def test_rank_correlation(a, b):
  assert aggregates.rank_correlation(a, b) == pytest.approx(
      stats.spearmanr(a, b).statistic)


def test_equal_numbers_have_no_rank_correlation():
  assert aggregates.rank_correlation([1, 1, 1, 1], [1, 2, 3, 4]) is None


@pytest.mark.parametrize('metric, sign', [
    ('fid', -1), ('fid_768', -1), ('frechet_digits_classifier', -1),
    ('kid_768', -1), ('kid_768_std', 0), ('kernel_digits_classifier', -1),
    ('reconstruction_mse', -1), ('psnr', 1), ('ssim', 1), ('prd_f_8', 1),
    ('prd_f_1_8', 1), ('knn_precision', 1), ('knn_recall', 1),
    ('inception_score', 1), ('classifier_score_std', 0),
    ('memorisation_ratio', 0)])
def test_which_way_is_better(metric, sign):
  assert _sign(metric, 'samples') == sign


def test_columns_stand_in_order():
  columns = [runs.Column(*names) for names in (
             ('fid', 'interpolations of validation', 'none'),
             ('fid', 'samples', 'gmm_10'), ('fid', 'samples', 'gmm_2'),
             ('psnr', 'reconstructions', 'none'),
             ('fid', 'samples', 'standard_normal'),
             ('fid', 'reconstructions of validation', 'none'))]
  run = runs.Run('run')
  run.scores = [runs.Score(1, c, ('c',), '0', 1.) for c in columns]
  found = aggregates.columns_of([runs.Cell('a', [run], 0)], ('c',))
  assert found == [columns[i] for i in (5, 4, 2, 1, 0, 3)]

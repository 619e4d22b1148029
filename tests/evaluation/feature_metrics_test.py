"""Tests of the metrics by their names."""
import types

import numpy as np
import pytest

from pgak.evaluation import feature_metrics
from pgak.evaluation import protocols
from pgak.metrics import feature_sets
from pgak.metrics import frechet
from pgak.metrics import kernel_distance
from pgak.metrics import prd
from pgak.metrics import precision_recall


def _collected(number, seed, metric='frechet_flat'):
  rows = np.random.default_rng(seed).normal(size=(number, 3))
  net = types.SimpleNamespace(
      metric=metric, name='flat',
      probabilities=lambda rows: np.full((len(rows), 4), 0.25))
  return feature_sets.Collected(net, frechet.moments([rows]), rows)


def test_every_metric_of_collected_features_has_a_name():
  assert set(feature_metrics.MEASURES) <= set(protocols.METRICS)
  assert feature_metrics.NEED_ROWS == {'prd', 'precision_recall', 'kid',
                                'inception_score', 'neighbours'}


@pytest.mark.parametrize('metric, expected, counts', [
    ('frechet', lambda a, b: {'frechet_flat': frechet.distance(
        a.moments, b.moments)}, (40, 60)),
    # Equal numbers, as the published protocol has it.
    ('prd', lambda a, b: prd.prd(*prd.curve(a.rows, b.rows, seed=4)),
     (40, 40)),
    ('precision_recall', lambda a, b: precision_recall.precision_recall(
        a.rows, b.rows), (40, 60)),
    ('kid', lambda a, b: dict(zip(
        ('kernel_flat', 'kernel_flat_std'),
        kernel_distance.kernel_distance(a.rows, b.rows, seed=4))), (40, 60)),
    ('inception_score', lambda a, b: {
        'classifier_score': 1., 'classifier_score_std': 0.}, (40, 60))])
def test_each_is_its_metric_of_both_sets(metric, expected, counts):
  real, fake = _collected(60, 0), _collected(40, 1)
  found = feature_metrics.MEASURES[metric](real, fake, 4)
  assert found.values == pytest.approx(expected(real, fake))
  assert (found.num_fake, found.num_real) == counts
  assert (found.curve is not None) == (metric == 'prd')


def test_the_inception_score_is_of_all_images_where_they_are_kept():
  real, fake = _collected(30, 0), _collected(30, 1)
  # Sure of each image, and of both classes as often: exp(log 2) = 2.
  fake.probabilities = np.eye(2)[np.arange(80) % 2]
  found = feature_metrics.MEASURES['inception_score'](real, fake, 0)
  assert found.values['classifier_score'] == pytest.approx(2.)
  assert found.num_fake == 80


def test_shares_of_classes_are_of_all_images():
  real, fake = _collected(30, 0), _collected(30, 1)
  fake.rows = None  # Not needed.
  fake.probabilities = np.eye(4)[np.arange(80) % 4]
  fake.probabilities[:5] = 0.25
  found = feature_metrics.MEASURES['class_shares'](real, fake, 0)
  assert found.values == {'confident_share': 75 / 80,
                          'smallest_class_share': 18 / 80}
  assert (found.num_fake, found.num_real) == (80, 30)
  assert 'class_shares' in (
      feature_metrics.NEED_FEATURES - feature_metrics.NEED_ROWS)


@pytest.mark.parametrize('net, kernel, score', [
    ('fid', 'kid', 'inception_score'),
    ('fid_768', 'kid_768', 'classifier_score'),
    ('frechet_digits_classifier', 'kernel_digits_classifier',
     'classifier_score')])
def test_only_pool_3_has_the_published_names(net, kernel, score):
  real, fake = _collected(30, 0, net), _collected(30, 1, net)
  assert set(feature_metrics.MEASURES['kid'](real, fake, 0).values) == {
      kernel, f'{kernel}_std'}
  measure = feature_metrics.MEASURES['inception_score']
  assert set(measure(real, fake, 0).values) == {score, f'{score}_std'}

"""What the metrics of collected features yield, found by their names."""
import types

import numpy as np
import pytest

from pgak.metrics import feature_sets
from pgak.metrics import frechet
from pgak.metrics import kernel_distance
from pgak.metrics import metric
from pgak.metrics import prd
from pgak.metrics import precision_recall


def _collected(number, seed, name='frechet_flat'):
  rows = np.random.default_rng(seed).normal(size=(number, 3))
  net = types.SimpleNamespace(metric=name, name='flat')
  return feature_sets.Collected(net, frechet.moments([rows]), rows)


def _compute(name, real, fake, seed=0):
  """Values by name, and the numbers of examples that are said of them."""
  context = types.SimpleNamespace(
      real=real, fake=fake, seed=seed, compared=lambda number: number)
  values = list(metric.find(name, 'images').compute(context))
  numbers = {(v.num_samples or fake.moments.count,
              v.split or real.moments.count) for v in values}
  assert len(numbers) == 1
  return {v.name: v.value for v in values}, *numbers, values


@pytest.mark.parametrize('name, expected, counts', [
    ('frechet', lambda a, b: {'frechet_flat': frechet.distance(
        a.moments, b.moments)}, (40, 60)),
    # Equal numbers, as the published protocol has it.
    ('prd', lambda a, b: prd.prd(*prd.curve(a.rows, b.rows, seed=4)),
     (40, 40)),
    ('precision_recall', lambda a, b: precision_recall.precision_recall(
        a.rows, b.rows), (40, 60)),
    ('kid', lambda a, b: dict(zip(
        ('kernel_flat', 'kernel_flat_std'),
        kernel_distance.kernel_distance(a.rows, b.rows, seed=4))), (40, 60))])
def test_each_is_its_metric_of_both_sets(name, expected, counts):
  real, fake = _collected(60, 0), _collected(40, 1)
  found, numbers, values = _compute(name, real, fake, 4)
  assert found == pytest.approx(expected(real, fake))
  assert numbers == counts
  assert all((v.curve is not None) == (name == 'prd') for v in values)


def test_the_inception_score_is_of_all_images():
  real, fake = _collected(30, 0), _collected(30, 1)
  # Sure of each image, and of both classes as often: exp(log 2) = 2.
  fake.probabilities = np.eye(2)[np.arange(80) % 2]
  found, numbers, values = _compute('inception_score', real, fake)
  assert found == pytest.approx({'classifier_score': 2.,
                                 'classifier_score_std': 0.})
  assert numbers == (80, 30)
  assert values[0].error == pytest.approx(0.)


def test_shares_of_classes_are_of_all_images():
  real, fake = _collected(80, 0), _collected(80, 1)
  fake.rows = None  # Not needed.
  fake.probabilities = np.eye(4)[np.arange(80) % 4]
  fake.probabilities[:5] = 0.25
  found, numbers, _ = _compute('class_shares', real, fake)
  assert found == {'confident_share': 75 / 80,
                   'smallest_class_share': 18 / 80}
  assert numbers == (80, 80)


@pytest.mark.parametrize('name', ['inception_score', 'class_shares'])
def test_a_net_without_classes_yields_nothing(name):
  context = types.SimpleNamespace(fake=_collected(30, 0))
  assert not list(metric.find(name, 'images').compute(context))


@pytest.mark.parametrize('net, kernel, score', [
    ('fid', 'kid', 'inception_score'),
    ('fid_768', 'kid_768', 'classifier_score'),
    ('frechet_digits_classifier', 'kernel_digits_classifier',
     'classifier_score')])
def test_only_pool_3_has_the_published_names(net, kernel, score):
  real, fake = _collected(31, 0, net), _collected(30, 1, net)
  fake.probabilities = np.full((30, 4), 0.25)
  assert set(_compute('kid', real, fake)[0]) == {kernel, f'{kernel}_std'}
  assert set(_compute('inception_score', real, fake)[0]) == {
      score, f'{score}_std'}

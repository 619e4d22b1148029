"""Tests of the measures of memorisation, on points whose origin is known."""
import types

import numpy as np
import pytest

from pgak import errors
from pgak.metrics import authenticity
from pgak.metrics import copies
from pgak.metrics import metric
from pgak.metrics import three_samples
from pgak.metrics import training_neighbours

COUNT = 3000


def _points(seed, count=COUNT, scale=1.):
  return np.random.default_rng(seed).normal(
      scale=scale, size=(count, 2)).astype(np.float32)


TRAIN = _points(0)
# As data; copies with noise far below the distance of neighbours, which is
# about 0.5 / sqrt(N); and samples that are farther away than data.
SAMPLES = {'data': _points(2, 2000), 'copies': TRAIN[:2000] + _points(
    3, 2000, 1e-4), 'wide': _points(4, 2000, 2.)}


def _space(samples, train=TRAIN):
  return training_neighbours.Space(
      training_neighbours.Reference('latents', _points(1), lambda: (
          np.array_split(train, 4)), 'train vs test'), samples)


@pytest.fixture(name='spaces', scope='module')
def _spaces():
  return {name: _space(points) for name, points in SAMPLES.items()}


def test_as_many_samples_as_test_points_are_within_the_quantile(spaces):
  shares = {n: copies.copy_share(s.nearest[0], s.real.nearest[0])
            for n, s in spaces.items()}
  # 1 %, within three standard deviations sqrt(.01 .99 (1/2000 + 1/3000)).
  assert shares['data'] == pytest.approx(0.01, abs=3 * 0.0029)
  assert shares['copies'] == 1. and shares['wide'] < copies.MOST


def test_copies_are_found_where_test_points_are_copies_too():
  share = copies.copy_share(np.zeros(5), np.r_[np.zeros(2), np.ones(98)])
  assert share == 1.


@pytest.mark.parametrize('number', [99, 150, 300])
def test_of_data_alone_the_share_is_one_percent_on_average(number):
  drawn = np.random.default_rng(0).uniform(size=(2000, 2, number))
  found = [copies.copy_share(*sets) for sets in drawn]
  # Within three standard errors of the mean.
  assert np.mean(found) == pytest.approx(
      0.01, abs=3. * np.std(found) / np.sqrt(2000))


@pytest.mark.parametrize('samples, test', [(0, 300), (5, 98)])
def test_too_few_for_the_quantile_are_a_sentence(samples, test):
  with pytest.raises(errors.UnavailableError,
                     match=f'99 test examples, and there are {samples} and '
                           f'{test}: raise'):
    copies.copy_share(np.zeros(samples), np.ones(test))


def test_the_error_of_the_share_is_that_of_the_quantile_too(spaces):
  context = types.SimpleNamespace(images='samples')
  context.once = lambda name, make: [spaces['copies']]
  value, = metric.find('copies', 'images').compute(context)
  assert value.value == 1. and value.error == pytest.approx(
      np.sqrt(0.01 * 0.99 / COUNT))


def test_a_copy_is_not_authentic(spaces):
  found = {n: authenticity.authenticity(s) for n, s in spaces.items()}
  of_test = found['data'][1]
  # Which training point is nearest favours those in sparse places, so it is
  # less than a half.
  assert 0.3 < of_test < 0.5
  assert found['data'][0] == pytest.approx(of_test, abs=0.05)
  assert found['copies'][0] < 0.01 and found['wide'][0] > of_test + 0.1
  assert {f[1] for f in found.values()} == {of_test}


def test_authenticity_by_hand():
  # Training points 0, 1 and 3; 0 and 1 are at 1 from each other, 3 at 2.
  train = np.array([[0.], [1.], [3.]], np.float32)
  reference = training_neighbours.Reference(
      'latents', np.array([[5.5], [3.]]), lambda: [train[:1], train[1:]], '')
  space = training_neighbours.Space(
      reference, np.array([[-1.5], [-0.5], [4.5], [1.]]))
  assert authenticity.authenticity(space) == (0.25, 0.5)


def test_a_copy_of_what_is_in_the_data_twice_is_not_authentic():
  train = np.array([[0.], [0.], [5.]], np.float32)
  space = training_neighbours.Space(training_neighbours.Reference(
      'latents', np.array([[0.], [1.]]), lambda: [train], ''), train[:1])
  assert authenticity.authenticity(space) == (0., 0.5)


def test_authenticity_needs_two_training_points():
  with pytest.raises(errors.UserError, match='two training examples'):
    authenticity.authenticity(_space(TRAIN, TRAIN[:1]))


def test_mann_whitney_by_hand():
  # 3 > 1, 3 > 2, 2 > 1, and half of 2 = 2: U = 3.5 of 4, about a mean of 2,
  # with the deviation sqrt(2 2 5 / 12).
  found = three_samples.mann_whitney(np.array([3., 2.]), np.array([1., 2.]))
  assert found == pytest.approx(1.5 / np.sqrt(5. / 3.))


def test_the_three_sample_test_is_about_0_for_data_alone():
  found = {n: three_samples.three_sample_test(s, _points(1), TRAIN, 10)
           for n, s in SAMPLES.items()}
  value, error = found['data']
  # Ten cells of about equal weight: 1 / sqrt(10).
  assert error == pytest.approx(0.316, abs=0.03) and abs(value) < 3. * error
  assert found['copies'][0] < 2. * three_samples.LEAST
  assert found['wide'][0] > -three_samples.LEAST


@pytest.mark.slow
def test_copies_in_one_place_are_found_there():
  # Two groups: copied in one, three times as wide in the other. Together half
  # of the samples are nearer and half farther than data.
  train, test, fresh = (_points(s) + 20. * (np.arange(COUNT) % 2)[:, None]
                        for s in (0, 1, 5))
  copied = np.where((np.arange(COUNT) % 2 == 0)[:, None], train,
                    20. + 3. * (fresh - 20.))
  value, _ = three_samples.three_sample_test(copied, test, train, 2)
  cells = three_samples.three_sample_test(
      copied[::2], test[::2], train[::2], 1)[0]
  assert cells < 10. * three_samples.LEAST < value


@pytest.mark.slow
def test_a_cell_with_too_few_does_not_count():
  few = np.concatenate([_points(6, 19, 0.1) + 50., SAMPLES['data'][:200]])
  far = np.concatenate([_points(7, 100, 0.1) + 50., TRAIN[:300]])
  test = np.concatenate([_points(8, 100, 0.1) + 50., _points(1, 300)])
  found = three_samples.three_sample_test(few, test, far, 2)
  assert found[1] == 1.  # One cell.
  # Ten points are one, too.
  assert three_samples.three_sample_test(few[:10], test, far)[1] == 1.
  with pytest.raises(errors.UserError, match='of one there are none'):
    three_samples.three_sample_test(few[:0], test, far, 1)


@pytest.mark.slow
def test_without_a_cell_that_has_enough_all_is_one():
  # Samples in a place where no test point is.
  away = _points(6, 100) + 50.
  train = np.concatenate([TRAIN[:200], _points(7, 100) + 50.])
  value, error = three_samples.three_sample_test(
      away, _points(1, 200), train, 2)
  assert error == 1. and np.isfinite(value)


def test_memory_bounds_the_numbers(monkeypatch):
  monkeypatch.setattr(training_neighbours, 'MOST_NUMBERS', 100)
  space = _space(SAMPLES['data'])
  assert len(space.samples) == len(space.real.test) == 50


def test_training_vectors_at_positions_are_found_across_batches(spaces):
  indices = np.array([0, 749, 750, 2999])
  np.testing.assert_array_equal(
      spaces['data'].real._vectors_at(indices), TRAIN[indices])


@pytest.mark.parametrize(
    'name', ['copies', 'authenticity', 'three_sample_test'])
def test_reconstructions_are_near_by_design(name):
  found = metric.find(name, 'images').compute(
      types.SimpleNamespace(images='reconstructions'))
  assert not list(found)

"""Coverage, by the published formula and by hand."""
import numpy as np
import pytest
from scipy.spatial import distance

from pgak import errors
from pgak.metrics import coverage as lib


def test_by_hand():
  """Points 0, 1, 3, 7 on a line: with k = 1 their radii are 1, 1, 2 and 4.

  A sample at 2.5 lies 2.5, 1.5, 0.5 and 4.5 from them: only 3 is covered. One
  at 4 is 3 from 7, and covers 3, too.
  """
  real = np.array([[0.], [1.], [3.], [7.]])
  assert lib.coverage(real, [[2.5]], k=1) == 0.25
  assert lib.coverage(real, [[4.]], k=1) == 0.5
  assert lib.coverage(real, [[2.5], [4.], [2.5]], k=1) == 0.5


def test_the_published_formula():
  generator = np.random.default_rng(0)
  real = generator.normal(size=(60, 3))
  samples = generator.normal(0.7, 1., (40, 3))
  # Sorted, the first distance of a point is that to itself.
  radii = np.sort(distance.cdist(real, real), 1)[:, 5]
  expected = np.mean(distance.cdist(real, samples).min(1) <= radii)
  assert lib.coverage(real, samples) == pytest.approx(expected)
  assert 0.1 < expected < 0.95


def test_two_samples_of_one_distribution():
  """It is 1 - 2^-5 = 0.969 for k = 5."""
  real, samples = np.random.default_rng(1).normal(size=(2, 4000, 2))
  assert lib.coverage(real, samples) == pytest.approx(1. - 2.**-5, abs=0.01)


def test_one_place_covers_little():
  real = np.random.default_rng(2).normal(size=(500, 2))
  assert lib.coverage(real, np.zeros([500, 2])) < 0.05


@pytest.mark.parametrize('real, samples, named', [
    (np.zeros([5, 2]), np.zeros([3, 2]), 'more than 5 points'),
    (np.zeros([9, 2]), np.zeros([0, 2]), 'are 9 and 0'),
    (np.zeros([9, 2]), np.full([3, 2], np.inf), 'coverage')])
def test_what_cannot_be_measured_is_named(real, samples, named):
  with pytest.raises(errors.UserError, match=named):
    lib.coverage(real, samples)

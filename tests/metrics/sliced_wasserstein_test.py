"""The sliced Wasserstein distance, by SciPy's and by hand."""
import numpy as np
import pytest
from scipy import stats

from pgak import errors
from pgak.metrics import sliced_wasserstein as lib


def test_each_direction_is_scipy_s_distance():
  generator = np.random.default_rng(0)
  points = generator.normal(size=(80, 3))
  others = generator.normal(0.5, 2., (80, 3))
  directions = np.random.default_rng(7).normal(size=(3, 20))
  directions /= np.linalg.norm(directions, axis=0)
  expected = np.mean([
      stats.wasserstein_distance(points @ d, others @ d)
      for d in directions.T])
  assert lib.sliced_wasserstein(points, others, 20, 7) == pytest.approx(
      expected, rel=1e-12)


def test_a_shift_by_hand():
  """Along theta a shift by s moves all by |s . theta|.

  In the plane its mean over directions is |s| 2 / pi, in space |s| / 2.
  """
  points = np.random.default_rng(1).normal(size=(50, 2))
  shift = np.array([3., 4.])
  assert lib.sliced_wasserstein(points, points + shift, 20000) == pytest.approx(
      5. * 2. / np.pi, rel=0.02)
  solid = np.pad(points, ((0, 0), (0, 1)))
  assert lib.sliced_wasserstein(
      solid, solid + [3., 4., 0.], 20000) == pytest.approx(2.5, rel=0.02)


def test_the_order_of_points_does_not_count():
  points = np.random.default_rng(2).normal(size=(30, 3))
  assert lib.sliced_wasserstein(points, points[::-1]) == 0.


def test_it_is_repeatable_by_seed():
  one, other = np.random.default_rng(3).normal(size=(2, 30, 3))
  first, again, different = (lib.sliced_wasserstein(one, other, seed=s)
                             for s in (0, 0, 1))
  assert first == again != different


@pytest.mark.parametrize('points, others, named', [
    (np.zeros([3, 2]), np.zeros([4, 2]), r'\(3, 2\) and \(4, 2\)'),
    (np.zeros([0, 2]), np.zeros([0, 2]), 'equally many'),
    (np.zeros([3, 2]), np.full([3, 2], np.nan), 'sliced Wasserstein')])
def test_what_cannot_be_compared_is_named(points, others, named):
  with pytest.raises(errors.UserError, match=named):
    lib.sliced_wasserstein(points, others)

"""Tests of the topology of latents."""
import numpy as np
import pytest
from scipy import stats
from scipy.spatial import distance

from pgak import errors
from pgak.metrics import topology

POINTS = np.array([0., 1., 3., 7., 12.])[:, None]


@pytest.fixture(name='cloud', scope='module')
def _cloud():
  return np.random.default_rng(0).normal(size=(80, 3))


def test_golden_values_of_a_point_that_moves_among_others():
  # Points a b c d e at 0 1 3 7 12, e's code between b's and c's: the codes are
  # a b e c d at 0 1 2.1 3 7. Nearest two points, then codes, of each:
  #   a: b c, b e   b: a c, a e   c: b a, e b   d: c e, c e   e: d c, c b
  # New among the codes are e (of a, b and c: each time the 4th point, 4 - 2)
  # and b (of e: the 3rd point): 7. Lost are c (of a and of b: the 3rd code),
  # a (of c: the 3rd) and d (of e: the 4th): 5. N k (2 N - 3 k - 1) / 2 = 15.
  codes = np.array([0., 1., 3., 7., 2.1])[:, None]
  assert topology.topology(POINTS, codes, k=2) == pytest.approx({
      'trustworthiness': 1. - 7. / 15., 'continuity': 1. - 5. / 15.,
      'neighbour_overlap': (1 + 1 + 1 + 2 + 1) / 10.})


def test_codes_that_are_the_points_moved_keep_all(cloud):
  turn, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))
  found = topology.topology(cloud, 100. * cloud @ turn + 5.)
  assert set(found.values()) == {1.}
  square = distance.squareform(distance.pdist(cloud))
  assert topology.geodesic_correlation(
      square, 100. * cloud @ turn + 5.) == pytest.approx(1.)


def test_codes_of_other_points_keep_nothing(cloud):
  points = np.random.default_rng(1).normal(size=(1000, 3))
  codes = np.random.default_rng(2).permutation(points)
  found = topology.topology(points, codes)
  # A stranger's rank is uniform on 11 ... N - 1: the sum in the definition is
  # N k (N - k) / 2 but for the few that are neighbours by chance.
  assert found['trustworthiness'] == pytest.approx(0.5, abs=0.03)
  assert found['continuity'] == pytest.approx(0.5, abs=0.03)
  assert found['neighbour_overlap'] == pytest.approx(10. / 999., abs=0.004)
  assert abs(topology.geodesic_correlation(
      distance.pdist(points), codes)) < 0.05


def test_a_fold_is_not_trusted_and_a_tear_is_not_continuous():
  line = np.linspace(0., 1., 100)[:, None]
  folded = topology.topology(line, np.abs(line - 0.503))
  torn = topology.topology(np.abs(line - 0.503), line)
  assert folded['trustworthiness'] < 0.9 < 0.95 < folded['continuity']
  assert torn['continuity'] == folded['trustworthiness']
  assert torn['neighbour_overlap'] == folded['neighbour_overlap']


def test_images_are_flattened(cloud):
  images = cloud[:, :2].reshape(80, 2, 1, 1)
  assert topology.topology(images, cloud) == topology.topology(
      cloud[:, :2], cloud)


def test_collapsed_and_repeated_codes_have_a_value(cloud):
  for codes in (np.zeros((80, 2)), np.repeat(cloud[::2], 2, 0)):
    first = topology.topology(cloud, codes)
    assert first == topology.topology(cloud, codes)
    assert all(0. <= value < 0.95 for value in first.values())
  # Pairs of equal points: each is the other's nearest neighbour, too.
  twice = np.repeat(cloud, 2, 0)
  assert topology.topology(twice, twice)['trustworthiness'] > 0.99
  assert topology.geodesic_correlation(
      distance.pdist(cloud), np.zeros((80, 2))) == 0.


def test_golden_value_of_a_correlation():
  # Geodesics 1 (ab), 3 (ac), 2 (bc) and distances 5, 3, 2 of the codes 0, 5, 3:
  # ranks 1 3 2 and 3 2 1, so rho = 1 - 6 (4 + 1 + 1) / (3 (9 - 1)) = -1 / 2.
  codes = np.array([[0.], [5.], [3.]])
  assert topology.geodesic_correlation([1., 3., 2.], codes) == pytest.approx(
      -0.5)
  assert topology.geodesic_correlation(
      [[0., 1., 3.], [1., 0., 2.], [3., 2., 0.]], codes) == pytest.approx(-0.5)


def test_the_correlation_is_scipys_of_all_pairs_with_ties(cloud):
  codes = np.round(cloud[:, :2])
  expected, _ = stats.spearmanr(
      [np.abs(cloud[i] - cloud[j]).max() for i in range(80)
       for j in range(i + 1, 80)],
      [np.linalg.norm(codes[i] - codes[j]) for i in range(80)
       for j in range(i + 1, 80)])
  assert topology.geodesic_correlation(
      distance.pdist(cloud, 'chebyshev'), codes) == pytest.approx(expected)


def test_what_cannot_be_measured_is_an_error(cloud):
  with pytest.raises(errors.UserError, match='more than 20 points.*are 20'):
    topology.topology(cloud[:20], cloud[:20])
  with pytest.raises(ValueError, match='80 points and 79 codes'):
    topology.topology(cloud, cloud[1:])
  with pytest.raises(errors.UserError, match='finite'):
    topology.topology(cloud, np.where(cloud > 2., np.nan, cloud))
  with pytest.raises(ValueError, match='3 geodesics, and 6 pairs'):
    topology.geodesic_correlation([1., 2., 3.], cloud[:4])
  with pytest.raises(errors.UserError, match='finite'):
    topology.geodesic_correlation([1., 2., np.inf], cloud[:3])

"""Tests of distances between sets of vectors."""
import numpy as np
import pytest
from scipy.spatial import distance
from sklearn import neighbors

from pgak import errors
from pgak.metrics import distances


@pytest.mark.parametrize('offset', [0., 1e4])
def test_squared_distances_are_scipys_far_from_0_too(offset):
  generator = np.random.default_rng(0)
  a, b = (offset + generator.normal(size=(n, 4)) for n in (30, 20))
  np.testing.assert_allclose(
      distances.squared(a, b), distance.cdist(a, b, 'sqeuclidean'), rtol=1e-9)


def test_equal_vectors_are_at_distance_0():
  rows = np.random.default_rng(0).normal(3., 1., (50, 700)).astype(np.float32)
  assert not np.diag(distances.squared(rows, rows)).any()


@pytest.mark.parametrize('sizes', [[40], [13, 27], [0, 1, 39]])
def test_nearest_are_scikit_learns(sizes, monkeypatch):
  monkeypatch.setattr(distances, 'BLOCK', 7)
  generator = np.random.default_rng(0)
  references, queries = generator.normal(size=(40, 3)), generator.normal(
      size=(17, 3))
  found, indices = distances.nearest(
      queries, np.split(references, np.cumsum(sizes)[:-1]), 5)
  expected = neighbors.NearestNeighbors(n_neighbors=5).fit(references)
  np.testing.assert_array_equal(
      indices, expected.kneighbors(queries, return_distance=False))
  np.testing.assert_allclose(found, expected.kneighbors(queries)[0])


def test_few_references_give_few_neighbours():
  found, indices = distances.nearest(np.zeros((2, 1)), [np.ones((3, 1))], 5)
  assert found.shape == indices.shape == (2, 3)


def test_what_is_not_finite_is_an_error():
  distances.require_finite(np.ones(2), 'This')
  with pytest.raises(errors.UserError, match='^This needs finite'):
    distances.require_finite(np.array([1., np.inf]), 'This')


@pytest.mark.parametrize('sizes', [[40], [13, 27], [0, 1, 39]])
def test_closest_is_the_first_of_nearest(sizes, monkeypatch):
  monkeypatch.setattr(distances, 'BLOCK', 7)
  generator = np.random.default_rng(0)
  references, queries = generator.normal(50., 1., (40, 3)), generator.normal(
      50., 1., (17, 3))
  batches = np.split(references, np.cumsum(sizes)[:-1])
  expected, indices = distances.nearest(queries, batches, 2)
  found, positions = distances.closest(queries, batches)
  np.testing.assert_array_equal(positions, indices[:, 0])
  np.testing.assert_allclose(found, expected[:, 0], rtol=1e-4)
  # Without the nearest one it is the next.
  found, positions = distances.closest(queries, batches, indices[:, 0])
  np.testing.assert_array_equal(positions, indices[:, 1])
  np.testing.assert_allclose(found, expected[:, 1], rtol=1e-4)


def test_closest_finds_copies_at_distance_0():
  rows = np.random.default_rng(0).normal(3., 1., (50, 700)).astype(np.float32)
  found, positions = distances.closest(rows, [rows])
  assert not found.any() and list(positions) == list(range(50))
  found, positions = distances.closest(rows[:1], [rows[:1]], np.array([0]))
  assert np.isinf(found).all() and list(positions) == [-1]

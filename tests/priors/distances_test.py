"""Tests of squared distances in a graph."""
import numpy as np

from pgak.priors import distances


def test_golden_values():
  found = distances.squared(np.float64([[0., 0.], [3., 4.]]),
                            np.float64([[0., 0.], [3., 0.], [0., 4.]]))
  np.testing.assert_allclose(found, [[0., 9., 16.], [25., 16., 9.]])


def test_rounding_makes_no_distance_negative():
  points = np.random.default_rng(0).normal(100., 1., (64, 8)).astype(
      np.float32)
  found = np.asarray(distances.squared(points, points))
  assert found.min() == 0. and np.diag(found).max() < 0.1

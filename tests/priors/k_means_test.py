"""The clustering that a mixture starts from."""
import numpy as np
import pytest
from sklearn import cluster

from pgak.priors import k_means


def test_groups_are_found():
  generator = np.random.default_rng(0)
  truth = np.repeat(np.arange(4), 30)
  places = np.array([[0., 0.], [9., 0.], [0., 9.], [9., 9.]]) + 1e7
  points = places[truth] + generator.normal(size=(120, 2))
  found = k_means.assignments(points, 4)
  assert len(set(zip(found, truth))) == 4


def test_the_sum_of_squares_is_as_low_as_scikit_learns():
  points = np.random.default_rng(1).uniform(size=(500, 3))
  labels = k_means.assignments(points, 8)
  ours = sum(np.square(points[labels == k] - points[labels == k].mean(0)).sum()
             for k in range(8))
  theirs = cluster.KMeans(8, n_init=1, random_state=0).fit(points).inertia_
  assert ours == pytest.approx(theirs, rel=0.05)


def test_the_seed_decides():
  points = np.random.default_rng(1).uniform(size=(300, 2))
  first, same, other = (k_means.assignments(points, 6, s) for s in (3, 3, 4))
  np.testing.assert_array_equal(first, same)
  assert np.any(first != other)


def test_points_that_coincide():
  labels = k_means.assignments(np.ones([7, 2]), 3)
  assert labels.shape == (7,) and set(labels) <= {0, 1, 2}

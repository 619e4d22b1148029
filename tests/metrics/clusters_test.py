"""Tests of k-means side by side."""
import numpy as np
from sklearn import cluster
import threadpoolctl

from pgak.metrics import clusters


def test_each_is_scikit_learns_of_its_seed():
  vectors = np.random.default_rng(0).normal(size=(60, 3))
  found = clusters.fits(vectors, 4, [3, 5], starts=2)
  for seed, means in zip([3, 5], found, strict=True):
    expected = cluster.MiniBatchKMeans(4, n_init=2, random_state=seed).fit(
        vectors)
    np.testing.assert_array_equal(means.labels_, expected.labels_)


def test_seeds_beyond_scikit_learns_begin_again():
  vectors = np.random.default_rng(0).normal(size=(60, 3))
  found = clusters.fits(vectors, 4, [2**32 + 3, 3], starts=2)
  np.testing.assert_array_equal(*(means.labels_ for means in found))


def test_the_limits_of_threads_are_those_of_before():
  before = [p['num_threads'] for p in threadpoolctl.threadpool_info()]
  clusters.fits(np.eye(5), 2, [0, 1], starts=1)
  after = [p['num_threads'] for p in threadpoolctl.threadpool_info()]
  assert after[:len(before)] == before

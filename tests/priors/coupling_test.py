"""Optimal transport between noise and points."""
import itertools

import numpy as np
import tensorflow as tf

from pgak.priors import coupling


def normals(number, seed):
  drawn = np.random.default_rng(seed).normal(size=(number, 2))
  return drawn.astype(np.float32)


def cost(base, points):
  return np.sum(np.square(base - points))


def test_it_is_the_best_permutation():
  base, points = normals(5, 0), normals(5, 1)
  found = coupling.coupled(
      tf.constant(base), tf.constant(points), tf.zeros([5], tf.int32))
  best = min((base[list(p)] for p in itertools.permutations(range(5))),
             key=lambda b: cost(b, points))
  np.testing.assert_array_equal(found, best)
  assert cost(best, points) < cost(base, points)


def test_labels_keep_their_noise_and_groups_theirs():
  base, points = normals(600, 0), normals(600, 1)
  labels = np.stack([np.arange(600) % 2, np.arange(600) % 3], 1)
  # In a graph, where the shape is kept.
  found = tf.function(coupling.coupled)(
      tf.constant(base), tf.constant(points), tf.constant(labels, tf.int32))
  assert found.shape == (600, 2)
  for kind in range(6):
    rows = np.arange(600) % 6 == kind
    np.testing.assert_array_equal(
        np.sort(found.numpy()[rows], 0), np.sort(base[rows], 0))
  assert cost(found, points) < 0.5 * cost(base, points)
  one = coupling.coupled(tf.constant(base), tf.constant(points),
                         tf.zeros([600], tf.int32)).numpy()
  for first in range(0, 600, coupling.GROUP):
    rows = slice(first, first + coupling.GROUP)
    np.testing.assert_array_equal(
        np.sort(one[rows], 0), np.sort(base[rows], 0))

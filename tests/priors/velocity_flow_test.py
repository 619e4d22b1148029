"""Tests of a velocity net's flow as functions."""
import numpy as np
import pytest
import tensorflow as tf

from pgak.priors import velocity_flow


class _Net:
  """Points move by 1 a unit of time, or by their label."""

  def __init__(self, size=2):
    self.size = size

  def __call__(self, points, time, labels=None):
    if labels is None:
      return tf.ones_like(points)
    return tf.ones_like(points) * tf.cast(labels, tf.float32)[:, tf.newaxis]


def test_points_go_forwards_and_back():
  flow = velocity_flow.VelocityFlow(_Net())
  points = np.float32([[0., 1.], [2., -3.]])
  moved = flow.forwards(points, 3)
  np.testing.assert_allclose(moved, points + 1., rtol=1e-6)
  np.testing.assert_allclose(flow.backwards(moved, 3), points, atol=1e-6)


@pytest.mark.parametrize('guidance, move', [(1., 4.), (2., 7.), (0., 1.)])
def test_guidance_goes_beyond_the_label(guidance, move):
  # v(none) + g (v(4) - v(none)) = 1 + 3 g.
  flow = velocity_flow.VelocityFlow(_Net(), guidance)
  found = flow.forwards(np.zeros([1, 2], np.float32), 2, np.int32([4]))
  np.testing.assert_allclose(found, np.full([1, 2], move), rtol=1e-6)


def test_the_density_moves_with_the_points():
  flow = velocity_flow.VelocityFlow(_Net())
  points = np.float32([[1., 1.], [2., 1.]])
  # A move changes no volume: N(0, I) at time 0, where they were 1 less.
  mean, error = flow.log_densities(points, points, 2, 1)
  np.testing.assert_allclose(
      mean, -np.log(2. * np.pi) - np.array([0., 0.5]), rtol=1e-5)
  assert list(error) == [0., 0.]


def test_the_trace_is_exact_where_that_is_asked_for():
  class Twisted(_Net):

    def __call__(self, points, time, labels=None):
      # A Jacobian of ones: each probe sees another trace, 9 in the mean.
      return tf.reduce_sum(points, 1, keepdims=True) * tf.ones([1, 9])

  flow = velocity_flow.VelocityFlow(Twisted(9))
  points = np.random.default_rng(0).normal(size=(2, 9)).astype(np.float32)
  exact, error = flow.log_densities(points, points, 64, 'exact')
  found, some = flow.log_densities(points, points, 64, 8)
  base = flow.backwards(points, 64).numpy()
  np.testing.assert_allclose(
      exact, -0.5 * (base**2).sum(1) - 4.5 * np.log(2. * np.pi) - 9., rtol=1e-4)
  assert not np.any(error) and np.all(some > 0.1)
  assert np.all(np.abs(found - exact) < 4. * some)

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

"""What all flows share: bounded scales, chains, and the density of points."""
import numpy as np
import pytest
from scipy import stats
import tensorflow as tf
import tensorflow_probability as tfp

from pgak.priors import flow


class Scaled(flow.Flow):
  """Doubles the first of three dimensions, then hands each to the next."""

  size = 3

  def bijector(self):
    return flow.chain([tfp.bijectors.Scale(tf.constant([2., 1., 1.]))],
                      [[2, 0, 1]])


def test_a_net_s_outputs_are_a_shift_and_a_bounded_log_scale():
  shift, log_scale = flow.bounded(tf.constant([[5., -100., 0.01, 1e6]]))
  np.testing.assert_array_equal(shift, [[5., -100.]])
  # Near 0 it is the number itself, and never more than 3.
  np.testing.assert_allclose(log_scale, [[0.01, 3.]], rtol=1e-4)
  _, lowest = flow.bounded(tf.constant([0., -1e6]))
  np.testing.assert_allclose(lowest, [-3.], rtol=1e-6)


def test_a_chain_applies_its_first_map_first():
  bijector = flow.chain(
      [tfp.bijectors.Scale(tf.constant([2., 1.])),
       tfp.bijectors.Shift(tf.constant([10., 0.]))], [[1, 0], [1, 0]])
  # (1, 3) -> (2, 3) -> (3, 2) -> (13, 2) -> (2, 13)
  np.testing.assert_array_equal(
      bijector.forward(tf.constant([1., 3.])), [2., 13.])


def test_each_map_has_an_order():
  with pytest.raises(ValueError):
    flow.chain([tfp.bijectors.Identity()], [])


def test_the_density_of_points_is_that_of_their_base_over_the_volume():
  points = np.array([[0.3, 4., -1.], [0., 0., 0.]], np.float32)
  # Of the base (x, y, z) the point is (z, 2 x, y).
  base = np.stack([points[:, 1] / 2., points[:, 2], points[:, 0]], 1)
  expected = stats.norm.logpdf(base).sum(1) - np.log(2.)
  np.testing.assert_allclose(Scaled()(points), expected, rtol=1e-5)


def test_a_flow_without_a_map_is_an_error():
  with pytest.raises(NotImplementedError):
    flow.Flow().bijector()

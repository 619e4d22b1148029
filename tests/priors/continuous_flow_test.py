"""Flows in continuous time, against normal distributions and TFP's FFJORD."""
import numpy as np
import pytest
from scipy import stats
import tensorflow as tf
import tensorflow_probability as tfp
from tensorflow_probability.python.bijectors import ffjord

from pgak.priors import continuous_flow

H = 4


def normal():
  """Mean and covariance of correlated latents of some scales."""
  mix = np.random.default_rng(0).normal(size=(H, H))
  return np.array([0.5, -1., 0., 0.8]), 0.1 * mix @ mix.T + 0.7 * np.eye(H)


def exact_velocity(points, time):
  """The velocity whose flow is from N(0, I) to N(m, C), for these.

  x_t = (1 - t) x_0 + t x_1 is normal with mean t m and covariance
  (1 - t)^2 I + t^2 C, and its covariance with x_1 - x_0 is t C - (1 - t) I.
  """
  mean, covariance = (tf.constant(x, points.dtype) for x in normal())
  identity = tf.eye(H, dtype=points.dtype)
  joint = time * covariance - (1. - time) * identity
  marginal = tf.square(1. - time) * identity + tf.square(time) * covariance
  slope = tf.matmul(joint, tf.linalg.inv(marginal))
  return mean + tf.matmul(points - time * mean, slope, transpose_b=True)


def velocity(points, time):
  """Some smooth velocity that is far from linear."""
  weights = np.random.default_rng(1).normal(size=(2, 3, 3))
  first, second = (tf.constant(w, points.dtype) for w in weights)
  return tf.tanh(tf.matmul(points, first) + 2. * time) @ second


def points(number=200, size=H, seed=2):
  return tf.constant(np.random.default_rng(seed).normal(size=(number, size)))


@pytest.mark.parametrize('steps, tolerance', [(32, 1e-3), (128, 7e-5)])
def test_the_density_of_a_normal(steps, tolerance):
  mean, covariance = normal()
  drawn = tf.constant(np.random.default_rng(3).multivariate_normal(
      mean, covariance, 200))
  found = tf.function(continuous_flow.log_densities)(
      exact_velocity, drawn, steps)
  assert found.shape == (1, 200)
  expected = stats.multivariate_normal(mean, covariance).logpdf(drawn)
  assert np.abs(found[0] - expected).mean() < tolerance


def test_draws_of_a_normal():
  mean, covariance = normal()
  drawn = tf.function(continuous_flow.transport)(
      exact_velocity, points(20000), 32).numpy()
  np.testing.assert_allclose(drawn.mean(0), mean, atol=0.05)
  np.testing.assert_allclose(np.cov(drawn.T), covariance, atol=0.05)


def test_a_path_may_begin_later():
  mean, covariance = normal()
  values, vectors = np.linalg.eigh(covariance)
  # All slopes commute, so that each direction is only scaled.
  scales = np.sqrt(values / (0.3**2 + 0.7**2 * values))
  begun = points(50).numpy()
  expected = mean + (begun - 0.7 * mean) @ (vectors * scales) @ vectors.T
  moved = continuous_flow.transport(
      exact_velocity, tf.constant(begun), 64, begin=0.7)
  np.testing.assert_allclose(moved, expected, atol=1e-4)
  back = continuous_flow.transport(
      exact_velocity, moved, 64, backwards=True, begin=0.7)
  np.testing.assert_allclose(back, begun, atol=1e-4)


def test_the_error_is_of_second_order():
  move = tf.function(continuous_flow.transport)
  ends = {n: move(velocity, points(50, 3), tf.constant(n))
          for n in (16, 32, 512)}
  coarse, finer = (np.abs(ends[n] - ends[512]).max() for n in (16, 32))
  assert 3. < coarse / finer < 5.5 and finer < 1e-2


def test_paths_are_the_same_backwards():
  there = continuous_flow.transport(velocity, points(50, 3), 128)
  back = continuous_flow.transport(velocity, there, 128, backwards=True)
  assert np.abs(there - points(50, 3)).max() > 0.5
  np.testing.assert_allclose(back, points(50, 3), atol=1e-3)


def test_density_and_draws_are_those_of_ffjord():
  solver = tfp.math.ode.DormandPrince(rtol=1e-7, atol=1e-7)
  bijector = tfp.bijectors.FFJORD(
      lambda time, state: velocity(state, time), solver.solve, dtype=tf.float64,
      trace_augmentation_fn=ffjord.trace_jacobian_exact)
  at = points(20, 3)
  move = tf.function(continuous_flow.transport)
  np.testing.assert_allclose(move(velocity, at, 256), bijector.forward(at),
                             atol=1e-4)
  other = tfp.distributions.TransformedDistribution(
      tfp.distributions.MultivariateNormalDiag(tf.zeros([3], tf.float64)),
      bijector)
  found = tf.function(continuous_flow.log_densities)(velocity, at, 256)
  np.testing.assert_allclose(found[0], other.log_prob(at), atol=3e-4)


def test_probes_estimate_the_trace():
  at = points(30, 3)
  densities = tf.function(continuous_flow.log_densities)
  exact = densities(velocity, at, 32)[0]
  signs = continuous_flow.probes(at, 64)
  found = densities(velocity, at, 32, signs).numpy()
  error = found.std(0) / 64**0.5
  assert found.shape == (64, 30) and error.min() > 0.
  off = (found.mean(0) - exact.numpy()) / error
  # Of 30 estimates, about 10 are off by more than a standard error.
  assert np.abs(off).max() < 4. and 0.6 < off.std() < 1.5


def test_probes_are_of_each_point_alone():
  at = tf.cast(points(500, 6), tf.float32)
  signs = continuous_flow.probes(at, 2).numpy()
  np.testing.assert_array_equal(np.unique(signs), [-1., 1.])
  np.testing.assert_array_equal(
      continuous_flow.probes(at[7:9], 2), signs[:, 7:9])
  flat = signs.reshape(2, 500, 6).transpose(1, 0, 2).reshape(500, 12)
  # Twelve independent signs: means and products within four deviations of 0.
  correlation = flat.T @ flat / 500. - np.eye(12)
  assert np.abs(flat.mean(0)).max() < 4. / 500**0.5
  assert np.abs(correlation).max() < 4. / 500**0.5
  zeros = tf.constant([[0., -0.], [-0., 0.]])
  same = continuous_flow.probes(zeros, 1).numpy()
  np.testing.assert_array_equal(same[:, 0], same[:, 1])

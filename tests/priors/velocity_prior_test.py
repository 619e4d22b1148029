"""Latent flow matching as a part of a model: its bound, density and draws."""
import keras
import numpy as np
import pytest
from scipy import stats
import tensorflow as tf

from pgak import noise
from pgak import priors

COVARIANCE = np.array([[1., .6, 0.], [.6, 1., -.3], [0., -.3, 1.]])
MEAN, SCALE = np.array([3., -2., 0.5]), np.array([0.2, 1., 7.])


class Best:
  """The best velocity for x_1 of N(0, C), where it is linear.

  With S = (1 - t)^2 I + t^2 C the covariance of x_t,
  `E[x_1 - x_0 | x_t] = (t C - (1 - t) I) S^-1 x_t`.
  """

  def __call__(self, points, time):
    t = tf.reshape(time, [-1, 1, 1])
    one, c = tf.eye(3), tf.constant(COVARIANCE, tf.float32)
    both = (1. - t)**2 * one + t**2 * c
    solved = tf.linalg.solve(both, points[..., tf.newaxis])[..., 0]
    return tf.linalg.matvec(t * c - (1. - t) * one, solved)


def gaussian(**settings):
  """A prior of latents of N(m, s C s), by the best velocity."""
  prior = priors.FlowMatchingPrior(3, **settings)
  prior.mean.assign(MEAN)
  prior.variance.assign(SCALE**2)
  prior.net = Best()
  return prior


def drawn(number, prior, seed=0):
  latents = np.random.default_rng(seed).multivariate_normal(
      MEAN, COVARIANCE * np.outer(SCALE, SCALE), number)
  return tf.constant(latents, tf.float32), {
      name: draw([number, *shape], noise.seed(seed, 0, name))
      for name, (draw, shape) in prior.training_noise.items()}


def test_the_bound_is_tight_where_the_velocity_is_the_best():
  """Of a Gaussian the mean of the bound is minus the entropy.

  Up to the noise: of N(0, C) it is that of N(0, C + noise^2 I) or less.
  """
  prior = gaussian(noise=0.02)
  found = prior(*drawn(1_000_000, prior)).numpy().astype(float)
  entropy = stats.multivariate_normal(
      MEAN, COVARIANCE * np.outer(SCALE, SCALE)).entropy()
  error = found.std() / np.sqrt(len(found))
  assert error < 0.01
  # 0.02^2 over the smallest eigenvalue of C, 0.33, is 1e-3.
  assert found.mean() == pytest.approx(-entropy, abs=4. * error + 2e-3)


def test_another_velocity_has_a_lower_bound():
  """By the integral of t / (1 - t) E|v - best|^2, a change of x_t's mean."""
  prior = gaussian(noise=0.1)
  given = drawn(100_000, prior)
  best = prior(*given).numpy().astype(float)
  prior.net = lambda points, time: Best()(points, time) + 0.5
  other = prior(*given).numpy().astype(float)
  # The integral of t / (1 - t) up to t_1 = 1 / (1 + noise).
  end = 1. / 1.1
  expected = 3 * 0.25 * (-np.log1p(-end) - end)
  assert (best - other).mean() == pytest.approx(expected, abs=0.05)


def test_the_encoder_is_pulled_to_where_latents_are_dense():
  """The gradient's mean is that of log N: -C^-1 (z - m) in units of s."""
  prior = gaussian(noise=0.1)
  latent = tf.constant([[3.3, -1., -6.]])
  _, given = drawn(200_000, prior)
  with tf.GradientTape() as tape:
    tape.watch(latent)
    bound = tf.reduce_mean(prior(tf.tile(latent, [200_000, 1]), given))
  found = tape.gradient(bound, latent)[0].numpy()
  expected = -np.linalg.solve(COVARIANCE + 0.01 * np.eye(3),
                              (latent[0] - MEAN) / SCALE) / SCALE
  np.testing.assert_allclose(found * SCALE, expected * SCALE, atol=0.1)


def scattered(size=3, **settings):
  """One whose net is no longer 0."""
  prior = priors.FlowMatchingPrior(size, 16, 1, seed=0, **settings)
  generator = np.random.default_rng(0)
  for variable in prior.trainable_variables:
    variable.assign(generator.normal(0., 0.15, variable.shape))
  prior.mean.assign(np.linspace(-3., 4., size))
  prior.variance.assign(np.linspace(0.5, 9., size))
  return prior


def test_the_density_integrates_to_1():
  prior = scattered(2)
  draws = prior.sample(2000).numpy()
  low, high = draws.min(0) - 4., draws.max(0) + 4.
  axes = [np.linspace(a, b, 200) for a, b in zip(low, high)]
  grid = np.stack(np.meshgrid(*axes, indexing='ij'), -1).reshape(-1, 2)
  density = np.exp(prior.log_prob(tf.constant(grid, tf.float32)))
  cell = np.prod([a[1] - a[0] for a in axes])
  assert density.sum() * cell == pytest.approx(1., abs=5e-3)


def test_there_and_back():
  prior = scattered()
  latents = prior.sample(500, seed=3)
  np.testing.assert_allclose(
      prior.latent_to_base(latents),
      noise.normal([500, 3], noise.seed(3, 0, 'prior')), atol=2e-3)
  np.testing.assert_allclose(
      prior.base_to_latent(prior.latent_to_base(latents)), latents, atol=1e-2)


def test_settings_come_back():
  prior = scattered(noise=0.05, sampling_steps=8)
  again = type(prior).from_config(prior.get_config())
  assert again.get_config() == prior.get_config()
  again.set_weights(prior.get_weights())
  np.testing.assert_array_equal(again.sample(4, 1), prior.sample(4, 1))
  assert prior.label == 'learned_flow_matching'


def test_the_seed_of_the_net_is_the_runs():
  keras.utils.set_random_seed(5)
  first = priors.FlowMatchingPrior(4)
  keras.utils.set_random_seed(5)
  again, other = priors.FlowMatchingPrior(4), priors.FlowMatchingPrior(4)
  same = [np.array_equal(a, b) for a, b in zip(first.weights, again.weights)]
  assert all(same)
  assert not all(np.array_equal(a, b)
                 for a, b in zip(first.weights, other.weights))

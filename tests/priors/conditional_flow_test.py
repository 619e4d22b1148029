import keras
import numpy as np
import pytest
from scipy import stats
import tensorflow as tf

from pgak import errors
from pgak.priors import conditional_flow

SHAPE = (2, 2, 1)


def flow(size=2, scattered=True, seed=0):
  network = keras.Sequential([
      keras.Input(SHAPE), keras.layers.Flatten(),
      keras.layers.Dense(3, 'tanh')])
  made = conditional_flow.ConditionalFlow(size, network, 3, (8,), seed=seed)
  generator = np.random.default_rng(seed)
  if scattered:
    for variable in made.trainable_variables:
      variable.assign(generator.normal(0., 0.5, variable.shape))
  made.mean.assign(np.linspace(-1., 2., size))
  made.variance.assign(np.linspace(0.5, 4., size))
  return made


def conditions(number, seed=1):
  return np.random.default_rng(seed).uniform(
      -1., 1., (number, *SHAPE)).astype(np.float32)


def test_at_first_it_is_a_gaussian_of_the_moments():
  """Couplings and the mean head begin at 0: N(m, s^2), whatever y is."""
  made = flow(3, scattered=False)
  latents = np.random.default_rng(2).normal(0., 2., (5, 3)).astype(np.float32)
  expected = stats.norm(made.mean.numpy(), made.scale.numpy()).logpdf(
      latents).sum(1)
  np.testing.assert_allclose(made.log_prob(latents, conditions(5)), expected,
                             rtol=1e-5)


def test_the_density_given_a_condition_integrates_to_one():
  made = flow()
  draws = made.sample(np.repeat(conditions(1), 4000, 0)).numpy()
  low, high = draws.min(0) - 3., draws.max(0) + 3.
  axes = [np.linspace(a, b, 401) for a, b in zip(low, high)]
  points = np.stack(np.meshgrid(*axes, indexing='ij'), -1).reshape(-1, 2)
  density = np.exp(made.log_prob(
      points.astype(np.float32), np.repeat(conditions(1), len(points), 0)))
  cell = np.prod((high - low) / 400.)
  assert density.sum() * cell == pytest.approx(1., abs=2e-3)
  # The same law: the mean of the draws is the density's, to 4 standard errors.
  mean = (density[:, None] * points).sum(0) * cell
  error = draws.std(0) / np.sqrt(len(draws))
  assert np.all(np.abs(mean - draws.mean(0)) < 4. * error + 2e-3)


def test_it_inverts_and_its_density_is_that_of_the_change_of_variables():
  made = flow(5)
  given = conditions(6)
  base = np.random.default_rng(3).normal(0., 1., (6, 5)).astype(np.float32)
  with tf.GradientTape() as tape:
    start = tf.constant(base)
    tape.watch(start)
    latents = made.base_to_latent(start, given)
  jacobian = np.asarray(tape.batch_jacobian(latents, start), np.float64)
  # TFP would answer from its cache.
  back = made.latent_to_base(tf.identity(latents), given)
  np.testing.assert_allclose(back, base, atol=1e-4)
  _, mean = made._features(given)
  expected = (stats.norm.logpdf(base - mean.numpy()).sum(1)
              - np.linalg.slogdet(jacobian)[1])
  np.testing.assert_allclose(made.log_prob(tf.identity(latents), given),
                             expected, rtol=1e-4, atol=1e-4)


def test_the_condition_decides_the_mean_and_each_coupling():
  made = flow(4)
  one, other = conditions(1, 1), conditions(1, 2)
  base = np.zeros((1, 4), np.float32)
  assert np.abs(made._features(one)[1] - made._features(other)[1]).max() > 0.01
  moved = made.base_to_latent(base, one) - made.base_to_latent(base, other)
  assert np.abs(moved).max() > 0.01


def test_every_variable_has_a_gradient():
  made = flow(4)
  latents = np.random.default_rng(4).normal(size=(8, 4)).astype(np.float32)
  with tf.GradientTape() as tape:
    loss = -tf.reduce_mean(made.log_prob(latents, conditions(8)))
  variables = [v.value for v in made.trainable_variables]
  gradients = tape.gradient(loss, variables)
  # Couplings: 3 nets of 4; the mean head 2, the condition's net 2.
  assert len(variables) == 16
  assert all(np.any(np.asarray(g) != 0.) for g in gradients)


def test_draws_repeat_by_seed_and_depend_on_their_place_alone():
  made = flow(4)
  given = conditions(3)
  draws = made.sample(given, 5).numpy()
  np.testing.assert_array_equal(made.sample(given, 5), draws)
  np.testing.assert_allclose(made.sample(given[:2], 5), draws[:2], rtol=1e-5)
  assert np.abs(made.sample(given, 6) - draws).max() > 0.1
  jitted = tf.function(made.sample, jit_compile=True)(given, 5)
  np.testing.assert_allclose(jitted, draws, rtol=1e-4, atol=1e-5)


def test_a_number_of_draws_is_no_condition():
  with pytest.raises(errors.UserError, match='given conditions.*pairs'):
    flow().sample(16, seed=0)

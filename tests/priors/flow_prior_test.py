"""The prior that is learned with a model: density, moments, both flows."""
import logging

import keras
import numpy as np
import pytest
from scipy import stats
import tensorflow as tf

from pgak import noise
from pgak import priors

KINDS = ('real_nvp', 'maf')


def scattered(size, kind='real_nvp', **settings):
  """A flow prior far from N(0, I), with moments of its own."""
  prior = priors.FlowPrior(size, kind, num_couplings=3, hidden_units=(7,),
                           seed=0, **settings)
  generator = np.random.default_rng(0)
  for variable in prior.trainable_variables:
    variable.assign(generator.normal(0., 0.2, variable.shape))
  prior.mean.assign(np.linspace(-3., 4., size))
  prior.variance.assign(np.linspace(0.5, 9., size))
  return prior


@pytest.mark.parametrize('kind', KINDS)
def test_the_density_integrates_to_1(kind):
  prior = scattered(2, kind)
  draws = prior.sample(4000).numpy()
  low, high = draws.min(0) - 6., draws.max(0) + 6.
  axes = [np.linspace(a, b, 500) for a, b in zip(low, high)]
  grid = np.stack(np.meshgrid(*axes, indexing='ij'), -1).reshape(-1, 2)
  density = np.exp(prior.log_prob(tf.constant(grid, tf.float32)))
  cell = np.prod([a[1] - a[0] for a in axes])
  assert density.sum() * cell == pytest.approx(1., abs=2e-3)


@pytest.mark.parametrize('kind', KINDS)
def test_the_density_is_the_change_of_variables(kind):
  prior = scattered(3, kind)
  base = tf.constant(np.random.default_rng(1).normal(size=(1, 3)), tf.float32)
  with tf.GradientTape() as tape:
    tape.watch(base)
    latents = prior.base_to_latent(base)
  jacobian = tape.jacobian(latents, base)[0, :, 0]
  expected = (stats.norm.logpdf(base).sum()
              - np.linalg.slogdet(jacobian)[1])
  assert float(prior.log_prob(latents)[0]) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize('kind', KINDS)
def test_there_and_back(kind):
  prior = scattered(5, kind)
  latents = prior.sample(2000, seed=3)
  back = prior.base_to_latent(tf.identity(prior.latent_to_base(latents)))
  error = np.abs(back - latents) / np.std(latents, 0)
  assert np.percentile(error, 99.9) < 1e-4
  np.testing.assert_allclose(
      prior.latent_to_base(latents),
      noise.normal([2000, 5], noise.seed(3, 0, 'prior')), atol=2e-3)


def test_maf_looks_only_back():
  """Of one map, z_0's dimension i depends on the latents' up to i."""
  flow = priors.AutoregressiveFlow(4, num_couplings=1, hidden_units=(60, 50))
  flow.build()
  generator = np.random.default_rng(0)
  for variable in flow.trainable_variables:
    variable.assign(generator.normal(size=variable.shape))
  points = tf.constant(generator.normal(size=(1, 4)), tf.float32)
  with tf.GradientTape() as tape:
    tape.watch(points)
    base = flow.bijector().inverse(points)
  jacobian = tape.jacobian(base, points)[0, :, 0].numpy()[:, ::-1]
  np.testing.assert_array_equal(jacobian, np.tril(jacobian))
  assert np.all(jacobian[np.tril_indices(4)] != 0.)


def test_the_moments_are_those_of_all_latents_at_first():
  """While the batch's share 1 / n is above 1 - momentum: no step is lost."""
  prior = priors.FlowPrior(2, momentum=0.9)
  latents = np.random.default_rng(0).normal(
      [5., -700.], [0.1, 30.], size=(6, 50, 2)).astype('f')
  for i, batch in enumerate(latents, 1):
    prior.follow(tf.constant(batch))
    seen = latents[:i].reshape(-1, 2)
    np.testing.assert_allclose(prior.mean, seen.mean(0), rtol=1e-5)
    np.testing.assert_allclose(prior.variance, seen.var(0), rtol=1e-3)


def test_the_moments_follow_with_the_momentum():
  """N steps after a jump the mean is 1 - momentum^N of the way."""
  prior = priors.FlowPrior(2, momentum=0.75)
  for value in [0.] * 50 + [1.] * 3:
    prior.follow(tf.fill([4, 2], value))
  np.testing.assert_allclose(prior.mean, 1. - 0.75**3, rtol=1e-5)
  # Of a coin that is 1 with probability p: p (1 - p).
  p = 1. - 0.75**3
  np.testing.assert_allclose(prior.variance, p * (1. - p), rtol=1e-4)


def test_no_gradient_moves_the_moments_and_none_passes_them():
  prior = scattered(2)
  assert all('mean' not in v.path and 'variance' not in v.path
             for v in prior.trainable_variables)
  latents = tf.constant([[1., 2.], [3., 5.]])
  with tf.GradientTape() as tape:
    tape.watch(latents)
    prior.follow(latents)
    moments = tf.convert_to_tensor(prior.mean)
  assert tape.gradient(moments, latents) is None


def test_latents_that_do_not_vary_have_a_density():
  prior = priors.FlowPrior(2)
  prior.follow(tf.zeros([3, 2]))
  assert np.all(np.isfinite(prior.log_prob(tf.zeros([3, 2]))))


def test_the_seed_of_the_nets_is_the_runs():
  keras.utils.set_random_seed(5)
  first = priors.FlowPrior(4)
  keras.utils.set_random_seed(5)
  again, other = priors.FlowPrior(4), priors.FlowPrior(4)
  for a, b in zip(first.weights, again.weights):
    np.testing.assert_array_equal(a, b)
  assert any(not np.array_equal(a, b)
             for a, b in zip(first.weights, other.weights))


def test_samples_are_repeatable_and_named():
  prior = scattered(3)
  np.testing.assert_array_equal(prior.sample(5, 2), prior.sample(5, 2))
  np.testing.assert_allclose(prior.sample(5, 2), prior.sample(9, 2)[:5],
                             rtol=1e-5)
  assert prior.label == 'learned_real_nvp'
  assert scattered(3, 'maf').label == 'learned_maf'


def test_an_unknown_flow_is_named():
  with pytest.raises(ValueError, match="'glow'` must be 'real_nvp' or 'maf'"):
    priors.FlowPrior(3, 'glow')


@pytest.mark.parametrize('kind', KINDS)
def test_a_flow_needs_two_dimensions(kind):
  with pytest.raises(ValueError, match='at least 2 latent dim'):
    priors.FlowPrior(1, kind)


def test_too_few_units_for_all_dimensions_are_said(caplog):
  with caplog.at_level(logging.WARNING):
    priors.FlowPrior(6, 'maf', hidden_units=(5, 7))
    priors.FlowPrior(6, 'real_nvp', hidden_units=(3,))
    assert not caplog.text
    prior = priors.FlowPrior(6, 'maf', num_couplings=1, hidden_units=(8, 3))
  assert 'on the first 3 of them alone' in caplog.text
  assert '`FlowPrior.hidden_units` to at least 5 each.' in caplog.text
  # As it says.
  net, = prior.flow.nets
  net.layers[-1].kernel.assign(tf.ones([3, 12]))
  points = tf.Variable(tf.random.stateless_normal([50, 6], [0, 0]))
  with tf.GradientTape() as tape:
    outputs = net(points)[:, 5]
  moved = np.abs(tape.gradient(outputs, points)).sum(0) > 0.
  assert moved.tolist() == [True] * 3 + [False] * 3

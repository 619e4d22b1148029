"""Priors as TFP distributions, and the divergences between them."""
import types

import keras
import numpy as np
import pytest
from scipy import stats
import tensorflow as tf

from pgak import errors
from pgak import priors

H, N = 3, 3000
FAMILY = {
    'standard_normal': 'MultivariateNormalDiag',
    'gaussian': 'MultivariateNormalTriL',
    'gmm': 'MixtureSameFamily',
    'gmm_diagonal': 'MixtureSameFamily',
    'bayesian_gmm': 'MixtureSameFamily',
    'gmm_gradient': 'MixtureSameFamily',
    'kde': 'MixtureSameFamily',
    'real_nvp': 'TransformedDistribution',
    'learned_real_nvp': 'TransformedDistribution',
    'learned_maf': 'TransformedDistribution',
    'uniform_sphere': 'SphericalUniform',
}


def latents(seed=0):
  generator = np.random.default_rng(seed)
  groups = generator.integers(0, 2, (200, 1))
  return 2. + groups * 3. + generator.normal(size=(200, H))


def scattered(layer, seed=1):
  """Gives every weight of a flow a value, so that it is no identity."""
  generator = np.random.default_rng(seed)
  for variable in layer.trainable_variables:
    variable.assign(generator.normal(0., 0.3, variable.shape))
  return layer


def learned(flow):
  prior = scattered(priors.FlowPrior(H, flow, 2, (8,), seed=0))
  prior.follow(tf.constant(latents(), tf.float32))
  return prior


def made_up(prior, diagonal=False, size=2):
  generator = np.random.default_rng(2)
  factors = generator.normal(0., 0.5, (size, H, H))
  factors = np.tril(factors, -1) + np.eye(H) * generator.uniform(0.5, 2., H)
  return prior.load_state({
      'weights': generator.dirichlet(np.ones(size)),
      'means': generator.normal(0., 2., (size, H)),
      'factors': factors.diagonal(axis1=1, axis2=2) if diagonal else factors})


def fitted_flow():
  prior = priors.RealNVP(H, 2, (8,))
  scattered(prior.flow)
  weights = {f'weight_{i}': w.numpy()
             for i, w in enumerate(prior.flow.weights)}
  return prior.load_state(
      weights | {'mean': np.arange(3.), 'scale': np.arange(1., 4.)})


@pytest.fixture(name='made', scope='module')
def _made():
  points = latents()
  return {
      'standard_normal': priors.StandardNormal(H),
      'gaussian': priors.Gaussian(H).fit(points),
      'gmm': made_up(priors.GaussianMixture(H, 2)),
      'gmm_diagonal': made_up(priors.GaussianMixture(H, 2, 'diagonal'), True),
      'bayesian_gmm': made_up(priors.BayesianGaussianMixture(H, 3), size=3),
      'gmm_gradient': made_up(priors.GradientMixture(H, 2)),
      'kde': priors.KernelDensity(H).fit(points),
      'real_nvp': fitted_flow(),
      'learned_real_nvp': learned('real_nvp'),
      'learned_maf': learned('maf'),
      'uniform_sphere': priors.UniformSphere(H),
  }


@pytest.mark.parametrize('name', FAMILY)
def test_a_prior_has_the_density_of_its_distribution(made, name):
  prior = made[name]
  distribution = prior.distribution
  # TFP has two classes of the last name, one of them private.
  assert type(distribution).__name__.lstrip('_') == FAMILY[name]
  assert distribution.event_shape == [H] and distribution.batch_shape == []
  points = tf.constant(prior.sample(50, 3))
  np.testing.assert_allclose(
      distribution.log_prob(tf.cast(points, distribution.dtype)),
      prior.log_prob(tf.cast(points, distribution.dtype)), rtol=1e-4,
      atol=1e-4)


@pytest.mark.parametrize('change', [
    None,
    pytest.param(lambda x: 1.2 * x, marks=pytest.mark.xfail(strict=True)),
    pytest.param(lambda x: x[:, ::-1] + 0.4,
                 marks=pytest.mark.xfail(strict=True)),
], ids=['as_it_is', 'wider', 'moved'])
@pytest.mark.parametrize('name', FAMILY)
def test_repeatable_draws_follow_the_distribution(made, name, change):
  """Kolmogorov and Smirnov on directions: TFP's draws against ours."""
  prior = made[name]
  ours = np.asarray(prior.sample(N, 5), np.float64)
  ours = change(ours) if change else ours
  theirs = np.asarray(prior.distribution.sample(N, seed=(1, 2)), np.float64)
  generator = np.random.default_rng(0)
  for direction in (*np.eye(H), *generator.normal(size=(3, H))):
    assert stats.ks_2samp(ours @ direction, theirs @ direction).pvalue > 1e-4


def test_a_conditional_flow_has_one_for_each_condition():
  conditions = keras.Input((2, 2, 1))
  net = keras.Model(conditions, keras.layers.Dense(4)(
      keras.layers.Flatten()(conditions)))
  prior = scattered(priors.ConditionalFlow(H, net, 2, (8,), seed=0))
  y = tf.random.stateless_uniform([5, 2, 2, 1], [1, 2])
  distribution = prior.distribution(y)
  assert (distribution.batch_shape, distribution.event_shape) == ([5], [H])
  z = prior.sample(y, 1)
  np.testing.assert_allclose(distribution.log_prob(tf.identity(z)),
                             prior.log_prob(z, y), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize('prior', [
    priors.TwoStageVAE(H, 1, 4), priors.LatentGenerator(H)])
def test_what_has_no_density_has_no_distribution(prior):
  assert not hasattr(prior, 'distribution')
  with pytest.raises(errors.UserError, match='no density that can be comp'):
    priors.kl_divergence(prior, priors.StandardNormal(H))


def test_a_prior_of_one_s_own_needs_no_label():
  bare = types.SimpleNamespace(name='bare', can={'log_density'}, latent_dim=H,
                               sample=priors.StandardNormal(H).sample,
                               log_prob=priors.StandardNormal(H).log_prob)
  found = priors.kl_divergence(bare, priors.StandardNormal(H), 50)
  assert found.value == pytest.approx(0., abs=1e-6)
  bare.can = set()
  with pytest.raises(errors.UserError, match='The prior bare has no density'):
    priors.kl_divergence(bare, priors.StandardNormal(H))


def test_the_divergence_of_two_normal_distributions_is_exact(made):
  found = priors.kl_divergence(made['gaussian'], made['standard_normal'])
  mean, factor = (made['gaussian'].state()[n] for n in ('mean', 'cholesky'))
  covariance = factor @ factor.T
  expected = 0.5 * (np.trace(covariance) + mean @ mean - H
                    - np.linalg.slogdet(covariance)[1])
  assert found.value == pytest.approx(expected, rel=1e-9)
  assert found.standard_error == 0.


def test_others_are_estimated_with_an_error(made):
  """A mixture of one component is the normal distribution."""
  state = made['gaussian'].state()
  one = priors.GaussianMixture(H, 1).load_state({
      'weights': np.ones(1), 'means': state['mean'][np.newaxis],
      'factors': state['cholesky'][np.newaxis]})
  exact = priors.kl_divergence(made['gaussian'], made['standard_normal'])
  found = priors.kl_divergence(one, made['standard_normal'], 4000)
  assert 0. < found.standard_error < 0.1 * exact.value
  assert abs(found.value - exact.value) < 4. * found.standard_error
  assert found == priors.kl_divergence(one, made['standard_normal'], 4000)
  more = priors.kl_divergence(one, made['standard_normal'], 16000)
  assert more.standard_error == pytest.approx(
      0.5 * found.standard_error, rel=0.2)
  with pytest.raises(errors.UserError, match='num_samples'):
    priors.kl_divergence(one, made['standard_normal'], 1)


@pytest.mark.parametrize('name', ['gmm', 'kde', 'real_nvp', 'learned_maf'])
def test_nothing_is_away_from_itself(made, name):
  found = priors.kl_divergence(made[name], made[name], 200)
  assert found.value == pytest.approx(0., abs=1e-6)


def test_a_density_by_area_is_compared_with_its_like_alone(made):
  sphere, normal = priors.UniformSphere(H), made['standard_normal']
  for pair in ((sphere, normal), (normal, sphere)):
    with pytest.raises(errors.UserError, match='one alone lies on the sphere'):
      priors.kl_divergence(*pair, 50)
  found = priors.kl_divergence(sphere, priors.UniformSphere(H), 50)
  assert found.value == pytest.approx(0., abs=1e-6)

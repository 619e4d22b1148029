"""Log-densities of fitted priors in float64, from narrow latents to wide ones.

Latents without a term that holds them grow to any size: a standard deviation of
30 is common, and an encoder without batch norm reaches 1,000.
"""
import numpy as np
import pytest
from scipy import special
from scipy import stats
import tensorflow as tf

from pgak import priors
from pgak.priors import continuous_flow
from pgak.priors import coupling_flow
from pgak.priors import velocity_net

H = 64


def latents(seed, number, deviation):
  """Correlated latents of a standard deviation, float32 `[number, H]`."""
  mix = np.random.default_rng(7).normal(size=(H, H)) / H**0.5
  normal = np.random.default_rng(seed).normal(size=(number, H))
  return (deviation * normal @ (0.8 * mix + 0.6 * np.eye(H))).astype('f')


def kernel(state, points):
  """`log 1/N sum_n N(z; z_n, h^2 I)`, from differences."""
  seen, width = state['latents'].astype('d'), float(state['bandwidth'])
  squared = ((points[:, None] - seen) ** 2).sum(-1) / width**2
  return (special.logsumexp(-0.5 * squared, 1) - np.log(len(seen))
          - H * np.log(width * np.sqrt(2. * np.pi)))


def normal(state, points):
  covariance = state['cholesky'] @ state['cholesky'].T
  return stats.multivariate_normal(state['mean'], covariance).logpdf(points)


def mixture(state, points):
  parts = zip(state['weights'], state['means'], state['factors'])
  return special.logsumexp([
      np.log(w) + stats.multivariate_normal(m, f @ f.T).logpdf(points)
      for w, m, f in parts], 0)


def flow(state, points):
  """The fitted flow with float64 weights on points standardised in float64."""
  net = coupling_flow.CouplingFlow(H, 4, (8,), 0, dtype='float64')
  net.build()
  net.set_weights([state[f'weight_{i}'].astype('d')
                   for i in range(len(net.weights))])
  standard = (points - state['mean']) / state['scale']
  return net(tf.constant(standard)).numpy() - np.log(state['scale']).sum()


def velocities(state, points):
  """The fitted velocities in float64, with the probes of float32 latents."""
  net = velocity_net.VelocityNet(H, 8, 1, dtype='float64')
  net.set_weights([state[f'weight_{i}'].astype('d')
                   for i in range(len(net.weights))])
  signs = continuous_flow.probes(tf.constant(points, tf.float32), 1)
  standard = tf.constant((points - state['mean']) / state['scale'])
  found = tf.function(continuous_flow.log_densities)(
      net, standard, 64, tf.cast(signs, tf.float64))
  return found[0].numpy() - np.log(state['scale']).sum()


# Each prior, and its density by another way. (Those without one have no
# `log_prob`: the two-stage VAE.)
PRIORS = {
    'kde': (lambda: priors.KernelDensity(H), kernel),
    'kde_scott': (lambda: priors.KernelDensity(H, 'scott'), kernel),
    'gaussian': (lambda: priors.Gaussian(H), normal),
    'gmm': (lambda: priors.GaussianMixture(H, 3), mixture),
    'bayesian_gmm': (lambda: priors.BayesianGaussianMixture(H, 3), mixture),
    'gmm_gradient': (lambda: priors.GradientMixture(H, 3, steps=30), mixture),
    'real_nvp': (lambda: priors.RealNVP(
        H, hidden_units=(8,), max_epochs=2), flow),
    'flow_matching': (lambda: priors.FlowMatching(
        H, width=8, blocks=1, steps=100), velocities),
}


@pytest.mark.parametrize('name, deviation', [
    pytest.param(n, d, marks=pytest.mark.slow)
    if n == 'flow_matching' or (d != 30. and n in ('real_nvp', 'gmm_gradient'))
    else (n, d) for n in PRIORS for d in (1., 30., 1000.)])
def test_log_prob_is_that_of_float64(name, deviation):
  make, reference = PRIORS[name]
  prior = make().fit(latents(0, 400, deviation))
  # New latents, and some that the prior was fitted to.
  points = np.concatenate([latents(1, 100, deviation),
                           latents(0, 400, deviation)[:50]])
  expected = reference(prior.state(), points.astype('d'))
  # A float32 answer is off by its own resolution; the flow's nets are float32.
  resolution = np.spacing(np.abs(expected).astype('f'))
  found = tf.function(prior.log_prob)(tf.constant(points)).numpy()
  assert found.dtype == np.float32
  assert np.all(np.abs(found - expected) <= 1e-3 + resolution)
  if name not in ('real_nvp', 'flow_matching'):  # Their nets are float32.
    found = prior.log_prob(tf.constant(points, tf.float64))
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-6)


def test_every_fitted_prior_with_a_density_is_here():
  with_density = {n for n in priors.NAMES
                  if hasattr(priors.prior_class(n), 'log_prob')
                  and hasattr(priors.prior_class(n), 'fit')}
  assert {n.removesuffix('_scott') for n in PRIORS} == with_density

"""Mixtures of normal distributions, given by their parameters.

A mixture is `weights [K]`, `means [K, H]` and `factors`: either the lower
Cholesky factors `[K, H, H]` of the covariances, or, where those are diagonal,
the standard deviations `[K, H]`.
"""
from typing import Literal

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from pgak import errors
from pgak import noise as noise_lib
from pgak.priors import fitted

__all__ = ['Covariance', 'MAX_NUMBERS', 'Mixture', 'check_number', 'label',
           'log_joint', 'whiteners']

Covariance = Literal['full', 'diagonal']

# Elements that a call holds in memory at once, in each of a few tensors.
MAX_NUMBERS = 1 << 22


def check_number(prior, latents):
  """Raises `errors.UserError` for fewer latents than components."""
  if len(latents) < prior.num_components:
    raise errors.UserError(
        f'{len(latents)} latents are too few for {prior.num_components} '
        f'components: set {type(prior).__name__}.num_components to at most '
        f'{len(latents)}.')


def label(prior):
  """Returns a mixture's name with its size, such as 'gmm_10'."""
  diagonal = '_diagonal' if prior.covariance == 'diagonal' else ''
  return f'{prior.name}_{prior.num_components}{diagonal}'


def whiteners(factors):
  """Returns the inverses of `factors`, of the same shape."""
  if factors.shape.rank == 2:
    return 1. / factors
  identity = tf.eye(factors.shape[-1], dtype=factors.dtype)
  # Once for all latents: afterwards whitening is a matrix product.
  return tf.linalg.triangular_solve(factors, identity[tf.newaxis])


def log_joint(latents, weights, means, inverses):
  """Computes `log(w_k) + log N(z_n; m_k, C_k)` for all n and k, `[N, K]`.

  With C = L L^T, `log N(z; m, C) = log N(L^-1 (z - m); 0, I) - log det L`.
  All components are whitened by one matrix product; a triangular solve for
  each of them takes four times as long.

  Args:
    latents: `[N, H]`.
    weights: `[K]`.
    means: `[K, H]`.
    inverses: `whiteners` of the mixture's factors.
  """
  components, size = means.shape
  if inverses.shape.rank == 2:
    white = (latents[:, tf.newaxis] - means) * inverses  # [N, K, H]
    scales = inverses
  else:
    # All K inverses beside each other, so that one product does for all.
    columns = tf.reshape(tf.transpose(inverses, [2, 0, 1]),
                         [size, components * size])
    white = tf.reshape(latents @ columns, [-1, components, size])
    white -= tf.linalg.matvec(inverses, means)
    scales = tf.linalg.diag_part(inverses)  # [K, H]
  normal = tfp.distributions.MultivariateNormalDiag(
      tf.zeros([size], latents.dtype), tf.ones([size], latents.dtype))  # [H]
  joint = (normal.log_prob(white) + tf.math.log(weights)
           + tf.reduce_sum(tf.math.log(scales), -1))  # log det L^-1
  # `reshape` by -1 has lost the shape, which `map_fn` needs.
  return tf.ensure_shape(joint, [None, components])


class Mixture(fitted.FittedPrior):
  """Base class of the priors that are a Gaussian mixture once fitted."""

  arrays = ('weights', 'means', 'factors')

  def shapes(self):
    number, size = self.num_components, self.latent_dim
    return {'weights': (number,), 'means': (number, size),
            'factors': (number, *[size] * (1 + (self.covariance == 'full')))}

  def _use_state(self):
    state = self.state()
    # In float64: an inverse of float32 factors would lose their digits.
    inverses = whiteners(tf.constant(state['factors'], tf.float64))
    self._inverses = inverses.numpy()

  @property
  def noise_shapes(self):
    return {'component': (noise_lib.uniform, ()), **super().noise_shapes}

  def from_noise(self, noise):
    """Chooses a component by a uniform draw; see `mapped_noise.MappedNoise`."""
    state = self.state()
    edges = np.cumsum(state['weights'])[:-1].astype(np.float32)
    means, factors = (state[a].astype(np.float32) for a in ('means', 'factors'))

    def place(normal, component):
      chosen = tf.gather(factors, component)
      moved = (chosen * normal if factors.ndim == 2
               else tf.linalg.matvec(chosen, normal))
      return tf.gather(means, component) + moved

    rows = max(MAX_NUMBERS // factors[0].size, 1)
    components = tf.searchsorted(edges, noise['component'], side='right')
    return fitted.in_chunks(place, [noise['prior'], components], rows)

  @property
  def distribution(self):
    """The TFP distribution, a `MixtureSameFamily` of float64 on `[H]`."""
    state = self.state()
    distributions = tfp.distributions
    family = (distributions.MultivariateNormalDiag
              if state['factors'].ndim == 2
              else distributions.MultivariateNormalTriL)
    return distributions.MixtureSameFamily(
        distributions.Categorical(probs=state['weights']),
        family(state['means'], state['factors']))

  def log_prob(self, latents):
    """Returns the log-density of float latents `[B, H]`, `[B]`.

    That of `distribution`, by one matrix product: see `log_joint`.
    """
    state = self.state()

    def density(latents):
      return tf.reduce_logsumexp(log_joint(
          latents, state['weights'], tf.constant(state['means']),
          tf.constant(self._inverses)), -1)

    rows = max(MAX_NUMBERS // state['means'].size, 1)
    found = fitted.in_chunks(density, [tf.cast(latents, tf.float64)], rows)
    return tf.cast(found, latents.dtype)

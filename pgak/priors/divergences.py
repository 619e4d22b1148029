"""The Kullback-Leibler divergence of one prior from another."""
from typing import NamedTuple

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from pgak import capabilities
from pgak import counts
from pgak import errors
from pgak.priors import uniform_sphere

__all__ = ['KL', 'kl_divergence']


class KL(NamedTuple):
  """A divergence in nats, and its standard error: 0 for a closed form."""
  value: float
  standard_error: float


def kl_divergence(prior, other, num_samples=10000, seed=0):
  """Computes `KL(prior || other) = E_prior[log prior(z) - log other(z)]`.

  In closed form where TFP registers one for the two distributions, as for two
  normal ones; else the mean over samples from the first.

  Args:
    prior: a prior with a density.
    other: another on the same latents.
    num_samples: samples of the estimate, at least 2.
    seed: int that decides the samples.

  Returns:
    A `KL`.

  Raises:
    errors.UserError: if one of them has no density, or is not fitted; or if one
      alone is `UniformSphere`, whose density is by area.
  """
  for one in (prior, other):
    capabilities.require('a divergence', ['log_density'],
                         capabilities.of_prior(one),
                         prior=f'the prior {capabilities.label_of(one)}')
  on_sphere = [one for one in (prior, other)
               if isinstance(one, uniform_sphere.UniformSphere)]
  if len(on_sphere) == 1:
    raise errors.UserError(
        f'Of the priors {capabilities.label_of(prior)} and '
        f'{capabilities.label_of(other)} one alone lies on the sphere, where a '
        'density is by area, so that neither has a divergence from the other: '
        'take two on the sphere, or none.')
  found = _closed_form(prior, other)
  if found is not None:
    return KL(float(found), 0.)
  counts.rows(num_samples, [prior.latent_dim], 'num_samples', least=2)
  latents = prior.sample(num_samples, seed)
  # float64: the difference of two large log-densities may be small.
  ratios = np.asarray(prior.log_prob(latents), np.float64) - np.asarray(
      other.log_prob(latents), np.float64)
  return KL(float(ratios.mean()),
            float(ratios.std(ddof=1) / np.sqrt(len(ratios))))


def _closed_form(prior, other):
  pair = [getattr(p, 'distribution', None) for p in (prior, other)]
  if not all(isinstance(d, tfp.distributions.Distribution) for d in pair):
    return None
  # TFP refuses to mix float32 and float64; the estimate does not mind.
  if pair[0].dtype != pair[1].dtype:
    return None
  try:
    return tf.convert_to_tensor(tfp.distributions.kl_divergence(*pair))
  except NotImplementedError:
    return None

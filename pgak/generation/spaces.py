"""The two latent spaces of a model whose prior is a flow: z_T and z_0."""
import numpy as np
import tensorflow as tf

from pgak import capabilities
from pgak import priors

__all__ = ['SPACES', 'base_to_latent', 'has_base', 'in_batches',
           'latent_to_base']

SPACES = ('zT', 'z0')


def has_base(prior):
  """Returns whether a prior has a z_0: a flow, or N(0, I), which is its own."""
  return 'base' in capabilities.of_prior(prior) or _is_base(prior)


def latent_to_base(prior, latents):
  """Maps latents z_T to z_0 = f(z_T), which are N(0, I) under the prior.

  Args:
    prior: a prior with `latent_to_base`, or the standard normal.
    latents: float `[N, H]`.

  Returns:
    float32 `[N, H]`.

  Raises:
    errors.UserError: if the prior has no z_0.
  """
  return _mapped(prior, 'latent_to_base', latents)


def base_to_latent(prior, base):
  """Maps z_0 to latents z_T, the inverse of `latent_to_base`."""
  return _mapped(prior, 'base_to_latent', base)


def _mapped(prior, name, points):
  can = capabilities.of_prior(prior)
  if 'base' not in can and _is_base(prior):
    return np.asarray(points, np.float32)
  capabilities.require(name, ['base'], can, prior=f'the prior {prior.label}')
  return in_batches(getattr(prior, name), points)


def _is_base(prior):
  return isinstance(prior, priors.StandardNormal)


def in_batches(function, points, size=5000):
  """Calls a function of float32 tensors `[b, H]` on some points at a time.

  Args:
    function: gives a tensor `[b, ...]`.
    points: float `[N, H]`; N may be 0.
    size: the largest b.

  Returns:
    NumPy array `[N, ...]`.
  """
  points = np.asarray(points, np.float32)
  return np.concatenate([
      np.asarray(function(tf.constant(points[i:i + size])))
      # At least once: only the function knows the shape of an empty result.
      for i in range(0, max(len(points), 1), size)])

"""The latent spaces of a model whose prior is a flow: z_T, z_0 and between.

Round trips of samples change none of them: what has a flow's spaces is the
prior before the trips.
"""
import functools

import numpy as np
import tensorflow as tf

from pgak import capabilities
from pgak import priors
from pgak.priors import round_trips

__all__ = ['SPACES', 'base_to_latent', 'every', 'has_base', 'in_batches',
           'is_flow', 'latent_to_base']

SPACES = ('zT', 'z0')


def every(prior):
  """Returns all spaces of a prior: 'z0', 'z1', ... 'zT' for a flow.

  z_t lies behind the first t of its T couplings, z_T is scaled as the latents
  are. A flow without couplings, such as one in continuous time, has 'z0' and
  'zT', N(0, I) too, and any other prior 'zT' alone.
  """
  prior = round_trips.before(prior)
  between = range(1, getattr(prior, 'couplings', 0))
  first = ('z0',) if has_base(prior) else ()
  return (*first, *(f'z{t}' for t in between), 'zT')


def has_base(prior):
  """Returns whether a prior has a z_0: a flow, or N(0, I), which is its own."""
  return is_flow(prior) or _is_base(round_trips.before(prior))


def is_flow(prior):
  """Returns whether a prior, or the one before its round trips, is a flow."""
  return 'base' in capabilities.of_prior(round_trips.before(prior))


def latent_to_base(prior, latents, space='z0'):
  """Maps latents z_T to z_0 = f(z_T), which the prior takes for N(0, I).

  Args:
    prior: a prior with `latent_to_base`, or the standard normal.
    latents: float `[N, H]`.
    space: of `every`, but for 'zT': to which they are mapped.

  Returns:
    float32 `[N, H]`.

  Raises:
    errors.UserError: if the prior has no z_0.
  """
  return _mapped(prior, 'latent_to_base', latents, space)


def base_to_latent(prior, base, space='z0'):
  """Maps z_0, or z_t, to latents z_T: the inverse of `latent_to_base`."""
  return _mapped(prior, 'base_to_latent', base, space)


def _mapped(prior, name, points, space):
  prior = round_trips.before(prior)
  can = capabilities.of_prior(prior)
  if 'base' not in can and _is_base(prior):
    return np.asarray(points, np.float32)
  capabilities.require(name, ['base'], can,
                       prior=f'the prior {capabilities.label_of(prior)}')
  # A user's own flow may know z_0 alone.
  further = {} if space == 'z0' else {'coupling': int(space[1:])}
  return in_batches(functools.partial(getattr(prior, name), **further), points)


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

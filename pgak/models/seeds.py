"""Latents by seeds: what noise a model's draws are made of, and how.

`sample` draws the noise of all its latents from one seed. Here each latent has
a seed of its own, and is that of `sample(1, seed)`.
"""
import functools

import keras
import tensorflow as tf

from pgak import capabilities
from pgak import errors
from pgak import noise as noise_lib
from pgak.priors import mapped_noise

__all__ = ['mapping', 'one_by_one']


def mapping(model):
  """Returns the noise of a model's latents, and the map from it to them.

  Args:
    model: `GenerativeModel`.

  Returns:
    `(shapes, function)`: as for `noise.of_seeds`, and a function of such noise
    (and of conditions, float `[B, h, w, K]`, for a model of pairs; of labels,
    if it is given any, for a prior that draws given labels) to latents
    `[B, H]`. None for a prior that does not state its noise.
  """
  if 'condition' in model.kind.can:
    normal = functools.partial(
        noise_lib.normal, dtype=tf.as_dtype(keras.config.floatx()))
    return ({'prior': (normal, (model.latent_dim,))},
            lambda noise, given: model.latents_of(noise['prior'], given))
  if mapped_noise.states_noise(model.prior):
    return model.prior.noise_shapes, model.prior.from_noise
  return None


def one_by_one(prior, seeds, *given):
  """Draws a latent for each seed, from a prior that does not state its noise.

  Args:
    prior: has `sample(n, seed)` that takes a tensor as its seed.
    seeds: int64 `[B]`.
    *given: what `sample` is given, `[B, ...]`; or nothing.

  Returns:
    float32 `[B, H]`.

  Raises:
    errors.UserError: if its `sample` takes no tensor.
  """
  try:
    return tf.map_fn(
        lambda row: tf.cast(prior.sample(
            1, row[0], *(x[tf.newaxis] for x in row[1:]))[0], tf.float32),
        (seeds, *given),
        fn_output_signature=tf.TensorSpec([prior.latent_dim], tf.float32))
  except (NotImplementedError, TypeError, ValueError) as error:
    # `map_fn` sets a caching device while it traces, and leaves it behind where
    # the function fails: `tf.while_loop` would refuse it from then on.
    tf.compat.v1.get_variable_scope().set_caching_device(None)
    raise errors.UserError(
        f'The prior {capabilities.name_of(prior)} cannot be exported, because '
        'its `sample` takes no tensor as its seed: give it `from_noise`, see '
        'pgak.priors.MappedNoise.') from error

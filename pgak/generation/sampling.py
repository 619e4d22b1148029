"""Images from a model and its prior, in batches, and pictures of them."""
import weakref

import keras
import numpy as np
import tensorflow as tf

from pgak import interruption
from pgak import priors
from pgak.models import lines
from pgak.pictures import grids
from pgak.priors import ex_post

__all__ = ['gaussian', 'generate', 'interpolation_picture', 'interpolations',
           'prior_interpolations', 'reconstruction_picture', 'sample_picture']


def generate(model, num_samples, seed=0, batch_size=1000,
             batch_norm='inference', rounding='nearest', latents=None):
  """Yields new images in batches.

  The latents do not depend on the batch size; nor do the images, unless batch
  norm is in training mode.

  Args:
    model: `GenerativeAutoencoder`.
    num_samples: how many images in all.
    seed: int that decides the latents.
    batch_size: images in a batch; the last one may be smaller.
    batch_norm: 'inference', or 'train' for statistics of the batch itself, as
      in the PGA authors' protocol.
    rounding: see `Images.to_users` in `pgak.data.kinds`.
    latents: float `[num_samples, latent_dim]` to decode instead of samples of
      the prior, or None.

  Yields:
    uint8 arrays `[b, h, w, C]`.
  """
  decode = _decoder_function(model, batch_norm, rounding)
  if latents is None:
    # All at once, so that they do not depend on the batch size.
    latents = model.prior.sample(num_samples, seed)
  for first in range(0, num_samples, batch_size):
    interruption.check()
    yield decode(latents[first:first + batch_size]).numpy()


# One compiled function per model and mode. Keys are weak, so that a model is
# freed when its last user drops it.
_decoders = weakref.WeakKeyDictionary()


def _decoder_function(model, batch_norm, rounding):
  functions = _decoders.setdefault(model, {})
  if (batch_norm, rounding) not in functions:
    # A proxy: the function must not keep its own key alive.
    functions[batch_norm, rounding] = _new_decoder_function(
        weakref.proxy(model), batch_norm, rounding)
  return functions[batch_norm, rounding]


def _new_decoder_function(model, batch_norm, rounding):
  if batch_norm not in ('inference', 'train'):
    raise ValueError('`batch_norm` must be inference or train, not '
                     f'{batch_norm!r}.')

  @tf.function(reduce_retracing=True)
  def decode(latents):
    # By `render`, as the model's own verbs: AGE puts latents on the sphere.
    if batch_norm == 'train':
      # Statistics of the batch, while the moving averages stay as they are.
      with keras.StatelessScope():
        images = model.render(latents, training=True)
    else:
      images = model.render(latents)
    return model.kind.to_users(images, rounding)

  return decode


def gaussian(model, images, max_latents=2000):
  """Returns a `priors.Gaussian` that is fitted to a model's latents.

  It is fitted quickly and not saved: for pictures, not for scores.

  Args:
    model: `GenerativeAutoencoder`.
    images: `ImageArray`, the training images.
    max_latents: int, how many of them are encoded at most.
  """
  return priors.Gaussian(model.latent_dim).fit(
      ex_post.encode(model, images, max_latents=max_latents))


# === Pictures ===


def sample_picture(model, num_samples=64, seed=0, prior=None):
  """Returns a uint8 grid `[H, W, C]` of new images.

  Args:
    model: `GenerativeAutoencoder`.
    num_samples: how many images.
    seed: int that decides the latents.
    prior: density that they are drawn from; None for the model's own.
  """
  latents = (prior or model.prior).sample(num_samples, seed)
  batches = generate(model, num_samples, latents=latents)
  return grids.picture(np.concatenate(list(batches)))


def reconstruction_picture(model, images):
  """Returns a uint8 grid of images, each with its reconstruction beside it.

  Args:
    model: `GenerativeAutoencoder`.
    images: uint8 `[N, h, w, C]`.
  """
  pairs = np.stack([images, model.reconstruct(images)], 1)
  return grids.picture(pairs.reshape(-1, *images.shape[1:]), columns=8)


def interpolations(model, images, steps=8):
  """Returns uint8 images on straight lines between latents.

  Args:
    model: `GenerativeAutoencoder`.
    images: uint8 `[2 N, h, w, C]`: N starts, then N ends.
    steps: images on a line; its ends are the reconstructions of the two.

  Returns:
    uint8 `[N * steps, h, w, C]`, one line after the other.
  """
  return _flat(model.interpolate(*np.split(np.asarray(images), 2), steps))


def prior_interpolations(model, number, steps=8, seed=0, spherical=False):
  """Returns uint8 images on lines between samples of the prior.

  Args:
    model: `GenerativeAutoencoder`.
    number: how many lines N.
    steps: images on a line, both ends included.
    seed: int that decides the samples.
    spherical: whether the lines are arcs about the origin.

  Returns:
    uint8 `[N * steps, h, w, C]`, one line after the other.
  """
  # Starts, then ends: [N, H] each.
  ends = tf.split(model.prior.sample(2 * number, seed), 2)
  between = lines.between(*ends, steps, spherical)
  return model.decode(tf.reshape(between, [-1, between.shape[-1]])).numpy()


def _flat(rows):
  """Returns pictures `[N, M, ...]` as `[N * M, ...]`."""
  return rows.numpy().reshape(-1, *rows.shape[2:])


def interpolation_picture(model, images, steps=8):
  """Returns a uint8 grid with one of the `interpolations` per row."""
  return grids.picture(interpolations(model, images, steps), columns=steps)

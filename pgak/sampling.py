"""Images from a model and its prior, in batches, and pictures of them."""
import weakref

import numpy as np
import tensorflow as tf

from pgak import images as images_lib
from pgak import interruption
from pgak import noise

__all__ = ['generate', 'interpolation_picture', 'interpolations', 'lines',
           'midpoints', 'picture', 'prior_interpolations', 'reconstruct',
           'reconstruction_picture', 'reestimate_batch_norm', 'sample_picture']


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
    rounding: see `pgak.images.to_uint8`.
    latents: float `[num_samples, latent_dim]` to decode instead of draws of
      the prior, or None.

  Yields:
    uint8 arrays `[b, h, w, C]`.
  """
  decode = _decoder_function(model, batch_norm, rounding)
  if latents is None:
    latents = model.prior.sample(num_samples, seed)
  for first in range(0, num_samples, batch_size):
    interruption.check()
    yield decode(latents[first:first + batch_size]).numpy()


def midpoints(start, end):
  """Returns the mid-points of the arcs between latents.

  Spherical interpolation `(sin((1 - t) w) a + sin(t w) b) / sin(w)`, w the
  angle between a and b, is `(a + b) / (2 cos(w / 2))` at `t = 1 / 2`. Where
  there is no arc, between opposite latents or from 0, it is the mean.

  Args:
    start: float `[N, H]`.
    end: float `[N, H]`.

  Returns:
    float32 `[N, H]`.
  """
  start, end = np.asarray(start, np.float64), np.asarray(end, np.float64)
  norms = np.linalg.norm(start, axis=1) * np.linalg.norm(end, axis=1)
  cosine = (start * end).sum(1) / np.where(norms > 0., norms, 1.)
  half = np.sqrt(np.clip((1. + cosine) / 2., 0., 1.))
  half = np.where((norms > 0.) & (half > 1e-3), half, 1.)
  return ((start + end) / (2. * half[:, None])).astype(np.float32)


def reconstruct(model, images, batch_size=500):
  """Returns uint8 reconstructions of uint8 images `[N, h, w, C]`."""
  batches = [model.reconstruct(images[i:i + batch_size]).numpy()
             for i in range(0, len(images), batch_size)]
  return np.concatenate(batches)


# One compiled function a model and mode, for as long as the model lives.
_decoders = weakref.WeakKeyDictionary()


def _decoder_function(model, batch_norm, rounding):
  functions = _decoders.setdefault(model, {})
  if (batch_norm, rounding) not in functions:
    functions[batch_norm, rounding] = _new_decoder_function(
        weakref.proxy(model), batch_norm, rounding)
  return functions[batch_norm, rounding]


def _new_decoder_function(model, batch_norm, rounding):
  if batch_norm not in ('inference', 'train'):
    raise ValueError('`batch_norm` must be inference or train, not '
                     f'{batch_norm!r}.')

  @tf.function(reduce_retracing=True)
  def decode(latents):
    if batch_norm == 'train':
      images = model.frozen('decoder', latents, training=True)
    else:
      images = model.decoder(latents, training=False)
    return images_lib.to_uint8(images, model.value_range, rounding)

  return decode


# === Pictures ===


def picture(images, columns=None):
  """Returns a uint8 grid of images, of which small ones are enlarged."""
  return images_lib.grid(images_lib.enlarged(images), columns)


def sample_picture(model, num_samples=64, seed=0):
  """Returns a uint8 grid `[H, W, C]` of new images."""
  batches = generate(model, num_samples, seed)
  return picture(np.concatenate(list(batches)))


def reconstruction_picture(model, images):
  """Returns a uint8 grid of images, each with its reconstruction beside it.

  Args:
    model: `GenerativeAutoencoder`.
    images: uint8 `[N, h, w, C]`.
  """
  pairs = np.stack([images, model.reconstruct(images)], 1)
  return picture(pairs.reshape(-1, *images.shape[1:]), columns=8)


def interpolations(model, images, steps=8):
  """Returns uint8 images on straight lines between latents.

  Args:
    model: `GenerativeAutoencoder`.
    images: uint8 `[2 N, h, w, C]`: N starts, then N ends.
    steps: images on a line; its ends are the reconstructions of the two.

  Returns:
    uint8 `[N * steps, h, w, C]`, one line after the other.
  """
  start, end = np.split(model.encode(images).numpy(), 2)
  return model.decode(lines(start, end, steps)).numpy()


def prior_interpolations(model, number, steps=8, seed=0):
  """Returns uint8 images on straight lines between draws of the prior.

  Args:
    model: `GenerativeAutoencoder`.
    number: how many lines N.
    steps: images on a line, both ends included.
    seed: int that decides the draws.

  Returns:
    uint8 `[N * steps, h, w, C]`, one line after the other.
  """
  start, end = np.split(np.asarray(model.prior.sample(2 * number, seed)), 2)
  return model.decode(lines(start, end, steps)).numpy()


def lines(start, end, steps):
  """Returns points of straight lines, one line after the other.

  Args:
    start: float `[N, H]`.
    end: float `[N, H]`.
    steps: points on a line, both ends included.

  Returns:
    float32 `[N * steps, H]`.
  """
  shares = np.linspace(0., 1., steps, dtype=np.float32)[:, None]
  return np.concatenate([a + shares * (b - a) for a, b in zip(start, end)])


def interpolation_picture(model, images, steps=8):
  """Returns a uint8 grid with one of the `interpolations` a row."""
  return picture(interpolations(model, images, steps), columns=steps)


# === Batch norm ===


def reestimate_batch_norm(model, images, num_batches=20, batch_size=500,
                          seed=0):
  """Sets batch norm's moving statistics to those of the laws it will serve.

  In training a part sees several laws: data and generated images, encoded and
  drawn latents. At inference the encoder sees data, and the decoder the prior
  where training makes the latents match it, or else the latents of data and
  what was fitted to them (AE, RAE) or learned them (FP-VAE). So each part's
  statistics are taken over that law alone, one batch of its own layers'
  training-mode outputs after the other.

  Args:
    model: `GenerativeAutoencoder`.
    images: `ImageArray` of training images, of which the first
      `num_batches * batch_size` are used.
    num_batches: batches to average over.
    batch_size: examples in a batch.
    seed: int for the prior's draws.
  """
  total = min(len(images), num_batches * batch_size)
  def examples():
    for first in range(0, total, batch_size):
      yield images.read(np.arange(first, min(first + batch_size, total)))
  def latent_batches():
    if model.matches_prior or not model.has_encoder:
      latents = model.prior.sample(num_batches * batch_size, seed)
      return tf.split(latents, num_batches)
    return (model.draw(batch, noise.seed(seed, i, 'batch_norm'))
            for i, batch in enumerate(examples()))
  if model.has_encoder:
    _reestimate(model.encoder, lambda: map(model.to_model, examples()))
  _reestimate(model.decoder, latent_batches)


def _reestimate(net, batches):
  layers = [layer for layer in net.layers if hasattr(layer, 'moving_variance')]
  if not layers:
    return
  weights = [v.value for v in net.trainable_variables]
  state = net.non_trainable_variables
  momentum = {id(v): layer.momentum for layer in layers
              for v in (layer.moving_mean, layer.moving_variance)}
  rates = [1. - momentum.get(id(v), 0.) for v in state]

  @tf.function(reduce_retracing=True)
  def batch_statistics(inputs):
    # From zero, one update by momentum m leaves (1 - m) times the batch's own.
    zeros = [tf.zeros_like(v) if id(v) in momentum else v.value for v in state]
    _, updated = net.stateless_call(weights, zeros, inputs, training=True)
    return [u / r for u, r in zip(updated, rates)]

  collected = [[v.numpy() for v in batch_statistics(b)] for b in batches()]
  columns = {id(v): np.stack(c) for v, c in zip(state, zip(*collected))}
  for layer in layers:
    means = columns[id(layer.moving_mean)]
    variances = columns[id(layer.moving_variance)]
    layer.moving_mean.assign(means.mean(0))
    layer.moving_variance.assign(variances.mean(0) + means.var(0))

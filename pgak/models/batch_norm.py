"""Batch norm's statistics at inference."""
import numpy as np
import tensorflow as tf

from pgak import noise

__all__ = ['reestimate']


def reestimate(model, images, num_batches=20, batch_size=500, seed=0):
  """Sets batch norm's statistics to those of what a part sees at inference.

  In training a part sees several distributions: data and generated images,
  encoded latents and draws of the prior. At inference the encoder sees data,
  and the decoder the prior where training makes the latents match it, or else
  the latents of data and what was fitted to them (AE, RAE) or learned them
  (FP-VAE). So each part's statistics are taken over that distribution alone,
  one batch of its own layers' training-mode outputs after the other.

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
    if model.matches_prior or model.lacks('encode'):
      latents = model.prior.sample(num_batches * batch_size, seed)
      return tf.split(latents, num_batches)
    return (model.draw(batch, noise.seed(seed, i, 'batch_norm'))
            for i, batch in enumerate(examples()))
  if not model.lacks('encode'):
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

"""Batch norm's statistics at inference."""
import numpy as np
import tensorflow as tf

from pgak import noise

__all__ = ['reestimate']


def reestimate(model, images, num_batches=20, batch_size=500, seed=0):
  """Re-estimates batch-norm statistics on the distributions seen at inference.

  In training a part sees several distributions: data and generated images,
  encoded latents and samples from the prior. At inference the encoder sees
  data. The decoder sees samples from the prior where training makes the
  latents match it; in other models (AE, RAE, FP-VAE) it sees latents of data,
  and samples from what was fitted to them. So each part's statistics are
  averaged over training-mode batches of that distribution alone.

  Args:
    model: `GenerativeAutoencoder`.
    images: `ImageArray` of training images, of which the first
      `num_batches * batch_size` are used.
    num_batches: batches to average over.
    batch_size: examples in a batch.
    seed: int for the samples from the prior.
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
  # The encoder first: the latents of data then come from its new statistics.
  if not model.lacks('encode'):
    _reestimate(model.encoder, lambda: map(model.to_model, examples()))
  _reestimate(model.decoder, latent_batches)


def _reestimate(net, batches):
  # By attribute: batch norm of one's own counts as well as Keras's.
  layers = [layer for layer in net.layers if hasattr(layer, 'moving_variance')]
  if not layers:
    return
  weights = [v.value for v in net.trainable_variables]
  state = net.non_trainable_variables
  # By identity: `==` of Keras's variables compares their values.
  momentum = {id(v): layer.momentum for layer in layers
              for v in (layer.moving_mean, layer.moving_variance)}
  # 1 for state of other kinds, which passes through unchanged.
  rates = [1. - momentum.get(id(v), 0.) for v in state]

  @tf.function(reduce_retracing=True)
  def batch_statistics(inputs):
    # From zero, one update by momentum m leaves (1 - m) times the batch's own.
    zeros = [tf.zeros_like(v) if id(v) in momentum else v.value for v in state]
    _, updated = net.stateless_call(weights, zeros, inputs, training=True)
    return [u / r for u, r in zip(updated, rates)]  # The batch's own.

  collected = [[v.numpy() for v in batch_statistics(b)] for b in batches()]
  columns = {id(v): np.stack(c) for v, c in zip(state, zip(*collected))}
  for layer in layers:
    means = columns[id(layer.moving_mean)]
    variances = columns[id(layer.moving_variance)]
    layer.moving_mean.assign(means.mean(0))
    # Total variance: the mean within batches, plus that of their means.
    layer.moving_variance.assign(variances.mean(0) + means.var(0))

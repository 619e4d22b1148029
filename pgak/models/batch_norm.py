"""Batch norm's statistics at inference."""
import contextlib
import hashlib

import numpy as np
import tensorflow as tf

from pgak import networks
from pgak import noise
from pgak.data import mixed_order
from pgak.models import parts as parts_lib

__all__ = ['Statistics', 'averaged_weights', 'reestimate']


class Statistics:
  """The statistics that a model in training has whenever it is not trained.

  What measures, shows or saves it sees it as it will be loaded: with averaged
  weights, and the statistics of these. Training goes on with its own, so that
  it does not depend on when a model is measured or saved.

  Args:
    images: as for `reestimate`; None to leave statistics as they are.
  """

  def __init__(self, images=None):
    self._images = images
    # What they were estimated of, and the values.
    self._key, self._values = None, []

  def assign(self, model):
    """Gives a model the statistics of its averaged weights."""
    moving = self._moving(model)
    if not moving:
      return
    with parts_lib.averaged_weights(model.parts, model.optimizers):
      # Several callbacks ask at one step, between which a user's own may change
      # the weights.
      key = _key(model)
      if key != self._key:
        reestimate(model, self._images)
        self._key, self._values = key, [v.numpy() for v in moving]
    for variable, value in zip(moving, self._values):
      variable.assign(value)

  @contextlib.contextmanager
  def in_place(self, model):
    """Context in which a model has them, and after which its own again."""
    own = [(variable, variable.numpy()) for variable in self._moving(model)]
    try:
      self.assign(model)
      yield
    finally:
      for variable, value in own:
        variable.assign(value)

  def _moving(self, model):
    """Returns the variables that are set."""
    if self._images is None:
      return []
    nets = [model.decoder] if model.lacks('encode') else [model.encoder,
                                                          model.decoder]
    return [v for net in nets for layer in _layers(net)
            for v in (layer.moving_mean, layer.moving_variance)]


@contextlib.contextmanager
def averaged_weights(model):
  """Context in which a model is as it is evaluated and sampled.

  Args:
    model: `GenerativeModel`, with its `batch_norm_statistics`.
  """
  with model.batch_norm_statistics.in_place(model), parts_lib.averaged_weights(
      model.parts, model.optimizers):
    yield


def _layers(net):
  # By attribute: batch norm of one's own counts as well as Keras's.
  return [layer for layer in networks.layers_of(net)
          if hasattr(layer, 'moving_variance')]


def _key(model):
  digest = hashlib.sha256(model.step.numpy().tobytes())
  for net in model.parts.values():
    for variable in net.variables:
      digest.update(variable.numpy().tobytes())
  return digest.digest()


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
      `num_batches * batch_size` are used, or random ones where the first are of
      some classes alone.
    num_batches: batches to average over.
    batch_size: examples in a batch.
    seed: int for the samples from the prior.
  """
  images = mixed_order.of_split(images)
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
  layers = _layers(net)
  if not layers:
    return
  weights = [v.value for v in net.trainable_variables]
  state = net.non_trainable_variables
  # By identity: `==` of Keras's variables compares their values.
  momentum = {id(v): layer.momentum for layer in layers
              for v in (layer.moving_mean, layer.moving_variance)}

  @tf.function(reduce_retracing=True)
  def batch_statistics(inputs):
    # What does not move, of a net that is frozen or called so, stays as it is.
    before = [tf.convert_to_tensor(v) for v in state]
    _, after = net.stateless_call(weights, before, inputs, training=True)
    moves = [id(v) in momentum and b is not a
             for v, b, a in zip(state, before, after)]
    # From zero, one update by momentum m leaves (1 - m) times the batch's own.
    zeros = [tf.zeros_like(b) if m else b for b, m in zip(before, moves)]
    _, updated = net.stateless_call(weights, zeros, inputs, training=True)
    return [u / (1. - momentum[id(v)]) if m else u
            for v, u, m in zip(state, updated, moves)]  # The batch's own.

  sizes, collected = [], []
  for batch in batches():
    sizes.append(tf.nest.flatten(batch)[0].shape[0])
    collected.append([v.numpy() for v in batch_statistics(batch)])
  columns = {id(v): np.stack(c) for v, c in zip(state, zip(*collected))}

  def mean(values):
    # The last batch may be smaller, and counts less.
    return np.average(values, 0, np.float64(sizes))

  for layer in layers:
    means = columns[id(layer.moving_mean)]
    variances = columns[id(layer.moving_variance)]
    center = mean(means)
    layer.moving_mean.assign(center)
    # Total variance: the mean within batches, plus that of their means.
    layer.moving_variance.assign(
        mean(variances) + mean(np.square(means - center)))

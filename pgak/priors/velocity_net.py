"""The net of a flow in continuous time: velocity by point, time and conditions.
"""
import math

import keras
import numpy as np
import tensorflow as tf

__all__ = ['VelocityNet']

# Frequencies of time, in cycles from t = 0 to 1; the size of its embedding.
_FREQUENCIES = np.geomspace(0.25, 32., 32)
_EMBEDDING = 128


class VelocityNet(keras.layers.Layer):
  """Residual blocks of dense layers, added to the velocity for a normal target.

  ```none
  v(x, t, y) = (2 t - 1) / ((1 - t)^2 + t^2) x + h(x, t, y)
  ```

  The first term alone is the flow of points whose dimensions are independent
  with mean 0 and variance 1. h begins at 0 and learns the rest.

  Args:
    size: number of dimensions H.
    width: units of each hidden layer.
    blocks: number of residual blocks, of two layers each.
    num_classes: number of labels K; 0 for a net that takes none.
    seed: int that decides the first weights.
    num_attributes: number of attributes A; 0 for a net that takes none.
  """

  def __init__(self, size, width, blocks, num_classes=0, seed=0,
               num_attributes=0, **kwargs):
    super().__init__(**kwargs)
    self.size = size
    self.num_classes = num_classes
    self.num_attributes = num_attributes
    generator = np.random.default_rng(seed)

    def dense(units, inputs, scale=1., bias=True):
      layer = keras.layers.Dense(
          units, use_bias=bias, dtype=self.dtype_policy,
          kernel_initializer=keras.initializers.VarianceScaling(
              scale, 'fan_in', seed=int(generator.integers(1 << 31)))
          if scale else 'zeros')
      layer.build((None, inputs))
      return layer

    self.time = dense(_EMBEDDING, 2 * len(_FREQUENCIES))
    # The last embedding stands for no label.
    self.labels = keras.layers.Embedding(
        num_classes + 1, _EMBEDDING, dtype=self.dtype_policy,
        embeddings_initializer=keras.initializers.RandomNormal(
            0., 0.5, seed=seed)) if num_classes else None
    if num_classes:
      self.labels.build()
    self.attributes = keras.layers.Dense(
        _EMBEDDING, use_bias=False, dtype=self.dtype_policy,
        kernel_initializer=keras.initializers.RandomNormal(
            0., 0.2, seed=seed + 1)) if num_attributes else None
    if num_attributes:
      self.attributes.build((None, 2 * num_attributes))
    self.first = dense(width, size)
    self.blocks = [
        (dense(width, width, 2.), dense(width, _EMBEDDING, bias=False),
         # Smaller by the number of blocks, whose outputs add up.
         dense(width, width, 1. / blocks)) for _ in range(blocks)]
    # Zeros, so that h begins at 0.
    self.last = dense(size, width, 0.)
    self.built = True

  def call(self, points, time, labels=None, attributes=None):
    """Returns velocities, float `[B, H]`.

    Args:
      points: float `[B, H]`.
      time: float in [0, 1], `[B]` or a scalar for all points.
      labels: int32 `[B]` from 0 to K, K for no label; None for no label.
      attributes: float `[B, 2 A]`, see `conditions.Conditions.evidence`; None
        for unknown, zeros.
    """
    # [B, 1], or [1, 1] for all points.
    time = tf.reshape(time, [-1, 1])
    given = self._embedded(time, labels, attributes)
    hidden = self.first(points)
    for inner, shift, outer in self.blocks:
      inside = tf.nn.silu(inner(_normalised(hidden)) + shift(given))
      hidden += outer(inside)
    # Of x_t where both ends have variance 1.
    variance = tf.square(1. - time) + tf.square(time)
    return (2. * time - 1.) / variance * points + self.last(_normalised(hidden))

  def _embedded(self, time, labels, attributes):
    """Returns an embedding of time and conditions, `[B, E]` or `[1, E]`."""
    angles = 2. * math.pi * time * tf.constant(_FREQUENCIES, time.dtype)
    embedding = self.time(tf.concat([tf.sin(angles), tf.cos(angles)], -1))
    if self.labels is not None:
      embedding += self.labels(
          tf.constant([self.num_classes]) if labels is None else labels)
    if self.attributes is not None and attributes is not None:
      embedding += self.attributes(attributes)
    return tf.nn.silu(embedding)


def _normalised(hidden):
  """Divides each vector by its root mean square."""
  return hidden * tf.math.rsqrt(
      tf.reduce_mean(tf.square(hidden), -1, keepdims=True) + 1e-6)

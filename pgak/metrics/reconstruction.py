"""How well a model gives back the images that it encodes."""
import tensorflow as tf

from pgak import images as images_lib
from pgak.metrics import reference

__all__ = ['reconstruction_mse']


def reconstruction_mse(model, array, limit=None):
  """Mean squared error of reconstructions, on [0, 1], before rounding.

  A stochastic encoder counts by its mean; batch norm is in inference mode.

  Args:
    model: a `GenerativeAutoencoder`.
    array: a `data.ImageArray`.
    limit: takes the first so many images; None for all.

  Returns:
    Float: the mean over images, pixels and channels.
  """
  number, total = reference.count(array, limit), 0.
  low, high = model.value_range
  for batch in reference.read(array, number):
    images = images_lib.to_float(tf.constant(batch), model.value_range)
    decoded = model.decoder(
        model.encode_mean(images, training=False), training=False)
    errors2 = tf.math.squared_difference(images, decoded) / (high - low)**2
    total += float(tf.reduce_sum(tf.reduce_mean(errors2, [1, 2, 3])))
  return total / number

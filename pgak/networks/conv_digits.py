"""A small net for the 8x8 images of the data set `digits`."""
import functools

import gin
from keras import layers
from keras import ops

from pgak.networks import blocks

__all__ = ['conv_digits_decoder', 'conv_digits_encoder']

_leaky_relu = functools.partial(ops.leaky_relu, negative_slope=0.2)
_options = dict(kernel_size=3, strides=2, padding='same')


@gin.register
def conv_digits_encoder(images, base_filters=32, batch_norm=False,
                        dense_units=256):
  """Images `[B, 8, 8, C]` to features `[B, dense_units]`."""
  bias = not batch_norm
  x = blocks.activated(layers.Conv2D(base_filters, **_options), images,
                       _leaky_relu, False)
  x = blocks.activated(
      layers.Conv2D(2 * base_filters, use_bias=bias, **_options), x,
      _leaky_relu, batch_norm)
  x = layers.Flatten()(x)
  return blocks.activated(layers.Dense(dense_units, use_bias=bias), x,
                          _leaky_relu, batch_norm)


@gin.register
def conv_digits_decoder(latents, channels, base_filters=32, batch_norm=False,
                        dense_units=256):
  """Latents `[B, H]` to images `[B, 8, 8, channels]`."""
  bias = not batch_norm
  x = blocks.activated(layers.Dense(dense_units), latents, ops.relu, False)
  x = blocks.activated(
      layers.Dense(2 * 2 * 2 * base_filters, use_bias=bias), x, ops.relu,
      batch_norm)
  x = layers.Reshape((2, 2, 2 * base_filters))(x)
  x = blocks.activated(layers.Conv2DTranspose(base_filters, **_options), x,
                       ops.relu, False)
  return layers.Conv2DTranspose(channels, **_options)(x)

"""A small net for the 8x8 images of the data set `digits`: conv_mnist's shape.
"""
import gin

from pgak.networks import conv_mnist

__all__ = ['conv_digits_decoder', 'conv_digits_encoder']


@gin.register
def conv_digits_encoder(images, base_filters=32, batch_norm=False,
                        dense_units=256, spectral_norm=False):
  """Images `[B, 8, 8, C]` to features `[B, dense_units]`."""
  return conv_mnist.conv_mnist_encoder(
      images, base_filters, batch_norm, dense_units, 3, spectral_norm)


@gin.register
def conv_digits_decoder(latents, channels, base_filters=32, batch_norm=False,
                        dense_units=256):
  """Latents `[B, H]` to images `[B, 8, 8, channels]`."""
  return conv_mnist.conv_mnist_decoder(
      latents, channels, base_filters, batch_norm, dense_units, kernel_size=3,
      side=2)

"""A small net for the 8x8 images of the data set `digits`, after conv_mnist.
"""

from pgak import settings
from pgak.networks import conv_mnist

__all__ = ['conv_digits_decoder', 'conv_digits_encoder']


@settings.register(denylist=['images'])
def conv_digits_encoder(images, base_filters: settings.Count = 32,
                        batch_norm: bool = False,
                        dense_units: settings.Count | None = 256,
                        spectral_norm: bool = False):
  """Images `[B, 8, 8, C]` to features `[B, dense_units]`."""
  # Kernels of 3x3: 5x5 would cover most of an 8x8 image.
  return conv_mnist.conv_mnist_encoder(
      images, base_filters, batch_norm, dense_units, 3, spectral_norm)


@settings.register(denylist=['latents', 'channels'])
def conv_digits_decoder(latents, channels: settings.Count,
                        base_filters: settings.Count = 32,
                        batch_norm: bool = False,
                        dense_units: settings.Count | None = 256,
                        spectral_norm: bool = False):
  """Latents `[B, H]` to images `[B, 8, 8, channels]`."""
  # Side 2, doubled twice.
  return conv_mnist.conv_mnist_decoder(
      latents, channels, base_filters, batch_norm, dense_units, kernel_size=3,
      side=2, spectral_norm=spectral_norm)

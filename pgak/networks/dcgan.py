"""The PGA authors' nets for 32x32 and 64x64 images, in the style of DCGAN.

Conv layers of 5x5 and stride 2 from the image down to 4x4, with twice as many
filters in each. The authors' `conv_32` has 3 layers (64, 128, 256 filters),
their `conv_64` has 4 (64 to 512). Batch norm follows all but the first layer of
`conv_32`'s encoder and all but the first two of `conv_64`'s; in the decoders it
follows all but the dense layer, the layer before the last, and the last.
"""
import functools

from keras import layers
from keras import ops

from pgak import settings
from pgak.networks import blocks
from pgak.networks import spectral_norm as spectral_norm_lib

__all__ = ['dcgan_decoder', 'dcgan_encoder']

_leaky_relu = functools.partial(ops.leaky_relu, negative_slope=0.2)
_options = dict(kernel_size=5, strides=2, padding='same')


@settings.register(denylist=['images'])
def dcgan_encoder(images, num_layers: settings.Count,
                  base_filters: settings.Count = 64, batch_norm: bool = True,
                  spectral_norm: bool = False):
  """Images of side `4 * 2**num_layers` to features `[B, F]`.

  `F = 4 * 4 * base_filters * 2**(num_layers - 1)`.

  Args:
    images: Keras tensor `[B, S, S, C]`.
    num_layers: 3 for 32x32 images, 4 for 64x64.
    base_filters: filters of the first layer.
    batch_norm: bool.
    spectral_norm: whether the kernels are divided by their spectral norms, as
      in a discriminator of images.
  """
  x = images
  for i in range(num_layers):
    # As in the authors' nets: one layer without it in conv_32, two in conv_64.
    normalised = batch_norm and i >= num_layers - 2
    conv = layers.Conv2D(base_filters * 2**i, use_bias=not normalised,
                         **_options)
    conv = spectral_norm_lib.maybe_normalised(conv, spectral_norm)
    x = blocks.activated(conv, x, _leaky_relu, normalised)
  return layers.Flatten()(x)  # [B, 4 * 4 * filters]


@settings.register(denylist=['latents', 'channels'])
def dcgan_decoder(latents, channels: settings.Count, num_layers: settings.Count,
                  base_filters: settings.Count = 64, batch_norm: bool = True,
                  spectral_norm: bool = False):
  """Latents `[B, H]` to images of side `4 * 2**num_layers`.

  With `spectral_norm` the kernels are divided by their spectral norms, as in
  RAE-SN.
  """
  def wrapped(layer):
    return spectral_norm_lib.maybe_normalised(layer, spectral_norm)
  filters = base_filters * 2**(num_layers - 1)
  x = blocks.activated(wrapped(layers.Dense(4 * 4 * filters)), latents,
                       ops.relu, False)
  x = layers.Reshape((4, 4, filters))(x)  # [B, 4, 4, filters]
  for i in reversed(range(num_layers - 1)):
    # Not before the image: i is 0 for the last layer but one.
    normalised = batch_norm and i > 0
    conv = layers.Conv2DTranspose(base_filters * 2**i, use_bias=not normalised,
                                  **_options)
    x = blocks.activated(wrapped(conv), x, ops.relu, normalised)
  return wrapped(layers.Conv2DTranspose(channels, **_options))(x)

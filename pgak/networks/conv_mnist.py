"""The PGA authors' net for 28x28 images: two conv layers and a dense one.

Kernels of 5x5, stride 2, 'same' padding; leaky ReLU (0.2) in the encoder, ReLU
in the decoder; the first and the last layer never have batch norm. With kernels
of 4x4, batch norm and a normalised first layer of the decoder it is InfoGAN's
discriminator and generator, as Lucic et al. use them.
"""
import functools

from keras import layers
from keras import ops

from pgak import settings
from pgak.networks import blocks
from pgak.networks import spectral_norm as spectral_norm_lib

__all__ = ['conv_mnist_decoder', 'conv_mnist_encoder']

_leaky_relu = functools.partial(ops.leaky_relu, negative_slope=0.2)


@settings.register(denylist=['images'])
def conv_mnist_encoder(images, base_filters: settings.Count = 64,
                       batch_norm: bool = False,
                       dense_units: settings.Count | None = 1024,
                       kernel_size: settings.Count = 5,
                       spectral_norm: bool = False,
                       dense_activation: bool = True):
  """Images `[B, 28, 28, C]`, or of another side, to `[B, dense_units]`.

  Args:
    images: Keras tensor.
    base_filters: filters of the first conv layer; the second has twice as many.
    batch_norm: whether batch norm follows all layers but the first.
    dense_units: units of the dense layer; None for none: the features
      are then those of the second conv layer.
    kernel_size: side of the kernels, in pixels.
    spectral_norm: whether the kernels are divided by their spectral norms, as
      in a discriminator of images.
    dense_activation: False for a linear dense layer, as in the authors' code
      before February 2020. It explains why the results on MNIST in their
      workshop paper differ from the later ones.
  """
  # Where batch norm follows, a bias would be subtracted again.
  options = dict(kernel_size=kernel_size, strides=2, padding='same')
  bias = not batch_norm
  def normalised(layer):
    return spectral_norm_lib.maybe_normalised(layer, spectral_norm)
  x = blocks.activated(normalised(layers.Conv2D(base_filters, **options)),
                       images, _leaky_relu, False)
  x = blocks.activated(
      normalised(layers.Conv2D(2 * base_filters, use_bias=bias, **options)), x,
      _leaky_relu, batch_norm)
  x = layers.Flatten()(x)  # [B, 7 * 7 * 128] by default
  if dense_units is None:
    return x
  return blocks.activated(
      normalised(layers.Dense(dense_units, use_bias=bias)), x,
      _leaky_relu if dense_activation else lambda y: y, batch_norm)


@settings.register(denylist=['latents', 'channels'])
def conv_mnist_decoder(latents, channels: settings.Count,
                       base_filters: settings.Count = 64,
                       batch_norm: bool = False,
                       dense_units: settings.Count | None = 1024, *,
                       kernel_size: settings.Count = 5,
                       side: settings.Count = 7,
                       first_batch_norm: bool = False,
                       spectral_norm: bool = False):
  """Latents `[B, H]` to images `[B, 4 * side, 4 * side, channels]`.

  Args:
    latents: Keras tensor.
    channels: channels of the images.
    base_filters: filters before the last layer.
    batch_norm: whether batch norm follows the second dense layer.
    dense_units: units of the first dense layer; None for none.
    kernel_size: side of the kernels, in pixels.
    side: a quarter of the images' side.
    first_batch_norm: whether batch norm follows the first dense layer.
    spectral_norm: whether the kernels are divided by their spectral norms, as
      in RAE-SN.
  """
  options = dict(kernel_size=kernel_size, strides=2, padding='same')
  bias = not batch_norm
  def normalised(layer):
    return spectral_norm_lib.maybe_normalised(layer, spectral_norm)
  x = latents
  if dense_units is not None:
    x = blocks.activated(
        # The authors' first layer has no batch norm, InfoGAN's has.
        normalised(layers.Dense(dense_units, use_bias=not first_batch_norm)),
        x, ops.relu, first_batch_norm)
  x = blocks.activated(
      normalised(layers.Dense(side * side * 2 * base_filters, use_bias=bias)),
      x, ops.relu, batch_norm)
  x = layers.Reshape((side, side, 2 * base_filters))(x)  # [B, 7, 7, 128]
  x = blocks.activated(
      normalised(layers.Conv2DTranspose(base_filters, **options)), x, ops.relu,
      False)
  return normalised(layers.Conv2DTranspose(channels, **options))(x)

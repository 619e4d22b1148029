"""Nets without dense layers, whose latents are maps `[h, w, C]`.

The encoder ends at a map of features, from which `networks.encoder` makes one
of latents by a conv of 1x1; the decoder begins with that map. Between the two,
and so for models, priors, files and requests, latents stay vectors `[B, H]`:
the map in rows, H = h w C, as Keras's `Flatten` and `Reshape` have it. So
whatever takes latents takes these, and a density treats them as a vector.
28x28 images that are halved twice have 7 x 7 places, and with
`latent_dim = 196` 4 channels each.
"""
from keras import layers
from keras import ops

from pgak import settings
from pgak.networks import any_size
from pgak.networks import blocks
from pgak.networks import heads
from pgak.networks import spectral_norm as spectral_norm_lib

__all__ = ['map_decoder', 'map_encoder']


def _leaky_relu(x):
  return ops.leaky_relu(x, negative_slope=0.2)


def _conv(layer, x, activation, batch_norm, spectral_norm):
  """A conv of 3x3, or of 4x4 and stride 2, given as a layer without bias."""
  wrapped = spectral_norm_lib.maybe_normalised(layer, spectral_norm)
  return blocks.activated(wrapped, x, activation, batch_norm)


@settings.register(denylist=['images'])
def map_encoder(images, base_filters: settings.Count = 64,
                depth: settings.Whole = 2, batch_norm: bool = True,
                spectral_norm: bool = False):
  """Images `[B, H, W, C]` to a map of features `[B, h, w, F]`.

  A conv of 4x4 and stride 2 for each halving, with twice the filters of the one
  before, and one of 3x3, each with leaky ReLU (0.2).

  Args:
    images: Keras tensor.
    base_filters: filters of the first layer.
    depth: number of halvings; each rounds up.
    batch_norm: whether batch norm follows all convs but the first.
    spectral_norm: whether the kernels are divided by their spectral norms.

  Raises:
    ValueError: if they are vectors.
  """
  any_size.require_images(images)
  x = images
  for i in range(depth):
    normalised = batch_norm and i > 0
    x = _conv(layers.Conv2D(base_filters * 2**i, 4, 2, 'same',
                            use_bias=not normalised),
              x, _leaky_relu, normalised, spectral_norm)
  filters = base_filters * 2**max(depth - 1, 0)
  return _conv(layers.Conv2D(filters, 3, padding='same',
                             use_bias=not batch_norm),
               x, _leaky_relu, batch_norm, spectral_norm)


@settings.register(denylist=['latents', 'channels'])
def map_decoder(latents, channels: settings.Count,
                image_shape: heads.ImageShape,
                base_filters: settings.Count = 64, depth: settings.Whole = 2,
                batch_norm: bool = True, spectral_norm: bool = False):
  """Latents `[B, h * w * C]` to images `[B, height, width, channels]`.

  The map, two convs of 3x3, and a transposed conv of 4x4 and stride 2 for each
  doubling, with ReLU but for the last layer.

  Args:
    latents: Keras tensor.
    channels: int.
    image_shape: `(height, width, channels)`; the first two count.
    base_filters: filters before the last layer.
    depth: number of doublings, as `map_encoder` halves.
    batch_norm: whether batch norm follows all layers but the last.
    spectral_norm: whether the kernels are divided by their spectral norms.

  Raises:
    errors.UserError: if the latents do not fill the map.
  """
  sizes = any_size.sizes(*image_shape[:2], depth)
  height, width = sizes[-1]
  x = layers.Reshape((height, width, heads.map_channels(
      latents.shape[-1], (height, width))))(latents)
  bias = not batch_norm
  filters = base_filters * 2**max(depth - 1, 0)
  for _ in range(2):
    x = _conv(layers.Conv2D(filters, 3, padding='same', use_bias=bias), x,
              ops.relu, batch_norm, spectral_norm)
  for i in reversed(range(1, depth)):
    x = _conv(layers.Conv2DTranspose(base_filters * 2**(i - 1), 4, 2, 'same',
                                     use_bias=bias),
              x, ops.relu, batch_norm, spectral_norm)
    x = any_size.cut(x, sizes[i])
  last = (layers.Conv2DTranspose(channels, 4, 2, 'same') if depth
          else layers.Conv2D(channels, 3, padding='same'))
  x = spectral_norm_lib.maybe_normalised(last, spectral_norm)(x)
  return any_size.cut(x, sizes[0])

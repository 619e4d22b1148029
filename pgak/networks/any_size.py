"""Convolutional and residual nets for images of any height and width.

Height and width are halved, rounded up, until the smaller one is 5 or less. The
decoder doubles them as often, and cuts the last row or column where a size was
odd. So 48x64 becomes 24x32, 12x16, 6x8 and 3x4, and 33x57 becomes 17x29, 9x15
and 5x8. Filters double at each halving, up to 8 times those of the first layer.

Both are standard designs and not from a paper: convs of 4x4 and stride 2 as in
DCGAN, [1]; pre-activation blocks, [2], that are halved by average pooling and
doubled by repeating pixels. Each net also has layers at the smallest size, so
that even images that are never halved get a net.

#### References

[1]: Alec Radford, Luke Metz, Soumith Chintala. Unsupervised Representation
     Learning with Deep Convolutional Generative Adversarial Networks.
     ICLR, 2016.
[2]: Kaiming He, Xiangyu Zhang, Shaoqing Ren, Jian Sun. Identity Mappings in
     Deep Residual Networks. ECCV, 2016.
"""
import functools

from keras import layers
from keras import ops

from pgak import settings
from pgak.networks import heads
from pgak.networks import spectral_norm as spectral_norm_lib

__all__ = ['conv_decoder', 'conv_encoder', 'cut', 'require_images',
           'residual_decoder', 'residual_encoder', 'sizes']

# A side of at most this many pixels is not halved.
_SMALLEST = 5
# The most filters, as a multiple of those of the first layer.
_WIDEST = 8

_leaky_relu = functools.partial(ops.leaky_relu, negative_slope=0.2)


def sizes(height, width, depth=None):
  """Returns the sizes from the image's to the smallest, `[(height, width)]`.

  Args:
    height: int, pixels.
    width: int, pixels.
    depth: number of halvings; by default as many as make the smaller side 5 or
      less.
  """
  found = [(height, width)]
  while (min(found[-1]) > _SMALLEST if depth is None else len(found) <= depth):
    # As 'same' does.
    found.append(tuple((side + 1) // 2 for side in found[-1]))
  return found


@settings.register(denylist=['images'])
def conv_encoder(images, base_filters: settings.Count = 64,
                 depth: settings.Whole | None = None, batch_norm: bool = True,
                 spectral_norm: bool = False):
  """Images `[B, H, W, C]` of any size to features `[B, F]`.

  A conv of 4x4 and stride 2 for each halving and one of 3x3 at the smallest
  size, each with leaky ReLU (0.2).

  Args:
    images: Keras tensor.
    base_filters: filters of the first layer.
    depth: number of halvings; None for as many as make the smaller side 5
      pixels or less.
    batch_norm: whether batch norm follows all convs but the first.
    spectral_norm: whether the kernels are divided by their spectral norms, as
      in a discriminator of images.

  Raises:
    ValueError: if they are vectors.
  """
  require_images(images)
  steps = len(sizes(*images.shape[1:3], depth)) - 1
  layer = functools.partial(_layer, batch_norm=batch_norm,
                            spectral_norm=spectral_norm)
  x = images
  for i in range(steps):
    x = layer(layers.Conv2D, x, _filters(base_filters, i), 4, 2,
              first=i == 0)
  # The only layer of an image that is not halved.
  x = layer(layers.Conv2D, x, _filters(base_filters, max(steps - 1, 0)), 3, 1,
            first=not steps)
  return layers.Flatten()(x)


@settings.register(denylist=['latents', 'channels'])
def conv_decoder(latents, channels: settings.Count,
                 image_shape: heads.ImageShape,
                 base_filters: settings.Count = 64,
                 depth: settings.Whole | None = None, batch_norm: bool = True,
                 spectral_norm: bool = False):
  """Latents `[B, H]` to images `[B, height, width, channels]` of any size.

  A dense layer, a conv of 3x3 at the smallest size, each with ReLU, and a
  transposed conv of 4x4 and stride 2 for each doubling, with ReLU but for the
  last one.

  Args:
    latents: Keras tensor.
    channels: int.
    image_shape: `(height, width, channels)`; the first two count.
    base_filters: filters before the last layer.
    depth: number of doublings; None as in `conv_encoder`.
    batch_norm: whether batch norm follows all layers but the last.
    spectral_norm: whether the kernels are divided by their spectral norms.
  """
  steps = sizes(*image_shape[:2], depth)
  layer = functools.partial(_layer, batch_norm=batch_norm,
                            spectral_norm=spectral_norm, activation=ops.relu)
  filters = _filters(base_filters, max(len(steps) - 2, 0))
  x = _dense_map(latents, steps[-1], filters, spectral_norm)
  if batch_norm:
    x = _batch_norm(x)
  x = layer(layers.Conv2D, ops.relu(x), filters, 3, 1)
  for i in reversed(range(1, len(steps) - 1)):
    x = layer(layers.Conv2DTranspose, x, _filters(base_filters, i - 1), 4, 2)
    x = cut(x, steps[i])
  # Without halvings there is no size to double: a plain conv.
  last = (layers.Conv2DTranspose(channels, 4, 2, 'same') if len(steps) > 1
          else layers.Conv2D(channels, 3, padding='same'))
  x = spectral_norm_lib.maybe_normalised(last, spectral_norm)(x)
  return cut(x, steps[0])  # [B, height, width, channels]


@settings.register(denylist=['images'])
def residual_encoder(images, base_filters: settings.Count = 64,
                     depth: settings.Whole | None = None,
                     batch_norm: bool = True, spectral_norm: bool = False):
  """Images `[B, H, W, C]` of any size to features `[B, F]`.

  A conv of 3x3, a residual block for each halving and one at the smallest size,
  and ReLU.

  Args:
    images: Keras tensor.
    base_filters: filters of the first layer.
    depth: number of halvings; None as in `conv_encoder`.
    batch_norm: whether batch norm stands before each conv but the first.
    spectral_norm: whether the kernels are divided by their spectral norms.

  Raises:
    ValueError: if they are vectors.
  """
  require_images(images)
  steps = len(sizes(*images.shape[1:3], depth)) - 1
  conv = functools.partial(_conv, spectral_norm=spectral_norm)
  x = conv(images, base_filters)
  for i in range(steps):
    x = _block(x, _filters(base_filters, i + 1), batch_norm, conv)
    x = layers.AveragePooling2D(2, padding='same')(x)
  x = _block(x, x.shape[-1], batch_norm, conv)
  return layers.Flatten()(_preactivated(x, batch_norm))


@settings.register(denylist=['latents', 'channels'])
def residual_decoder(latents, channels: settings.Count,
                     image_shape: heads.ImageShape,
                     base_filters: settings.Count = 64,
                     depth: settings.Whole | None = None,
                     batch_norm: bool = True, spectral_norm: bool = False):
  """Latents `[B, H]` to images `[B, height, width, channels]` of any size.

  A dense layer, a residual block at the smallest size and one for each
  doubling, ReLU, and a conv of 3x3.

  Args:
    latents: Keras tensor.
    channels: int.
    image_shape: `(height, width, channels)`; the first two count.
    base_filters: filters before the last layer.
    depth: number of doublings; None as in `conv_encoder`.
    batch_norm: whether batch norm stands before each conv.
    spectral_norm: whether the kernels are divided by their spectral norms.
  """
  steps = sizes(*image_shape[:2], depth)
  conv = functools.partial(_conv, spectral_norm=spectral_norm)
  filters = _filters(base_filters, len(steps) - 1)
  x = _dense_map(latents, steps[-1], filters, spectral_norm)
  x = _block(x, filters, batch_norm, conv)
  for i in reversed(range(len(steps) - 1)):
    x = cut(layers.UpSampling2D(2)(x), steps[i])
    x = _block(x, _filters(base_filters, i), batch_norm, conv)
  return conv(_preactivated(x, batch_norm), channels)


def require_images(images):
  """Raises ValueError for a Keras tensor of vectors."""
  if len(images.shape) != 4:
    raise ValueError('it takes images, not vectors')


def _filters(base_filters, i):
  return base_filters * min(2**i, _WIDEST)


def _batch_norm(x):
  return layers.BatchNormalization(momentum=0.99, epsilon=1e-3)(x)


def _layer(kind, x, filters, kernel_size, strides, *, batch_norm,
           spectral_norm, activation=_leaky_relu, first=False):
  """A conv layer, batch norm if asked and not the first, and an activation."""
  # None after the first layer, as in DCGAN's discriminator.
  batch_norm = batch_norm and not first
  # Batch norm subtracts the mean, and a bias with it.
  layer = kind(filters, kernel_size, strides, 'same', use_bias=not batch_norm)
  x = spectral_norm_lib.maybe_normalised(layer, spectral_norm)(x)
  return activation(_batch_norm(x) if batch_norm else x)


def _conv(x, filters, kernel_size=3, spectral_norm=False):
  layer = layers.Conv2D(filters, kernel_size, padding='same')
  return spectral_norm_lib.maybe_normalised(layer, spectral_norm)(x)


def _preactivated(x, batch_norm):
  return ops.relu(_batch_norm(x) if batch_norm else x)


def _block(x, filters, batch_norm, conv):
  """`shortcut(x) + residual(x)`, the second of two 3x3 convs, [2]."""
  residual = x
  for _ in range(2):
    residual = conv(_preactivated(residual, batch_norm), filters)
  # A projection only where the filters change: else gradients pass unchanged.
  shortcut = x if x.shape[-1] == filters else conv(x, filters, 1)
  return layers.Add()([shortcut, residual])


def _dense_map(latents, size, filters, spectral_norm):
  """A dense layer from latents to a map `[B, *size, filters]`."""
  layer = layers.Dense(size[0] * size[1] * filters)
  x = spectral_norm_lib.maybe_normalised(layer, spectral_norm)(latents)
  return layers.Reshape((*size, filters))(x)  # [B, *size, filters]


def cut(x, size):
  """Drops the last row and column where the size to reach is odd."""
  over = [have - want for have, want in zip(x.shape[1:3], size)]
  if not any(over):
    return x
  return layers.Cropping2D(((0, over[0]), (0, over[1])))(x)

"""The conditional variational U-Net: images given a condition and latents.

The net of [1], its sizes as settings: weight-normalised convolutions, ELU,
residual blocks, sub-pixel upsampling; latents at the two coarsest scales. The
latents `[B, H]` hold the coarser scale and then the finer one, each cut by
space-to-depth into `groups` maps, flattened one after the other.

Whether the encoder's means of the finer scale see the sample of the coarser
scale is a setting, as is whether a run's first batch sets the initial weights
(`VUNet.data_start`): both are so in the released code, and neither by default.

#### References

[1]: Patrick Esser, Ekaterina Sutter, Bjorn Ommer. A variational U-Net for
     conditional appearance and shape generation. CVPR, 2018.
"""
import math
from typing import Literal

import keras
from keras import layers
from keras import ops
import numpy as np

from pgak import settings
from pgak.networks import heads
from pgak.networks import outputs as output_lib
from pgak.networks import weight_norm

__all__ = ['LATENT_SCALES', 'condition_network', 'join', 'latent_shapes',
           'split', 'vunet_decoder', 'vunet_encoder']

# As in [1].
LATENT_SCALES = 2


def latent_shapes(image_shape, num_scales, latent_channels, groups=1):
  """Returns the shapes of the latents' groups, the coarser scale's first.

  Args:
    image_shape: `(height, width, channels)`.
    num_scales: scales of the U-Net, each half as high and wide as the last.
    latent_channels: channels of the latents.
    groups: 1, or 4 for groups that follow one another.

  Returns:
    List of two lists of `groups` shapes `(height, width, latent_channels)`.

  Raises:
    ValueError: if the sizes do not halve so often.
  """
  # Four groups are the pixels of 2x2 cells.
  side = math.isqrt(groups)
  coarsest = 2 ** (num_scales - 1)
  if num_scales < LATENT_SCALES:
    raise ValueError('The U-Net needs two scales or more, not num_scales = '
                     f'{num_scales}.')
  if any(size % (coarsest * side) for size in image_shape[:2]):
    raise ValueError(
        f'The U-Net of {num_scales} scales and {groups} groups needs images '
        f'whose sides {coarsest * side} divides, not {tuple(image_shape)}: '
        'give fewer scales, or padded images.')
  return [[(image_shape[0] // scale // side, image_shape[1] // scale // side,
            latent_channels)] * groups
          for scale in (coarsest, coarsest // 2)]


@settings.register
def vunet_encoder(image_shape: heads.ImageShape,
                  condition_shape: heads.ImageShape, *,
                  base_filters: settings.Count = 8,
                  num_scales: settings.Count = 4,
                  latent_channels: settings.Count = 2,
                  blocks: settings.Count = 1, groups: Literal[1, 4] = 1,
                  dropout: settings.Decay = 0., name: str = 'encoder',
                  finer_sees_coarser: bool = False):
  """Builds the appearance encoder q(z | x, y), a Gaussian of variance 1.

  Args:
    image_shape: `(height, width, channels)`.
    condition_shape: `(height, width, channels)` of the conditions.
    base_filters: filters of the finest scale; they double up to four times as
      many.
    num_scales: number of scales.
    latent_channels: channels of the latents.
    blocks: residual blocks per scale.
    groups: 1 or 4; see `latent_shapes`.
    dropout: rate of the residual blocks.
    name: string.
    finer_sees_coarser: whether the features of the finer scale see the sample
      of the coarser one, as in the released code: q(z | x, y) is then
      `q(z_1 | x, y) q(z_2 | z_1, x, y)`, each of variance 1.

  Returns:
    `keras.Model`: `[images, conditions]`, float, to means `[B, H]`. With
    `finer_sees_coarser` it has a third input, the noise `[B, H]` that is added
    to the means: they are those given the sample that it makes.
  """
  filters = [base_filters * min(2**i, 4) for i in range(num_scales)]
  shapes = latent_shapes(image_shape, num_scales, latent_channels, groups)
  made = _Layers(dropout)
  images = keras.Input(tuple(image_shape), name='images')
  conditions = keras.Input(tuple(condition_shape), name='conditions')
  features = made.down(
      layers.Concatenate()([images, conditions]), filters, blocks)
  size = sum(math.prod(s) for scale in shapes for s in scale)
  noise = [keras.Input((size,), name='noise')] if finer_sees_coarser else []
  means, x = [], None
  for width, skip, scale in zip(filters[::-1], features[::-1], shapes):
    x = skip if x is None else made.block(made.up(x, width), skip)
    x = made.block(x)
    mean = made.conv(latent_channels, 3)(ops.elu(x))
    if noise and not means:
      sample = mean + join(_cut(noise[0], shapes)[0])
      x = made.block(x, made.conv(width, 3)(sample))
    means += [layers.Flatten()(part) for part in split(mean, len(scale))]
  latents = layers.Concatenate(dtype=keras.config.floatx(), name='latents')(
      means)
  return keras.Model([images, conditions, *noise], latents, name=name)


@settings.register
def vunet_decoder(image_shape: heads.ImageShape,
                  condition_shape: heads.ImageShape, *,
                  base_filters: settings.Count = 8,
                  num_scales: settings.Count = 4,
                  latent_channels: settings.Count = 2,
                  blocks: settings.Count = 1, groups: Literal[1, 4] = 1,
                  dropout: settings.Decay = 0.,
                  value_range: tuple[float, float] = (-1., 1.),
                  prior_means: bool = True, name: str = 'decoder',
                  output: output_lib.Output = 'squashed',
                  leak: settings.NonNegative = 0.1):
  """Builds the U-Net: latents and a condition to an image.

  Its way down sees the condition; its way up sees the features of the way down
  by skips, and the latents at the two coarsest scales. With `prior_means` it
  also gives the mean of each group of latents given the condition and the
  groups before it: p(z | y) of [1, eq. 7], whose weights are the U-Net's own.

  Args:
    image_shape: `(height, width, channels)`.
    condition_shape: `(height, width, channels)` of the conditions.
    base_filters: filters of the finest scale; they double up to four times as
      many.
    num_scales: number of scales.
    latent_channels: channels of the latents.
    blocks: residual blocks per scale.
    groups: 1 or 4; see `latent_shapes`.
    dropout: rate of the residual blocks.
    value_range: `(-1, 1)` for a tanh at the end, `(0, 1)` for a sigmoid.
    prior_means: whether to make the means.
    name: string.
    output: as for `decoder`.
    leak: as for `decoder`, but 0.1 by default, which leaves grey specks in flat
      black; see `ClippedOutput`.

  Returns:
    `keras.Model`: `[latents, conditions]`, float `[B, H]` and `[B, h, w, K]`,
    to `[images]` or `[images, means]`, float `[B, h, w, C]` and `[B, H]`.
  """
  filters = [base_filters * min(2**i, 4) for i in range(num_scales)]
  shapes = latent_shapes(image_shape, num_scales, latent_channels, groups)
  made = _Layers(dropout)
  size = sum(math.prod(s) for scale in shapes for s in scale)
  latents = keras.Input((size,), name='latents')
  conditions = keras.Input(tuple(condition_shape), name='conditions')
  # As the encoder has joined them: the coarser scale first.
  given = _cut(latents, shapes)
  features = made.down(conditions, filters, blocks)
  means, x = [], None
  for i, (width, skip) in enumerate(zip(filters[::-1], features[::-1])):
    x = made.block(skip) if x is None else made.block(made.up(x, width), skip)
    for _ in range(blocks - 1):
      x = made.block(x)
    if i < LATENT_SCALES:
      if prior_means:
        # Before the scale's own latents come in: p must not see what it
        # predicts.
        means += made.means(x, given[i], latent_channels)
      # Latents come in here.
      x = made.block(x, made.conv(width, 3)(join(given[i])))
  last = output_lib.output_layer(value_range, output, leak)
  outputs = [last(made.conv(image_shape[-1], 3)(ops.elu(x)))]
  if prior_means:
    outputs.append(layers.Concatenate(
        dtype=keras.config.floatx(), name='prior_means')(means))
  return keras.Model([latents, conditions], outputs, name=name)


@settings.register
def condition_network(condition_shape: heads.ImageShape,
                      filters: settings.Several[settings.Count] = (16, 32, 32),
                      features: settings.Count = 64):
  """Builds the features of a condition for a flow: convolutions, a dense layer.

  Args:
    condition_shape: `(height, width, channels)`.
    filters: filters of the convolutions, each of stride 2.
    features: number of features F.

  Returns:
    `keras.Model`: float `[B, height, width, channels]` to `[B, F]`.
  """
  conditions = keras.Input(tuple(condition_shape), name='conditions')
  x = conditions
  for width in filters:
    x = layers.Conv2D(width, 3, 2, 'same', activation='relu')(x)
  x = layers.Dense(features, activation='relu')(layers.Flatten()(x))
  return keras.Model(conditions, x, name='condition_network')


class _Layers:
  """Makes the layers of one net; its dropouts differ by their seeds."""

  # Gain of a block's last convolution: a deep net starts near the identity.
  GAIN = 0.5

  def __init__(self, dropout):
    self._dropout = dropout
    # NumPy's own generator, which `keras.utils.set_random_seed` seeds.
    self._seed = int(np.random.randint(1 << 31))

  def conv(self, filters, kernel_size=3, strides=1, gain=1.):
    return weight_norm.WeightNormConv2D(filters, kernel_size, strides, gain)

  def block(self, x, other=None):
    """`x + conv(dropout(elu([x, conv(elu(other))])))`, the shape of x."""
    width = x.shape[-1]
    residual = ops.elu(x)
    if other is not None:
      residual = layers.Concatenate()(
          [residual, ops.elu(self.conv(width, 1)(ops.elu(other)))])
    if self._dropout:
      # Two layers with one seed would drop the same units.
      self._seed += 1
      residual = weight_norm.RepeatableDropout(
          self._dropout, self._seed)(residual)
    return x + self.conv(width, 3, gain=self.GAIN)(residual)

  def down(self, x, filters, blocks):
    """Returns the features of each scale, the finest first."""
    features = []
    # One pixel of one channel would leave v / |v| nothing to learn.
    x = self.conv(filters[0], 3)(x)
    for i, width in enumerate(filters):
      x = self.conv(width, 3, 2)(x) if i else x
      for _ in range(blocks):
        x = self.block(x)
      features.append(x)
    return features

  def up(self, x, width):
    """Doubles height and width by sub-pixels, to `width` channels."""
    # Sub-pixel upsampling, as in [1].
    return _to_space(self.conv(4 * width, 3)(x))

  def means(self, x, given, channels):
    """The mean of each group given features and the groups before it."""
    x = self.block(x)
    features, means = split(x, len(given), whole=True), []
    for group in range(len(given)):
      # Only groups before this one: p is autoregressive over them.
      seen = layers.Concatenate()([features, *given[:group]]) if group else (
          features)
      mean = self.conv(channels, 3)(ops.elu(seen))
      means.append(layers.Flatten()(mean))
    return means


def _cut(latents, shapes):
  """Returns the maps of each scale's groups: lists of `[B, h, w, c]`."""
  maps, first = [], 0
  for scale in shapes:
    maps.append([])
    for shape in scale:
      size = math.prod(shape)
      maps[-1].append(layers.Reshape(shape)(latents[:, first:first + size]))
      first += size
  return maps


def split(x, groups, whole=False):
  """Space-to-depth into one map per group, or with `whole` into one of all."""
  if groups > 1:
    _, height, width, channels = x.shape
    x = ops.reshape(x, (-1, height // 2, 2, width // 2, 2, channels))
    x = ops.transpose(x, (0, 1, 3, 2, 4, 5))  # [B, h/2, w/2, 2, 2, c]
    x = ops.reshape(x, (-1, height // 2, width // 2, 4 * channels))
  return x if whole else ops.split(x, groups, -1)


def join(maps):
  """The inverse of `split`."""
  return maps[0] if len(maps) == 1 else _to_space(layers.Concatenate()(maps))


def _to_space(x):
  """Depth-to-space: `[B, h, w, 4 c]` to `[B, 2 h, 2 w, c]`."""
  _, height, width, channels = x.shape
  x = ops.reshape(x, (-1, height, width, 2, 2, channels // 4))
  x = ops.transpose(x, (0, 1, 3, 2, 4, 5))  # [B, h, 2, w, 2, c]
  return ops.reshape(x, (-1, 2 * height, 2 * width, channels // 4))

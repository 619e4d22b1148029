"""Nets of progressively growing GANs: 4x4 pixels, then 8x8, 16x16 and so on.

Both always take and give images of the full side `4 * 2^L` (or `7 * 2^L` for
MNIST, whose smallest side is 7). Where block k fades in, a `FadeIn` layer mixes
its output, with share s, with the output without it: the decoder enlarges the
image of the blocks before and mixes in the block's own, the encoder shrinks the
image and mixes in the block's features. With s = 0 the block has no effect, and
its gradient is exactly 0. It is computed all the same: a step takes as long at
4x4 as at the full side.

The last activation is the decoder's as elsewhere (tanh); that of [1] is linear.

#### References

[1]: Tero Karras, Timo Aila, Samuli Laine, Jaakko Lehtinen. Progressive Growing
     of GANs for Improved Quality, Stability, and Variation. ICLR, 2018.
"""
import functools
import math

import keras
from keras import layers
from keras import ops

from pgak import settings
from pgak.networks import blocks
from pgak.networks import nested

__all__ = ['EqualisedLearningRate', 'FadeIn', 'MinibatchDeviation', 'conv',
           'pg_gan_decoder', 'pg_gan_encoder', 'set_level']

_RELU_GAIN = math.sqrt(2.)
_leaky_relu = functools.partial(ops.leaky_relu, negative_slope=0.2)


@keras.saving.register_keras_serializable('pgak')
class EqualisedLearningRate(layers.Wrapper):
  """Calls a layer with the kernel `c W`, [1, sec. 4.1].

  W is initialised by N(0, 1), and `c = gain / sqrt(inputs of a unit)` is He's
  constant. So an optimizer that changes all kernels by equal steps, such as
  Adam, trains all layers at one rate.

  Args:
    layer: a Conv2D or Dense layer.
    gain: sqrt(2) before a ReLU, 1 before nothing.
    **kwargs: as for a Keras layer; the precision is that of `layer`.
  """

  def __init__(self, layer, gain=_RELU_GAIN, **kwargs):
    # c is applied in each call, and not once as in a usual start.
    layer.kernel_initializer = keras.initializers.RandomNormal(0., 1.)
    # A head in float32 under a mixed policy stays there.
    kwargs.setdefault('dtype', layer.dtype_policy)
    super().__init__(layer, **kwargs)
    self.gain = gain

  def call(self, inputs, training=None):
    del training
    units = math.prod(self.layer.kernel.shape[:-1])
    scale = self.gain / math.sqrt(units)
    return blocks.with_kernel(
        self.layer, lambda w: w * ops.cast(scale, w.dtype), inputs)

  def compute_output_shape(self, input_shape):
    return self.layer.compute_output_shape(input_shape)

  def get_config(self):
    return super().get_config() | {'gain': self.gain}


@keras.saving.register_keras_serializable('pgak')
class FadeIn(layers.Layer):
  """Mixes `(1 - s) old + s new`, [1, fig. 2]; s is state and 1 at first.

  Args:
    block: number k of the block that fades in while the level rises from
      `k - 1` to k.
  """

  def __init__(self, block, **kwargs):
    super().__init__(**kwargs)
    self.block = block

  def build(self, input_shape=None):
    # A weight, so that checkpoints and exports have the level that was reached.
    self.share = self.add_weight(
        name='share', shape=(), initializer='ones', trainable=False,
        aggregation='only_first_replica')

  def set_level(self, level):
    """Sets `s = clip(level - (k - 1), 0, 1)`."""
    level = ops.cast(level, self.share.dtype)
    self.share.assign(ops.clip(level - (self.block - 1.), 0., 1.))

  def call(self, inputs):
    old, new = inputs
    share = ops.cast(self.share, new.dtype)
    return (1. - share) * old + share * new

  def compute_output_shape(self, input_shape):
    return input_shape[1]

  def get_config(self):
    return super().get_config() | {'block': self.block}


@keras.saving.register_keras_serializable('pgak')
class MinibatchDeviation(layers.Layer):
  """Adds a channel with the standard deviation of a batch, [1, sec. 3].

  The mean over positions and channels of the standard deviations over the
  batch, the same number everywhere. Over several replicas each has its own.
  """

  def call(self, inputs):
    deviation = ops.sqrt(ops.var(inputs, 0) + 1e-8)  # [h, w, C]
    channel = ops.ones_like(inputs[..., :1]) * ops.mean(deviation)
    return ops.concatenate([inputs, channel], -1)

  def compute_output_shape(self, input_shape):
    return (*input_shape[:-1], input_shape[-1] + 1)


def set_level(net, level):
  """Grows a net to a level: 0 is 4x4 pixels, 1 is 8x8, and so on.

  Args:
    net: `keras.Model`; one without `FadeIn` layers stays as it is.
    level: float scalar; between two whole numbers a block fades in.
  """
  for layer in nested.layers_of(net):
    if isinstance(layer, FadeIn):
      layer.set_level(level)


def conv(x, filters, size=3, padding='same'):
  return _leaky_relu(EqualisedLearningRate(
      layers.Conv2D(filters, size, padding=padding))(x))


def _pixel_norm(x):
  """Divides by the root of the mean square over the channels, [1, sec. 4.2]."""
  return x * ops.rsqrt(ops.mean(ops.square(x), -1, keepdims=True) + 1e-8)


def _filters(base_filters, max_filters, num_blocks):
  """The filters at each level, from 4x4 on."""
  return [min(base_filters * 2**(num_blocks - k), max_filters)
          for k in range(num_blocks + 1)]


@settings.register(denylist=['images'])
def pg_gan_encoder(images, num_blocks: settings.Count,
                   base_filters: settings.Count = 16,
                   max_filters: settings.Count = 512):
  """Images of side `s * 2^num_blocks` to features `[B, F]`, [1, table 2].

  With one latent it is the discriminator of [1].

  Args:
    images: Keras tensor `[B, S, S, C]`.
    num_blocks: L.
    base_filters: filters at the full side, doubled with each halving of it.
    max_filters: the most filters, F with as many blocks.
  """
  filters = _filters(base_filters, max_filters, num_blocks)
  x = conv(images, filters[-1], 1)
  shrunk = images
  for k in range(num_blocks, 0, -1):
    x = conv(conv(x, filters[k]), filters[k - 1])
    x = layers.AveragePooling2D(2)(x)  # [B, h/2, w/2, filters[k - 1]]
    shrunk = layers.AveragePooling2D(2)(shrunk)
    # Each level has a 1x1 conv from the image of its own size.
    x = FadeIn(k)([conv(shrunk, filters[k - 1], 1), x])
  x = conv(MinibatchDeviation()(x), filters[0])
  # A kernel as large as the map: one pixel is left, `[B, filters[0]]`.
  return layers.Flatten()(conv(x, filters[0], x.shape[1], 'valid'))


@settings.register(denylist=['latents', 'channels'])
def pg_gan_decoder(latents, channels: settings.Count,
                   num_blocks: settings.Count,
                   base_filters: settings.Count = 16,
                   max_filters: settings.Count = 512, side: settings.Count = 4):
  """Latents `[B, H]` to images of side `side * 2^num_blocks`, [1, table 2].

  The latents are first brought to the sphere of radius sqrt(H).

  Args:
    latents: Keras tensor.
    channels: number of channels of the images.
    num_blocks: L.
    base_filters: filters at the full side, doubled with each halving of it.
    max_filters: the most filters.
    side: that of the smallest images.
  """
  filters = _filters(base_filters, max_filters, num_blocks)
  dense = EqualisedLearningRate(layers.Dense(side * side * filters[0]),
                                _RELU_GAIN / 4.)
  # [B, s, s, F]
  x = layers.Reshape((side, side, filters[0]))(dense(_pixel_norm(latents)))
  x = _pixel_norm(_leaky_relu(x))
  x = _pixel_norm(conv(x, filters[0]))
  images = _to_image(x, channels)
  for k in range(1, num_blocks + 1):
    x = layers.UpSampling2D(2)(x)  # [B, 2h, 2w, F]
    for _ in range(2):
      x = _pixel_norm(conv(x, filters[k]))
    images = FadeIn(k)([layers.UpSampling2D(2)(images),
                        _to_image(x, channels)])
  return images


def _to_image(x, channels):
  return EqualisedLearningRate(layers.Conv2D(channels, 1), 1.)(x)

"""A residual net for 128x128 images.

Pre-activation blocks of two 3x3 convs; each of the encoder's five halves the
side by average pooling, down to 4x4, and each of the decoder's doubles it by
repeating pixels. The filters double from block to block, up to 8 times those of
the first. The paper on learned priors leaves its nets for CelebA to a
supplement that we could not obtain: this pair is pgak's choice.
"""
from keras import layers
from keras import ops

from pgak import settings
from pgak.networks import blocks

__all__ = ['resnet_128_decoder', 'resnet_128_encoder']

# From 128 to 4.
NUM_BLOCKS = 5
# The most filters, as a multiple of those of the first block.
MOST = 8


def _block(x, filters, batch_norm, resize):
  """`shortcut(x) + residual(x)`, both through `resize` where that is given."""
  residual = x
  for i in range(2):
    if batch_norm:
      residual = blocks.batch_norm()(residual)
    residual = layers.LeakyReLU(negative_slope=0.2)(residual)
    # Doubled before the convs, which then draw at the full side.
    if i == 0 and isinstance(resize, layers.UpSampling2D):
      residual = resize(residual)
    residual = layers.Conv2D(filters, 3, padding='same')(residual)
  shortcut = x if x.shape[-1] == filters else layers.Conv2D(filters, 1)(x)
  if isinstance(resize, layers.UpSampling2D):
    # The 1x1 conv before enlarging: the same result at a quarter of the cost.
    return layers.Add()([resize(shortcut), residual])
  return resize(layers.Add()([shortcut, residual]))


def _filters(base_filters):
  return [base_filters * min(2**i, MOST) for i in range(NUM_BLOCKS)]


@settings.register(denylist=['images'])
def resnet_128_encoder(images, base_filters: settings.Count = 64,
                       batch_norm: bool = True):
  """Images `[B, 128, 128, C]` to features `[B, 4 * 4 * 8 * base_filters]`."""
  x = layers.Conv2D(base_filters, 3, padding='same')(images)
  for filters in _filters(base_filters):
    x = _block(x, filters, batch_norm, layers.AveragePooling2D(2))
  return layers.Flatten()(ops.leaky_relu(x, negative_slope=0.2))  # [B, F]


@settings.register(denylist=['latents', 'channels'])
def resnet_128_decoder(latents, channels: settings.Count,
                       base_filters: settings.Count = 64,
                       batch_norm: bool = True):
  """Latents `[B, H]` to images `[B, 128, 128, channels]`."""
  widths = _filters(base_filters)[::-1]
  x = layers.Dense(4 * 4 * widths[0])(latents)
  x = layers.Reshape((4, 4, widths[0]))(x)  # [B, 4, 4, widths[0]]
  for filters in widths:
    x = _block(x, filters, batch_norm, layers.UpSampling2D(2))
  if batch_norm:
    x = blocks.batch_norm()(x)
  x = layers.LeakyReLU(negative_slope=0.2)(x)
  return layers.Conv2D(channels, 3, padding='same')(x)

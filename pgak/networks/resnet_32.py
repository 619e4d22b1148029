"""The PGA authors' residual net for 32x32 images (no published result).

Pre-activation blocks of two 3x3 convs; the encoder halves the side in its first
two blocks by average pooling, the decoder doubles it in each of its three by
un-pooling with zeros.
"""
from keras import layers
from keras import ops

from pgak import settings
from pgak.networks import blocks

__all__ = ['resnet_32_decoder', 'resnet_32_encoder']


def _block(x, filters, batch_norm, up=False, down=False):
  """`shortcut(x) + residual(x)`, both at the doubled or the halved side."""
  if up:
    x = blocks.ZeroUnpooling()(x)
  shortcut, residual = x, x
  # A projection only where the filters change: else gradients pass unchanged.
  if x.shape[-1] != filters:
    shortcut = layers.Conv2D(filters, 1)(x)
  for _ in range(2):
    if batch_norm:
      residual = blocks.batch_norm()(residual)
    residual = layers.Conv2D(filters, 3, padding='same')(ops.relu(residual))
  x = layers.Add()([shortcut, residual])
  return layers.AveragePooling2D(2)(x) if down else x


@settings.register(denylist=['images'])
def resnet_32_encoder(images, filters: settings.Count = 512,
                      batch_norm: bool = True):
  """Images `[B, 32, 32, C]` to features `[B, 8 * 8 * filters]`."""
  x = images
  for down in (True, True, False, False):
    x = _block(x, filters, batch_norm, down=down)
  return layers.Flatten()(ops.relu(x))


@settings.register(denylist=['latents', 'channels'])
def resnet_32_decoder(latents, channels: settings.Count,
                      filters: settings.Count = 512, batch_norm: bool = True):
  """Latents `[B, H]` to images `[B, 32, 32, channels]`."""
  x = layers.Dense(4 * 4 * 4 * filters)(latents)  # 2048 with 512.
  x = layers.Reshape((4, 4, 4 * filters))(x)  # [B, 4, 4, 4 * filters]
  for _ in range(3):
    x = _block(x, filters, batch_norm, up=True)
  return layers.Conv2D(channels, 3, padding='same')(ops.relu(x))

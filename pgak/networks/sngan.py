"""Residual nets of SN-GAN for 32x32 and 64x64 images.

The decoder is Mimicry's generator [1]: blocks `norm - ReLU - x2 - conv - norm -
ReLU - conv` beside a 1x1 conv, enlarged bilinearly. The encoder is its
discriminator without the last layer: blocks `ReLU - conv - ReLU - conv - / 2`
by average pooling, of which the first begins with its conv. With its sum over
the pixels and spectral normalisation it is the body of an image discriminator;
without them, with batch norm where wanted, that of an autoencoder's encoder,
for which [1] has no counterpart.

#### References

[1]: Kwot Sin Lee, Christopher Town. Mimicry: Towards the Reproducibility of GAN
     Research. CVPR workshop, 2020.
[2]: Takeru Miyato, Toshiki Kataoka, Masanori Koyama, Yuichi Yoshida. Spectral
     normalization for generative adversarial networks. ICLR, 2018.
"""
import keras
from keras import layers
from keras import ops

from pgak import settings
from pgak.networks import blocks
from pgak.networks import spectral_norm as spectral_norm_lib

__all__ = ['sngan_decoder', 'sngan_encoder']


def _conv(filters, size=3, variance=2., spectral_norm=False):
  """A conv with Glorot's initializer, of `variance` times its variance."""
  layer = layers.Conv2D(filters, size, padding='same',
                        kernel_initializer=keras.initializers.VarianceScaling(
                            variance, 'fan_avg', 'uniform'))
  return spectral_norm_lib.maybe_normalised(layer, spectral_norm)


def _relu(x, batch_norm):
  return ops.relu(blocks.batch_norm()(x) if batch_norm else x)


def _up_block(x, filters, batch_norm):
  residual = _relu(x, batch_norm)
  residual = layers.UpSampling2D(2, interpolation='bilinear')(residual)
  residual = _relu(_conv(filters)(residual), batch_norm)
  residual = _conv(filters)(residual)
  shortcut = layers.UpSampling2D(2, interpolation='bilinear')(x)
  # [B, 2h, 2w, F]
  return layers.Add()([_conv(filters, 1, 1.)(shortcut), residual])


def _down_block(x, filters, batch_norm, spectral_norm, down, first):
  """A block of the discriminator; `first` for the one that sees the image."""
  # The first widens at once, from the image's channels; its input gets no ReLU,
  # which would take away the negative half of an image on [-1, 1].
  inner = filters if first else x.shape[-1]
  residual = x if first else _relu(x, batch_norm)
  residual = _conv(inner, spectral_norm=spectral_norm)(residual)
  residual = _relu(residual, batch_norm)
  residual = _conv(filters, spectral_norm=spectral_norm)(residual)
  if down or x.shape[-1] != filters:
    x = _conv(filters, 1, 1., spectral_norm)(x)
  x = layers.Add()([x, residual])
  # A 1x1 conv and pooling may change places: no block pools its input.
  return layers.AveragePooling2D(2)(x) if down else x


@settings.register(denylist=['images'])
def sngan_encoder(images, base_filters: settings.Count = 64,
                  growth: settings.Count = 2, num_blocks: settings.Count = 5,
                  num_down: settings.Whole = 5, batch_norm: bool = False,
                  spectral_norm: bool = False, sum_pool: bool = False):
  """Images `[B, h, w, C]` to features, [2, appendix B].

  Args:
    images: Keras tensor.
    base_filters: filters of the first block.
    growth: by how much they grow from block to block: 2 in the net for 64x64
      images, 1 in that for 32x32.
    num_blocks: number of blocks.
    num_down: of these, the first that halve the side.
    batch_norm: whether batch norm stands before every ReLU.
    spectral_norm: whether the kernels are divided by their spectral norm.
    sum_pool: True for the sum over the pixels, `[B, F]`, as a discriminator has
      it; otherwise all of them, `[B, h' * w' * F]`.
  """
  x = images
  for i in range(num_blocks):
    x = _down_block(x, base_filters * growth**i, batch_norm, spectral_norm,
                    i < num_down, i == 0)
  x = _relu(x, batch_norm)
  return ops.sum(x, (1, 2)) if sum_pool else layers.Flatten()(x)  # [B, F]


@settings.register(denylist=['latents', 'channels'])
def sngan_decoder(latents, channels: settings.Count,
                  base_filters: settings.Count = 64, growth: settings.Count = 2,
                  num_blocks: settings.Count = 4, batch_norm: bool = True):
  """Latents `[B, H]` to images `[B, 4 * 2^n, 4 * 2^n, channels]`, n blocks.

  Args:
    latents: Keras tensor.
    channels: number of channels of the images.
    base_filters: filters of the last block.
    growth: by how much those of a block, and of the dense layer before the
      first, exceed those of the next.
    num_blocks: n.
    batch_norm: whether batch norm stands before every ReLU.
  """
  widths = [base_filters * growth**i for i in range(num_blocks, -1, -1)]
  x = layers.Dense(4 * 4 * widths[0])(latents)
  x = layers.Reshape((4, 4, widths[0]))(x)  # [B, 4, 4, widths[0]]
  for filters in widths[1:]:
    x = _up_block(x, filters, batch_norm)
  return _conv(channels, variance=1.)(_relu(x, batch_norm))

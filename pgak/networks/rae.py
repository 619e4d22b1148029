"""The RAE authors' nets for 32x32 and 64x64 images.

Conv layers of stride 2 with 128, 256, 512 and 1024 filters down to features;
a dense layer to 8x8x1024, transposed conv layers of stride 2 with 512, 256 (and
128 for 64x64) filters, and one of stride 1 to the image. 'same' padding, batch
norm (Keras's: 0.99, 1e-3) and ReLU after each but the last. Kernels are 4x4 for
MNIST and CIFAR-10 and 5x5 for CelebA.

#### References

[1]: Partha Ghosh, Mehdi S. M. Sajjadi, Antonio Vergari, Michael Black,
     Bernhard Schoelkopf. From Variational to Deterministic Autoencoders.
     ICLR, 2020. Appendix A.
"""
from typing import Literal

from keras import layers
from keras import ops

from pgak import settings
from pgak.networks import spectral_norm as spectral_norm_lib

__all__ = ['rae_decoder', 'rae_encoder']


def _block(layer, x, batch_norm, spectral_norm):
  x = spectral_norm_lib.maybe_normalised(layer, spectral_norm)(x)
  if batch_norm:
    x = layers.BatchNormalization(momentum=0.99, epsilon=1e-3)(x)
  return ops.relu(x)


@settings.register(denylist=['images'])
def rae_encoder(images, base_filters: settings.Count = 128,
                kernel_size: settings.Count = 4, centred: bool = True,
                batch_norm: bool = True, spectral_norm: bool = False):
  """Images `[B, S, S, C]` in `[0, 1]` to features `[B, F]`.

  Args:
    images: Keras tensor, S a multiple of 16.
    base_filters: filters of the first of the four layers.
    kernel_size: 4, or 5 for CelebA.
    centred: whether pixels are first brought to `[-1, 1]`, as the authors'
      code does for MNIST and CIFAR-10.
    batch_norm: bool.
    spectral_norm: whether the kernels are divided by their spectral norm.
  """
  # In the net and not in the data: reconstructions stay in [0, 1].
  x = layers.Rescaling(2., -1.)(images) if centred else images
  for i in range(4):
    x = _block(
        layers.Conv2D(base_filters * 2**i, kernel_size, 2, 'same',
                      use_bias=not batch_norm), x, batch_norm, spectral_norm)
  return layers.Flatten()(x)


@settings.register(denylist=['latents', 'channels'])
def rae_decoder(latents, channels: settings.Count,
                base_filters: settings.Count = 128,
                kernel_size: settings.Count = 4, num_layers: settings.Count = 2,
                stem: Literal['linear', 'batch_norm_relu'] = 'linear',
                batch_norm: bool = True, spectral_norm: bool = False):
  """Latents `[B, H]` to images of side `8 * 2**num_layers`.

  Args:
    latents: Keras tensor.
    channels: int.
    base_filters: an eighth of the filters of the 8x8 features.
    kernel_size: 4, or 5 for CelebA.
    num_layers: transposed conv layers of stride 2: 2 for 32x32, 3 for 64x64.
    stem: what follows the dense layer: 'linear' for nothing, as in the
      authors' code; 'batch_norm_relu' as in the paper, [1].
    batch_norm: bool.
    spectral_norm: whether the kernels are divided by their spectral norm.
  """
  filters = 8 * base_filters
  # The paper's text has batch norm and ReLU here, the authors' code has not.
  normalised = batch_norm and stem == 'batch_norm_relu'
  dense = layers.Dense(8 * 8 * filters, use_bias=not normalised)
  if stem == 'batch_norm_relu':
    x = _block(dense, latents, batch_norm, spectral_norm)
  else:
    x = spectral_norm_lib.maybe_normalised(dense, spectral_norm)(latents)
  x = layers.Reshape((8, 8, filters))(x)  # [B, 8, 8, filters]
  for i in range(num_layers):
    x = _block(
        layers.Conv2DTranspose(filters // 2**(i + 1), kernel_size, 2, 'same',
                               use_bias=not batch_norm),
        x, batch_norm, spectral_norm)
  # Stride 1, as in the authors' code.
  last = layers.Conv2DTranspose(channels, kernel_size, padding='same')
  return spectral_norm_lib.maybe_normalised(last, spectral_norm)(x)

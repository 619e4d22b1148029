"""Features of a fixed convolutional net with random weights.

It needs neither labels nor a download, for images of any size. Random
convolutions keep edges and textures, which is enough to separate sets of images
that differ much; for fine differences between good models, trust the features
of a trained net.
"""
import keras
from keras import layers
import tensorflow as tf

from pgak import settings
from pgak.metrics import features
from pgak.metrics import fitted_nets

__all__ = ['random_net']

_FILTERS = (16, 32, 64, 128)


def _build(seed):
  inputs = keras.Input((None, None, 3), dtype='float32')
  x, pooled = inputs, []
  for i, width in enumerate(_FILTERS):
    x = layers.Conv2D(
        width, 3, strides=1 if i == 0 else 2, padding='same',
        activation='leaky_relu', dtype='float32',
        kernel_initializer=fitted_nets.initializer(seed, i))(x)
    if i:
      mean = layers.GlobalAveragePooling2D(dtype='float32')(x)
      square = layers.GlobalAveragePooling2D(dtype='float32')(
          layers.Multiply(dtype='float32')([x, x]))
      pooled += [mean, square]
  return keras.Model(inputs, layers.Concatenate(dtype='float32')(pooled))


def _preprocess(images):
  images = fitted_nets.preprocess(images)
  return tf.repeat(images, 3, -1) if images.shape[-1] == 1 else images


@settings.register
def random_net(seed: settings.Seed = 0, batch_size: settings.Count = 100):
  """Makes the features: means and mean squares of three layers' activations.

  Four 3x3 convolutions of 16, 32, 64 and 128 filters, all but the first of
  stride 2, with leaky ReLU and Glorot's weights drawn by the seed.

  Args:
    seed: int, decides the weights, and is part of the features' name.
    batch_size: images in one forward pass.

  Returns:
    A `features.FeatureNet` of uint8 images, of any size, grey or RGB, with 448
    features; its metric is `frechet_random_net_<seed>`.
  """
  name = f'random_net_{seed}'
  return features.FeatureNet(_build(seed), _preprocess, name=name,
                             metric=f'frechet_{name}', resize='none',
                             batch_size=batch_size, preprocessing='of the size '
                             'of the images, values in [-1, 1]')

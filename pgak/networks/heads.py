"""The two ends of an autoencoder: latents (and their spread), and images."""
import math

import gin
import keras
from keras import layers

__all__ = ['decoder', 'encoder']

ACTIVATIONS = {(-1., 1.): 'tanh', (0., 1.): 'sigmoid'}


@gin.register
def encoder(network, image_shape, latent_dim, log_variance=False,
            initial_sigma=0.1):
  """Builds an encoder: images to latents, or to a Gaussian over latents.

  Args:
    network: function of a Keras tensor of images to one of features `[B, F]`.
    image_shape: `(height, width, channels)`.
    latent_dim: number of latent dimensions H.
    log_variance: True for the stochastic encoder of VAE, VPGA and LVPGA.
    initial_sigma: the standard deviation that a stochastic encoder begins
      with (the PGA authors' code: 0.1).

  Returns:
    `keras.Model`: float `[B, height, width, channels]` to latents `[B, H]`, or
    with `log_variance` to `[mean, log_variance]`, each `[B, H]`.
  """
  images = keras.Input(tuple(image_shape), name='images')
  features = network(images)
  # The heads stay in full precision under a mixed policy.
  dtype = keras.config.floatx()
  mean = layers.Dense(latent_dim, dtype=dtype, name='latents')(features)
  if not log_variance:
    return keras.Model(images, mean, name='encoder')
  spread = layers.Dense(
      latent_dim, dtype=dtype, name='log_variance',
      bias_initializer=keras.initializers.Constant(
          2. * math.log(initial_sigma)))(features)
  return keras.Model(images, [mean, spread], name='encoder')


@gin.register
def decoder(network, image_shape, latent_dim, value_range=(-1., 1.)):
  """Builds a decoder: latents to images.

  Args:
    network: function of a Keras tensor `[B, H]` and the number of channels to
      one of images before the last activation.
    image_shape: `(height, width, channels)`.
    latent_dim: number of latent dimensions H.
    value_range: `(-1, 1)` for a tanh at the end, `(0, 1)` for a sigmoid.

  Returns:
    `keras.Model`: float `[B, H]` to `[B, height, width, channels]`.

  Raises:
    ValueError: if the net makes images of another shape, or for another range.
  """
  activation = ACTIVATIONS.get(tuple(float(v) for v in value_range))
  if activation is None:
    raise ValueError('`value_range` must be (-1, 1) (tanh) or (0, 1) '
                     f'(sigmoid), not {value_range}.')
  latents = keras.Input((latent_dim,), name='latents')
  images = network(latents, tuple(image_shape)[-1])
  if tuple(images.shape[1:]) != tuple(image_shape):
    raise ValueError(f'The decoder\'s net makes images of '
                     f'{tuple(images.shape[1:])}, but `image_shape` is '
                     f'{tuple(image_shape)}: choose another network.')
  images = layers.Activation(
      activation, dtype=keras.config.floatx(), name='images')(images)
  return keras.Model(latents, images, name='decoder')

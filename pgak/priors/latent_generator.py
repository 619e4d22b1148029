"""A prior that is learned without a density: a net that maps noise to latents.
"""
from typing import Literal

import keras
from keras import layers
import tensorflow as tf

from pgak import noise as noise_lib
from pgak import settings
from pgak.priors import mapped_noise

__all__ = ['LatentGenerator']


def _cube(shape, seed, dtype=tf.float32):
  """Draws from the uniform distribution on the cube [-1, 1)^n."""
  return 2. * noise_lib.uniform(shape, seed, dtype) - 1.


BASES = {'normal': noise_lib.normal, 'uniform': _cube}


@settings.register(denylist=['latent_dim'])
class LatentGenerator(mapped_noise.MappedNoise, keras.layers.Layer):
  """`z = h(z_0)`, as a part of a model: h a net of dense layers with ReLU.

  It has samples and no density.

  Args:
    latent_dim: number of latent dimensions H.
    base: distribution of z_0: 'normal' for N(0, I), 'uniform' for the cube
      [-1, 1]^n.
    base_dim: n, the dimensions of z_0; H by default.
    units: units of each hidden layer.
  """

  def __init__(self, latent_dim: settings.Count,
               base: Literal[tuple(BASES)] = 'normal',
               base_dim: settings.Count | None = None,
               units: tuple[settings.Count, ...] = (256, 256, 256)):
    super().__init__(name='latent_generator')
    self.latent_dim = latent_dim
    self.base = base
    self.base_dim = base_dim or latent_dim
    self.settings = dict(base=base, base_dim=self.base_dim, units=list(units))
    self.net = keras.Sequential([
        keras.Input((self.base_dim,)),
        *[layers.Dense(n, 'relu', kernel_initializer='he_normal')
          for n in units],
        layers.Dense(latent_dim, dtype=keras.config.floatx())])
    self.built = True

  def get_config(self):
    return dict(latent_dim=self.latent_dim, **self.settings)

  @property
  def label(self):
    """What scores call it."""
    return self.name

  @property
  def draw(self):
    """The function of `pgak.noise` that draws z_0."""
    return BASES[self.base]

  def call(self, base, training=False):
    """Maps draws z_0 `[B, n]` to latents `[B, H]`."""
    return self.net(base, training=training)

  @property
  def noise_shapes(self):
    return {'prior': (self.draw, (self.base_dim,))}

  def from_noise(self, noise):
    """Maps draws z_0; see `mapped_noise.MappedNoise`."""
    return self(noise['prior'])

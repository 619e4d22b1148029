"""A prior without a density: a net that maps noise to latents.
"""
from typing import Literal

import keras
from keras import layers
import tensorflow as tf

from pgak import counts
from pgak import noise
from pgak import settings

__all__ = ['LatentGenerator']


def _cube(shape, seed, dtype=tf.float32):
  """Draws from the uniform distribution on the cube [-1, 1)^n."""
  return 2. * noise.uniform(shape, seed, dtype) - 1.


BASES = {'normal': noise.normal, 'uniform': _cube}


@settings.register(denylist=['latent_dim'])
class LatentGenerator(keras.layers.Layer):
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
    # The last layer is linear: latents are not bounded.
    self.net = keras.Sequential([
        keras.Input((self.base_dim,)),
        *[layers.Dense(n, 'relu', kernel_initializer='he_normal')
          for n in units],
        # In float32 also under a bfloat16 policy.
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

  def sample(self, n, seed=0):
    """Returns n draws, float32 `[n, H]`, repeatable by seed.

    Raises:
      errors.UserError: if n is no number of draws; see `counts.rows`.
    """
    counts.rows(n, [self.latent_dim])
    return self(self.draw([n, self.base_dim], noise.seed(seed, 0, 'prior')))

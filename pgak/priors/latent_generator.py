"""A prior without a density: a net that maps noise to latents.
"""
from typing import Literal

import keras
from keras import layers
import tensorflow as tf

from pgak import errors
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

  It has samples and no density. With `residual` h is the generator of [1] with
  dense layers in the place of convolutions: after a first dense layer, blocks
  `x + dense(ReLU(dense(ReLU(x))))`, with batch norm before every ReLU where
  wanted.

  Args:
    latent_dim: number of latent dimensions H.
    base: distribution of z_0: 'normal' for N(0, I), 'uniform' for the cube
      [-1, 1]^n.
    base_dim: n, the dimensions of z_0; H by default.
    units: units of each hidden layer, or of each residual block, then all the
      same.
    residual: whether the hidden layers are residual blocks.
    batch_norm: whether batch norm stands before every ReLU.

  Raises:
    errors.UserError: if residual blocks have different units.

  #### References

  [1]: Kwot Sin Lee, Christopher Town. Mimicry: Towards the Reproducibility of
       GAN Research. CVPR workshop, 2020.
  """

  def __init__(self, latent_dim: settings.Count,
               base: Literal[tuple(BASES)] = 'normal',
               base_dim: settings.Count | None = None,
               units: tuple[settings.Count, ...] = (256, 256, 256),
               residual: bool = False, batch_norm: bool = False):
    super().__init__(name='latent_generator')
    self.latent_dim = latent_dim
    self.base = base
    self.base_dim = base_dim or latent_dim
    self.settings = dict(base=base, base_dim=self.base_dim, units=list(units))
    # Left out where they are not in use, as in the files of older models.
    self.settings.update(
        {name: True for name, used in (('residual', residual),
                                       ('batch_norm', batch_norm)) if used})
    if residual and len(set(units)) != 1:
      raise errors.UserError(
          f'LatentGenerator.units = {tuple(units)} must be one number, as '
          'often as there are residual blocks, such as (256, 256, 256).')
    # The last layer is linear, and in float32 also under a bfloat16 policy.
    made = _residual if residual else _plain
    self.net = keras.Sequential([
        keras.Input((self.base_dim,)), *made(units, batch_norm),
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


def _relu(batch_norm):
  return ([layers.BatchNormalization()] if batch_norm else []) + [
      layers.ReLU()]


def _plain(units, batch_norm):
  made = []
  for n in units:
    if batch_norm:
      made += [layers.Dense(n, kernel_initializer='he_normal'), *_relu(True)]
    else:
      made.append(layers.Dense(n, 'relu', kernel_initializer='he_normal'))
  return made


def _residual(units, batch_norm):
  return [layers.Dense(units[0], kernel_initializer='he_normal'),
          *[_ResidualBlock(n, batch_norm) for n in units], *_relu(batch_norm)]


class _ResidualBlock(layers.Layer):
  """`x + dense(ReLU(dense(ReLU(x))))`, `[B, units]` to the same."""

  def __init__(self, units, batch_norm):
    super().__init__()
    self.net = keras.Sequential([keras.Input((units,)), *[
        layer for _ in range(2) for layer in (
            *_relu(batch_norm),
            layers.Dense(units, kernel_initializer='he_normal'))]])
    self.built = True

  def call(self, x, training=False):
    return x + self.net(x, training=training)

  def compute_output_shape(self, input_shape):
    return input_shape

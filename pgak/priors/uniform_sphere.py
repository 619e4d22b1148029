"""The uniform distribution on the unit sphere, the prior of AGE."""
import math

import tensorflow as tf
import tensorflow_probability as tfp

from pgak import noise as noise_lib
from pgak import settings
from pgak.priors import mapped_noise

__all__ = ['UniformSphere', 'sphere']


def sphere(shape, seed, dtype=tf.float32):
  """Draws from the uniform distribution on the unit sphere.

  Args:
    shape: list of ints, or an int tensor; vectors lie along the last axis.
    seed: int64 tensor `[2]`, as `noise.seed` makes it.
    dtype: float32 or float64.
  """
  # An isotropic Gaussian is rotation invariant.
  return tf.math.l2_normalize(noise_lib.normal(shape, seed, dtype), -1,
                              epsilon=1e-30)


@settings.register(denylist=['latent_dim'])
class UniformSphere(mapped_noise.MappedNoise):
  """The uniform distribution on the sphere `|z| = 1` of the latent space.

  Args:
    latent_dim: number of latent dimensions H; with 1 a sample is -1 or 1.
  """

  name = label = 'uniform_sphere'
  # The function that samples batches of it, as those of `pgak.noise` do.
  draw = staticmethod(sphere)

  def __init__(self, latent_dim: settings.Count):
    self.latent_dim = latent_dim
    self.settings = {}

  def get_config(self):
    return {'latent_dim': self.latent_dim}

  @classmethod
  def from_config(cls, config):
    return cls(**config)

  @property
  def noise_shapes(self):
    return {'prior': (sphere, (self.latent_dim,))}

  def from_noise(self, noise):
    """Returns the noise as it is; see `mapped_noise.MappedNoise`."""
    return noise['prior']

  @property
  def distribution(self):
    """The TFP distribution, float32 on the sphere in `[H]`."""
    return tfp.distributions.SphericalUniform(self.latent_dim)

  def log_prob(self, latents):
    """Returns the log-density of latents, `[B]`, each the same number.

    It is the density on the sphere, by its area: `-log A` with
    `A = 2 pi^(H/2) / Gamma(H/2)`, and no density of the space around it.

    Args:
      latents: float `[B, latent_dim]`, taken to lie on the sphere.
    """
    half = 0.5 * self.latent_dim
    log_area = math.log(2.) + half * math.log(math.pi) - math.lgamma(half)
    return tf.fill(tf.shape(latents)[:1], tf.constant(-log_area, latents.dtype))

"""The standard normal distribution, the prior of most of the models."""
import tensorflow as tf
import tensorflow_probability as tfp

from pgak import settings
from pgak.priors import mapped_noise

__all__ = ['StandardNormal']


@settings.register(denylist=['latent_dim'])
class StandardNormal(mapped_noise.MappedNoise):
  """N(0, I) on the latent space.

  Args:
    latent_dim: number of latent dimensions H.

  Example:

  ```python
  prior = priors.StandardNormal(latent_dim=8)
  prior.sample(16, seed=0)   # float32 [16, 8], the same at every call
  ```
  """

  name = label = 'standard_normal'

  def __init__(self, latent_dim: settings.Count):
    self.latent_dim = latent_dim
    self.settings = {}

  def get_config(self):
    return {'latent_dim': self.latent_dim}

  @classmethod
  def from_config(cls, config):
    return cls(**config)

  def from_noise(self, noise):
    """Returns the noise as it is; see `mapped_noise.MappedNoise`."""
    return noise['prior']

  @property
  def distribution(self):
    """The TFP distribution, float64 on `[H]`."""
    return _normal(self.latent_dim, tf.float64)

  def log_prob(self, latents):
    """Returns the log-density of float latents `[B, latent_dim]`, `[B]`."""
    return _normal(self.latent_dim, latents.dtype).log_prob(latents)


def _normal(size, dtype):
  # Diagonal, so that TFP knows the closed form of its KL to other normals.
  zeros = tf.zeros([size], dtype)
  return tfp.distributions.MultivariateNormalDiag(zeros, tf.ones_like(zeros))

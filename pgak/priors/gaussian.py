"""A normal distribution with the latents' own mean and covariance."""
import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from pgak import settings
from pgak.priors import fitted

__all__ = ['Gaussian']


@settings.register(denylist=['latent_dim'])
class Gaussian(fitted.FittedPrior):
  """N(m, C), fitted by maximum likelihood: the `N` of the RAE paper's tables.

  ```none
  m = 1/N sum_n z_n,   C = 1/N sum_n (z_n - m)(z_n - m)^T + r I
  ```

  Args:
    latent_dim: number of latent dimensions H.
    regularisation: r as a share of the mean variance of the latents. It makes
      the density finite where they fill no volume.

  Example:

  ```python
  prior = priors.Gaussian(latent_dim=8).fit(latents)   # [N, 8]
  prior.sample(16, seed=0)                             # float32 [16, 8]
  ```

  #### References

  [1]: Partha Ghosh, Mehdi S. M. Sajjadi, Antonio Vergari, Michael Black,
       Bernhard Schoelkopf. From Variational to Deterministic Autoencoders.
       ICLR, 2020.
  """

  name = 'gaussian'
  arrays = ('mean', 'cholesky')

  def __init__(self, latent_dim: settings.Count,
               regularisation: settings.NonNegative = 1e-6):
    super().__init__(latent_dim)
    self.regularisation = regularisation

  def shapes(self):
    return {'mean': (self.latent_dim,),
            'cholesky': (self.latent_dim, self.latent_dim)}

  def fit(self, latents):
    """Fits it to latents, an array `[N, H]`; returns self."""
    latents = fitted.checked(latents, self.latent_dim)
    mean = latents.mean(0)
    centred = latents - mean
    smallest = fitted.smallest_variance(latents, self.regularisation)
    # By N, not N - 1: the maximum of the likelihood.
    covariance = (centred.T @ centred / len(latents)
                  + smallest * np.eye(self.latent_dim))
    return self.load_state(
        # The factor is what both sampling and the density need.
        {'mean': mean, 'cholesky': np.linalg.cholesky(covariance)})

  def from_noise(self, noise):
    """Maps samples of N(0, I); see `mapped_noise.MappedNoise`."""
    mean, cholesky = (self.state()[a].astype(np.float32) for a in self.arrays)
    return mean + tf.matmul(noise['prior'], cholesky, transpose_b=True)

  @property
  def distribution(self):
    """The TFP distribution, float64 on `[H]`."""
    state = self.state()
    return tfp.distributions.MultivariateNormalTriL(
        state['mean'], state['cholesky'])

  def log_prob(self, latents):
    """Returns the log-density of float latents `[B, H]`, `[B]`."""
    # float64: where latents nearly lie in a plane, C is badly conditioned.
    found = self.distribution.log_prob(tf.cast(latents, tf.float64))
    return tf.cast(found, latents.dtype)

"""A kernel density estimate: every latent that was seen, blurred."""
import functools
import math
from typing import Literal

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from pgak import noise as noise_lib
from pgak import settings
from pgak.priors import distances
from pgak.priors import fitted

__all__ = ['KernelDensity']

# Distances that are held in memory at once.
MAX_NUMBERS = 1 << 23


@settings.register(denylist=['latent_dim'])
class KernelDensity(fitted.FittedPrior):
  """The mean of normal densities of one width, centred at the latents.

  ```none
  p(z) = 1/N sum_n N(z; z_n, h^2 I)
  ```

  A sample is a latent of the fit, plus noise. With a small h it memorises, as
  a comparison with its held-out likelihood shows.

  Args:
    latent_dim: number of latent dimensions H.
    bandwidth: h in the latents' unit, above 0 (the code of the RAE paper takes
      0.425); or 'scott' for Scott's rule `s N^(-1 / (H + 4))`, s the root of
      the latents' mean variance.

  Raises:
    errors.UserError: if the bandwidth is out of its range.

  #### References

  [1]: David W. Scott. Multivariate Density Estimation. Wiley, 1992.
  """

  name = 'kde'
  arrays = ('latents', 'bandwidth')

  def __init__(self, latent_dim: settings.Count,
               bandwidth: settings.Positive | Literal['scott'] = 0.425):
    super().__init__(latent_dim)
    self.bandwidth = bandwidth

  def _size_label(self):
    return f'{self.name}_{self.settings["bandwidth"]}'

  def shapes(self):
    return {'latents': (None, self.latent_dim), 'bandwidth': ()}

  def fit(self, latents):
    """Keeps latents, an array `[N, H]`; returns self."""
    latents = fitted.checked(latents, self.latent_dim)
    bandwidth = self.bandwidth
    if bandwidth == 'scott':
      # A share of 1: the latents' mean variance itself.
      scale = np.sqrt(fitted.smallest_variance(latents, 1.))
      bandwidth = scale * len(latents)**(-1. / (self.latent_dim + 4))
    return self.load_state({'latents': latents.astype(np.float32),
                            'bandwidth': np.float64(bandwidth)})

  def _use_state(self):
    latents = self.state()['latents']
    self._centre = latents.mean(0)
    # A variable, because a graph holds no more than 2 GiB of constants. As they
    # are: less the centre they would be rounded to float32.
    self._latents = tf.Variable(latents, trainable=False)
    self._width = float(self.state()['bandwidth'])

  @property
  def noise_shapes(self):
    uniform = functools.partial(noise_lib.uniform, dtype=tf.float64)
    return {'component': (uniform, ()), **super().noise_shapes}

  def from_noise(self, noise):
    """Chooses a latent by a uniform draw; see `mapped_noise.MappedNoise`."""
    number = len(self.state()['latents'])
    chosen = tf.cast(noise['component'] * number, tf.int32)
    centred = tf.gather(self._latents, chosen) - self._centre
    return centred + self._width * noise['prior'] + self._centre

  @property
  def distribution(self):
    """The TFP distribution, a mixture of N components, float64 on `[H]`.

    Its density holds B N H elements in memory at once.
    """
    state = self.state()
    distributions = tfp.distributions
    means = tf.constant(state['latents'], tf.float64)
    return distributions.MixtureSameFamily(
        distributions.Categorical(logits=tf.zeros([len(means)], tf.float64)),
        distributions.MultivariateNormalDiag(
            means, tf.fill([self.latent_dim], tf.constant(
                self._width, tf.float64))))

  def log_prob(self, latents):
    """Returns the log-density of float latents `[B, H]`, `[B]`.

    Computed in float64: `|z - z_n|^2 / h^2` is a difference of squares, whose
    digits float32 loses where the latents are many bandwidths apart.
    """
    number = len(self.state()['latents'])
    # log N(z; z_n, h^2 I) by the squared distance alone.
    peak = -math.log(number) - self.latent_dim * (
        math.log(self._width) + 0.5 * math.log(2. * math.pi))
    centre = tf.constant(self._centre, tf.float64)
    # In units of h, so that no division is left for each pair.
    seen = (tf.cast(self._latents, tf.float64) - centre) / self._width

    def density(points):
      return peak + tf.reduce_logsumexp(
          -0.5 * distances.squared(points, seen), -1)

    rows = max(MAX_NUMBERS // number, 1)
    points = (tf.cast(latents, tf.float64) - centre) / self._width
    return tf.cast(fitted.in_chunks(density, [points], rows), latents.dtype)

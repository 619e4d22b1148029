"""The training latents themselves, drawn again: a density that memorises."""
import functools

import numpy as np
import tensorflow as tf

from pgak import noise as noise_lib
from pgak import settings
from pgak.priors import fitted

__all__ = ['Resampled']


@settings.register(denylist=['latent_dim'])
class Resampled(fitted.FittedPrior):
  """The empirical distribution of the latents that it was fitted to.

  A sample is one of them, each as likely: `1/N sum_n delta(z - z_n)`. A
  control: its samples are reconstructions of training images, so their
  distance of features is the best that a density could reach with this decoder,
  and every measure of memorisation has to reject them. So they make no round
  trips, whatever `density.round_trips` is. It has no density.

  Args:
    latent_dim: number of latent dimensions H.
  """

  name = 'resampled'
  is_control = True
  arrays = ('latents',)

  def __init__(self, latent_dim: settings.Count):
    super().__init__(latent_dim)

  def shapes(self):
    return {'latents': (None, self.latent_dim)}

  def fit(self, latents):
    """Keeps latents, an array `[N, H]`; returns self."""
    latents = fitted.checked(latents, self.latent_dim)
    return self.load_state({'latents': latents.astype(np.float32)})

  def _use_state(self):
    # A variable, because a graph holds no more than 2 GiB of constants.
    self._latents = tf.Variable(self.state()['latents'], trainable=False)

  @property
  def noise_shapes(self):
    uniform = functools.partial(noise_lib.uniform, dtype=tf.float64)
    return {'component': (uniform, ())}

  def from_noise(self, noise):
    """Chooses a latent by a uniform draw; see `mapped_noise.MappedNoise`."""
    number = len(self.state()['latents'])
    return tf.gather(self._latents,
                     tf.cast(noise['component'] * number, tf.int32))

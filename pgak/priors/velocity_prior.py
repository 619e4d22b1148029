"""A prior that is learned together with the autoencoder: latent flow matching.
"""
import math

import numpy as np
import tensorflow as tf

from pgak import noise as noise_lib
from pgak import settings
from pgak.priors import mapped_noise
from pgak.priors import running_moments
from pgak.priors import velocity_flow
from pgak.priors import velocity_net

__all__ = ['FlowMatchingPrior']


@settings.register(denylist=['latent_dim'])
class FlowMatchingPrior(mapped_noise.MappedNoise,
                        running_moments.RunningMoments):
  """A flow in continuous time on standardised latents, as a part of a model.

  `FlowMatching` is fitted afterwards; this is `FlowPrior`'s counterpart. With m
  and s the running mean and standard deviation of the latents in each of H
  dimensions, x_1 = (z - m) / s, x_0 of N(0, I) and `x_t = (1 - t) x_0 + t x_1`,
  the velocity v follows `x_1 - x_0`. What is trained is the bound of a
  diffusion model in continuous time [1], whose signal-to-noise ratio
  `(t / (1 - t))^2` ends with `1 / noise^2` at t_1; the error of x_0 is t times
  that of v:

  ```none
  -log p(z) <= int_0^t_1 t / (1 - t) E |v(x_t, t) - (x_1 - x_0)|^2 dt
               + H (1 + log(2 pi noise^2)) / 2 + sum_d log s_d
  ```

  So the encoder can descend it, too, as it does -log p(z) of `FlowPrior` [2].
  Times are drawn from the density in proportion to
  `t / ((1 - t) ((1 - t)^2 + t^2))`, which is how the integrand runs where x_1
  is of N(0, I): `log(1 + (t / (1 - t))^2) / 2` is uniform.

  Args:
    latent_dim: number of latent dimensions H.
    width: units of the net's hidden layers; see `velocity_net.VelocityNet`.
    blocks: its residual blocks.
    noise: standard deviation, in units of s, up to which x_1 is resolved.
    sampling_steps: Heun's steps for a draw, and for the way back.
    density_steps: Heun's steps for a log-density.
    probes: how many sign vectors estimate its trace, see `continuous_flow`.
    momentum: share of the running moments that a step keeps; the first steps
      average over all before them.
    seed: int that decides the net's first weights; by default the run's.

  #### References

  [1]: Diederik P. Kingma, Tim Salimans, Ben Poole, Jonathan Ho. Variational
       Diffusion Models. NeurIPS, 2021.
  [2]: Arash Vahdat, Karsten Kreis, Jan Kautz. Score-based Generative Modeling
       in Latent Space. NeurIPS, 2021.
  """

  label = 'learned_flow_matching'

  def __init__(self, latent_dim: settings.Count,
               width: settings.Count = 256, blocks: settings.Count = 2,
               noise: settings.Positive = 0.01,
               sampling_steps: settings.Count = 32,
               density_steps: settings.Count = 64,
               probes: settings.Count = 1,
               momentum: settings.Decay = 0.99,
               seed: settings.Seed | None = None):
    super().__init__(latent_dim, momentum, name=self.label, dtype='float32')
    # NumPy's own generator, which `keras.utils.set_random_seed` seeds.
    seed = int(np.random.randint(1 << 31)) if seed is None else seed
    self.settings = dict(
        width=width, blocks=blocks, noise=noise, sampling_steps=sampling_steps,
        density_steps=density_steps, probes=probes, seed=seed)
    self.net = velocity_net.VelocityNet(
        latent_dim, width, blocks, seed=seed, dtype='float32')
    self.flow = velocity_flow.VelocityFlow(self.net)
    self.built = True

  def get_config(self):
    return dict(latent_dim=self.latent_dim, momentum=self.momentum,
                **self.settings)

  # === Training ===

  @property
  def training_noise(self):
    """`{name: (draw, shape)}`: what `call` needs of each latent."""
    return {'prior_base': (noise_lib.normal, (self.latent_dim,)),
            'prior_time': (noise_lib.uniform, ())}

  def call(self, latents, noise):
    """Estimates the lower bound of the log-density, `[B]`, in nats.

    Args:
      latents: float `[B, H]`.
      noise: x_0, float `[B, H]`, and uniform numbers `[B]`, under the names of
        `training_noise`.
    """
    points = self.standardised(tf.cast(latents, tf.float32))
    base = tf.cast(noise['prior_base'], tf.float32)
    # The integral of the times' density up to t_1; to t it is a share of it.
    size = self.settings['noise']
    whole = 0.5 * math.log1p(size**-2)
    share = tf.cast(noise['prior_time'], tf.float32)
    ratio = tf.sqrt(tf.math.expm1(2. * whole * share))  # t / (1 - t)
    time = ratio / (1. + ratio)
    t = time[:, tf.newaxis]
    moved = self.net((1. - t) * base + t * points, time)
    error = tf.reduce_sum(
        tf.math.squared_difference(moved, points - base), -1)
    # t / (1 - t) over the density of t.
    integral = whole * (tf.square(1. - time) + tf.square(time)) * error
    constant = 0.5 * self.latent_dim * (1. + math.log(2. * math.pi * size**2))
    bound = -integral - constant - tf.reduce_sum(tf.math.log(self.scale))
    return tf.cast(bound, latents.dtype)

  # === Draws and density ===

  def from_noise(self, noise):
    """Maps samples of N(0, I); see `mapped_noise.MappedNoise`."""
    return self.base_to_latent(noise['prior'])

  def base_to_latent(self, base):
    """Maps samples of N(0, I), float `[B, H]`, to latents `[B, H]`."""
    return self.mean + self.scale * self.flow.forwards(
        tf.cast(base, tf.float32), self.settings['sampling_steps'])

  def latent_to_base(self, latents):
    """The inverse of `base_to_latent`, but for the error of Heun's method."""
    return self.flow.backwards(self.standardised(
        tf.cast(latents, tf.float32)), self.settings['sampling_steps'])

  def log_prob(self, latents):
    """Returns the log-density of float latents `[B, H]`, `[B]`, in nats.

    It is the flow's own, by following it backwards, and no bound.
    """
    exact = tf.cast(latents, tf.float32)
    found, _ = self.flow.log_densities(
        self.standardised(exact), exact, self.settings['density_steps'],
        self.settings['probes'])
    return tf.cast(found - tf.reduce_sum(tf.math.log(self.scale)),
                   latents.dtype)

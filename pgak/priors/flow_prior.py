"""A prior that is learned together with the autoencoder: a normalising flow."""
import functools
from typing import Literal

import keras
import numpy as np
import tensorflow as tf

from pgak import noise as noise_lib
from pgak import settings
from pgak.priors import autoregressive_flow
from pgak.priors import coupling_flow
from pgak.priors import flow as flow_lib
from pgak.priors import mapped_noise
from pgak.priors import running_moments

__all__ = ['FlowPrior']

FLOWS = {'real_nvp': coupling_flow.CouplingFlow,
         'maf': autoregressive_flow.AutoregressiveFlow}


@settings.register(denylist=['latent_dim'])
class FlowPrior(mapped_noise.MappedNoise, running_moments.RunningMoments):
  """A flow on standardised latents, as a part of a model.

  With m and s the running mean and standard deviation of the latents in each
  dimension and f the flow's map to N(0, I),

  ```none
  z_0 = f((z - m) / s)
  log p(z) = log N(z_0; 0, I) + log|det df| - sum_d log s_d
  ```

  Without m and s a flow that is trained beside an encoder would have to follow
  latents of any scale. They are state, which no gradient changes.

  Args:
    latent_dim: number of latent dimensions H, at least 2.
    flow: 'real_nvp' for affine couplings, 'maf' for a masked autoregressive
      flow, whose samples take H passes.
    num_couplings: number of the flow's maps.
    hidden_units: units of the hidden layers of each map's net.
    momentum: share of the running moments that a step keeps; the first steps
      average over all before them.
    seed: int that decides the nets' first weights; by default the run's.
  """

  def __init__(self, latent_dim: settings.Count,
               flow: Literal[tuple(FLOWS)] = 'real_nvp',
               num_couplings: settings.Count = 4,
               hidden_units: tuple[settings.Count, ...] = (64, 64),
               momentum: settings.Decay = 0.99,
               seed: settings.Seed | None = None):
    # In float32 also under a bfloat16 policy: log-densities add up H terms.
    super().__init__(latent_dim, momentum, name=f'learned_{flow}',
                     dtype=keras.config.floatx())
    # NumPy's own generator, which `keras.utils.set_random_seed` seeds.
    seed = int(np.random.randint(1 << 31)) if seed is None else seed
    self.flow = FLOWS[flow](latent_dim, num_couplings, hidden_units, seed,
                            dtype=keras.config.floatx())
    self.flow.build()
    self.settings = dict(num_couplings=num_couplings,
                         hidden_units=list(hidden_units))
    self.built = True

  def get_config(self):
    flow, = (name for name, c in FLOWS.items() if type(self.flow) is c)
    # The seed has decided the order of the dimensions, which is no weight.
    return dict(latent_dim=self.latent_dim, flow=flow, momentum=self.momentum,
                seed=self.flow.seed, **self.settings)

  @property
  def label(self):
    """Its name in scores: learned with the model, not fitted afterwards."""
    return self.name

  def call(self, latents):
    """Returns the log-density of latents `[B, H]`, `[B]`, in nats."""
    # The log-determinant of the standardisation.
    return self.flow(self.standardised(latents)) - tf.reduce_sum(
        tf.math.log(self.scale))

  @property
  def distribution(self):
    """The TFP distribution, on `[H]`, by this layer's present weights."""
    return flow_lib.moved(
        self.flow.distribution(), tf.convert_to_tensor(self.mean), self.scale)

  def log_prob(self, latents):
    """Returns the log-density of float latents `[B, H]`, `[B]`."""
    return self(latents)

  @property
  def noise_shapes(self):
    draw = functools.partial(noise_lib.normal,
                             dtype=tf.as_dtype(self.compute_dtype))
    return {'prior': (draw, (self.latent_dim,))}

  def from_noise(self, noise):
    """Maps samples of N(0, I); see `mapped_noise.MappedNoise`."""
    return self.base_to_latent(noise['prior'])

  @property
  def couplings(self):
    """Number T of the flow's maps."""
    return self.flow.num_couplings

  def base_to_latent(self, base, coupling=0):
    """Maps draws z_0 of N(0, I), float `[B, H]`, to latents `[B, H]`.

    Args:
      base: z_0, or z_t behind the first t couplings.
      coupling: t, from 0 to `couplings`.
    """
    return self.mean + self.scale * self.flow.after(coupling).forward(base)

  def latent_to_base(self, latents, coupling=0):
    """The inverse of `base_to_latent`."""
    return self.flow.after(coupling).inverse(self.standardised(latents))

"""A prior whose samples pass through the decoder and the encoder again."""
import functools

import tensorflow as tf

from pgak import batches
from pgak import capabilities
from pgak import errors
from pgak import noise as noise_lib
from pgak import settings
from pgak.priors import mapped_noise

__all__ = ['RoundTrips', 'before']

# What the other prior has of z_0: a density and a map, which are none of z_K.
_OF_FIRST = ('base_to_latent', 'distribution', 'latent_to_base', 'log_prob',
             'log_prob_with_error', 'near')


@settings.checked
class RoundTrips(mapped_noise.MappedNoise):
  """Samples from another prior, decoded and encoded again a few times [1].

  With d the model's decoder and z_0 a sample from the other prior, a latent is
  z_K of the Markov chain

  ```none
  x_k = d(z_k),   z_{k+1} ~ q(z | x_k),   k = 0 ... K - 1
  ```

  in which a deterministic encoder e gives `z_{k+1} = e(x_k)`. Latents of data
  hardly move if the autoencoder reconstructs well, and a sample beside them
  moves towards them. So where a prior misses the distribution of the latents by
  a little, such as N(0, I) of a VAE, samples come nearer to data, for K passes
  through both nets. Each trip also loses some of their variety: up to four
  helped where they were tried, and eight did harm. They come nearer to training
  images, too, so measure memorisation beside. Images between are not rounded.

  The distribution of such latents has no density that can be computed. What the
  other prior has besides (`fit`, `state`, labels) it has, too.

  Args:
    prior: the prior of z_0; one that states its noise, see `MappedNoise`.
    model: `GenerativeAutoencoder`, with that latent space.
    trips: int K, at least 1.

  Raises:
    errors.UserError: if the prior does not state its noise, if the model lacks
      an encoder or is one of pairs, or if `trips` is out of its range.

  Example:

  ```python
  model = pgak.load('runs/vae')
  model.prior = pgak.priors.RoundTrips(model.prior, model, trips=2)
  images = model.sample(16)
  ```

  #### References

  [1]: Antonia Creswell, Kai Arulkumaran, Anil A. Bharath. Improving Sampling
       from Generative Autoencoders with Markov Chains. 2016.
  """

  def __init__(self, prior, model, trips: settings.Count = 1):
    if not mapped_noise.states_noise(prior):
      raise errors.UserError(
          f'Samples of the prior {capabilities.name_of(prior)} can make no '
          'round trips, because it does not state its noise: give it '
          '`from_noise`, see pgak.priors.MappedNoise.')
    if 'condition' in model.kind.can:
      raise errors.UserError(
          f'{model.name} draws latents given conditions, which can make no '
          'round trips: leave them out.')
    model.require('a round trip', 'encode')
    self.prior = prior
    self.model = model
    self.trips = trips

  def __getattr__(self, name):
    # What there is besides `prior`, which a copy lacks while it is made.
    if name.startswith('__') or name == 'prior' or name in _OF_FIRST:
      raise AttributeError(name)
    found = getattr(self.prior, name)
    if name not in ('fit', 'load_state'):
      return found

    @functools.wraps(found)
    def call(*args, **kwargs):
      found(*args, **kwargs)
      return self  # As these methods of a prior do.

    return call

  @property
  def can(self):
    """Its capabilities; see `pgak.capabilities`."""
    # In each call: a fit may add to the other prior's.
    return capabilities.of_prior(self.prior) - {
        'log_density', 'base', 'standard_normal'}

  @property
  def label(self):
    """The other prior's label, and how many trips there are."""
    return f'{capabilities.label_of(self.prior)}_round_trips_{self.trips}'

  # === Draws ===

  @property
  def noise_shapes(self):
    # Of each trip, for encoders that are stochastic.
    normal = (noise_lib.normal, (self.latent_dim,))
    return self.prior.noise_shapes | {
        name: normal for name in self._trip_names}

  @property
  def _trip_names(self):
    return [f'trip_{k + 1}' for k in range(self.trips)]

  def sample(self, n, seed=0, given=None):
    """Returns n latents, float `[n, H]`, repeatable by seed.

    Args:
      n: int; None where something is given.
      seed: int or integer scalar tensor.
      given: as for the other prior's `sample`, if that takes it; or None.

    Raises:
      errors.UserError: as the other prior's `sample` does.
    """
    latents = (self.prior.sample(n, seed) if given is None
               else self.prior.sample(n, seed, given))
    shapes = {name: self.noise_shapes[name] for name in self._trip_names}
    return self._moved(
        latents, noise_lib.of_seed(shapes, tf.shape(latents)[0], seed))

  def from_noise(self, noise, given=None):
    """Maps noise to latents; see `mapped_noise.MappedNoise`."""
    first = {name: noise[name] for name in self.prior.noise_shapes}
    latents = (self.prior.from_noise(first) if given is None
               else self.prior.from_noise(first, given))
    return self._moved(latents, noise)

  def _moved(self, latents, noise):
    for name in self._trip_names:
      latents = batches.in_batches(
          functools.partial(batches.of_rows, self._trip), latents, noise[name])
    return latents

  def _trip(self, latents, normal):
    mean, sigma = self.model.posterior(self.model.render(latents))
    return mean if sigma is None else mean + sigma * normal


def before(prior):
  """Returns the prior of z_0; of samples that make no trips, their prior."""
  return prior.prior if isinstance(prior, RoundTrips) else prior

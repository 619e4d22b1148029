"""A prior that is a map of noise, which is drawn apart from it."""
from pgak import counts
from pgak import noise as noise_lib

__all__ = ['MappedNoise', 'states_noise']


class MappedNoise:
  """Base class of priors that state their noise and map it to latents.

  `sample` draws the noise of n latents from one seed; an export draws that of
  each latent from a seed of its own, and maps it in the same way. A subclass
  has `latent_dim`; `noise_shapes` where its noise is not N(0, I) on the latent
  space; and

      from_noise(noise: {name: [B, *shape]}) -> latents [B, latent_dim]

  in which each latent is a function of its own noise alone.
  """

  @property
  def noise_shapes(self):
    """`{name: (draw, shape)}` of one latent's noise, as for `noise.of_seed`."""
    return {'prior': (noise_lib.normal, (self.latent_dim,))}

  def sample(self, n, seed=0):
    """Returns n draws, float `[n, latent_dim]`, repeatable by seed.

    Args:
      n: int or integer scalar tensor.
      seed: int or integer scalar tensor, all of whose 64 bits count.

    Raises:
      errors.UserError: if n is no number of draws, see `counts.rows`; or if
        the prior is not fitted yet.
    """
    counts.rows(n, [self.latent_dim])
    return self.from_noise(noise_lib.of_seed(self.noise_shapes, n, seed))


def states_noise(prior):
  """Whether a prior's draws are its `from_noise` of noise that it states.

  They are not where a class takes `from_noise` from a parent whose `sample` it
  replaces.

  Args:
    prior: the prior.
  """
  owners = {name: next((i for i, c in enumerate(type(prior).__mro__)
                        if name in vars(c)), None)
            for name in ('from_noise', 'sample')}
  return owners['from_noise'] is not None and (
      owners['from_noise'] <= owners['sample'])

"""The kinds of images that a protocol measures, each in batches.

But for the real ones all are decoded latents, so that what makes them differ is
where the latents are from.
"""
import numpy as np

from pgak import capabilities
from pgak import priors
from pgak.evaluation import protocols
from pgak.generation import sampling
from pgak.metrics import reference
from pgak.models import lines

__all__ = ['First', 'encoded', 'images_of', 'left_out', 'pairs', 'span']

# What images of a kind, and metrics, need; see `pgak.capabilities`.
_NEEDS = dict.fromkeys(
    ('reconstructions', 'interpolations', 'reconstruction',
     'reconstruction_mse', 'mse', 'lpips', 'topology', 'latent_match'),
    ('encode',))


class First:
  """Yields what another iterable yields, and keeps the first images.

  Attributes:
    images: uint8 `[n, h, w, C]`, those that have passed, up to the number.
  """

  def __init__(self, batches, number):
    self.images = None
    self._batches = batches
    self._number = number

  def __iter__(self):
    for batch in self._batches:
      batch = np.asarray(batch)
      kept = batch[:0] if self.images is None else self.images
      missing = self._number - len(kept)
      if missing > 0:
        self.images = np.concatenate([kept, batch[:missing]])
      yield batch


def left_out(model, protocol, latents=False):
  """Names what a protocol asks for and a model cannot do.

  Args:
    model: a `GenerativeAutoencoder`.
    protocol: a `Protocol`.
    latents: whether `latent_match` is asked for, too.

  Returns:
    `{name: reason}` of kinds of images, of metrics, and of densities that would
    be fitted to latents.
  """
  asked = [*protocol.images, *protocol.metrics, *['latent_match'] * latents]
  needs = {name: _NEEDS.get(name, ()) for name in asked}
  needs |= {p: ('encode',) for p in protocol.priors
            if p != protocols.OWN_OR_GAUSSIAN
            and 'fit' in capabilities.of_prior(priors.prior_class(p))}
  return {name: reason for name, wanted in needs.items()
          if (reason := model.lacks(*wanted))}


def span(array, number):
  """Returns the name of an array's first images: 'test', 'test[:2500]'."""
  return array.split + ('' if number == len(array) else f'[:{number}]')


def encoded(model, array, limit=None):
  """Returns the latents of real images, float32 `[N, H]`.

  Args:
    model: a `GenerativeAutoencoder`; a stochastic encoder counts by its mean.
    array: a `data.ImageArray`.
    limit: takes the first so many images; None for all.
  """
  return model.encode_split(array, np.arange(reference.count(array, limit)))


def pairs(number, seed):
  """Draws pairs of positions, different ones where there are two.

  Args:
    number: int N, how many there are, and how many pairs are drawn.
    seed: int.

  Returns:
    `(first, second)`, integers `[N]` in `[0, N)`.
  """
  generator = np.random.default_rng(seed)
  first = generator.integers(0, number, number)
  second = first + generator.integers(1, max(number, 2), number)
  return first, second % number


def images_of(kind, model, protocol, array, number, latents=None):
  """Yields images of a kind in batches, uint8 `[b, h, w, C]`.

  Args:
    kind: one of `protocols.IMAGES`.
    model: a `GenerativeAutoencoder`; samples come from its prior.
    protocol: a `Protocol`.
    array: the `data.ImageArray` that is encoded, or is measured itself.
    number: how many images.
    latents: those of the array's first images, or None to encode them.
  """
  if kind == 'data':
    return reference.read(array, number)
  if kind == 'samples':
    latents = None
  elif latents is None:
    latents = encoded(model, array, number)
  if kind == 'interpolations':
    first, second = pairs(len(latents), protocol.interpolation_seed)
    latents = lines.midpoints(latents[first], latents[second]).numpy()
  settings = {} if latents is None else dict(latents=latents)
  return sampling.generate(
      model, number, protocol.seed, batch_size=protocol.batch_size,
      batch_norm=protocol.batch_norm, rounding=protocol.rounding, **settings)

"""The examples that a protocol measures: their splits, numbers and making.

All but the real ones are decoded latents; kinds differ in where the latents
come from.
"""
import numpy as np

from pgak import capabilities
from pgak.generation import sampling
from pgak.metrics import reference
from pgak.models import lines

__all__ = ['Examples', 'First', 'images_of', 'pairs']


class Examples:
  """Images that a protocol measures of one data set and its models.

  Another kind of data has a class like this one in `examples_by_kind.TABLE`.

  Attributes:
    of: string, what is measured; see `metric.register`.
    advice: string, what to choose instead of a protocol for other data.
    rounds: whether what a model makes is rounded.
    always: names of metrics that are ignored in a protocol, because an implied
      metric measures the same.
    array: the split that what is made is compared with.
    encoded: the split whose first `num_encoded` examples are encoded.
    num_references: int, how many examples of `array` take part.
    num_samples: int, how many are drawn.
    num_encoded: int.
    real: the reference examples, where a metric compares with them, or None.
    num_kept: int, how many of the examples that are made are kept.
  """

  of = 'images'
  advice = 'another --protocol, such as quick'
  rounds = True
  always = ()
  real = None
  _keeps_latents = False
  # For metrics of single images: nearest neighbours and grids.
  num_kept = 1000
  _SHOWN = 64  # A grid of 8 x 8.
  # Name of the split that the model was trained on.
  trained_on = 'train'

  def __init__(self, dataset, protocol):
    """Looks up the splits.

    Args:
      dataset: a `data.Dataset`.
      protocol: a `protocols.Protocol`.

    Raises:
      UserError: if the data set has no such split.
    """
    self.dataset = dataset
    self.protocol = protocol
    self.array = dataset.split(protocol.split)
    self.encoded = (dataset.split(protocol.encoded_split)
                    if protocol.encoded_split else self.array)
    self.num_references = reference.count(self.array, protocol.num_references)
    self.num_samples = protocol.num_samples or self.num_references
    self.num_encoded = min(self.num_samples, len(self.encoded))
    # The encoded images are the references themselves then: no more than those.
    if not protocol.encoded_split:
      self.num_encoded = min(self.num_samples, self.num_references)

  @property
  def seen(self):
    """The split that the model was trained on."""
    return self.dataset.split(self.trained_on)

  @property
  def unseen(self):
    """A split of which training saw nothing, or None if there is none."""
    found = (self.dataset.split('test') if 'test' in self.dataset.splits
             else self.encoded)
    seen = self.trained_on == 'all' or found.split in ('all', self.trained_on)
    return None if seen else found

  def number(self, images):
    """Returns how many of a kind are measured."""
    return self.num_samples if images == 'samples' else self.num_encoded

  def prior_of(self, images, model):
    """Returns the density of their latents: a label, or 'none'."""
    return capabilities.label_of(model.prior) if images == 'samples' else 'none'

  def compared(self, images, number):
    """Returns the reference; after the encoded images, if those are others."""
    real = reference.span(self.array, number)
    made_of = reference.span(self.encoded, self.num_encoded)
    apart = images != 'samples' and self.protocol.encoded_split
    return f'{made_of} vs {real}' if apart else real

  def latents(self, model, number):
    """Returns the latents of the first encoded examples, float32 `[N, ...]`."""
    return model.encode_split(self.encoded, np.arange(number))

  def keep(self, number):
    """Keeps so many examples, and the latents of samples."""
    self.num_kept = number
    self._keeps_latents = True

  def make(self, images, model, latents_of):
    """Makes examples of a kind.

    Args:
      images: one of `protocols.IMAGES`.
      model: the model; samples come from its prior.
      latents_of: function of a number to the latents of so many examples.

    Returns:
      A `First`: its batches are made as they are asked for, once.
    """
    number, drawn = self.number(images), None
    if images == 'samples' and self._keeps_latents:
      # As `sampling.generate` draws them, so that keeping changes no sample.
      drawn = model.prior.sample(number, self.protocol.seed)
    return First(images_of(images, model, self.protocol, self.encoded, number,
                           latents_of, drawn), self.num_kept, drawn)

  def write(self, files, images, model, made):
    """Leaves a picture of what was made in the run, through a `files.Files`."""
    if images == 'samples':
      files.write_grid(made[:self._SHOWN], self.prior_of(images, model))


class First:
  """Yields what another iterable yields, and keeps the first examples.

  Attributes:
    examples: uint8 `[n, h, w, C]` for images, those that have passed, up to the
      number.
    latents: float `[N, ...]`, those of all examples, or None.
  """

  def __init__(self, batches, number, latents=None):
    self.examples = None
    self.latents = latents
    self._batches = batches
    self._number = number

  def __iter__(self):
    for batch in self._batches:
      batch = np.asarray(batch)
      kept = batch[:0] if self.examples is None else self.examples
      # `kept` has the right shape and dtype from the first batch on.
      missing = self._number - len(kept)
      if missing > 0:
        self.examples = np.concatenate([kept, batch[:missing]])
      yield batch


def pairs(number, seed):
  """Draws pairs of positions, different ones if there are two or more.

  Args:
    number: int N, how many there are, and how many pairs are drawn.
    seed: int.

  Returns:
    `(first, second)`, integers `[N]` in `[0, N)`.
  """
  generator = np.random.default_rng(seed)
  first = generator.integers(0, number, number)
  # At least 1 and less than N further, so never the same position.
  second = first + generator.integers(1, max(number, 2), number)
  return first, second % number


def images_of(images, model, protocol, array, number, latents_of,
              drawn=None):
  """Yields examples of a kind in batches, uint8 `[b, h, w, C]` for images.

  Args:
    images: one of `protocols.IMAGES`.
    model: a `GenerativeAutoencoder`; samples come from its prior.
    protocol: a `Protocol`.
    array: the `data.ImageArray` that is encoded, or is measured itself.
    number: how many.
    latents_of: function of a number to the latents of so many examples.
    drawn: the latents of samples, if they are drawn already, or None.
  """
  if images == 'data':
    return reference.read(array, number)
  settings = {} if drawn is None else {'latents': drawn}
  if images != 'samples':
    # The mean of the posterior, not a sample: see `Context.latents`.
    settings['latents'] = latents_of(number)
  if images == 'interpolations':
    latents = settings['latents']
    first, second = pairs(len(latents), protocol.interpolation_seed)
    # Mid-points of arcs, as [1] of `protocols` interpolates.
    settings['latents'] = lines.midpoints(
        latents[first], latents[second]).numpy()
  return sampling.generate(
      model, number, protocol.seed, batch_size=protocol.batch_size,
      batch_norm=protocol.batch_norm, rounding=protocol.rounding, **settings)

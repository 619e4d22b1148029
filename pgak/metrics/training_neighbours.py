"""Samples and test examples beside the training examples, space by space.

What the measures of memorisation share: in pixels, in the features of each net
and in latents, the nearest training example of each sample and of each test
example, searched once for all of them.
"""
import functools

import numpy as np

from pgak.metrics import distances
from pgak.metrics import neighbours
from pgak.metrics import reference

__all__ = ['MOST_NUMBERS', 'Space', 'spaces']

# Elements of one set of vectors in memory: 256 MB of float32. MNIST's training
# images are within it, in pixels, too.
MOST_NUMBERS = 1 << 26
_BATCH = 1000


class Space:
  """Vectors of samples, test and training examples in one space.

  Attributes:
    features: 'pixels', 'vectors', 'latents' or a `features.FeatureNet`.
    samples: float32 `[N, D]`.
    test: float32 `[M, D]`, of examples that training has not seen.
    train: function without arguments to an iterable of float `[b, D]`, the
      training examples.
    split: string, what scores say of the real examples.
  """

  def __init__(self, features, samples, test, train, split):
    self.features = features
    # As many of both as memory is meant to hold.
    most = max(MOST_NUMBERS // samples.shape[1], 1)
    self.samples, self.test = (
        np.asarray(vectors[:most], np.float32) for vectors in (samples, test))
    for vectors in (self.samples, self.test):
      distances.require_finite(vectors, 'The search of training neighbours')
    self.train = train
    self.split = split

  @functools.cached_property
  def nearest(self):
    """The nearest training examples of the samples, then of the test examples.

    `(distances, indices)`, float64 and integers `[N + M]`.
    """
    # One search: training examples are read once.
    return distances.closest(
        np.concatenate([self.samples, self.test]), self.train())

  def of_samples(self):
    """Returns distances of samples to their nearest training example, `[N]`."""
    return self.nearest[0][:len(self.samples)]

  def of_test(self):
    """Returns the same of the test examples, `[M]`."""
    return self.nearest[0][len(self.samples):]

  def vectors_at(self, indices):
    """Returns training examples, float32 `[n, D]`.

    Args:
      indices: increasing integers `[n]`.
    """
    found, first = [], 0
    for batch in self.train():
      within = indices[(indices >= first) & (indices < first + len(batch))]
      found.append(np.asarray(batch, np.float32)[within - first])
      first += len(batch)
    return np.concatenate(found)


def spaces(context):
  """Returns the list of `Space`s of a context of samples.

  Pixels, of all training images; the features of each net and the latents, of
  the first training images where all would exceed `MOST_NUMBERS`. Latents of
  the model itself, where it has an encoder and its samples' latents are known:
  those that samples were decoded from, beside means of the encoder.

  Args:
    context: an `evaluation.context.ExamplesContext`.
  """
  return context.once('training_neighbours', _spaces)


def _spaces(context):
  train, test = context.dataset.split('train'), _test(context)
  number = reference.count(test, reference.MAXIMUM_ROWS)
  found = [_of_examples(context, train, test, number)]
  for collected in context.collected:
    net = collected.net
    found.append(_in_memory(
        net, collected.rows, reference.rows(net, test),
        lambda count, net=net: reference.rows(net, train, count, count),
        train, test))
  if context.drawn is not None and not context.model.lacks('encode'):
    found.append(_in_memory(
        'latents', _flat(context.drawn),
        _flat(context.model.encode_split(test, np.arange(number))),
        lambda count: _flat(context.training_latents(count)), train, test))
  return found


def _test(context):
  dataset = context.dataset
  return (dataset.split('test') if 'test' in dataset.splits
          else context.encoded)


def _flat(latents):
  return np.reshape(latents, [len(latents), -1])


def _of_examples(context, train, test, number):
  """The space of the examples as they are."""
  is_images = context.examples.dtype == np.uint8
  vectors = neighbours.pixels if is_images else np.asarray
  return Space(
      'pixels' if is_images else 'vectors', vectors(context.examples),
      np.concatenate([vectors(b) for b in reference.read(test, number)]),
      lambda: map(vectors, reference.read(train, len(train))),
      _split(train, len(train), test, number))


def _in_memory(features, samples, held_out, of_training, train, test):
  """A space whose training vectors are made once, by their number."""
  count = min(len(train), max(MOST_NUMBERS // samples.shape[1], 1))
  vectors = of_training(count)
  return Space(
      features, samples, held_out,
      lambda: (vectors[i:i + _BATCH] for i in range(0, count, _BATCH)),
      _split(train, count, test, len(held_out)))


def _split(train, count, test, number):
  return reference.span(train, count) + ' vs ' + reference.span(test, number)

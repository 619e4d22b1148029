"""Samples and test examples beside the training examples, space by space.

What the measures of memorisation share: in pixels, in the features of each net
and in latents, the nearest training example of each sample and of each test
example, searched once for all of them; those of test examples once for all
densities.
"""
import functools

import numpy as np

from pgak.metrics import distances
from pgak.metrics import neighbours
from pgak.metrics import reference

__all__ = ['MOST_NUMBERS', 'Reference', 'Space', 'spaces']

# Elements of one set of vectors in memory: 256 MB of float32. MNIST's training
# images are within it, in pixels, too.
MOST_NUMBERS = 1 << 26
_BATCH = 1000


class Reference:
  """Test and training examples in one space, the same for all densities.

  Attributes:
    features: 'pixels', 'vectors', 'latents' or a `features.FeatureNet`.
    test: float32 `[M, D]`, of examples that training has not seen.
    train: function without arguments to an iterable of float `[b, D]`, the
      training examples.
    split: string, what scores say of these examples.
  """

  def __init__(self, features, test, train, split):
    self.features = features
    self.test = _bounded(test)
    self.train = train
    self.split = split

  @functools.cached_property
  def nearest(self):
    """Distances and positions `[M]` of test examples' nearest training one."""
    return distances.closest(self.test, self.train())

  @functools.cached_property
  def gaps(self):
    """`gaps_of` the nearest training examples of the test examples, `[M]`."""
    return self.gaps_of(self.nearest[1])

  def gaps_of(self, indices):
    """Returns distances of training examples to their nearest other one, `[n]`.

    Infinite where there is no other.

    Args:
      indices: integers `[n]`, positions of training examples.
    """
    chosen, where = np.unique(indices, return_inverse=True)
    found, _ = distances.closest(
        self._vectors_at(chosen), self.train(), left_out=chosen)
    return found[where]

  def _vectors_at(self, indices):
    """Training examples at increasing positions, float32 `[n, D]`."""
    found, first = [], 0
    for batch in self.train():
      within = indices[(indices >= first) & (indices < first + len(batch))]
      found.append(np.asarray(batch, np.float32)[within - first])
      first += len(batch)
    return np.concatenate(found)


class Space:
  """Samples of one density beside a `Reference`.

  Attributes:
    real: the `Reference`.
    samples: float32 `[N, D]`.
  """

  def __init__(self, real, samples):
    self.real = real
    self.samples = _bounded(samples)

  @functools.cached_property
  def nearest(self):
    """Distances and positions `[N]` of samples' nearest training example."""
    return distances.closest(self.samples, self.real.train())

  @functools.cached_property
  def gaps(self):
    """`Reference.gaps_of` the nearest training examples of samples, `[N]`."""
    return self.real.gaps_of(self.nearest[1])


def _bounded(vectors):
  """Returns as many vectors as memory is meant to hold, float32."""
  most = max(MOST_NUMBERS // vectors.shape[1], 1)
  vectors = np.asarray(vectors[:most], np.float32)
  distances.require_finite(vectors, 'The search of training neighbours')
  return vectors


def spaces(context):
  """Returns the list of `Space`s of a context of samples.

  Pixels, of all training images; the features of each net and the latents, of
  the first training images where all would exceed `MOST_NUMBERS`; test images,
  as many as the protocol has references. Latents of
  the model itself, where it has an encoder and its samples' latents are known:
  those that samples were decoded from, beside means of the encoder.

  Args:
    context: an `evaluation.context.ExamplesContext`.
  """
  return context.once('training_neighbours', _spaces)


def _spaces(context):
  references = context.once('training_references', _references, of_model=True)
  samples = {'pixels': neighbours.pixels, 'vectors': np.asarray}[
      references[0].features](context.examples)
  all_samples = [samples, *(c.rows for c in context.collected)]
  if len(references) > len(all_samples):
    all_samples.append(_flat(context.drawn))
  return [Space(*pair) for pair in zip(references, all_samples, strict=True)]


def _references(context):
  train, test = context.train, context.held_out
  number = min(reference.count(test, context.protocol.num_references),
               reference.MAXIMUM_ROWS)
  found = [_of_examples(context, train, test, number)]
  found += [_of_net(c.net, train, test, number) for c in context.collected]
  if context.drawn is not None and not context.model.lacks('encode'):
    found.append(_of_latents(context, train, test, number))
  return found


def _flat(latents):
  return np.reshape(latents, [len(latents), -1])


def _of_examples(context, train, test, number):
  """The examples as they are."""
  is_images = context.examples.dtype == np.uint8
  vectors = neighbours.pixels if is_images else np.asarray
  return Reference(
      'pixels' if is_images else 'vectors',
      np.concatenate([vectors(b) for b in reference.read(test, number)]),
      lambda: map(vectors, reference.read(train, len(train))),
      _split(train, len(train), test, number))


def _of_net(net, train, test, number):
  count = min(len(train), max(MOST_NUMBERS // net.size, 1))
  return _in_memory(net, reference.rows(net, test, number),
                    reference.rows(net, train, count, count), train, test)


def _of_latents(context, train, test, number):
  held_out = _flat(context.model.encode_split(test, np.arange(number)))
  count = min(len(train), max(MOST_NUMBERS // held_out.shape[1], 1))
  latents = context.model.encode_split(train, np.arange(count))
  return _in_memory('latents', held_out, _flat(latents), train, test)


def _in_memory(features, held_out, vectors, train, test):
  return Reference(
      features, held_out,
      lambda: (vectors[i:i + _BATCH] for i in range(0, len(vectors), _BATCH)),
      _split(train, len(vectors), test, len(held_out)))


def _split(train, count, test, number):
  return reference.span(train, count) + ' vs ' + reference.span(test, number)

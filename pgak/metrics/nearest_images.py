"""Neighbours of samples among real images, in pixels and in features."""
import dataclasses

import numpy as np

from pgak.metrics import features
from pgak.metrics import metric
from pgak.metrics import neighbours
from pgak.metrics import reference

__all__ = ['MAXIMUM_SAMPLES', 'Neighbourhoods', 'neighbourhoods']

MAXIMUM_SAMPLES = 1000
_SHOWN = 8
_BLOCK = 500


@dataclasses.dataclass
class Neighbourhoods:
  """The neighbours of samples in one space.

  Attributes:
    net: the `features.FeatureNet`, or None in pixel space.
    scores: `{name: value}`, see `neighbours.memorisation`.
    split: string, the real images that were searched.
    picture: uint8 `[H, W, C]`, see `neighbours.picture`.
  """
  net: features.FeatureNet | None
  scores: dict
  split: str
  picture: np.ndarray


def _pixels_of(array, number):
  """Function without arguments to batches of pixels of the first images."""
  # A function, because the search passes through the images more than once, and
  # they may be too many to keep.
  return lambda: map(neighbours.pixels, reference.read(array, number))


def _features_of(net, array):
  """Function without arguments to batches of features of the first images."""
  found = reference.rows(net, array)
  return lambda: (found[i:i + _BLOCK] for i in range(0, len(found), _BLOCK))


def neighbourhoods(train, test, images, found):
  """Yields the `Neighbourhoods` in pixels, then those in each net's features.

  In pixels all training images are searched, in features the first
  `reference.MAXIMUM_ROWS`; of the test images as many as that.

  Args:
    train: a `data.ImageArray`, the training images.
    test: another, of which training saw nothing.
    images: uint8 `[n, h, w, C]`, samples.
    found: list of `feature_sets.Collected`, the samples' features.
  """
  most = reference.MAXIMUM_ROWS
  spaces = [(None, neighbours.pixels(images), _pixels_of(train, len(train)),
             _pixels_of(test, reference.count(test, most)), len(train))]
  spaces += [(c.net, c.rows[:len(images)], _features_of(c.net, train),
              _features_of(c.net, test), reference.count(train, most))
             for c in found]
  for net, samples, train_batches, test_batches, number in spaces:
    scores, train_indices, test_indices = neighbours.memorisation(
        samples, train_batches, test_batches)
    split = (reference.span(train, number) + ' vs '
             + reference.span(test, reference.count(test, most)))
    yield Neighbourhoods(
        net, scores, split, neighbours.picture(
            images[:_SHOWN], _read(train, train_indices),
            _read(test, test_indices)))


def _read(array, indices):
  """Reads the images of the shown samples' neighbours, `[n, k, h, w, C]`."""
  shown = indices[:_SHOWN]
  return array.read(shown.ravel()).reshape(*shown.shape, *array.image_shape)


@metric.register('neighbours', scope='examples', keeps=('features',),
                 held_out=True,
                 better=dict.fromkeys(('memorisation_ratio', 'nearest_*'),
                                      'neither'))
def _compute(context):
  # Reconstructions are near to their originals by design, so memorisation shows
  # only in samples.
  if context.images != 'samples':
    return
  for found in neighbourhoods(context.train, context.held_out,
                              context.examples[:MAXIMUM_SAMPLES],
                              context.collected):
    for name, value in found.scores.items():
      yield metric.Value(
          name, value, features=found.net or 'pixels',
          num_samples=min(len(context.examples), MAXIMUM_SAMPLES),
          split=found.split, made=True,
          picture=found.picture)

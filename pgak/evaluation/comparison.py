"""Distances between two sets of images, from any source."""
import math
from typing import NamedTuple

import numpy as np

from pgak import errors
from pgak.metrics import feature_sets
from pgak.metrics import frechet
from pgak.metrics import kernel_distance

__all__ = ['Distance', 'compare', 'format_table']

_BATCH = 500
# The parts of each set that a standard error is made of.
_PARTS = 5


class Distance(NamedTuple):
  """One distance by one feature net.

  Attributes:
    metric: string, such as 'fid_768' or 'kernel_random_net_0'.
    value: float.
    error: float, its standard error, or None.
    features: string, the feature net.
    numbers: `(N, M)`, how many images of each side took part.
  """
  metric: str
  value: float
  error: float | None
  features: str
  numbers: tuple


def _batches(images):
  for first in range(0, len(images), _BATCH):
    yield images[first:first + _BATCH]


def _error(one, other):
  """Standard error of a Frechet distance, by the spread over parts.

  Both sets are cut into 5 parts; the distances of the parts have the spread of
  sets a fifth as large, so that of the whole is sqrt(5) times smaller. The bias
  of small sets is common to all parts and cancels. None for few images.
  """
  number = min(len(one), len(other)) // _PARTS
  # A covariance of so few features is singular, see `frechet.distance`.
  if number <= one.shape[1]:
    return None
  parts = [frechet.distance(
      # Every fifth image, because a folder may be in the order of its classes.
      *(frechet.moments([rows[i::_PARTS]]) for rows in (one, other)))
      for i in range(_PARTS)]
  return float(np.std(parts, ddof=1)) / math.sqrt(_PARTS)


def compare(one, other, nets, seed=0):
  """Measures two sets of images by all nets.

  Args:
    one: uint8 `[N, h, w, C]`.
    other: uint8 `[M, h, w, C]`.
    nets: list of `features.FeatureNet`.
    seed: int, decides the subsets of the kernel distance.

  Returns:
    List of `Distance`: the Frechet and the kernel distance by each net.

  Raises:
    errors.UserError: if the images differ in shape, or there are too few.
  """
  if one.shape[1:] != other.shape[1:]:
    raise errors.UserError(
        f'The images are of {one.shape[1:]} and {other.shape[1:]}: give --size '
        'to bring both to one size.')
  found = []
  for a, b in zip(*(feature_sets.collect(nets, _batches(images))
                    for images in (one, other))):
    numbers = a.moments.count, b.moments.count
    found.append(Distance(
        a.net.metric, frechet.distance(a.moments, b.moments),
        _error(a.rows, b.rows), a.net.name, numbers))
    mean, deviation = kernel_distance.kernel_distance(a.rows, b.rows, seed=seed)
    name = kernel_distance.name_of(a.net)
    found += [Distance(name, mean, None, a.net.name, numbers),
              Distance(f'{name}_std', deviation, None, a.net.name, numbers)]
  return found


def format_table(distances):
  """Returns distances as text, one a line."""
  width = max(len(d.metric) for d in distances)
  return '\n'.join(
      f'{d.metric:<{width}}  {d.value:.6g}'
      + (f' ± {d.error:.2g}' if d.error is not None else '')
      for d in distances)

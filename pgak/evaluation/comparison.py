"""Distances between two sets of images, from any source."""
import math
from typing import NamedTuple

import numpy as np

from pgak import errors
from pgak.evaluation import sides as sides_lib
from pgak.metrics import frechet
from pgak.metrics import kernel_distance

__all__ = ['Distance', 'check_shapes', 'compare', 'distances', 'format_table']

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
    preprocessing: string, what the net makes of images before it sees them.
    sides: of each, what `sides.Side.described` returns.
    warnings: sentences on what makes the distance doubtful.
  """
  metric: str
  value: float
  error: float | None
  features: str
  numbers: tuple
  preprocessing: str = ''
  sides: tuple = ()
  warnings: tuple = ()


def _error(one, other, numbers):
  """Standard error of a Frechet distance, from the distances of parts.

  Both sets are cut into 5 parts; the distances of the parts have the standard
  deviation of sets a fifth as large, so that of the whole is sqrt(5) times
  smaller, and still smaller where there are more images than single features.
  The bias of small sets is common to all parts and cancels. None for few
  images.
  """
  number = min(len(one), len(other)) // _PARTS
  # A covariance of so few features is singular, see `frechet.distance`.
  if number <= one.shape[1]:
    return None
  parts = [frechet.distance(
      # Every fifth image, because a folder may be in the order of its classes.
      *(frechet.moments([rows[i::_PARTS]]) for rows in (one, other)))
      for i in range(_PARTS)]
  # The variance is about that of a difference of two means.
  kept = sum(1. / n for n in numbers) / (1. / len(one) + 1. / len(other))
  return float(np.std(parts, ddof=1)) * math.sqrt(kept / _PARTS)


def compare(one, other, nets, seed=0):
  """Measures two sets of images by all nets.

  Args:
    one: uint8 `[N, h, w, C]`, or a `sides.Side`.
    other: the same, `[M, h, w, C]`.
    nets: list of `features.FeatureNet`.
    seed: int, decides the subsets of the kernel distance.

  Returns:
    List of `Distance`: the Frechet distance by each net, and the kernel
    distance where there are images on both sides.

  Raises:
    errors.UserError: if the images differ in shape, or there are too few.
  """
  both = [side if isinstance(side, sides_lib.Side)
          else sides_lib.Side('array', side) for side in (one, other)]
  check_shapes(*both)
  return distances(both, [side.collect(nets) for side in both], seed)


def check_shapes(one, other):
  """Raises UserError unless the images of two sides are of one shape."""
  if one.shape != other.shape:
    raise errors.UserError(
        f'The images are of {one.shape} and {other.shape}: give --size '
        'to bring both to one size.')


def distances(sides, collected, seed=0):
  """Returns the list of `Distance` between two sides.

  Args:
    sides: two `sides.Side`.
    collected: what `collect` returned of each, by the same nets.
    seed: int, decides the subsets of the kernel distance.
  """
  warnings = sides_lib.warnings_of(*sides)
  if any(side.images is None for side in sides):
    warnings.append('Statistics hold no single features, which the kernel '
                    'distance and standard errors need: they are left out.')
  found = []
  for a, b in zip(*collected):
    found += _by_net(a, b, seed)
  return [distance._replace(
      sides=tuple(side.described() for side in sides),
      warnings=tuple(warnings)) for distance in found]


def _by_net(a, b, seed):
  numbers, net = (a.moments.count, b.moments.count), a.net
  has_rows = a.rows is not None and b.rows is not None
  yield Distance(net.metric, frechet.distance(a.moments, b.moments),
                 _error(a.rows, b.rows, numbers) if has_rows else None,
                 net.name, numbers, net.preprocessing)
  if has_rows:
    mean, deviation = kernel_distance.kernel_distance(a.rows, b.rows, seed=seed)
    name, numbers = kernel_distance.name_of(net), (len(a.rows), len(b.rows))
    yield Distance(name, mean, None, net.name, numbers, net.preprocessing)
    if deviation is not None:
      yield Distance(f'{name}_std', deviation, None, net.name, numbers,
                     net.preprocessing)


def format_table(found):
  """Returns distances as text: the sides, the nets, and a distance a line.
  """
  width = max((len(d.metric) for d in found), default=0)
  nets = dict.fromkeys((d.features, d.preprocessing) for d in found)
  return '\n'.join([
      *(sides_lib.line(side) for side in (found[0].sides if found else ())),
      *(f'features {name}: {preprocessing}' for name, preprocessing in nets
        if preprocessing),
      *(f'{d.metric:<{width}}  {d.value:.6g}'
        + (f' ± {d.error:.2g}' if d.error is not None else '') for d in found),
      *(f'Note: {text}' for text in (found[0].warnings if found else ()))])

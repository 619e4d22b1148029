"""Grey levels of arrays: the numbers that are black and white."""
import numpy as np

from pgak import errors

__all__ = ['extent', 'hint', 'range_of', 'to_levels']

_LEVELS = (0., 255.)
# Of 255: images that are all darker may have another white, such as 16.
_DARK = 64.
# For rounding errors of earlier scaling.
_SLACK = 1e-3


def extent(chunks, name):
  """Returns the least and the largest number of arrays, `(low, high)`.

  Args:
    chunks: iterable of arrays.
    name: of what holds them, for the error.

  Raises:
    UserError: if one is NaN or infinite.
  """
  low, high = np.inf, -np.inf
  for chunk in chunks:
    # NaN spreads to both.
    low, high = np.minimum(low, chunk.min()), np.maximum(high, chunk.max())
    if not (np.isfinite(low) and np.isfinite(high)):
      raise errors.UserError(f'{name} holds a number that is not finite (NaN '
                             'or infinity): remove or replace it.')
  return float(low), float(high)


def range_of(dtype, low, high, name):
  """Returns the values that are black and white in an array.

  Whole numbers in [0, 255] are levels, unless none is above 1: then 1 is white.
  Floats in [0, 1] or [-1, 1] are in that range; others in [0, 255] are levels.

  Args:
    dtype: NumPy type of the array.
    low: its least number.
    high: its largest.
    name: of what holds it, for the error.

  Returns:
    `(black, white)`.

  Raises:
    UserError: if neither fits; then `arrays.value_range` must be set.
  """
  # Before the next: images on [0, 1] lie in [-1, 1], too.
  if low >= -_SLACK and high <= 1. + _SLACK:
    return 0., 1.
  if dtype.kind == 'f' and low >= -1. - _SLACK and high <= 1. + _SLACK:
    return -1., 1.
  if low >= 0. and high <= 255.:
    return _LEVELS
  # The least of 8, 10, 12, ... bits that holds them.
  white = next((2**bits - 1 for bits in range(8, 17, 2) if high < 2**bits),
               high)
  raise errors.UserError(
      f'{name} holds {dtype} from {low:g} to {high:g}, and images have 0 to '
      '255, or floats in [0, 1] or [-1, 1]: say which numbers are black and '
      f'white, such as arrays.value_range = ({min(low, 0.):g}, {white:g}).')


def hint(high, value_range):
  """Returns what to do if the largest number is far below white, or ''.

  Args:
    high: the largest number.
    value_range: `(black, white)` that `range_of` gave.
  """
  if tuple(value_range) != _LEVELS or not 0. < high < _DARK:
    return ''
  return (f'; all are dark: if {high:g} is white, set arrays.value_range = '
          f'(0, {high:g})')


def to_levels(images, value_range, name):
  """Maps black to 0 and white to 255, rounded.

  Args:
    images: numbers `[...]`.
    value_range: `(black, white)`.
    name: of what holds them, for the error.

  Returns:
    uint8 `[...]`.

  Raises:
    UserError: if a number lies outside by more than half a level.
  """
  # The common case costs no copy.
  if images.dtype == np.uint8 and value_range == _LEVELS:
    return images
  black, white = value_range
  # float64: float32 does not hold all integers of 32 bits.
  levels = np.rint((np.asarray(images, np.float64) - black)
                   * (255. / (white - black)))
  if levels.min() < 0. or levels.max() > 255.:
    raise errors.UserError(
        f'{name} holds numbers outside arrays.value_range = ({black:g}, '
        f'{white:g}): set it to those that are black and white.')
  return levels.astype(np.uint8)

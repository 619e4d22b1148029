"""Checks of counts: of samples, images and steps.

What a request to an export may ask for is in `bounds`.
"""
import math

import numpy as np
import tensorflow as tf

from pgak import errors

__all__ = ['LARGEST', 'most', 'rows', 'sentence', 'whole']

# The most examples, however small each of them is.
LARGEST = 10**8


def sentence(name, least, most):
  """Returns the beginning of the error for a number that is out of bounds.

  The number itself follows it.
  """
  return f'`{name}` must be {least} to {most}, but is'


def whole(value, name, least=0, most=LARGEST):
  """Returns a number unchanged, if it is an integer within bounds.

  Args:
    value: int, or an integer scalar of NumPy or TensorFlow. A tensor in a graph
      is returned unseen: a graph checks when it runs.
    name: string, the argument's name, for the error.
    least: int, the smallest that is taken.
    most: int, the largest.

  Raises:
    errors.UserError: if it is no whole number (True and 2.0 are none), or if it
      is smaller or larger.
  """
  # Its value is not known before the graph runs.
  if tf.is_tensor(value) and not tf.executing_eagerly():
    return value
  if not _is_whole(value):
    said = ' '.join(repr(value).split())
    raise errors.UserError(f'`{name}` must be a whole number, not {said}.')
  if not least <= int(value) <= most:
    raise errors.UserError(f'{sentence(name, least, most)} {int(value)}.')
  return value


def rows(value, shape, name='n', least=0):
  """Returns how many examples of a shape are asked for, as `whole` does.

  Args:
    value: as for `whole`.
    shape: ints, the shape of one example.
    name: as for `whole`.
    least: as for `whole`.

  Raises:
    errors.UserError: as `whole` does, and if one tensor does not hold so many.
  """
  return whole(value, name, least, most(shape))


def most(shape):
  """Returns how many examples of a shape are made at once, at most `LARGEST`.

  Together they have fewer than 2^31 elements, which an int32 counts.
  """
  return min(LARGEST, (2**31 - 1) // max(math.prod(shape), 1))


def _is_whole(value):
  # A bool is an int in Python, and no count.
  if isinstance(value, int):
    return not isinstance(value, bool)
  array = np.asarray(value)
  # NumPy's and TensorFlow's integers, also without a sign.
  return not array.ndim and array.dtype.kind in 'iu'

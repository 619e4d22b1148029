"""Batches of examples: empty ones, ones with NaN, and a part of very many."""
import numpy as np
import tensorflow as tf

from pgak import errors

__all__ = ['broken_rows', 'finite_sentence', 'in_batches', 'never_empty',
           'of_rows', 'positions', 'require_finite', 'size_of']

_BATCH = 1000


def never_empty(function, *batch):
  """Calls a function of batches with one example of zeros if there are none.

  On a CPU TensorFlow's convolutions return an empty batch in its input shape.

  Args:
    function: takes tensors `[B, ...]` with B at least 1 and gives one.
    *batch: such tensors, but for B, which may be 0; all have the same.

  Returns:
    Tensor `[B, ...]`.
  """
  if batch[0].shape[0]:  # Neither 0 nor unknown.
    return function(*batch)
  size = tf.shape(batch[0])[0]
  missing = tf.cast(tf.equal(size, 0), tf.int32)
  return function(*(_padded(x, missing) for x in batch))[:size]  # [B, ...]


def of_rows(function, *batch):
  """Does as `never_empty` where the batch's size is known beforehand.

  In a graph where it is not, the batch must not be empty.
  """
  # In a signature, a padding that depends on the batch would slow every call.
  known = batch[0].shape[0] is not None
  return never_empty(function, *batch) if known else function(*batch)


def in_batches(function, *arrays):
  """Calls a function on batches of some arrays, and joins the results.

  Args:
    function: takes a batch of each array and gives a tensor `[b, ...]`.
    *arrays: arrays or tensors `[B, ...]`, all of one B; in a graph, where B is
      not known, they are one call.

  Returns:
    Tensor `[B, ...]`.
  """
  size = size_of(arrays[0])
  if size is None or size <= _BATCH or not tf.executing_eagerly():
    return function(*arrays)
  return tf.concat([function(*(x[i:i + _BATCH] for x in arrays))  # [B, ...]
                    for i in range(0, size, _BATCH)], 0)


def size_of(array):
  """Returns the number of examples; None where only the graph knows it."""
  shape = getattr(array, 'shape', None)
  return len(array) if shape is None else shape[0]  # A list has no shape.


def positions(size, most=None):
  """Returns the positions of all examples, or of a random subset.

  Args:
    size: int, how many examples there are.
    most: int, how many positions at most; None for all.

  Returns:
    Increasing integers `[n]`, the same in every process.
  """
  if most is None or most >= size:
    return np.arange(size)
  # Sorted, so that files are read in their order.
  return np.sort(np.random.default_rng(0).permutation(size)[:most])


def _padded(batch, missing):
  paddings = [[0, missing]] + [[0, 0]] * (batch.shape.rank - 1)
  # Of a dynamic padding TensorFlow does not know the shape.
  number = 1 if batch.shape[0] == 0 else None
  return tf.ensure_shape(tf.pad(batch, paddings), [number, *batch.shape[1:]])


def broken_rows(batch):
  """Returns how many of B examples `[B, ...]` are not finite, int64 []."""
  places = list(range(1, batch.shape.rank))
  finite = tf.reduce_all(tf.math.is_finite(batch), places)
  return tf.math.count_nonzero(tf.logical_not(finite))


def finite_sentence(name):
  """Returns the beginning of the error for rows that are not finite.

  Their number follows it.
  """
  return f'`{name}` must be finite, but so many rows hold NaN or infinity:'


def require_finite(batch, name):
  """Returns floats `[B, ...]` if they are finite; a graph does not check.

  Args:
    batch: float tensor.
    name: string, the argument's name, for the error.

  Raises:
    errors.UserError: if one is NaN or infinite.
  """
  broken = int(broken_rows(batch)) if tf.executing_eagerly() else 0
  if broken:
    raise errors.UserError(f'{finite_sentence(name)} {broken}.')
  return batch

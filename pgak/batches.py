"""Batches that nets do not take as they are: of no rows, and of no numbers."""
import tensorflow as tf

from pgak import errors

__all__ = ['broken_rows', 'finite_sentence', 'never_empty', 'of_rows',
           'require_finite']


def never_empty(function, *batch):
  """Calls a function of batches with one row of zeros where there is none.

  TensorFlow's convolutions on a CPU give an empty batch back in the shape that
  it had.

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
  return function(*(_padded(x, missing) for x in batch))[:size]


def of_rows(function, *batch):
  """Does as `never_empty` where the number of rows is known beforehand.

  In a graph where it is not, there must be some.
  """
  known = batch[0].shape[0] is not None
  return never_empty(function, *batch) if known else function(*batch)


def _padded(rows, missing):
  paddings = [[0, missing]] + [[0, 0]] * (rows.shape.rank - 1)
  number = 1 if rows.shape[0] == 0 else None
  return tf.ensure_shape(tf.pad(rows, paddings), [number, *rows.shape[1:]])


def broken_rows(batch):
  """Returns how many rows of floats `[B, ...]` are not finite, int64 []."""
  places = list(range(1, batch.shape.rank))
  finite = tf.reduce_all(tf.math.is_finite(batch), places)
  return tf.math.count_nonzero(tf.logical_not(finite))


def finite_sentence(name):
  """Returns the beginning of what is said of rows that are not finite.

  Their number follows it.
  """
  return f'`{name}` must be finite, but so many rows hold NaN or infinity:'


def require_finite(batch, name):
  """Returns float rows `[B, ...]`, if they are numbers; in a graph, unseen.

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

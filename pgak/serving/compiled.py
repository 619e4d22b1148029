"""Functions of batches that XLA compiles, or that are left as they are.

XLA compiles anew for each number of rows, so that batches are padded to a few
sizes. Nothing within a compiled function can refuse an input: `Assert` and
`check_numerics` do nothing under XLA, so the checks stand outside (`bounds`).
"""
import tensorflow as tf

from pgak import batches

__all__ = ['SIZES', 'inner', 'up_to']

# Each is compiled once for each signature that is asked for as many rows.
SIZES = (1, 4, 16, 64, 256, 1024)


def up_to(sizes, most):
  """Returns the sizes below the most rows of a request, and that number."""
  return tuple(size for size in sizes if size < most) + (most,)


def inner(function, sizes=None):
  """Returns a function of batches of any number of rows, in a graph.

  Args:
    function: takes tensors `[B, ...]` with B at least 1 and gives one; its row
      i is a function of theirs alone.
    sizes: None; or the numbers of rows that it is compiled for, increasing
      ints. No batch may have more than the last.

  Returns:
    The same function of tensors `[B, ...]`, B from 0.
  """
  if not sizes:
    return lambda *batch: batches.never_empty(function, *batch)
  traced = tf.function(function, jit_compile=True, autograph=False)

  def padded(*batch):
    number = tf.shape(batch[0])[0]
    size = tf.gather(sizes, tf.searchsorted(sizes, [number]))[0]
    return traced(*(_filled(x, size - number) for x in batch))[:number]

  return padded


def _filled(rows, missing):
  paddings = [[0, missing]] + [[0, 0]] * (rows.shape.rank - 1)
  return tf.ensure_shape(tf.pad(rows, paddings), [None, *rows.shape[1:]])

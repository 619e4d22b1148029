"""Squared distances between sets of latents, in a graph."""
import tensorflow as tf

__all__ = ['squared']


def squared(points, centres):
  """`|p|^2 - 2 p.c + |c|^2`, one matrix product; at least 0.

  Small distances lose the digits that the norms have before them: bring the
  latents about 0 first, or use float64.

  Args:
    points: float `[N, H]`.
    centres: float `[K, H]`.

  Returns:
    float `[N, K]`.
  """
  found = (tf.reduce_sum(tf.square(points), 1)[:, tf.newaxis]
           - 2. * tf.matmul(points, centres, transpose_b=True)
           + tf.reduce_sum(tf.square(centres), 1))
  # Rounding may leave a little less than 0 between equal points.
  return tf.maximum(found, 0.)

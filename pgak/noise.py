"""Repeatable random draws, the same inside and outside XLA.

TensorFlow's stateless float draws differ between XLA and the other kernels,
and its stateful ones are not repeatable under XLA at all. The raw bits of the
Philox generator are the same everywhere, so pgak makes its numbers from them.
"""
import math
import zlib

import tensorflow as tf

__all__ = ['normal', 'of_seed', 'of_seeds', 'seed', 'signs', 'uniform']


def seed(run_seed, counter, name):
  """Makes one seed from a run's seed, a counter and the name of a draw.

  Args:
    run_seed: int or integer scalar tensor, the run's seed; all its 64 bits
      count.
    counter: int or integer scalar tensor, the step or the index of the draw.
      From 2^30 on its draws are those of another counter with a run's seed of
      2^32 or more.
    name: string, so that two draws of one step are independent.

  Returns:
    int64 tensor `[2]`.
  """
  run_seed = tf.cast(run_seed, tf.int64)
  key = run_seed * (1 << 32) + zlib.crc32(name.encode())
  # The upper half, for which the key has no room; 0 for seeds below 2^32.
  upper = tf.bitwise.right_shift(run_seed, tf.constant(32, tf.int64)) & (
      (1 << 32) - 1)
  return tf.stack([key, tf.cast(counter, tf.int64) + upper * (1 << 30)])


def of_seed(shapes, n, seed_number):
  """Draws all the noise of n examples from one seed.

  Args:
    shapes: `{name: (draw, shape)}`: a function such as `normal`, and the shape
      of one example's noise.
    n: int or integer scalar tensor.
    seed_number: int or integer scalar tensor.

  Returns:
    `{name: draws [n, *shape]}`.
  """
  return {name: draw([n, *shape], seed(seed_number, 0, name))
          for name, (draw, shape) in shapes.items()}


def of_seeds(shapes, seeds):
  """Draws each example's noise from a seed of its own.

  Args:
    shapes: as for `of_seed`.
    seeds: int64 `[B]`; B may be 0 or unknown.

  Returns:
    `{name: draws [B, *shape]}`. Row i is a function of `seeds[i]` alone, that
    of `of_seed(shapes, 1, seeds[i])`.
  """
  def one(seed_number):
    return {name: tf.ensure_shape(x[0], shapes[name][1])
            for name, x in of_seed(shapes, 1, seed_number).items()}

  dtypes = {name: x.dtype for name, x in of_seed(shapes, 0, 0).items()}
  return tf.map_fn(one, tf.cast(seeds, tf.int64), fn_output_signature={
      name: tf.TensorSpec(shape, dtypes[name])
      for name, (_, shape) in shapes.items()})


def uniform(shape, seed, dtype=tf.float32):
  """Draws from the uniform distribution on `[0, 1)`.

  Each number is a multiple of 2^-24, which float32 holds exactly.

  Args:
    shape: list of ints, or an int tensor.
    seed: int64 tensor `[2]`, as `seed()` makes it.
    dtype: float32 or float64.
  """
  bits = tf.random.stateless_uniform(
      shape, seed, minval=None, maxval=None, dtype=tf.uint32, alg='philox')
  high_bits = tf.cast(tf.bitwise.right_shift(bits, tf.constant(8, tf.uint32)),
                      tf.int32)
  return tf.cast(high_bits, dtype) * tf.constant(2.**-24, dtype)


def normal(shape, seed, dtype=tf.float32):
  """Draws from the standard normal distribution by Box and Muller's transform.

  With u, v uniform on `(0, 1]` and `[0, 1)`,
  `n = sqrt(-2 log u) cos(2 pi v)`. No number is further out than 5.77.

  Args:
    shape: list of ints, or an int tensor.
    seed: int64 tensor `[2]`, as `seed()` makes it.
    dtype: float32 or float64.
  """
  # Steps never reach 2^62, so that the second draw's seed is nobody else's.
  other_seed = tf.bitwise.bitwise_xor(seed, tf.constant([0, 1 << 62], tf.int64))
  radius = tf.sqrt(-2. * tf.math.log(1. - uniform(shape, seed, dtype)))
  return radius * tf.cos(2. * math.pi * uniform(shape, other_seed, dtype))


def signs(shape, seed, dtype=tf.float32):
  """Draws -1 or 1, each with probability 1/2.

  Args:
    shape: list of ints, or an int tensor.
    seed: int64 tensor `[2]`, as `seed()` makes it.
    dtype: float32 or float64.
  """
  return tf.where(uniform(shape, seed, dtype) < 0.5, -tf.ones([], dtype),
                  tf.ones([], dtype))

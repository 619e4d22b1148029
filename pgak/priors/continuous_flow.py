"""A flow in continuous time: the paths of an ordinary differential equation.

```none
dx/dt = v(x, t),   t from 0 (samples of N(0, I)) to 1 (points)
```

and by the instantaneous change of variables (eq. 2 of [1])

```none
log p_1(x(1)) = log N(x(0); 0, I) - int_0^1 tr(dv/dx)(x(t), t) dt
```

Both are integrated by Heun's method, of second order, in steps of one size.
The trace is exact, by one gradient per dimension, or an estimate (eq. 4 of [2])

```none
tr(J) = E[e^T J e],   e of independent signs
```

with one e for all of a path, so that the integrand stays smooth.

#### References

[1]: Ricky T. Q. Chen, Yulia Rubanova, Jesse Bettencourt, David Duvenaud. Neural
     Ordinary Differential Equations. NeurIPS, 2018. Its theorem 1.
[2]: Will Grathwohl, Ricky T. Q. Chen, Jesse Bettencourt, Ilya Sutskever, David
     Duvenaud. FFJORD: Free-form Continuous Dynamics for Scalable Reversible
     Generative Models. ICLR, 2019.
"""
import math

import numpy as np
import tensorflow as tf

__all__ = ['log_densities', 'probes', 'transport']


def transport(velocity, points, steps, backwards=False, begin=0.):
  """Transports points along their paths, by Heun's method.

  Args:
    velocity: function of points `[B, H]` and a time, a scalar in [0, 1], to
      velocities `[B, H]`.
    points: float `[B, H]`, at time `begin`; at time 1 if `backwards`.
    steps: int or int32 scalar tensor, at least 1.
    backwards: whether to go from time 1 to `begin`.
    begin: float in [0, 1), the time of the points; they go to time 1.

  Returns:
    float `[B, H]`, where the paths end.
  """
  # A loop in the graph: unrolled, 64 steps would be 128 copies of the net.
  for i in tf.range(steps):
    here, there = _times(i, steps, backwards, points.dtype, begin)
    first = velocity(points, here)
    second = velocity(points + (there - here) * first, there)
    points += 0.5 * (there - here) * (first + second)
  return points


def log_densities(velocity, points, steps, signs=None):
  """Estimates the log-density of points at time 1, by following them to time 0.

  Args:
    velocity: as for `transport`.
    points: float `[B, H]`.
    steps: as for `transport`.
    signs: float `[k, B, H]` of -1 and 1, as `probes` makes them; None for the
      exact trace.

  Returns:
    float `[k, B]`, nats: an estimate for each probe; `[1, B]` of the exact
    trace.
  """
  directions, combine = _directions(points, signs)
  number = 1 if signs is None else len(directions)
  trace = tf.zeros([number, tf.shape(points)[0]], points.dtype)  # [k, B]
  for i in tf.range(steps):
    here, there = _times(i, steps, True, points.dtype)
    first, change = _with_traces(velocity, points, here, directions, combine)
    second, later = _with_traces(
        velocity, points + (there - here) * first, there, directions, combine)
    points += 0.5 * (there - here) * (first + second)
    # The integral is from 0 to 1, and the steps go back.
    trace += 0.5 * (here - there) * (change + later)
  # The points are now at time 0, where they are distributed by N(0, I).
  size = tf.cast(tf.shape(points)[1], points.dtype)
  normal = -0.5 * (tf.reduce_sum(tf.square(points), -1)
                   + size * math.log(2. * math.pi))
  return normal - trace


def _times(i, steps, backwards, dtype, begin=0.):
  """Returns the times at which step i begins and ends, scalars."""
  here, there = (tf.cast(j, dtype) / tf.cast(steps, dtype) for j in (i, i + 1))
  if backwards:
    here, there = 1. - here, 1. - there
  return (begin + (1. - begin) * here, begin + (1. - begin) * there)


def _directions(points, signs):
  """Returns tensors `[B, H]`, and what makes `[k, B]` of their products."""
  if signs is not None:
    return tf.unstack(signs), tf.stack
  basis = tf.eye(points.shape[1], dtype=points.dtype)
  return ([tf.ones_like(points) * row for row in tf.unstack(basis)],
          lambda products: tf.add_n(products)[tf.newaxis])


def _with_traces(velocity, points, time, directions, combine):
  """Returns the velocities `[B, H]` and the estimates of the trace `[k, B]`."""
  # One gradient for each direction.
  with tf.GradientTape(persistent=True) as tape:
    tape.watch(points)
    moved = velocity(points, time)
  products = [
      tf.reduce_sum(e * tape.gradient(
          moved, points, output_gradients=e,
          # A velocity that does not depend on the point has trace 0.
          unconnected_gradients=tf.UnconnectedGradients.ZERO), -1)
      for e in directions]
  return moved, combine(products)


# === Probes ===


def probes(points, number):
  """Makes random signs that are a function of each point alone.

  So a latent's log-density does not depend on its batch, and the errors of many
  latents are independent, so that their mean has a small error. The signs are
  bits of a hash of the point's float32 bits.

  Args:
    points: float `[B, H]`.
    number: int, k.

  Returns:
    Tensor `[k, B, H]` of -1 and 1, of the points' dtype.
  """
  size = points.shape[1]
  # -0 and 0 are the same point.
  bits = tf.bitcast(tf.cast(points, tf.float32) + 0., tf.uint32)
  # Fixed: the signs are part of the density's definition.
  generator = np.random.default_rng(0)
  # Odd factors permute the uint32, so that no bit of a dimension is lost.
  odd = 2 * generator.integers(0, 1 << 31, size) + 1
  key = _mixed(tf.reduce_sum(_mixed(bits) * tf.constant(odd, tf.uint32), -1))
  # One for each probe and dimension, mixed with the point's key.
  counters = generator.integers(0, 1 << 32, (number, 1, size))
  drawn = _mixed(key[:, tf.newaxis] ^ tf.constant(counters, tf.uint32))
  one = tf.ones([], points.dtype)
  # The highest bit.
  return tf.where(drawn >= 1 << 31, one, -one)


def _mixed(bits):
  """Permutes the uint32 so that each bit depends on every other.

  The finalizer of MurmurHash3, by Austin Appleby, in the public domain.
  """
  for shift, factor in ((16, 0x85ebca6b), (13, 0xc2b2ae35)):
    bits ^= tf.bitwise.right_shift(bits, tf.constant(shift, tf.uint32))
    bits *= tf.constant(factor, tf.uint32)
  return bits ^ tf.bitwise.right_shift(bits, tf.constant(16, tf.uint32))

"""Numbers that follow the training step: weights of terms, learning rates.

A schedule is a function of the step (an int64 scalar tensor: the number of
finished train steps) to a float scalar tensor, so that it changes without
retracing. Where a schedule is accepted, a plain number is too.
"""
import math

import gin
import tensorflow as tf

__all__ = ['cosine', 'linear', 'straight', 'switch_on', 'value_at']


def value_at(schedule, step):
  """Returns the float32 scalar of a number or a schedule at a step."""
  value = schedule(step) if callable(schedule) else schedule
  return tf.cast(value, tf.float32)


@gin.register
def switch_on(value, after):
  """0 while step <= after, then `value` (a number or a schedule).

  The PGA authors' warm-up: with `after = 3000` every weight but the
  reconstruction's is 0 while global_step <= 3000.
  """
  def schedule(step):
    return tf.where(tf.cast(step, tf.int64) <= after, 0.,
                    value_at(value, step))
  return schedule


@gin.register
def linear(start, end, first_step, last_step):
  """`start` up to `first_step`, `end` from `last_step`, a line between."""
  def schedule(step):
    done = (tf.cast(step, tf.float32) - first_step) / (last_step - first_step)
    return start + (end - start) * tf.clip_by_value(done, 0., 1.)
  return schedule


@gin.register
def cosine(final=0.01):
  """Half a cosine from 1 to `final` over a run.

  Args:
    final: factor at the end of the run.

  Returns:
    A function of the share of the run that is done, in `[0, 1]`, to the factor
    on the learning rate.
  """
  def factor(done):
    return final + (1. - final) * 0.5 * (1. + tf.cos(math.pi * done))
  return factor


@gin.register
def straight(constant=0., final=0.):
  """1 at first, then a line to `final` at the end of a run.

  Args:
    constant: share of the run before the line begins, below 1.
    final: factor at the end of the run.

  Returns:
    As `cosine`.
  """
  def factor(done):
    return linear(1., final, constant, 1.)(done)
  return factor

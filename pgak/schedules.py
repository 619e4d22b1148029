"""Numbers that follow the training step: weights of terms, learning rates.

A schedule is a function of the step (an int64 scalar tensor: the number of
finished train steps) to a float scalar tensor, so that it changes without
retracing. Where a schedule is accepted, a plain number is too.
"""
import math
from typing import Annotated

import tensorflow as tf

from pgak import settings

__all__ = ['Factor', 'OfRun', 'Schedule', 'SignedWeight', 'Weight', 'cosine',
           'linear', 'straight', 'switch_on', 'times', 'value_at']


class Schedule:
  """A function of the step.

  Args:
    function: function of the step, an int64 scalar tensor, to a float scalar.
    lowest: the lowest of its values, for who takes none below 0.
  """

  def __init__(self, function, lowest=0.):
    self._function = function
    self.lowest = lowest

  def __call__(self, step):
    return self._function(step)


class Factor:
  """A function of the share of the run that is done, in `[0, 1]`.

  Args:
    function: function of that share, a float scalar tensor, to a factor.
  """

  def __init__(self, function):
    self._function = function

  def __call__(self, done):
    return self._function(done)


class _NotA:
  """A function, but none of a class whose argument means something else."""

  def __init__(self, other):
    self._other = other

  def holds(self, value):
    return not isinstance(value, self._other)

  def text(self, base):
    return base


class _NotNegative:

  def holds(self, value):
    return _lowest(value) >= 0

  def text(self, base):
    return f'{base}, nowhere below 0'


def _lowest(value):
  return getattr(value, 'lowest', 0.) if callable(value) else value


_OfStep = Annotated[settings.called('@linear()', 1), _NotA(Factor)]
# What the learning rates are multiplied by.
OfRun = Annotated[settings.called('@cosine()', 1), _NotA(Schedule)]
SignedWeight = float | _OfStep
Weight = Annotated[SignedWeight, _NotNegative()]


def value_at(schedule, step):
  """Returns the float32 scalar of a number or a schedule at a step."""
  value = schedule(step) if callable(schedule) else schedule
  return tf.cast(value, tf.float32)


def times(factor, weight):
  """Returns factor times a weight, a number or a schedule, as one of those."""
  if not callable(weight):
    return factor * weight
  return Schedule(lambda step: factor * value_at(weight, step),
                  factor * _lowest(weight))


@settings.register
def switch_on(value: SignedWeight, after: settings.Whole):
  """0 while step <= after, then `value` (a number or a schedule).

  The PGA authors' warm-up: with `after = 3000` every weight but the
  reconstruction's is 0 while global_step <= 3000.
  """
  def schedule(step):
    return tf.where(tf.cast(step, tf.int64) <= after, 0.,
                    value_at(value, step))
  return Schedule(schedule, min(_lowest(value), 0.))


@settings.register
def linear(start: float, end: float, first_step: settings.NonNegative,
           last_step: settings.NonNegative):
  """`start` up to `first_step`, `end` from `last_step`, a line between."""
  if last_step <= first_step:
    raise settings.SettingError(
        f'`linear.last_step = {last_step}` must be above `linear.first_step = '
        f'{first_step}`.')

  def schedule(step):
    done = (tf.cast(step, tf.float32) - first_step) / (last_step - first_step)
    return start + (end - start) * tf.clip_by_value(done, 0., 1.)
  return Schedule(schedule, min(start, end))


@settings.register
def cosine(final: settings.NonNegative = 0.01):
  """Half a cosine from 1 to `final` over a run.

  Args:
    final: factor at the end of the run.

  Returns:
    A function of the share of the run that is done, in `[0, 1]`, to the factor
    on the learning rate.
  """
  def factor(done):
    return final + (1. - final) * 0.5 * (1. + tf.cos(math.pi * done))
  return Factor(factor)


@settings.register
def straight(constant: settings.Decay = 0., final: settings.NonNegative = 0.):
  """1 at first, then a line to `final` at the end of a run.

  Args:
    constant: share of the run before the line begins, below 1.
    final: factor at the end of the run.

  Returns:
    As `cosine`.
  """
  def factor(done):
    return linear(1., final, constant, 1.)(done)
  return Factor(factor)

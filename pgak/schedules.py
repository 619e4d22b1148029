"""Values that depend on the training step: weights of terms, learning rates.

A schedule is a function of the step (an int64 scalar tensor: the number of
finished train steps) to a float scalar tensor, so that it changes without
retracing. Where a schedule is accepted, a plain number is too.
"""
import functools
import inspect
import math
from typing import Annotated

import keras
import tensorflow as tf

from pgak import settings

__all__ = ['Factor', 'OfRun', 'Schedule', 'SignedWeight', 'Weight', 'cosine',
           'linear', 'one_after_another', 'saveable', 'straight', 'switch_on',
           'times', 'value_at']


# Name of a function, in gin and in files -> the function.
_MAKERS = {}


class _Made:
  """The product of a `saveable` function; a file keeps its name and arguments.
  """

  made_by = None

  def get_config(self):
    """Returns the function's name and its arguments.

    Raises:
      ValueError: if no function that is `saveable` has made it.
    """
    if self.made_by is None:
      raise ValueError(
          f'A file cannot hold a {type(self).__name__} of a function that it '
          'does not know: decorate what makes it with `schedules.saveable`.')
    maker, arguments = self.made_by
    return {'maker': maker,
            'arguments': keras.saving.serialize_keras_object(arguments)}

  @classmethod
  def from_config(cls, config):
    if config['maker'] not in _MAKERS:
      raise ValueError(f"The schedule {config['maker']} is not known: import "
                       'the module that defines it.')
    return _MAKERS[config['maker']](
        **keras.saving.deserialize_keras_object(config['arguments']))


def saveable(function):
  """Lets a model's file hold a function's product, a `Schedule` or `Factor`.

  ```python
  @settings.register
  @schedules.saveable
  def halved_after(value: float, step: int):
    return schedules.Schedule(lambda s: tf.where(s <= step, 1., 0.5) * value)
  ```

  The arguments must be numbers, texts, or other schedules that a file can hold.
  A file names the function, so its name is to be its own.
  """
  signature = inspect.signature(function)

  @functools.wraps(function)
  def make(*args, **kwargs):
    made = function(*args, **kwargs)
    given = signature.bind(*args, **kwargs)
    # Defaults too: they may be others when the file is read.
    given.apply_defaults()
    made.made_by = function.__name__, dict(given.arguments)
    return made

  _MAKERS[function.__name__] = make
  return make


@keras.saving.register_keras_serializable('pgak')
class Schedule(_Made):
  """A function of the step.

  Args:
    function: function of the step, an int64 scalar tensor, to a float scalar.
    lowest: the lowest of its values, for arguments that must not be negative.
  """

  def __init__(self, function, lowest=0.):
    self._function = function
    self.lowest = lowest

  def __call__(self, step):
    return self._function(step)


@keras.saving.register_keras_serializable('pgak')
class Factor(_Made):
  """A function of the share of the run that is done, in `[0, 1]`.

  Args:
    function: function of that share, a float scalar tensor, to a factor.
  """

  def __init__(self, function):
    self._function = function

  def __call__(self, done):
    return self._function(done)


class _NotA:
  """A function, but not of a class whose argument means something else."""

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
  # A user's own function states no lowest value, and is taken as it is.
  return getattr(value, 'lowest', 0.) if callable(value) else value


_OfStep = Annotated[settings.called('@linear()', 1), _NotA(Factor)]
# A factor of the learning rates.
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
@saveable
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
@saveable
def linear(start: float, end: float, first_step: settings.NonNegative,
           last_step: settings.NonNegative):
  """`start` up to `first_step`, `end` from `last_step`, linear between them."""
  if last_step <= first_step:
    raise settings.SettingError(
        f'`linear.last_step = {last_step}` must be above `linear.first_step = '
        f'{first_step}`.')

  def schedule(step):
    # float32 holds steps up to 2^24 exactly.
    done = (tf.cast(step, tf.float32) - first_step) / (last_step - first_step)
    return start + (end - start) * tf.clip_by_value(done, 0., 1.)
  return Schedule(schedule, min(start, end))


@settings.register
@saveable
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
@saveable
def straight(constant: settings.Decay = 0., final: settings.NonNegative = 0.):
  """1 at first, then linear to `final` at the end of a run.

  Args:
    constant: share of the run before the decay begins, below 1.
    final: factor at the end of the run.

  Returns:
    As `cosine`.
  """
  def factor(done):
    # `linear` of the share done, in the place of a step.
    return linear(1., final, constant, 1.)(done)
  return Factor(factor)


@saveable
def one_after_another(first: OfRun | None, second: OfRun, steps: settings.Whole,
                      further_steps: settings.Whole, factor: float = 1.):
  """One factor for the steps of training, then another for further steps.

  Args:
    first: function of the share of `steps` that is done; None for 1.
    second: the same of `further_steps`.
    steps: steps of training.
    further_steps: steps after them.
    factor: what `second` is multiplied by.

  Returns:
    As `cosine`, of the share of all steps.
  """
  total = steps + further_steps

  def at(done):
    step = done * float(total)
    # Half a step early, as the share is rounded.
    is_later = step >= steps - 0.5
    before = first(tf.minimum(step / steps, 1.)) if first else 1.
    share = tf.maximum(step - steps, 0.) / further_steps
    return tf.where(is_later, factor * second(share), before)
  return Factor(at)

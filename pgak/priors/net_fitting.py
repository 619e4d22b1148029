"""Fits a net to latents by gradient descent.

`minimise` stops early; `minimise_averaged` takes a fixed number of steps, with
a rate that decays to 0, and keeps averaged weights.
"""
import typing

import keras
import numpy as np
import tensorflow as tf
from tqdm import auto as tqdm

from pgak import errors
from pgak import interruption
from pgak import noise
from pgak.priors import unfinished as unfinished_lib

__all__ = ['Fit', 'averaged_descent', 'held_out', 'minimise',
           'minimise_averaged']

# Share of the points that is watched and not trained on.
HELD_OUT = 0.1


def minimise(loss, variables, points, seed, learning_rate, batch_size,
             max_epochs, patience):
  """Descends the mean loss of points, until held-out points stop improving.

  A tenth of the points is held out (of fewer than ten, the loss of all is
  watched). The variables are left at the values of the best epoch.

  Args:
    loss: function of points `[b, H]` and a noise seed, int64 `[2]`, to the
      losses `[b]`.
    variables: list of Keras variables.
    points: float32 `[N, H]`.
    seed: int that decides the order, what is held out and all noise.
    learning_rate: Adam's.
    batch_size: points in a step.
    max_epochs: passes over the points.
    patience: epochs without a better held-out loss after which it ends.

  Returns:
    `(epochs, best held-out loss)`.

  Raises:
    errors.UserError: if the loss is never finite.
  """
  generator = np.random.default_rng(seed)
  train, watched = (
      tf.constant(points[rows]) for rows in _split(len(points), generator))
  epoch, measure = _functions(
      loss, variables, seed, learning_rate, min(batch_size, len(train)))
  # Before the first step, too: a fit that only diverges is left as it began.
  best, best_at, kept = float(measure(watched)), 0, _values(variables)
  for number in range(1, max_epochs + 1):
    shuffled = generator.permutation(len(train))
    epoch(tf.gather(train, shuffled), tf.constant(number, tf.int64))
    found = float(measure(watched))
    if found < best:
      best, best_at, kept = found, number, _values(variables)
    if number - best_at >= patience or not np.isfinite(found):
      break
  _assign(variables, kept)
  _require_finite(best, learning_rate)
  return number, best


def held_out(number, seed):
  """Splits points into those to train on and those that are held out.

  Args:
    number: int.
    seed: int.

  Returns:
    Two arrays of indices. A tenth is held out; of fewer than ten, all are both.
  """
  return _split(number, np.random.default_rng(seed))


def _split(number, generator):
  order = generator.permutation(number)
  held = int(HELD_OUT * number)
  return order[held:], order[:held] if held else np.arange(number)


def _values(variables):
  return [v.numpy() for v in variables]


def _assign(variables, values):
  for variable, value in zip(variables, values, strict=True):
    variable.assign(value)


def _require_finite(best, learning_rate):
  if not np.isfinite(best):
    raise errors.UserError(
        'The density cannot be fitted: its loss is not finite; lower its '
        f'learning_rate = {learning_rate:g}.')


def _functions(loss, variables, seed, learning_rate, batch_size):
  optimizer = keras.optimizers.Adam(learning_rate, global_clipnorm=10.)
  optimizer.build(variables)
  # Each epoch has noise seeds of its own, as long as it has fewer steps than
  # this.
  steps_before = tf.constant(1 << 32, tf.int64)

  @tf.function(reduce_retracing=True)
  def epoch(points, number):
    step = number * steps_before
    # A last, smaller batch is left out; the next epoch has another order.
    for first in tf.range(0, tf.shape(points)[0] - batch_size + 1, batch_size):
      # A slice in a loop loses the shape, which the nets need.
      batch = tf.ensure_shape(
          points[first:first + batch_size], [batch_size, points.shape[1]])
      with tf.GradientTape() as tape:
        value = tf.reduce_mean(loss(batch, noise.seed(seed, step, 'density')))
      values = [v.value for v in variables]
      optimizer.apply(tape.gradient(value, values), variables)
      step += 1

  @tf.function(reduce_retracing=True)
  def measure(points):
    return tf.reduce_mean(loss(points, noise.seed(seed, 0, 'held_out')))

  return epoch, measure


# === A fixed number of steps ===

# How often the held-out loss is measured on the way.
_MEASURES = 20
# Steps that are taken at once: a signal waits for their end.
_AT_ONCE = 10
# Fits of so many steps are worth the seconds that XLA takes to compile a step.
_COMPILED_FROM = 4000


class Fit(typing.NamedTuple):
  """How a fit of a fixed number of steps went.

  Attributes:
    steps: how many it took.
    best_step: after which of them the averaged weights were the best.
    held_out_loss: theirs.
  """
  steps: int
  best_step: int
  held_out_loss: float

  def sentence(self, name):
    """Describes it in a sentence; `name` is that of what was fitted."""
    ends = ('the last was the best' if self.best_step == self.steps else
            f'step {self.best_step:,} was the best, before the end, and is '
            'kept')
    return (f'{name}: {self.steps:,} steps, held-out loss '
            f'{self.held_out_loss:.4f}; {ends}.')


def minimise_averaged(loss, measure, variables, averages, steps, learning_rate,
                      average_decay, name, unfinished=None, content='',
                      can_compile=False):
  """Descends a loss by Adam, whose rate falls to 0 along a cosine.

  The averages follow the variables, `a <- d a + (1 - d) v` with
  `d = min(average_decay, (1 + step) / (10 + step))`. The held-out loss is
  measured twenty times on the way, and at the end the averages have their
  values of the lowest one. A loss that is not finite ends the fit. On a
  terminal and in a notebook there is a progress bar.

  With a file `unfinished` a fit that was interrupted, also by a kill, goes on
  there: the file is written every 20 seconds, and the result is the same to the
  bit. Who asked for it removes it.

  Args:
    loss: function of the step, an int64 scalar tensor from 1 on, to the loss of
      the variables, a scalar.
    measure: function without arguments that returns the held-out loss of the
      averages, a scalar.
    variables: list of Keras variables.
    averages: as many others, with the same values.
    steps: int.
    learning_rate: Adam's, at the first step.
    average_decay: of the averages, in [0, 1).
    name: string, what the progress bar calls the fit.
    unfinished: path of that file, or None.
    content: string that changes with all that decides the fit; a file of
      another one is left alone.
    can_compile: whether XLA can compile the loss. It then compiles the steps of
      a long fit, which makes them faster and changes their last digits.

  Returns:
    `Fit`.

  Raises:
    errors.UserError: if the loss is never finite.
  """
  take_step, state = averaged_descent(
      loss, variables, averages, steps, learning_rate, average_decay)
  if can_compile and steps >= _COMPILED_FROM:
    # The step alone: a compiled loop would be of one fixed length.
    take_step = tf.function(take_step, jit_compile=True)

  @tf.function(reduce_retracing=True)
  def descend(first, last):
    for step in tf.range(first, last + 1):
      take_step(step)

  measure = tf.function(measure)
  course = unfinished_lib.Course(
      [*state, *variables, *averages], averages, unfinished, content)
  if not course.resume():
    course.see(float(measure()))
  marks = np.linspace(0, steps, _MEASURES + 1).astype(np.int64)
  ends = np.union1d(marks, np.arange(0, steps, _AT_ONCE))
  # Without a terminal tqdm shows nothing.
  with tqdm.tqdm(total=steps, initial=int(course.step), desc=name, unit='step',
                 disable=None, dynamic_ncols=True) as bar:
    for end in ends[ends > course.step]:
      # Tensors: Python numbers would trace a graph for each.
      descend(tf.constant(course.step + 1), tf.constant(end))
      bar.update(int(end - course.step))
      course.step = end
      if end in marks:
        found = float(measure())
        course.see(found)
        bar.set_postfix_str(f'held-out loss {found:.4g}', refresh=False)
        if not np.isfinite(found):
          break
      course.keep()
      # In a train command a signal is only noted while the run makes steps.
      interruption.check()
  course.finish()
  _require_finite(course.best_loss, learning_rate)
  return Fit(int(course.step), course.best_step, course.best_loss)


def averaged_descent(loss, variables, averages, steps, learning_rate,
                     average_decay):
  """Makes the step of `minimise_averaged`, whose arguments it takes.

  Returns:
    A function that takes a step in a graph, given its number from 1 on, an
    int64 scalar tensor; and a list of the optimizer's Keras variables.
  """
  optimizer = keras.optimizers.Adam(
      keras.optimizers.schedules.CosineDecay(learning_rate, steps),
      global_clipnorm=1.)
  optimizer.build(variables)

  def descend(step):
    with tf.GradientTape() as tape:
      value = loss(step)
    values = [v.value for v in variables]
    optimizer.apply(tape.gradient(value, values), variables)
    taken = tf.cast(step, tf.float32)
    # Faster at first, so that the average forgets the initial weights.
    share = 1. - tf.minimum(average_decay, (1. + taken) / (10. + taken))
    for variable, average in zip(variables, averages, strict=True):
      average.value.assign_add(share * (variable.value - average.value))

  return descend, optimizer.variables

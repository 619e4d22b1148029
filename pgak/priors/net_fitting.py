"""Fits a small net to latents by gradient descent with early stopping."""
import keras
import numpy as np
import tensorflow as tf

from pgak import errors
from pgak import noise

__all__ = ['minimise']

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
  order = generator.permutation(len(points))
  held = int(HELD_OUT * len(points))
  train = tf.constant(points[order[held:]])
  watched = tf.constant(points[order[:held]] if held else points)
  epoch, measure = _functions(
      loss, variables, seed, learning_rate, min(batch_size, len(train)))
  best, best_at, kept = float(measure(watched)), 0, _values(variables)
  for number in range(1, max_epochs + 1):
    shuffled = generator.permutation(len(train))
    epoch(tf.gather(train, shuffled), tf.constant(number, tf.int64))
    found = float(measure(watched))
    if found < best:
      best, best_at, kept = found, number, _values(variables)
    if number - best_at >= patience or not np.isfinite(found):
      break
  for variable, value in zip(variables, kept):
    variable.assign(value)
  if not np.isfinite(best):
    raise errors.UserError(
        'The density cannot be fitted: its loss is not finite; lower its '
        f'learning_rate = {learning_rate:g}.')
  return number, best


def _values(variables):
  return [v.numpy() for v in variables]


def _functions(loss, variables, seed, learning_rate, batch_size):
  optimizer = keras.optimizers.Adam(learning_rate, global_clipnorm=10.)
  optimizer.build(variables)
  steps_before = tf.constant(1 << 32, tf.int64)

  @tf.function(reduce_retracing=True)
  def epoch(points, number):
    step = number * steps_before
    # What is left over comes first in another epoch.
    for first in tf.range(0, tf.shape(points)[0] - batch_size + 1, batch_size):
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

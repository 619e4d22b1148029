"""Tests of the optimizers as gin makes them."""
import gin
import keras
import numpy as np
import pytest
import tensorflow as tf

from pgak import optimizers
from pgak import schedules


def descend(optimizer, steps=3):
  """Minimises x^2 / 2 from x = 1; returns the path."""
  x = keras.Variable(1.)
  optimizer.build([x])
  path = []
  for _ in range(steps):
    optimizer.apply([x.value], [x])
    path.append(float(x))
  return path


def test_sgd_is_heavy_ball():
  # v = 0.9 v - 0.1 x, x += v: v = -0.1, then -0.09 - 0.09 = -0.18, then
  # -0.162 - 0.072 = -0.234.
  np.testing.assert_allclose(
      descend(optimizers.sgd(0.1)), [0.9, 0.72, 0.486], rtol=1e-6)
  np.testing.assert_allclose(
      descend(optimizers.sgd(0.1, momentum=0.)), [0.9, 0.81, 0.729], rtol=1e-6)
  assert descend(optimizers.sgd(0.1, nesterov=True))[0] == pytest.approx(0.81)


def test_adam_moves_by_its_rate_at_first():
  # The first step is rate * g / (|g| + epsilon).
  assert descend(optimizers.adam(0.1))[0] == pytest.approx(0.9, rel=1e-5)


def test_settings_reach_keras():
  adam = optimizers.adam(0.1, 0.5, 0.6, 0.7)
  assert (adam.beta_1, adam.beta_2, adam.epsilon) == (0.5, 0.6, 0.7)
  assert not adam.use_ema and not optimizers.sgd(0.1).use_ema


@pytest.mark.parametrize('make, decay', [
    (optimizers.sgd, 0.75), (optimizers.adam, 0.75),
    # Of decay 0 the average is the weights themselves.
    (optimizers.adam, 0.)])
def test_the_average_of_the_weights(make, decay):
  optimizer = make(0.1, ema_decay=decay)
  assert optimizer.use_ema and optimizer.ema_momentum == decay
  x = keras.Variable(1.)
  optimizer.build([x])
  average = None  # It begins with the weights after the first step.
  for _ in range(3):
    optimizer.apply([x.value], [x])
    value = float(x)
    average = (value if average is None
               else decay * average + (1. - decay) * value)
  optimizer.finalize_variable_values([x])
  assert float(x) == pytest.approx(average, rel=1e-5)


def test_gin_knows_them_by_name_and_by_the_part():
  gin.parse_config('sgd.learning_rate = 0.5\ndecoder/sgd.learning_rate = 0.25')
  sgd = gin.get_configurable('sgd')
  with gin.config_scope('encoder'):
    assert float(sgd().learning_rate) == 0.5
  with gin.config_scope('decoder'):
    assert float(sgd().learning_rate) == 0.25


def test_a_schedule_follows_the_step_and_not_the_iterations():
  step = keras.Variable(0, dtype='int64')
  schedule = optimizers.RunSchedule(0.5, lambda done: 1. - done, step, 10)
  assert float(schedule(7)) == 0.5
  step.assign(5)
  assert float(schedule(7)) == 0.25
  step.assign(10)
  assert float(schedule(0)) == 0.


def test_a_schedule_ends_with_the_run():
  step = keras.Variable(10, dtype='int64')
  rate = optimizers.RunSchedule(0.5, schedules.cosine(0.25), step, 10)
  for further in (10, 15, 20):
    step.assign(further)
    assert float(rate(0)) == 0.125


def test_equalised_adam_moves_a_kernel_by_hes_constant():
  """Adam's first step is the rate; of 8 inputs it is 0.1 sqrt(2 / 8) = 0.05."""
  kernel = keras.Variable(np.ones([4, 2, 3], np.float32))
  bias = keras.Variable(np.ones([3], np.float32))
  optimizer = optimizers.equalised_adam(0.1)
  optimizer.build([kernel, bias])
  optimizer.apply([tf.ones([4, 2, 3]), tf.ones([3])], [kernel, bias])
  np.testing.assert_allclose(kernel, np.full([4, 2, 3], 0.95), rtol=1e-5)
  np.testing.assert_allclose(bias, np.full([3], 0.9), rtol=1e-5)


def test_equalised_adam_is_adam_on_scaled_weights():
  """W = c V: Adam of V at the rate r moves W by c times Adam's step."""
  generator = np.random.default_rng(0)
  start, gradients = generator.normal(size=(8, 3)), generator.normal(
      size=(5, 8, 3))
  constant = np.sqrt(2. / 8.)
  kernel = keras.Variable(start.astype(np.float32))
  scaled = keras.Variable((start / constant).astype(np.float32))
  ours = optimizers.equalised_adam(0.01, epsilon=1e-30)
  adams = keras.optimizers.Adam(0.01, 0., 0.99, 1e-30)
  ours.build([kernel])
  adams.build([scaled])
  for gradient in gradients.astype(np.float32):
    ours.apply([tf.constant(gradient)], [kernel])
    adams.apply([tf.constant(constant.astype(np.float32) * gradient)],
                [scaled])
  np.testing.assert_allclose(kernel, constant * np.asarray(scaled), rtol=1e-5)

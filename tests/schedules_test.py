"""Schedules, at their corners."""
import gin
import numpy as np
import pytest
import tensorflow as tf

from pgak import schedules


def _step(number):
  return tf.constant(number, tf.int64)


def test_a_number_is_a_schedule():
  value = schedules.value_at(0.25, _step(7))
  assert value.dtype == tf.float32
  assert value.shape == ()
  assert float(value) == 0.25


@pytest.mark.parametrize('step, expected', [
    (0, 0.), (2999, 0.), (3000, 0.), (3001, 0.5), (562000, 0.5)])
def test_switch_on_is_0_up_to_and_at_its_step(step, expected):
  assert float(schedules.switch_on(0.5, 3000)(_step(step))) == expected


def test_switch_on_takes_a_schedule():
  schedule = schedules.switch_on(schedules.linear(0., 1., 0, 10), 4)
  found = [float(schedules.value_at(schedule, _step(s))) for s in (4, 5, 20)]
  np.testing.assert_allclose(found, [0., 0.5, 1.])


@pytest.mark.parametrize('step, expected', [
    (0, 2.), (10, 2.), (12, 1.6), (15, 1.), (20, 0.), (1000, 0.)])
def test_linear(step, expected):
  # From 2 at step 10 to 0 at step 20: 0.2 less a step.
  found = schedules.linear(2., 0., 10, 20)(_step(step))
  np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize('done, expected', [
    (0., 1.), (1. / 3., 0.7525), (0.5, 0.505), (1., 0.01)])
def test_cosine(done, expected):
  # A third of the way 0.01 + 0.99 * (1 + cos 60 degrees) / 2 = 0.7525.
  np.testing.assert_allclose(
      schedules.cosine(0.01)(tf.constant(done)), expected, rtol=1e-6)


def test_a_schedule_is_a_tensor_of_the_step_in_a_graph():
  traces = []
  @tf.function
  def value(step):
    traces.append(1)
    return schedules.value_at(schedules.linear(0., 1., 0, 4), step)
  found = [float(value(_step(s))) for s in range(6)]
  np.testing.assert_allclose(found, [0., 0.25, 0.5, 0.75, 1., 1.])
  assert len(traces) == 1


def test_gin_knows_the_schedules():
  gin.parse_config('linear.start = 1.\nlinear.end = 3.\n'
                   'linear.first_step = 0\nlinear.last_step = 2')
  schedule = gin.get_configurable('linear')()
  assert float(schedule(_step(1))) == 2.


@pytest.mark.parametrize('done, expected', [
    (0., 1.), (0.2, 1.), (0.6, 0.55), (1., 0.1)])
def test_straight(done, expected):
  # 1 up to a fifth; in the middle of the rest, between 1 and 0.1.
  np.testing.assert_allclose(
      schedules.straight(0.2, 0.1)(tf.constant(done)), expected, rtol=1e-6)

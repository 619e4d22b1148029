"""Gradient descent with early stopping."""
import keras
import numpy as np
import pytest
import tensorflow as tf

from pgak import errors
from pgak.priors import net_fitting
from pgak.priors import unfinished


def minimise(loss, start=5., number=100, **settings):
  variable = keras.Variable(np.float32(start))
  points = np.random.default_rng(0).normal(size=(number, 1)).astype('f')
  options = dict(seed=0, learning_rate=0.3, batch_size=20, max_epochs=40,
                 patience=5) | settings
  found = net_fitting.minimise(
      lambda x, seed: loss(variable, x), [variable], points, **options)
  return float(variable), *found


def test_it_finds_the_mean_and_ends_early():
  value, epochs, best = minimise(
      lambda v, x: tf.reduce_sum(tf.square(v.value - x), -1))
  assert abs(value) < 0.4 and 5 < epochs < 40 and 0.1 < best < 2.


def test_the_best_epoch_is_what_stays():
  # Adam's rate is far too high: the loss goes up and down.
  value, _, best = minimise(
      lambda v, x: tf.reduce_mean(tf.square(v.value + 0. * x), -1),
      learning_rate=4., patience=30)
  assert value**2 == pytest.approx(best, rel=1e-4)


def test_fewer_than_ten_points_are_all_watched():
  _, _, best = minimise(lambda v, x: tf.square(v.value) + 0. * x[:, 0],
                        number=3)
  assert best < 0.1


def test_a_loss_that_is_never_finite_is_named():
  with pytest.raises(errors.UserError, match='lower its learning_rate = 0.3'):
    minimise(lambda v, x: np.nan * v.value + x[:, 0])


# === A fixed number of steps ===


def averaged(loss, steps=100, rate=0.1, measured=None, decay=0.9, **kept):
  value, average = (keras.Variable(np.float32(5.)) for _ in range(2))
  fit = net_fitting.minimise_averaged(
      lambda step: loss(value.value, step),
      lambda: (measured or tf.square)(average.value), [value], [average], steps,
      rate, decay, 'a fit', **kept)
  return fit, float(value), float(average)


def test_averages_follow_to_the_minimum():
  fit, value, average = averaged(lambda v, _: tf.square(v))
  assert fit.steps == fit.best_step == 100 and abs(value) < 0.1
  assert abs(average) < 0.5 and average != value
  assert fit.held_out_loss == pytest.approx(average**2)


def test_the_averages_are_those_of_the_best_step():
  fit, _, average = averaged(lambda v, _: tf.square(v),
                             measured=lambda a: tf.square(a - 2.))
  assert 0 < fit.best_step < fit.steps == 100
  assert fit.held_out_loss == pytest.approx((average - 2.)**2, rel=1e-4)
  # Nothing was better than the beginning.
  fit, _, average = averaged(lambda v, _: tf.square(v), measured=lambda a: -a)
  assert fit.best_step == 0 and average == 5.


def test_the_rate_decays_to_nothing():
  # The gradient is 1 always, so Adam's steps are the rates, 0.1 times
  # (1 + cos(pi k / 100)) / 2 for k from 0 to 99, which is 0.1 * 50.5.
  _, value, _ = averaged(lambda v, _: v)
  assert value == pytest.approx(5. - 5.05, abs=1e-3)


def test_averages_by_hand():
  # Two steps of Adam with gradient 1: values 5 - r, then 5 - r - r / 2, as the
  # rate of the second of two is half. d = 2/11, then 3/12.
  _, _, average = averaged(lambda v, _: v, steps=2, decay=0.9,
                           measured=lambda a: a)
  first = 2. / 11. * 5. + 9. / 11. * 4.9
  assert average == pytest.approx(0.25 * first + 0.75 * 4.85, abs=1e-4)


def test_what_diverges_on_the_way_is_left_at_its_best():
  fit, _, average = averaged(
      lambda v, step: tf.square(v) / tf.cast(step != 50, tf.float32))
  assert fit.best_step == 45 and fit.steps == 50 and np.isfinite(average)
  with pytest.raises(errors.UserError, match='lower its learning_rate = 0.1'):
    averaged(lambda v, _: v, measured=lambda a: np.nan * a)


def test_xla_compiles_the_steps_of_a_long_fit(monkeypatch):
  monkeypatch.setattr(net_fitting, '_COMPILED_FROM', 100)

  def loss(value, step):
    return tf.square(value - tf.sin(tf.cast(step, tf.float32)))

  def of_python(value, step):
    # XLA compiles none of Python's functions.
    return tf.ensure_shape(
        tf.numpy_function(lambda x: x, [0. * value], tf.float32), []
    ) + loss(value, step)

  found = averaged(loss)
  np.testing.assert_allclose(averaged(loss, can_compile=True)[1:], found[1:],
                             rtol=1e-5)
  with pytest.raises(tf.errors.InvalidArgumentError, match='XLA'):
    averaged(of_python, can_compile=True)
  # Neither a short fit nor one that says that it cannot is compiled.
  averaged(of_python, steps=99, can_compile=True)
  assert averaged(of_python)[1:] == found[1:]


@pytest.fixture(name='interrupted')
def _interrupted(monkeypatch):
  """Ends a fit after step 40, and lists the steps at which it was kept."""
  monkeypatch.setattr(unfinished, '_BETWEEN', 0.)
  keep, seen = unfinished.Course.keep, []

  def stop(course):
    keep(course)
    seen.append(int(course.step))
    if seen == [5, 10, 15, 20, 25, 30, 35, 40]:
      raise KeyboardInterrupt

  monkeypatch.setattr(unfinished.Course, 'keep', stop)
  return seen


def test_an_interrupted_fit_goes_on_where_it_was(tmp_path, interrupted):
  def loss(value, step):
    return tf.square(value - tf.sin(tf.cast(step, tf.float32)))

  def measured(average):
    return tf.square(average - 3.)

  kept = dict(unfinished=tmp_path / 'a.npz', content='a')
  with pytest.raises(KeyboardInterrupt):
    averaged(loss, measured=measured, **kept)
  on = averaged(loss, measured=measured, **kept)
  # Nothing was done twice.
  assert interrupted == list(range(5, 101, 5))
  assert on == averaged(loss, measured=measured)
  # The best of all was before the interruption.
  assert 0 < on[0].best_step < 40


def test_the_file_of_another_fit_is_left_alone(tmp_path, interrupted):
  path = tmp_path / 'a.npz'
  with pytest.raises(KeyboardInterrupt):
    averaged(lambda v, _: tf.square(v), unfinished=path, content='a')
  interrupted[:] = []
  with pytest.raises(KeyboardInterrupt):
    averaged(lambda v, _: tf.square(v), unfinished=path, content='b')
  assert interrupted[0] == 5

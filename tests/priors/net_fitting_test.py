"""Gradient descent with early stopping."""
import keras
import numpy as np
import pytest
import tensorflow as tf

from pgak import errors
from pgak.priors import net_fitting


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

"""Tests of the loop around a feature net."""
import keras
import numpy as np
import pytest
import tensorflow as tf

from pgak import errors
from pgak.metrics import features


def _net(batch_size=4, scale=1.):
  inputs = keras.Input((2, 2, 1))
  outputs = keras.layers.Rescaling(scale)(keras.layers.Flatten()(inputs))
  return features.FeatureNet(
      keras.Model(inputs, outputs), lambda x: tf.cast(x, tf.float32),
      name='flat', metric='frechet_flat', resize='none', batch_size=batch_size)


def _images(number):
  return np.random.default_rng(0).integers(0, 256, (number, 2, 2, 1), np.uint8)


@pytest.mark.parametrize('sizes', [[11], [3, 8], [4, 4, 3], [1] * 11, [0, 11]])
def test_rebatch_keeps_all_rows_in_order(sizes):
  rows = np.arange(11)
  found = list(features.rebatch(np.split(rows, np.cumsum(sizes)[:-1]), 4))
  assert [len(batch) for batch in found] == [4, 4, 3]
  np.testing.assert_array_equal(np.concatenate(found), rows)


def test_rebatch_of_nothing_is_nothing():
  assert not list(features.rebatch([], 4))


@pytest.mark.parametrize('number', [1, 4, 11])
def test_features_do_not_depend_on_the_batches(number):
  images = _images(number)
  found = np.concatenate(list(_net()(np.array_split(images, 2))))
  np.testing.assert_array_equal(found, images.reshape(number, 4))


def test_the_net_is_traced_once():
  net = _net()
  list(net([_images(11)]))
  list(net([_images(3)]))
  assert net._compiled.experimental_get_tracing_count() == 1


def test_prefetch_works_ahead_by_one():
  made = []

  def numbers():
    for i in range(5):
      made.append(i)
      yield i

  found = features.prefetch(numbers())
  assert next(found) == 0
  assert list(found) == [1, 2, 3, 4]
  assert made == [0, 1, 2, 3, 4]
  assert list(features.prefetch([None, 1])) == [None, 1]


def test_prefetch_passes_errors_on():
  def broken():
    yield 1
    raise errors.UserError('the disk is gone')

  found = features.prefetch(broken())
  assert next(found) == 1
  with pytest.raises(errors.UserError, match='the disk is gone'):
    next(found)


def test_the_fingerprint_is_of_the_weights():
  def net(bias):
    inputs = keras.Input((2, 2, 1))
    dense = keras.layers.Dense(
        2, kernel_initializer='ones',
        bias_initializer=keras.initializers.Constant(bias))
    return features.FeatureNet(
        keras.Model(inputs, dense(keras.layers.Flatten()(inputs))), None,
        'n', 'm', 'none')

  assert net(0.).fingerprint == net(0.).fingerprint != net(1.).fingerprint


@pytest.mark.parametrize('images', [
    np.zeros([3, 2, 2, 1], np.float32), np.zeros([3, 2, 2], np.uint8)])
def test_images_of_another_kind_are_refused(images):
  with pytest.raises(ValueError, match='uint8 images'):
    list(_net()([images]))


def test_features_that_are_not_finite_are_an_error():
  with pytest.raises(errors.UserError, match='not finite'):
    list(_net(scale=np.inf)([_images(3)]))


def test_overhead_is_a_ratio():
  found = features.measure_overhead(_net(), (2, 2, 1), num_batches=2, repeats=1)
  assert found['ratio'] == pytest.approx(
      found['images_per_second'] / found['bare_images_per_second'])


def test_probabilities_are_the_softmax_of_the_head():
  # Logits 0 and log 3: odds 1 to 3.
  net = _net()
  net.head = np.array([[0., np.log(3.)], [5., 5.]]), np.array([1., 1.])
  np.testing.assert_allclose(
      net.probabilities(np.float32([[1., 0.], [0., 700.]])),
      [[0.25, 0.75], [0.5, 0.5]])


def test_a_net_without_classes_has_no_probabilities():
  with pytest.raises(errors.UserError, match='flat gives no class prob'):
    _net().probabilities(np.zeros((3, 4)))

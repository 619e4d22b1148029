"""The building blocks."""
import keras
from keras import layers
from keras import ops
import numpy as np
import pytest
import tensorflow as tf

from pgak.networks import blocks


def test_zero_unpooling():
  # Each pixel goes to the upper left of four, the other three are 0.
  found = blocks.ZeroUnpooling()(tf.constant([[[[1.], [2.]], [[3.], [4.]]]]))
  np.testing.assert_array_equal(found[0, ..., 0], [
      [1., 0., 2., 0.], [0., 0., 0., 0.], [3., 0., 4., 0.], [0., 0., 0., 0.]])


def test_zero_unpooling_of_channels_and_unknown_batch():
  inputs = keras.Input((2, 3, 5))
  outputs = blocks.ZeroUnpooling()(inputs)
  assert outputs.shape == (None, 4, 6, 5)
  x = np.random.default_rng(0).normal(size=(3, 2, 3, 5)).astype('float32')
  found = keras.Model(inputs, outputs)(x).numpy()
  np.testing.assert_array_equal(found[:, ::2, ::2], x)
  assert np.abs(found).sum() == pytest.approx(np.abs(x).sum(), rel=1e-5)


@pytest.mark.parametrize('normalised', [False, True])
def test_activated(normalised):
  inputs = keras.Input((3,))
  outputs = blocks.activated(
      layers.Dense(4, use_bias=not normalised), inputs, ops.relu, normalised)
  kinds = [type(layer) for layer in keras.Model(inputs, outputs).layers]
  assert (layers.BatchNormalization in kinds) == normalised
  assert kinds[1] is layers.Dense

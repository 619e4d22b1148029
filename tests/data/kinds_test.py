"""Value ranges, rounding, grids and PNG."""
import os

import keras
import numpy as np
import pytest
import tensorflow as tf

from pgak.data import kinds
from pgak.pictures import grids
from pgak.pictures import png

RANGES = [(-1., 1.), (0., 1.)]
LEVELS = np.arange(256, dtype=np.uint8)


@pytest.mark.parametrize('value_range', RANGES)
def test_to_float_covers_the_range(value_range):
  values = kinds.to_float(LEVELS, value_range)
  assert values.dtype == tf.float32
  low, high = value_range
  np.testing.assert_allclose(values, np.linspace(low, high, 256), atol=1e-6)
  assert float(values[0]) == low
  assert float(values[255]) == pytest.approx(high, abs=1e-6)


@pytest.mark.parametrize('value_range', RANGES)
def test_every_level_comes_back(value_range):
  values = kinds.to_float(LEVELS, value_range)
  np.testing.assert_array_equal(kinds.to_uint8(values, value_range), LEVELS)


@pytest.mark.parametrize('value_range', RANGES)
def test_every_level_survives_truncation(value_range):
  values = kinds.to_float(LEVELS, value_range)
  np.testing.assert_array_equal(
      kinds.to_uint8(values, value_range, 'truncate'), LEVELS)
  # A number that is below the next level by more than rounding is truncated.
  low, high = value_range
  step = (high - low) / 255.
  below = tf.constant(low + step * (np.arange(255) + 0.998), tf.float32)
  np.testing.assert_array_equal(
      kinds.to_uint8(below, value_range, 'truncate'), np.arange(255))
  middle = tf.constant(low + step * (np.arange(255) + 0.5), tf.float32)
  np.testing.assert_array_equal(
      kinds.to_uint8(middle, value_range, 'truncate'), np.arange(255))


def test_to_uint8_rounds_to_the_nearest_or_truncates():
  # On [0, 1] the levels are 255 times the value.
  levels = np.array([0., 0.4, 0.6, 1.2, 1.8, 99.9, 254.4, 254.6, 255.])
  values = tf.constant(levels / 255., tf.float32)
  np.testing.assert_array_equal(
      kinds.to_uint8(values, (0., 1.)), [0, 0, 1, 1, 2, 100, 254, 255, 255])
  np.testing.assert_array_equal(
      kinds.to_uint8(values, (0., 1.), 'truncate'),
      [0, 0, 0, 1, 1, 99, 254, 254, 255])


@pytest.mark.parametrize('rounding', ['nearest', 'truncate'])
@pytest.mark.parametrize('value_range', RANGES)
def test_to_uint8_clips_what_lies_outside(value_range, rounding):
  low, high = value_range
  values = tf.constant([low - 5., low - 1e-3, low, high, high + 1e-3, 1e9])
  np.testing.assert_array_equal(
      kinds.to_uint8(values, value_range, rounding),
      [0, 0, 0, 255, 255, 255])


def test_truncating_darkens_by_half_a_level_on_average():
  values = tf.random.stateless_uniform([100000], [1, 2], -1., 1.)
  nearest, truncated = (
      tf.cast(kinds.to_uint8(values, (-1., 1.), r), tf.float64)
      for r in ('nearest', 'truncate'))
  assert float(tf.reduce_mean(nearest - truncated)) == pytest.approx(
      0.5, abs=0.01)


def test_another_rounding_is_an_error():
  with pytest.raises(ValueError, match='rounding.*floor'):
    kinds.to_uint8(tf.zeros([1]), (0., 1.), 'floor')


@pytest.mark.parametrize('activation, expected', [
    ('tanh', (-1., 1.)), ('sigmoid', (0., 1.))])
def test_value_range_of_the_last_activation(activation, expected):
  decoder = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2),
                              keras.layers.Activation(activation)])
  assert kinds.value_range_of(decoder) == expected


@pytest.mark.parametrize('last', [keras.layers.Dense(2, 'relu'),
                                  keras.layers.Reshape((2, 1))])
def test_value_range_of_another_activation_is_an_error(last):
  decoder = keras.Sequential([keras.Input((2,)), last])
  with pytest.raises(ValueError, match='sigmoid.*tanh'):
    kinds.value_range_of(decoder)


def test_grid_layout():
  # Three images of 1 x 2 in two columns, with lines of one pixel:
  #   1 1 | 2 2
  #   ---------
  #   3 3 | . .
  three = np.stack([np.full((1, 2, 1), i, np.uint8) for i in (1, 2, 3)])
  found = grids.grid(three, columns=2)
  assert found.dtype == np.uint8
  np.testing.assert_array_equal(found[..., 0], [
      [1, 1, 255, 2, 2],
      [255, 255, 255, 255, 255],
      [3, 3, 255, 255, 255]])
  np.testing.assert_array_equal(
      grids.grid(three, columns=3, border=0)[..., 0], [[1, 1, 2, 2, 3, 3]])


@pytest.mark.parametrize('number, side', [(1, 1), (4, 2), (5, 3), (9, 3)])
def test_grid_is_the_smallest_square_by_default(number, side):
  found = grids.grid(np.zeros((number, 4, 4, 3), np.uint8), border=2)
  rows = -(-number // side)
  assert found.shape == (rows * 6 - 2, side * 6 - 2, 3)


@pytest.mark.parametrize('channels', [1, 3])
def test_png_round_trip(tmp_path, channels):
  image = np.random.default_rng(0).integers(
      0, 256, (5, 7, channels), dtype=np.uint8)
  path = tmp_path / 'new' / 'image.png'
  png.write(path, image)
  png.write(path, image)
  np.testing.assert_array_equal(tf.io.decode_png(path.read_bytes()), image)
  assert png.encode(image) == path.read_bytes()
  assert os.listdir(path.parent) == ['image.png']


def test_a_png_that_cannot_be_made_leaves_the_old_one(tmp_path):
  path = tmp_path / 'image.png'
  image = np.zeros((2, 2, 1), np.uint8)
  png.write(path, image)
  with pytest.raises(Exception):
    png.write(path, np.zeros((2, 2, 7), np.uint8))
  np.testing.assert_array_equal(tf.io.decode_png(path.read_bytes()), image)
  assert os.listdir(tmp_path) == ['image.png']


def test_vectors_pass_as_they_are():
  vectors = np.array([[-3.5, 0.25, 300.]])
  for convert in (kinds.to_float, kinds.to_uint8):
    passed = convert(vectors, None)
    assert passed.dtype == tf.float32
    np.testing.assert_array_equal(passed, vectors)
  assert kinds.dtype_of((3,)) == np.float32
  assert kinds.dtype_of((8, 8, 1)) == np.uint8
  assert kinds.are_vectors((3,)) and not kinds.are_vectors((1, 1, 3))

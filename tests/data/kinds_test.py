"""Kinds of data, their conversions, and what is looked up by kind."""
import pathlib
import re

import keras
import numpy as np
import pytest
import tensorflow as tf

from pgak import errors
from pgak.data import kinds

RANGES = [(-1., 1.), (0., 1.)]
LEVELS = np.arange(256, dtype=np.uint8)
ROOT = pathlib.Path(kinds.__file__).parent.parent


def to_model(levels, value_range):
  return kinds.Images((1, 1, 1), value_range).to_model(levels)


def to_users(values, value_range, *rounding):
  return kinds.Images((1, 1, 1), value_range).to_users(values, *rounding)


@pytest.mark.parametrize('value_range', RANGES)
def test_to_model_covers_the_range(value_range):
  values = to_model(LEVELS, value_range)
  assert values.dtype == tf.float32
  low, high = value_range
  np.testing.assert_allclose(values, np.linspace(low, high, 256), atol=1e-6)
  assert float(values[0]) == low
  assert float(values[255]) == pytest.approx(high, abs=1e-6)


@pytest.mark.parametrize('value_range', RANGES)
def test_every_level_comes_back(value_range):
  values = to_model(LEVELS, value_range)
  np.testing.assert_array_equal(to_users(values, value_range), LEVELS)


@pytest.mark.parametrize('value_range', RANGES)
def test_every_level_survives_truncation(value_range):
  values = to_model(LEVELS, value_range)
  np.testing.assert_array_equal(
      to_users(values, value_range, 'truncate'), LEVELS)
  # A number that is below the next level by more than rounding is truncated.
  low, high = value_range
  step = (high - low) / 255.
  below = tf.constant(low + step * (np.arange(255) + 0.998), tf.float32)
  np.testing.assert_array_equal(
      to_users(below, value_range, 'truncate'), np.arange(255))
  middle = tf.constant(low + step * (np.arange(255) + 0.5), tf.float32)
  np.testing.assert_array_equal(
      to_users(middle, value_range, 'truncate'), np.arange(255))


def test_to_users_rounds_to_the_nearest_or_truncates():
  # On [0, 1] the levels are 255 times the value.
  levels = np.array([0., 0.4, 0.6, 1.2, 1.8, 99.9, 254.4, 254.6, 255.])
  values = tf.constant(levels / 255., tf.float32)
  np.testing.assert_array_equal(
      to_users(values, (0., 1.)), [0, 0, 1, 1, 2, 100, 254, 255, 255])
  np.testing.assert_array_equal(
      to_users(values, (0., 1.), 'truncate'),
      [0, 0, 0, 1, 1, 99, 254, 254, 255])


@pytest.mark.parametrize('rounding', ['nearest', 'truncate'])
@pytest.mark.parametrize('value_range', RANGES)
def test_to_users_clips_what_lies_outside(value_range, rounding):
  low, high = value_range
  values = tf.constant([low - 5., low - 1e-3, low, high, high + 1e-3, 1e9])
  np.testing.assert_array_equal(
      to_users(values, value_range, rounding),
      [0, 0, 0, 255, 255, 255])


def test_truncating_darkens_by_half_a_level_on_average():
  values = tf.random.stateless_uniform([100000], [1, 2], -1., 1.)
  nearest, truncated = (
      tf.cast(to_users(values, (-1., 1.), r), tf.float64)
      for r in ('nearest', 'truncate'))
  assert float(tf.reduce_mean(nearest - truncated)) == pytest.approx(
      0.5, abs=0.01)


def test_another_rounding_is_an_error():
  with pytest.raises(ValueError, match='rounding.*floor'):
    to_users(tf.zeros([1]), (0., 1.), 'floor')


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


def test_vectors_pass_as_they_are():
  vectors = np.array([[-3.5, 0.25, 300.]])
  kind = kinds.of_shape((3,))
  for convert in (kind.to_model, kind.to_users):
    passed = convert(vectors)
    assert passed.dtype == tf.float32
    np.testing.assert_array_equal(passed, vectors)
  with pytest.raises(errors.UserError, match='examples.* 1'):
    kind.to_model([[0., np.nan, 1.]])


@pytest.mark.parametrize('kind, name, dtype', [
    (kinds.of_shape((3,)), 'vectors', tf.float32),
    (kinds.of_shape((8, 8, 1)), 'images', tf.uint8)])
def test_the_shape_tells_the_kind(kind, name, dtype):
  assert kind.name == name
  assert kind.spec() == tf.TensorSpec([None, *kind.shape], dtype)
  assert kind.spec(4).shape[0] == 4
  assert kinds.named(name, kind.shape) == kinds.named(None, kind.shape) == kind


def test_no_kind_is_one_sentence():
  with pytest.raises(errors.UserError, match=r'the shape \(2, 3\): register'):
    kinds.of_shape((2, 3))


def test_pairs_are_converted_each():
  kind = kinds.Pairs((2, 2, 1), (-1., 1.), (2, 2, 3))
  pair = {'images': np.full((1, 2, 2, 1), 255, np.uint8),
          'conditions': np.zeros((1, 2, 2, 3), np.uint8)}
  found = kind.to_model(pair)
  np.testing.assert_allclose(found['images'], 1., atol=1e-6)
  np.testing.assert_array_equal(found['conditions'], np.full((1, 2, 2, 3), -1))
  np.testing.assert_array_equal(kind.to_users(found['images']), pair['images'])
  assert kind.spec()['conditions'].shape == (None, 2, 2, 3)


def test_a_table_asks_the_class_and_then_its_parents():

  class Prints(kinds.Images):
    name = 'prints'

  table = kinds.Table({kinds.Kind: 'any', kinds.Images: 'images'})
  assert table.of(Prints((2, 2, 1))) == 'images'
  assert table.of(kinds.Vectors((2,))) == 'any'
  table.add(Prints, 'prints')
  assert table.of(Prints((2, 2, 1))) == 'prints'
  assert table.of(kinds.Images((2, 2, 1))) == 'images'
  assert kinds.Table({}).of(kinds.Vectors((2,))) is None


def test_a_data_set_of_one_s_own_has_the_kind_of_its_shape():

  class Old:
    image_shape = (4,)

  assert kinds.of(Old) == kinds.Vectors((4,))


# Numbers that convert between grey levels and a model's range; where they may
# stand: what computes with grey levels, and no model's floats; the scale of an
# error; and levels as a range.
CONVERTS = re.compile(r'255\.|/ ?255\b|127\.5')
FREE = ('data/', 'pictures/', 'metrics/', 'networks/', 'evaluation/pairs.py',
        'serving/client.py')
# Nets ask for the rank of a tensor.
ASKS = re.compile(r'len\([\w.]*(image_shape|shape)\) *[=!<>]')


def lines_that(search, free):
  return [f'{path.relative_to(ROOT)}:{number}: {line.strip()}'
          for path in sorted(ROOT.rglob('*.py'))
          if not str(path.relative_to(ROOT)).startswith(free)
          for number, line in enumerate(path.read_text().splitlines(), 1)
          if search(line)]


def test_there_is_no_other_conversion():
  assert CONVERTS.search('x / 127.5 - 1.') and CONVERTS.search('x * (2 / 255)')
  assert not lines_that(CONVERTS.search, FREE)


def test_nothing_else_asks_for_a_kind_by_its_shape_or_class():
  assert ASKS.search('if len(model.image_shape) == 1:')
  # What is in an array file has no kind yet.
  assert not lines_that(ASKS.search, ('data/array_', 'data/kinds.py',
                                      'networks/'))
  of_class = re.compile(r'isinstance\(.*\b(Images|Vectors|Pairs)\b')
  assert not lines_that(of_class.search, ())

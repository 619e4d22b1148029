"""Augmentation repeats by the step, and does what it is named after."""
import itertools
import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from pgak import data
from pgak import errors
from pgak import noise

ALL = dict(horizontal_flip=True, translation=.1, rotation=.05, zoom=.1,
           brightness=.1, contrast=.2)


@pytest.fixture(name='digits', scope='module')
def _digits():
  return data.digits().split('train')


def random_images(count=64, shape=(8, 8, 3)):
  return tf.constant(np.random.RandomState(0).uniform(
      0., 255., (count,) + shape), tf.float32)


def seed(step):
  return noise.seed(7, step, 'augmentation')


def batches(digits, start, count, **options):
  """Returns batches of a pipeline, and an augmenter, of their own."""
  dataset = data.train_batches(
      digits, 16, seed=7, start_step=start, augmenter=data.augmenter(**options))
  return [batch.numpy() for batch in itertools.islice(iter(dataset), count)]


def test_a_fresh_pipeline_repeats_and_a_jump_goes_on(digits):
  whole = batches(digits, 0, 12, **ALL)
  np.testing.assert_array_equal(whole, batches(digits, 0, 12, **ALL))
  np.testing.assert_array_equal(whole[9:], batches(digits, 9, 3, **ALL))


def test_every_kind_of_change_repeats_and_changes_with_the_step():
  off = {**dict.fromkeys(ALL, 0.), 'horizontal_flip': False}
  images = random_images()
  for name, share in ALL.items():
    change = data.augmenter(**{**off, name: share})
    first, second = change(images, seed(1)), change(images, seed(2))
    fresh = data.augmenter(**{**off, name: share})
    np.testing.assert_array_equal(fresh(images, seed(1)), first, name)
    assert np.any(np.asarray(first) != np.asarray(second)), name
    assert np.any(np.asarray(first) != np.asarray(images)), name


def test_what_was_drawn_before_does_not_matter():
  change = data.augmenter(**ALL)
  images = random_images()
  first = change(images, seed(1))
  for step in range(5):
    change(images, seed(step))
  tf.random.set_seed(99)
  np.testing.assert_array_equal(change(images, seed(1)), first)


def test_a_graph_draws_what_eager_mode_draws():
  change = data.augmenter(**ALL)
  images = random_images()
  graph = tf.function(lambda step: change(images, seed(step)))
  for step in range(3):
    np.testing.assert_allclose(graph(tf.constant(step, tf.int64)),
                               change(images, seed(step)), atol=1e-3)


def test_flips_are_flips_of_half_of_the_images():
  images = random_images(400)
  flipped = data.augmenter()(images, seed(0)).numpy()
  mirrored = images.numpy()[:, :, ::-1]
  same = np.all(flipped == images.numpy(), (1, 2, 3))
  turned = np.all(flipped == mirrored, (1, 2, 3))
  assert np.all(same ^ turned)
  # 200 on average; the standard deviation is 10.
  assert 150 < turned.sum() < 250


def test_the_draws_of_different_layers_and_images_differ():
  images = tf.tile(random_images(1, (16, 16, 1)), [32, 1, 1, 1])
  change = data.augmenter(False, brightness=.3)
  means = tf.reduce_mean(change(images, seed(0)), [1, 2, 3]).numpy()
  assert len(np.unique(means)) == 32
  both = data.augmenter(False, brightness=.3, contrast=.3)
  spread = tf.math.reduce_std(both(images, seed(0)), [1, 2, 3]).numpy()
  assert abs(np.corrcoef(means, spread)[0, 1]) < .6


def test_brightness_shifts_within_its_share():
  images = tf.fill([200, 4, 4, 1], 128.)
  shift = data.augmenter(False, brightness=.1)(images, seed(0)).numpy() - 128.
  assert np.all(np.ptp(shift, (1, 2, 3)) == 0.)
  assert -25.5 <= shift.min() < -20. and 20. < shift.max() <= 25.5


def test_translation_moves_within_its_share_and_repeats_the_edge():
  row = tf.range(20, dtype=tf.float32)[None, None, :, None]
  images = tf.tile(row, [200, 20, 1, 1])
  moved = data.augmenter(False, translation=.1)(images, seed(0)).numpy()
  shift = moved[:, 10, 10, 0] - 10.
  assert -2.001 <= shift.min() < -1.5 and 1.5 < shift.max() <= 2.001
  assert moved.min() >= 0. and moved.max() <= 19.


def test_what_moves_in_is_the_edge():
  # Rows of 100, 101, ... 119: a shift by s gives clip(x - s), at the ends the
  # edge itself; a mirror would give 101 and 118, a constant something else.
  row = 100. + tf.range(20, dtype=tf.float32)[None, None, :, None]
  moved = data.augmenter(False, translation=.3)(
      tf.tile(row, [100, 20, 1, 1]), seed(0)).numpy()[:, 10, :, 0]
  shift = 110. - moved[:, 10]
  assert shift.min() < -4. and shift.max() > 4.
  expected = np.clip(row[0, 0, :, 0] - shift[:, None], 100., 119.)
  np.testing.assert_allclose(moved, expected, atol=1e-2)


@pytest.mark.parametrize('name', ['rotation', 'zoom', 'translation'])
def test_nothing_dark_moves_in(name):
  images = tf.fill([50, 9, 9, 1], 200.)
  moved = data.augmenter(False, **{name: .5})(images, seed(0))
  np.testing.assert_allclose(moved, images, atol=1e-3)


def test_values_stay_in_the_range(digits):
  for batch in batches(digits, 0, 4, **{**ALL, 'brightness': 1.}):
    assert batch.min() >= -1. and batch.max() <= 1.
    assert batch.dtype == np.float32 and batch.shape == (16, 8, 8, 1)


def test_a_bfloat16_policy_does_not_make_it_coarse():
  images = random_images()
  exact = data.augmenter(**ALL)(images, seed(0))
  keras.config.set_dtype_policy('mixed_bfloat16')
  np.testing.assert_array_equal(data.augmenter(**ALL)(images, seed(0)), exact)


def test_replicas_share_one_draw_of_the_global_batch(digits):
  def make(**options):
    dataset = data.train_batches(digits, 16, 7, augmenter=data.augmenter(**ALL),
                                 **options)
    return iter(dataset)

  whole, shares = make(), make(replica_slots=(2, [0, 1]))
  for _ in range(3):
    np.testing.assert_array_equal(
        tf.concat([next(shares), next(shares)], 0), next(whole))


@pytest.mark.parametrize('share', [-.1, 1.1, math.nan])
def test_senseless_shares_are_refused(share):
  with pytest.raises(errors.UserError, match='augmenter.zoom = .* 0 to 1'):
    data.augmenter(zoom=share)


def test_an_augmenter_that_does_nothing_is_refused():
  with pytest.raises(errors.UserError, match='changes nothing'):
    data.augmenter(horizontal_flip=False)


def test_a_run_of_0_4_goes_on_with_the_same_changes():
  images = tf.tile(tf.reshape(tf.range(240, dtype=tf.float32),
                              [1, 12, 20, 1]), [3, 1, 1, 1])
  changed = data.augmenter(**ALL)(images, seed(3))
  # What version 0.4 made of it, where keras-cv drew by our generator.
  np.testing.assert_allclose(changed[:, 5, 7, 0],
                             [118.0898, 76.9003, 135.9314], atol=1e-3)

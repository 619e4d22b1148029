"""Training batches: order, resuming, replicas, and what `fit` makes of them."""
import itertools
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from pgak import data
from pgak import errors
from pgak.data import pipelines

LENGTH = 297  # Of the test split of digits.


@pytest.fixture(name='digits', scope='module')
def _digits():
  return data.digits().split('test')


@pytest.fixture(name='which', scope='module')
def _which(digits):
  """Returns a function from a batch in [-1, 1] to its positions."""
  place = {image.tobytes(): i
           for i, image in enumerate(digits.read(np.arange(LENGTH)))}
  assert len(place) == LENGTH

  def positions(images):
    pixels = np.rint((np.asarray(images) + 1.) * 127.5).astype(np.uint8)
    return [place[image.tobytes()] for image in pixels]

  return positions


def take(dataset, count):
  return list(itertools.islice(iter(dataset), count))


@pytest.mark.parametrize('length', [1, 2, 3, 10, 297, 1000])
@pytest.mark.parametrize('seed', [0, -1, 2**40])
def test_each_epoch_is_a_permutation(length, seed):
  epochs = [pipelines.order(tf.range(e * length, (e + 1) * length,
                                     dtype=tf.int64), length, seed).numpy()
            for e in range(4)]
  for epoch in epochs:
    assert sorted(epoch) == list(range(length))
  if length > 100:
    assert len({tuple(epoch) for epoch in epochs}) == 4
    moved = [np.mean(np.abs(np.diff(epoch))) / length for epoch in epochs]
    assert min(moved) > .25  # 1/3 on average for a random order.


def test_an_epoch_shows_no_image_twice(digits, which):
  steps = LENGTH // 32
  seen = [which(batch) for batch in take(
      data.train_batches(digits, 32, seed=1), 2 * steps)]
  for epoch in (seen[:steps], seen[steps:]):
    assert len(set(sum(epoch, []))) == 32 * steps == 288
  assert seen[0] != seen[steps]


def test_a_batch_of_the_whole_split(digits, which):
  first, second = take(data.train_batches(digits, LENGTH, seed=1), 2)
  assert sorted(which(first)) == sorted(which(second)) == list(range(LENGTH))


def test_the_order_is_a_function_of_the_seed(digits):
  def first(seed):
    return take(data.train_batches(digits, 32, seed), 1)[0].numpy()

  np.testing.assert_array_equal(first(5), first(5))
  assert np.any(first(5) != first(6))


@pytest.mark.parametrize('start', [1, 8, 9, 10, 23])
def test_a_later_start_goes_on_as_if_never_stopped(digits, start):
  whole = take(data.train_batches(digits, 32, seed=3), 26)
  resumed = take(data.train_batches(digits, 32, seed=3, start_step=start), 3)
  for one, other in zip(whole[start:], resumed):
    np.testing.assert_array_equal(one, other)


def test_a_jump_far_ahead_costs_nothing(digits, which):
  far = data.train_batches(digits, 32, seed=3, start_step=10**15)
  assert len(set(which(take(far, 1)[0]))) == 32


@pytest.mark.parametrize('value_range', [(-1., 1.), (0., 1.)])
def test_values_span_their_range(digits, value_range):
  dataset = data.train_batches(digits, 32, 0, value_range=value_range)
  assert dataset.element_spec == tf.TensorSpec([32, 8, 8, 1], tf.float32)
  batch, = take(dataset, 1)
  np.testing.assert_allclose(
      [tf.reduce_min(batch), tf.reduce_max(batch)], value_range, atol=1e-6)


def test_labels_stay_with_their_images(digits, which):
  for images, labels in take(data.train_batches(digits, 32, 0, labels=True), 3):
    np.testing.assert_array_equal(labels, digits.labels[which(images)])


@pytest.mark.parametrize('num_replicas', [1, 2, 4])
def test_the_replicas_of_all_workers_share_the_global_batch(
    digits, num_replicas):
  whole = take(data.train_batches(digits, 32, seed=3, start_step=2), 3)
  workers = [[0]] if num_replicas == 1 else [
      list(range(num_replicas // 2)),
      list(range(num_replicas // 2, num_replicas))]
  slices = [iter(data.train_batches(digits, 32, seed=3, start_step=2,
                                    replica_slots=(num_replicas, slots)))
            for slots in workers]
  for batch in whole:
    shares = [next(worker) for worker, slots in zip(slices, workers)
              for _ in slots]
    assert all(share.shape[0] == 32 // num_replicas for share in shares)
    np.testing.assert_array_equal(tf.concat(shares, 0), batch)


def test_replicas_with_labels(digits):
  whole = take(data.train_batches(digits, 8, 0, labels=True), 1)
  shares = take(data.train_batches(digits, 8, 0, labels=True,
                                   replica_slots=(2, [0, 1])), 2)
  for i in range(2):
    np.testing.assert_array_equal(
        tf.concat([share[i] for share in shares], 0), whole[0][i])


def test_an_augmenter_sees_the_global_batch_and_the_step(digits):
  seen = []

  def brighten(images, seed):
    seen.append((images.shape, images.dtype, seed.shape, seed.dtype))
    return images * 0. + 255. * tf.cast(seed[1], tf.float32) / 100.

  shares = take(data.train_batches(
      digits, 8, 0, start_step=40, value_range=(0., 1.), augmenter=brighten,
      replica_slots=(2, [0, 1])), 4)
  np.testing.assert_allclose([tf.reduce_mean(x) for x in shares],
                             [.40, .40, .41, .41], rtol=1e-6)
  assert seen[0] == ((8, 8, 8, 1), tf.float32, (2,), tf.int64)


def test_what_cannot_be_is_told(digits):
  with pytest.raises(errors.UserError, match='297 images, fewer than'):
    data.train_batches(digits, 298, 0)
  with pytest.raises(errors.UserError, match='shared by 3 replicas'):
    data.train_batches(digits, 32, 0, replica_slots=(3, [0]))
  with pytest.raises(errors.UserError, match='no labels'):
    synthetic = data.synthetic((4, 4, 1), 8).split('train')
    data.train_batches(synthetic, 2, 0, labels=True)


@pytest.mark.parametrize('limit,sizes', [
    (None, [100, 100, 97]), (200, [100, 100]), (150, [100, 50]),
    (1000, [100, 100, 97])])
def test_batches_go_through_the_split_in_order(digits, which, limit, sizes):
  dataset = data.batches(digits, 100, (-1., 1.), limit)
  assert int(dataset.cardinality()) == len(sizes)
  found = [which(batch) for batch in dataset]
  assert [len(batch) for batch in found] == sizes
  assert sum(found, []) == list(range(sum(sizes)))


def test_batches_with_labels(digits):
  labels = [y.numpy() for _, y in data.batches(digits, 100, labels=True)]
  np.testing.assert_array_equal(np.concatenate(labels), digits.labels)


def linear_autoencoder():
  model = keras.Sequential([keras.layers.Flatten(),
                            keras.layers.Dense(10, kernel_initializer='zeros')])
  model.compile(optimizer=keras.optimizers.SGD(.05), loss='mse')
  return model


def test_fit_takes_the_endless_data_set(digits):
  dataset = data.train_batches(digits, 32, 0, labels=True)
  dataset = dataset.map(lambda x, y: (x, tf.one_hot(y, 10)))
  history = linear_autoencoder().fit(
      dataset, steps_per_epoch=20, epochs=3, verbose=0).history['loss']
  assert history[-1] < history[0]


def test_fit_under_a_strategy_sees_the_same_batches(digits):
  def make(context):
    del context
    return data.train_batches(digits, 32, 0, labels=True,
                              replica_slots=(1, [0])).map(one_hot)

  def one_hot(images, labels):
    return images, tf.one_hot(labels, 10)

  strategy = tf.distribute.MirroredStrategy(['/cpu:0'])
  with strategy.scope():
    model = linear_autoencoder()
  model.fit(strategy.distribute_datasets_from_function(make),
            steps_per_epoch=15, verbose=0)
  alone = linear_autoencoder()
  alone.fit(data.train_batches(digits, 32, 0, labels=True).map(one_hot),
            steps_per_epoch=15, verbose=0)
  for one, other in zip(model.get_weights(), alone.get_weights()):
    np.testing.assert_allclose(one, other, atol=1e-6)


TWO_REPLICAS = """
import faulthandler
import numpy as np
import tensorflow as tf
cpu, = tf.config.list_physical_devices('CPU')
tf.config.set_logical_device_configuration(
    cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from pgak import data
# From here on, as on a busy machine the imports alone take minutes.
faulthandler.dump_traceback_later(240, exit=True)
digits = data.digits().split('test')
strategy = tf.distribute.MirroredStrategy(['/cpu:0', '/cpu:1'])
shares = iter(strategy.distribute_datasets_from_function(
    lambda context: data.train_batches(digits, 32, 3, replica_slots=(
        context.num_replicas_in_sync, [0, 1]))))
for batch in data.train_batches(digits, 32, 3).take(20):
  parts = strategy.experimental_local_results(next(shares))
  assert [part.shape[0] for part in parts] == [16, 16]
  np.testing.assert_array_equal(tf.concat(parts, 0), batch)
"""


@pytest.mark.slow
def test_two_replicas_get_their_slices_in_order():
  environment = {**os.environ, 'PYTHONPATH': os.pathsep.join(sys.path)}
  done = subprocess.run([sys.executable, '-c', TWO_REPLICAS], text=True,
                        env=environment, capture_output=True, check=False)
  assert done.returncode == 0, done.stderr

"""Tests of the one pass that serves all metrics."""
import keras
import numpy as np
import pytest
import tensorflow as tf

from pgak import errors
from pgak.metrics import feature_sets
from pgak.metrics import features
from pgak.metrics import reference


def _net(scale=1., head=None):
  inputs = keras.Input((2, 2, 1))
  outputs = keras.layers.Rescaling(scale)(keras.layers.Flatten()(inputs))
  return features.FeatureNet(
      keras.Model(inputs, outputs), lambda x: tf.cast(x, tf.float32),
      f'flat_{scale}', 'frechet_flat', 'none', 8, head)


class _Array:
  """Stands in for `data.ImageArray`."""

  name, split, fingerprint, preprocessing = 'numbers', 'test', 'aa', {}

  def __init__(self, images):
    self.images, self.reads = images, 0

  def __len__(self):
    return len(self.images)

  def read(self, indices):
    self.reads += 1
    return self.images[indices]


@pytest.fixture(name='images')
def _images():
  return np.random.default_rng(0).integers(0, 256, (50, 2, 2, 1), np.uint8)


def test_each_net_has_all_rows_in_order(images):
  found = feature_sets.collect([_net(), _net(2.)], np.array_split(images, 3))
  rows = images.reshape(50, 4).astype(np.float32)
  for result, expected in zip(found, (rows, 2. * rows)):
    np.testing.assert_array_equal(result.rows, expected)
    assert result.moments.count == 50
    np.testing.assert_allclose(result.moments.mean, expected.mean(0), rtol=1e-6)


def test_rows_are_bounded_and_moments_are_not(images, monkeypatch):
  monkeypatch.setattr(reference, 'MAXIMUM_ROWS', 20)
  (found,) = feature_sets.collect([_net()], np.array_split(images, 4))
  assert len(found.rows) == 20 and found.moments.count == 50
  np.testing.assert_array_equal(found.rows, images[:20].reshape(20, 4))


def test_rows_are_kept_only_where_they_are_needed(images):
  (found,) = feature_sets.collect([_net()], [images], keep_rows=False)
  assert found.rows is None and found.moments.count == 50


def test_probabilities_are_of_all_images(images, monkeypatch):
  # The inception score is of 50,000; features of so many are too large.
  monkeypatch.setattr(reference, 'MAXIMUM_ROWS', 20)
  net = _net(head=(0.01 * np.eye(4)[:, :3], np.zeros(3)))
  (found,) = feature_sets.collect([net], np.array_split(images, 4),
                               keep_probabilities=True)
  assert len(found.rows) == 20 and found.probabilities.shape == (50, 3)
  odds = np.exp(0.01 * images.reshape(50, 4)[:, :3].astype(float))
  np.testing.assert_allclose(
      found.probabilities, odds / odds.sum(1, keepdims=True), rtol=1e-5)
  with pytest.raises(errors.UserError, match='no class probabilities'):
    feature_sets.collect([_net()], [images], keep_probabilities=True)


def test_probabilities_are_of_the_nets_that_tell_classes(images):
  tells = _net(head=(np.eye(4)[:, :3], np.zeros(3)))
  found = feature_sets.collect([_net(2.), tells], [images],
                            keep_probabilities=True)
  assert found[0].probabilities is None
  assert found[1].probabilities.shape == (50, 3)


@pytest.mark.parametrize('most, reads', [(10000, 1), (20, 2)])
def test_references_pass_once_and_come_from_the_cache(
    images, monkeypatch, tmp_path, most, reads):
  monkeypatch.setenv('PGAK_CACHE', str(tmp_path))
  monkeypatch.setattr(reference, 'MAXIMUM_ROWS', most)
  array = _Array(images)
  for _ in range(2):
    (found,) = feature_sets.of_references([_net()], array, 40)
    np.testing.assert_array_equal(
        found.rows, images[:min(most, 40)].reshape(-1, 4))
    assert found.moments.count == 40
    assert array.reads == reads
  assert {p.name for p in tmp_path.iterdir()} == {'features', 'statistics'}


def test_features_that_are_no_numbers_are_an_error(images):
  with pytest.raises(errors.UserError, match='not finite'):
    feature_sets.collect([_net(np.nan)], [images])


def test_no_images_at_all_have_no_moments():
  (found,) = feature_sets.collect([_net()], [np.zeros((0, 2, 2, 1), np.uint8)],
                               keep_rows=False)
  with pytest.raises(errors.UserError, match='at least 2 samples'):
    _ = found.moments.covariance

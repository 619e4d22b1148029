"""Tests of the neighbours of samples in pixels and in features."""
import numpy as np
import tiny_evaluation

from pgak import data
from pgak.metrics import nearest_images
from pgak.metrics import feature_sets
from pgak.metrics import reference


def _measure(images):
  digits = data.digits()
  found = feature_sets.collect(
      [tiny_evaluation.flat_net('192', None)], [images])
  return list(nearest_images.neighbourhoods(
      digits.split('train'), digits.split('test'), images, found))


def test_copies_of_training_images_are_found_in_both_spaces():
  train = data.digits().split('train').read(np.arange(900, 1000))
  pixels, features = _measure(train)
  assert pixels.net is None and features.net.name == 'flat_192'
  for result in (pixels, features):
    assert result.scores['memorisation_ratio'] == 0.
    assert result.scores['nearest_train_distance'] == 0.
    assert result.scores['nearest_test_distance'] > 0.
    assert result.split == 'train vs test'
    # Eight rows of a sample, 5 and 5 neighbours and two gaps; digits are
    # enlarged to 32 pixels, with a line between.
    assert result.picture.shape == (8 * 33 - 1, 13 * 33 - 1, 1)
    sample, nearest = (result.picture[:32, i * 33:i * 33 + 32] for i in (0, 2))
    np.testing.assert_array_equal(sample, nearest)


def test_noise_is_no_memory():
  noise = np.random.default_rng(0).integers(0, 256, (50, 8, 8, 1), np.uint8)
  pixels, features = _measure(noise)
  assert 0.85 < pixels.scores['memorisation_ratio'] < 1.3
  assert 0.7 < features.scores['memorisation_ratio'] < 1.5


def test_only_so_many_features_are_searched(monkeypatch):
  monkeypatch.setattr(reference, 'MAXIMUM_ROWS', 200)
  images = data.digits().split('train').read(np.arange(20))
  assert [r.split for r in _measure(images)] == [
      'train vs test[:200]', 'train[:200] vs test[:200]']

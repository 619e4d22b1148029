"""Tests of the cache of reference statistics."""
import keras
import numpy as np
import pytest
import tensorflow as tf

from pgak.metrics import features
from pgak.metrics import frechet
from pgak.metrics import reference


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
  monkeypatch.setenv('PGAK_CACHE', str(tmp_path))


class _Array:
  """Stands in for `data.ImageArray`."""

  name, split = 'numbers', 'test'
  fingerprint, preprocessing = 'aa', {'crop': 4}

  def __init__(self, number=1203, **attributes):
    self.images = np.random.default_rng(0).integers(
        0, 256, (number, 2, 2, 1), np.uint8)
    self.reads = 0
    for name, value in attributes.items():
      setattr(self, name, value)

  def __len__(self):
    return len(self.images)

  def read(self, indices):
    self.reads += 1
    return self.images[indices]


def _net(name='flat', resize='none'):
  inputs = keras.Input((2, 2, 1))
  return features.FeatureNet(
      keras.Model(inputs, keras.layers.Flatten()(inputs)),
      lambda x: tf.cast(x, tf.float32), name, 'frechet_flat', resize, 100)


@pytest.mark.parametrize('limit, number', [
    (None, 1203), (700, 700), (5000, 1203)])
def test_moments_are_those_of_the_first_images(limit, number):
  array = _Array()
  found = reference.moments(_net(), array, limit)
  rows = array.images[:number].reshape(number, 4).astype(float)
  assert found.count == number
  np.testing.assert_allclose(found.mean, rows.mean(0))
  np.testing.assert_allclose(found.covariance, np.cov(rows, rowvar=False))


def test_the_second_time_they_come_from_the_cache():
  array = _Array()
  first = reference.moments(_net(), array)
  reads = array.reads
  again = reference.moments(_net(), array)
  assert reads == 3 == array.reads
  assert again.count == first.count
  np.testing.assert_array_equal(again.mean, first.mean)
  np.testing.assert_array_equal(again.scatter, first.scatter)


@pytest.mark.parametrize('changed', [
    dict(name='letters'), dict(split='train'), dict(fingerprint='bb'),
    dict(preprocessing={'crop': 5})])
def test_every_choice_of_the_data_is_in_the_key(changed):
  reference.moments(_net(), _Array())
  other = _Array(**changed)
  reference.moments(_net(), other)
  assert other.reads


def test_every_choice_of_the_features_is_in_the_key():
  array = _Array()
  weighted = _net()
  weighted._fingerprint = 'other weights'
  for i, (net, limit) in enumerate([
      (_net(), None), (_net(), 600), (_net('other'), None),
      (_net(resize='area'), None), (weighted, None)]):
    array.reads = 0
    reference.moments(net, array, limit)
    assert array.reads, i


def test_a_damaged_or_foreign_file_is_made_again(tmp_path):
  choices = {'dataset': 'numbers'}

  def compute():
    return frechet.moments([np.arange(6.).reshape(3, 2)])

  reference.cached(choices, compute)
  (path,) = (tmp_path / 'statistics').iterdir()
  good = path.read_bytes()
  for content in (b'', b'damaged', good[:len(good) // 2]):
    path.write_bytes(content)
    assert reference.cached(choices, compute).count == 3
  reference.cached({'dataset': 'letters'}, compute)
  foreign = tmp_path / 'statistics' / f'{reference.key({"dataset": "letters"})}'
  foreign.with_suffix('.npz').write_bytes(good)
  calls = []
  reference.cached({'dataset': 'letters'}, lambda: calls.append(1) or compute())
  assert calls


def test_the_key_does_not_depend_on_the_order():
  assert reference.key({'a': 1, 'b': 2}) == reference.key({'b': 2, 'a': 1})
  assert reference.key({'a': 1}) != reference.key({'a': 2})

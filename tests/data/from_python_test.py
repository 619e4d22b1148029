"""Data sets of arrays in memory, of tf.data and of Keras."""
import keras
import numpy as np
import pytest
import tensorflow as tf

from pgak import data
from pgak import errors

X = np.random.default_rng(0).integers(0, 256, [20, 5, 4, 3], np.uint8)
Y = np.arange(20) % 3


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
  monkeypatch.setenv('PGAK_CACHE', str(tmp_path / 'cache'))


class _Batches(keras.utils.PyDataset):

  def __len__(self):
    return 4

  def __getitem__(self, i):
    return X[5 * i:5 * i + 5], Y[5 * i:5 * i + 5]


def _sources():
  pairs = tf.data.Dataset.from_tensor_slices((X, Y))
  return {'arrays': (X, Y), 'batched': (pairs.batch(7),), 'single': (pairs,),
          'keras': (_Batches(),)}


@pytest.mark.parametrize('source', _sources())
def test_every_source_gives_the_same_examples(source):
  found = data.from_arrays(*_sources()[source]).split('all')
  expected = data.from_arrays(X, Y).split('all')
  assert found.fingerprint == expected.fingerprint
  np.testing.assert_array_equal(found.labels, expected.labels)
  assert sorted(found.labels.tolist()) == sorted(Y.tolist())


def test_splits_of_ones_own():
  made = data.from_arrays({'train': X, 'test': X[:3]}, {'train': Y,
                                                        'test': Y[:3]})
  np.testing.assert_array_equal(made.split('test').read([0, 1, 2]), X[:3])
  np.testing.assert_array_equal(made.split('train').read([7]), X[7:8])


@pytest.mark.parametrize('labels', [
    Y, {'train': Y}, {'train': Y, 'tset': Y[:3]}])
def test_labels_that_belong_to_no_images_are_told(labels):
  with pytest.raises(errors.UserError, match='images of train, test and labels'
                     ' of .*: give labels for each split'):
    data.from_arrays({'train': X, 'test': X[:3]}, labels)
  assert data.from_arrays({'train': X}, {}).split('train').labels is None


def test_grey_batches_are_no_single_images():
  grey = tf.data.Dataset.from_tensor_slices(np.pad(X[..., 0], 1))
  for source in (grey, grey.batch(6), grey.batch(11, drop_remainder=True)):
    assert data.from_arrays(source).image_shape == (7, 6, 1)


@pytest.mark.parametrize('source, words', [
    (lambda: tf.data.Dataset.from_tensors(X).repeat(), 'repeat'),
    (lambda: {'test': X}, 'with train'),
    (lambda: tf.data.Dataset.from_tensors({'image': X}), 'images or of'),
])
def test_what_it_cannot_take(source, words):
  with pytest.raises(errors.UserError, match=words):
    data.from_arrays(source())


def test_batches_of_vectors_are_no_grey_images(caplog):
  values = np.random.default_rng(1).normal(size=(20, 6)).astype(np.float32)
  vectors = tf.data.Dataset.from_tensor_slices(values)
  pairs = tf.data.Dataset.from_tensor_slices((values, Y))
  for source in (vectors, vectors.batch(5), pairs, pairs.batch(5),
                 pairs.batch(5, drop_remainder=True)):
    assert data.from_arrays(source).image_shape == (6,)
  grey = tf.data.Dataset.from_tensor_slices((X.reshape(20, 5, 12), Y))
  assert data.from_arrays(grey).image_shape == (5, 12, 1)
  assert not caplog.records
  # Without labels a batch of vectors looks like one grey image.
  made = data.from_arrays(vectors.batch(5, drop_remainder=True))
  assert made.image_shape == (5, 6, 1)
  assert 'batches of vectors leave drop_remainder out' in caplog.text


@pytest.mark.parametrize('source', [
    lambda names: (X, np.char.encode(names, 'utf-8')),
    lambda names: (tf.data.Dataset.from_tensor_slices((X, names)),),
    lambda names: (tf.data.Dataset.from_tensor_slices((X, names)).batch(7),)])
def test_labels_may_be_bytes_of_utf_8(source):
  names = np.array(['Käse', 'Öl', 'кот'])
  found = data.from_arrays(*source(names[Y]), test_fraction=0.).split('train')
  assert found.label_names == ('Käse', 'Öl', 'кот')
  np.testing.assert_array_equal(found.labels, Y)


def test_labels_in_another_code_are_told():
  labels = np.full(20, 'Öl'.encode('latin-1'))
  with pytest.raises(errors.UserError, match='no text in UTF-8'):
    data.from_arrays(X, labels).split('all')

"""Splits are read by position from disk and know what they are."""
import os

import numpy as np
import pytest

from pgak import errors
from pgak.data import arrays
from pgak.data import store

IMAGES = np.random.RandomState(0).randint(0, 256, [10, 4, 3, 2], np.uint8)


class Recipe(store.Recipe):

  def __init__(self, images=IMAGES, split_at=7, labels=True, name='toy'):
    super().__init__(name, images.shape[1:], ('train', 'test'),
                     {'split_at': split_at, 'labels': labels})
    self._images = images
    self._labels = np.arange(len(images)) if labels else None

  def fingerprint(self):
    return str(hash(self._images.tobytes()))

  def read(self):
    middle = self.choices['split_at']
    yield 'train', [self._chunk(slice(0, middle))]
    yield 'test', [self._chunk(slice(middle, None))]

  def _chunk(self, stretch):
    labels = None if self._labels is None else self._labels[stretch]
    return self._images[stretch], labels


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
  monkeypatch.setenv('PGAK_CACHE', str(tmp_path))


@pytest.mark.parametrize('indices', [
    [], [0], [6], [0, 1, 2, 3, 4, 5, 6], [3, 4, 5], [6, 5, 4], [2, 2, 0, 1, 5],
    np.array([5, 6, 0], np.int32)])
def test_read_gives_the_images_in_the_order_asked_for(indices):
  train = arrays.Dataset(Recipe()).split('train')
  read = train.read(indices)
  assert read.dtype == np.uint8
  np.testing.assert_array_equal(read, IMAGES[np.asarray(indices, int)])


def test_splits_are_stretches_of_one_file():
  dataset = arrays.Dataset(Recipe())
  assert dataset.splits == ('train', 'test', 'all')
  assert dataset.image_shape == (4, 3, 2)
  for name, stretch in [('train', slice(0, 7)), ('test', slice(7, 10)),
                        ('all', slice(0, 10))]:
    array = dataset.split(name)
    assert (array.name, array.split) == ('toy', name)
    assert len(array) == len(IMAGES[stretch])
    np.testing.assert_array_equal(
        array.read(np.arange(len(array))), IMAGES[stretch])
    np.testing.assert_array_equal(array.labels, np.arange(10)[stretch])


@pytest.mark.parametrize('index', [-1, 3])
def test_a_position_of_another_split_is_out_of_reach(index):
  with pytest.raises(IndexError):
    arrays.Dataset(Recipe()).split('test').read([0, index])


def test_name_and_shape_need_no_data():
  class Absent(Recipe):

    def fingerprint(self):
      raise AssertionError('read too early')

  dataset = arrays.Dataset(Absent())
  assert (dataset.name, dataset.image_shape) == ('toy', (4, 3, 2))
  assert dataset.splits


def test_validation_is_the_test_split_by_default_and_says_so():
  assert arrays.Dataset(Recipe()).split('validation').split == 'test'


def test_validation_examples_are_taken_from_the_end_of_train():
  dataset = arrays.Dataset(Recipe(), validation_examples=2)
  assert dataset.splits == ('train', 'test', 'validation', 'all')
  assert dataset.split('train').labels.tolist() == [0, 1, 2, 3, 4]
  assert dataset.split('validation').labels.tolist() == [5, 6]
  assert dataset.split('test').labels.tolist() == [7, 8, 9]


def test_a_split_that_is_not_there_is_told_with_those_that_are():
  with pytest.raises(errors.UserError, match='no split dev; it has train, tes'):
    arrays.Dataset(Recipe()).split('dev')
  with pytest.raises(errors.UserError, match='train .* is empty'):
    arrays.Dataset(Recipe(), validation_examples=7).split('train')


def test_a_set_without_labels_has_none():
  assert arrays.Dataset(Recipe(labels=False)).split('all').labels is None


def test_the_fingerprint_changes_with_the_pixels_and_with_nothing_else():
  def fingerprint(split='train', validation_examples=0, **options):
    dataset = arrays.Dataset(Recipe(**options), validation_examples)
    return dataset.split(split).fingerprint

  changed = IMAGES.copy()
  changed[8, 0, 0, 0] ^= 1
  assert fingerprint() == fingerprint(name='other')
  assert fingerprint() == fingerprint(images=changed)  # Changed in test.
  assert fingerprint('test') != fingerprint('test', images=changed)
  assert fingerprint('all') != fingerprint('all', images=changed)
  different = {fingerprint(), fingerprint('test'), fingerprint('all'),
               fingerprint(validation_examples=2),
               fingerprint('validation', 2), fingerprint('validation', 3)}
  assert len(different) == 6
  assert all(len(text) == 16 for text in different)


def test_an_open_split_outlives_its_file():
  train = arrays.Dataset(Recipe()).split('train')
  store.open_prepared(Recipe()).image_path.unlink()
  np.testing.assert_array_equal(train.read([6]), IMAGES[6:7])


def test_a_file_cut_short_in_use_is_told():
  train = arrays.Dataset(Recipe()).split('train')
  os.truncate(store.open_prepared(Recipe()).image_path, 30)
  with pytest.raises(errors.UserError, match='cut short'):
    train.read([5])


def test_memory_does_not_grow_with_what_is_read():
  def resident():
    pages = int(open('/proc/self/statm', encoding='ascii').read().split()[1])
    return pages * os.sysconf('SC_PAGE_SIZE')

  class Large(store.Recipe):

    def fingerprint(self):
      return 'large'

    def read(self):
      yield 'train', ((np.full([1, 1024, 1024, 1], i, np.uint8), None)
                      for i in range(128))

  train = arrays.Dataset(
      Large('large', (1024, 1024, 1), ('train',))).split('train')
  train.read([0])
  before = resident()
  for i in range(128):
    assert train.read([i])[0, 0, 0, 0] == i
  assert resident() - before < 32 << 20  # Of 128 MiB that were read.

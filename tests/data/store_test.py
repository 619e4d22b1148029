"""Prepared data sets are made once, whole, and noticed when damaged."""
import errno
import os
import threading
import tracemalloc

import numpy as np
import pytest

from pgak import errors
from pgak import files
from pgak.data import store

IMAGES = np.random.RandomState(0).randint(0, 256, [7, 4, 3, 2], np.uint8)
LABELS = np.arange(7) - 2
HATS = np.array([0, 1, 1, 0, 0, 1, 0], bool)


class Recipe(store.Recipe):
  """Seven images in two chunks and two splits; counts how often it is read."""

  def __init__(self, source='here', labels=True, **choices):
    super().__init__('toy', (4, 3, 2), ('train', 'test'), choices)
    self.source = source
    self.labels = labels
    self.reads = 0

  def fingerprint(self):
    return self.source

  def fetch(self):
    if self.source is None:
      raise errors.UserError('Put toys there.')
    return self.source

  def read(self):
    self.reads += 1
    yield 'train', [self._chunk(0, 2), self._chunk(2, 5)]
    yield 'test', [self._chunk(5, 7)]

  def _chunk(self, start, stop):
    if not self.labels:
      return IMAGES[start:stop], None
    hats = HATS[start:stop]
    return IMAGES[start:stop], LABELS[start:stop], {'hat': hats, 'not': ~hats}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
  monkeypatch.setenv('PGAK_CACHE', str(tmp_path))
  return tmp_path / 'data'


def test_writes_the_pixels_and_labels_in_order_once():
  recipe = Recipe()
  prepared = store.open_prepared(recipe)
  assert prepared.image_path.read_bytes() == IMAGES.tobytes()
  assert np.fromfile(prepared.label_path, '<i8').tolist() == LABELS.tolist()
  assert prepared.attribute_names == ('hat', 'not')
  assert np.fromfile(prepared.attribute_path, np.uint8).reshape(
      [7, 2]).tolist() == np.stack([HATS, ~HATS], 1).astype(int).tolist()
  assert [(p.split, p.start, p.stop) for p in prepared.parts] == [
      ('train', 0, 5), ('test', 5, 7)]
  assert store.open_prepared(recipe) == prepared
  assert store.open_prepared(Recipe()) == prepared
  assert recipe.reads == 1


def test_a_set_without_labels_has_no_file_of_them(folder):
  prepared = store.open_prepared(Recipe(labels=False))
  assert prepared.label_path is None and prepared.attribute_path is None
  assert not list(folder.glob('*.labels'))
  assert not list(folder.glob('*.attributes'))


def test_every_choice_and_the_source_make_another_set(folder):
  recipes = [Recipe(), Recipe(crop=3), Recipe(crop=2), Recipe('there')]
  for recipe in recipes:
    store.open_prepared(recipe)
  assert [recipe.reads for recipe in recipes] == [1, 1, 1, 1]
  assert len(list(folder.glob('*.images'))) == 4


def test_preprocessing_tells_every_choice():
  told = store.open_prepared(Recipe(crop=3)).preprocessing
  assert told['crop'] == 3 and told['source'] == 'here'
  assert told['made_with']['tensorflow']


def test_where_the_source_is_gone_the_prepared_set_is_used():
  prepared = store.open_prepared(Recipe(crop=3))
  assert store.open_prepared(Recipe(None, crop=3)) == prepared
  with pytest.raises(errors.UserError, match='Put toys there'):
    store.open_prepared(Recipe(None, crop=4))


def flip_a_bit(path):
  data = bytearray(path.read_bytes())
  data[len(data) // 2] ^= 1
  path.write_bytes(data)


def cut_short(path):
  path.write_bytes(path.read_bytes()[:-1])


def make_longer(path):
  path.write_bytes(path.read_bytes() + b'\0')


def empty(path):
  path.write_bytes(b'')


def remove(path):
  path.unlink()


@pytest.mark.parametrize('suffix,harm', [
    (suffix, harm) for suffix in (
        '.images', '.labels', '.attributes', '.json')
    for harm in (flip_a_bit, cut_short, make_longer, empty, remove)
    # One bit of the notes need not matter; the checksums hold the rest.
    if (suffix, harm) != ('.json', flip_a_bit)])
def test_a_damaged_set_is_made_again(folder, suffix, harm):
  prepared = store.open_prepared(Recipe())
  path, = folder.glob('*' + suffix)
  harm(path)
  recipe = Recipe()
  again = store.open_prepared(recipe)
  assert recipe.reads == 1
  assert again == prepared
  assert again.image_path.read_bytes() == IMAGES.tobytes()
  assert np.fromfile(again.label_path, '<i8').tolist() == LABELS.tolist()


def test_damage_without_a_source_says_where_to_put_it(folder):
  store.open_prepared(Recipe())
  cut_short(next(folder.glob('*.images')))
  with pytest.raises(errors.UserError, match='Put toys there'):
    store.open_prepared(Recipe(None))


def test_a_reader_that_fails_leaves_nothing_that_looks_whole(folder):
  class Broken(Recipe):

    def read(self):
      yield 'train', [self._chunk(0, 2)]
      raise errors.UserError('The picture b is damaged.')

  with pytest.raises(errors.UserError, match='picture b'):
    store.open_prepared(Broken())
  assert [path.suffix for path in folder.iterdir()] == ['.lock']
  assert store.open_prepared(Recipe()).parts[-1].stop == 7


def test_what_a_killed_process_left_is_passed_over(folder):
  path = store.open_prepared(Recipe()).image_path
  path.with_suffix('.json').unlink()
  # No process has that number.
  path.with_name(f'.{path.name}.{files._host()}-{2**22 + 1}-00000000.part'
                 ).write_bytes(b'half of it')
  assert store.open_prepared(Recipe()).image_path.read_bytes() == (
      IMAGES.tobytes())
  assert not list(folder.glob('.*.part'))


def test_a_file_has_its_name_only_when_it_is_whole(folder):
  seen = []

  class Watched(Recipe):

    def read(self):
      for split, chunks in super().read():
        seen.append(sorted(p.suffix for p in folder.iterdir()))
        yield split, chunks

  prepared = store.open_prepared(Watched())
  # While it is written, there is neither a set nor its pixels.
  assert seen == [['.lock', '.part']] * 2
  assert prepared.image_path.stat().st_size == IMAGES.nbytes


def test_a_full_disk_is_told_and_leaves_nothing(folder, monkeypatch):
  def full(descriptor):
    raise OSError(errno.ENOSPC, 'No space left on device')

  monkeypatch.setattr(os, 'fsync', full)
  with pytest.raises(errors.UserError, match='No space left.*PGAK_CACHE'):
    store.open_prepared(Recipe())
  assert [path.suffix for path in folder.iterdir()] == ['.lock']


def test_two_at_once_prepare_once():
  recipe = Recipe()
  opened = []
  threads = [threading.Thread(
      target=lambda: opened.append(store.open_prepared(recipe)))
             for _ in range(4)]
  for thread in threads:
    thread.start()
  for thread in threads:
    thread.join()
  assert recipe.reads == 1
  assert len(opened) == 4 and all(found == opened[0] for found in opened)


def test_images_of_another_shape_are_refused():
  class Wrong(Recipe):

    def read(self):
      yield 'train', [(IMAGES[:, :2], None)]

  with pytest.raises(errors.UserError, match='not the set of that name'):
    store.open_prepared(Wrong())


def test_a_set_without_images_is_refused():
  class Empty(Recipe):

    def read(self):
      yield 'train', []

  with pytest.raises(errors.UserError, match='holds no image'):
    store.open_prepared(Empty())


def test_a_cache_that_cannot_be_written_is_told(folder):
  folder.write_text('a file in the way')
  with pytest.raises(errors.UserError, match='PGAK_CACHE'):
    store.open_prepared(Recipe())


def test_preparing_holds_one_chunk_at_a_time():
  class Large(store.Recipe):

    def fingerprint(self):
      return 'large'

    def read(self):
      yield 'train', ((np.full([1, 1024, 1024, 1], i, np.uint8), None)
                      for i in range(64))

  tracemalloc.start()
  store.open_prepared(Large('large', (1024, 1024, 1), ('train',)))
  _, peak = tracemalloc.get_traced_memory()
  tracemalloc.stop()
  assert peak < 8 << 20

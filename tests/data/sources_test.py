"""Links to pictures, and changes that an archive's list does not show."""
import io
import os
import re
import tarfile
import zipfile

import numpy as np
import pytest

from pgak import data
from pgak import errors
from pgak.data import sources
from pgak.pictures import png

SHAPE = (4, 4, 1)


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
  monkeypatch.setenv('PGAK_CACHE', str(tmp_path / 'cache'))


def _pgm(level):
  """Returns a picture of one level; all of them have one size in bytes."""
  return b'P5 4 4 255\n' + bytes([level]) * 16


def _tar(path, levels, mode='w', times=(0, 0, 0)):
  """Writes a tar whose members have some times, at a later time each call."""
  before = path.stat().st_mtime_ns if path.exists() else 10**18
  with tarfile.open(path, mode) as file:
    for i, (level, time) in enumerate(zip(levels, times)):
      info = tarfile.TarInfo(f'{i}.pgm')
      info.size, info.mtime = len(_pgm(level)), time
      file.addfile(info, io.BytesIO(_pgm(level)))
  os.utime(path, ns=(before + 10**9,) * 2)
  return path


def _levels(path):
  array = data.images(path, SHAPE, test_fraction=0.).split('train')
  return array.read(np.arange(len(array)))[:, 0, 0, 0].tolist()


@pytest.mark.parametrize('mode', ['w', 'w:gz'])
def test_a_tar_that_is_written_again_is_read_again(tmp_path, mode):
  for levels in ([1, 2, 3], [4, 5, 6]):
    assert _levels(_tar(tmp_path / 'x.tar', levels, mode)) == levels


def test_a_tar_with_times_of_its_own_may_be_copied(tmp_path):
  lists = [sources.open_source(
      _tar(tmp_path / 'x.tar', [1, 2, 3], times=(5, 6, 7))).listing
           for _ in range(2)]
  assert lists[0] == lists[1]
  # The key of what earlier versions prepared of it.
  assert [stamp for *_, stamp in lists[0]] == [
      (5, 512), (6, 1536), (7, 2560)]


def test_a_link_to_a_picture_that_is_listed_is_no_second_one(tmp_path):
  folder = tmp_path / 'x'
  (folder / 'deep').mkdir(parents=True)
  for i in range(3):
    png.write(folder / f'{i}.png', np.full(SHAPE, i, np.uint8))
    # Before its target in the order of names, and in a folder read after it.
    (folder / ('deep' if i else '') / f'-best{i}.png').symlink_to(
        folder / f'{i}.png')
  assert _levels(folder) == [0, 1, 2]
  # As version 0.4 read it.
  assert len(sources.open_source(folder, 'suffixes').listing) == 6


def test_of_two_links_to_a_picture_elsewhere_one_is_read(tmp_path):
  png.write(tmp_path / 'a.png', np.full(SHAPE, 7, np.uint8))
  (tmp_path / 'x').mkdir()
  for name in ('0.png', '1.png'):
    (tmp_path / 'x' / name).symlink_to(tmp_path / 'a.png')
  source = sources.open_source(tmp_path / 'x')
  assert [name for name, *_ in source.listing] == ['0.png']
  assert source.passed_over == [
      ('1.png', 'a link to a picture that is read already')]


def test_a_damaged_list_of_splits_in_a_zip_is_a_sentence(tmp_path):
  with zipfile.ZipFile(tmp_path / 'x.zip', 'w') as file:
    file.writestr('0.pgm', _pgm(1))
    file.writestr('list.txt', '0.pgm 0\n')
  content = (tmp_path / 'x.zip').read_bytes()
  (tmp_path / 'x.zip').write_bytes(content.replace(b'0.pgm 0', b'0.pgm 1', 1))
  with pytest.raises(errors.UserError, match='list.txt cannot be read'):
    data.images(tmp_path / 'x.zip', SHAPE, partition='list.txt')


def test_folders_without_latin_letters_have_different_names(tmp_path):
  made = {}
  for name in ('фото', '写真', 'my photos'):
    (tmp_path / name).mkdir()
    (tmp_path / name / '0.pgm').write_bytes(_pgm(1))
    made[name] = data.images(tmp_path / name, SHAPE).name
  assert made['my photos'] == 'images_my_photos'
  assert made['фото'] != made['写真']
  assert all(re.fullmatch(r'images_\w+', name, re.A) for name in made.values())

"""Folders and zips of pictures, whole, hostile and damaged."""
import io
import os
import warnings
import zipfile

import numpy as np
import pytest
import tensorflow as tf

from pgak import data
from pgak import errors
from pgak.data import folders

REAL = os.environ.get('PGAK_TEST_DATA')
SHAPE = (6, 6, 3)


def picture(number):
  """Returns a PNG whose pixels are all `number`."""
  return tf.io.encode_png(np.full([8, 9, 3], number, np.uint8)).numpy()


def write_zip(path, members):
  with warnings.catch_warnings():
    warnings.simplefilter('ignore')
    with zipfile.ZipFile(path, 'w') as file:
      for name, content in members:
        file.writestr(name, content)
  return path


def pixel(array):
  """Returns the value of each one-coloured image."""
  return array.read(np.arange(len(array)))[:, 0, 0, 0].tolist()


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
  monkeypatch.setenv('PGAK_CACHE', str(tmp_path / 'cache'))


@pytest.fixture(name='photos')
def _photos(tmp_path):
  """Forty pictures in nested folders, and things that are no pictures."""
  folder = tmp_path / 'photos'
  for number in range(40):
    path = folder / f'{"ab"[number % 2]}' / f'{number:02}.png'
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(picture(number))
  (folder / 'notes.txt').write_text('no picture')
  (folder / 'a' / '._00.png').write_text('what a Mac leaves behind')
  (folder / '.hidden').mkdir()
  (folder / '.hidden' / 'x.png').write_bytes(picture(99))
  return folder


def test_a_folder_is_read_in_the_order_of_its_names(photos):
  array = data.images(photos, SHAPE, test_fraction=0.).split('all')
  assert pixel(array) == list(range(0, 40, 2)) + list(range(1, 40, 2))
  assert array.labels is None
  assert array.image_shape == SHAPE


def test_a_zip_gives_what_its_folder_gives(photos, tmp_path):
  names = sorted(path.relative_to(photos).as_posix()
                 for path in photos.rglob('*.png'))
  archive = write_zip(tmp_path / 'photos.zip', [
      (name, (photos / name).read_bytes()) for name in reversed(names)])
  for split in ('train', 'test'):
    from_folder = data.images(photos, SHAPE).split(split)
    from_zip = data.images(archive, SHAPE).split(split)
    assert from_zip.fingerprint == from_folder.fingerprint


def test_a_picture_keeps_its_split_when_others_come(photos):
  def splits():
    dataset = data.images(photos, SHAPE, test_fraction=.25,
                          validation_fraction=.25)
    assert dataset.splits == ('train', 'validation', 'test', 'all')
    return {name: set(pixel(dataset.split(name))) for name in dataset.splits}

  before = splits()
  assert before['train'] | before['validation'] | before['test'] == set(
      range(40)) == before['all']
  assert 3 <= len(before['test']) <= 18
  for number in range(100, 120):
    (photos / f'new{number}.png').write_bytes(picture(number))
  after = splits()
  for name, numbers in before.items():
    assert numbers == {n for n in after[name] if n < 40}


def test_a_small_folder_still_has_something_to_test_on(tmp_path):
  for number in range(3):
    (tmp_path / f'{number}.png').write_bytes(picture(number))
  dataset = data.images(tmp_path, SHAPE, test_fraction=.001)
  assert len(dataset.split('test')) == 1
  assert len(dataset.split('train')) == 2


def test_a_changed_folder_is_prepared_anew(photos):
  def fingerprint():
    dataset = data.images(photos, SHAPE, test_fraction=0.)
    return dataset.split('train').fingerprint

  before = fingerprint()
  assert fingerprint() == before
  (photos / 'a' / '00.png').write_bytes(picture(77))
  assert fingerprint() != before


def test_the_crop_is_part_of_the_name(photos):
  assert data.images(photos, SHAPE, crop=7).name == 'images_photos_crop7'
  assert data.images(photos, SHAPE).name == 'images_photos'


def test_grey_images(photos):
  array = data.images(photos, (4, 4, 1)).split('train')
  assert array.read([0]).shape == (1, 4, 4, 1)


@pytest.mark.parametrize('name', ['/etc/a.png', '../a.png', 'a/../../b.png',
                                  'C:/a.png', 'a\\..\\b.png', '/etc/passwd'])
def test_a_member_that_leads_outside_is_refused(tmp_path, name):
  archive = write_zip(tmp_path / 'x.zip', [('ok.png', picture(1)),
                                           (name, picture(2))])
  with pytest.raises(errors.UserError, match='leads outside'):
    data.images(archive, SHAPE).split('train')


def test_an_encrypted_member_is_refused(tmp_path):
  archive = write_zip(tmp_path / 'x.zip', [('a.png', picture(1))])
  content = bytearray(archive.read_bytes())
  content[content.find(b'PK\x01\x02') + 8] |= 1
  archive.write_bytes(content)
  with pytest.raises(errors.UserError, match='encrypted'):
    data.images(archive, SHAPE).split('train')


@pytest.mark.parametrize('limit,bound', [
    ('MAX_FILES', 39), ('MAX_FILE_BYTES', 20), ('MAX_TOTAL_BYTES', 1000)])
def test_bounds(photos, monkeypatch, limit, bound):
  monkeypatch.setattr(folders, limit, bound)
  with pytest.raises(errors.UserError, match=f'{bound} is the most'):
    data.images(photos, SHAPE).split('train')


def test_too_many_pixels_are_refused_by_name(photos, monkeypatch):
  monkeypatch.setattr(folders.decoding, 'MAX_PIXELS', 8 * 9 - 1)
  with pytest.raises(errors.UserError, match=r'picture \w+/\d+.png in .*most'):
    data.images(photos, SHAPE).split('train')


def test_a_damaged_picture_is_named(photos):
  (photos / 'b' / '17.png').write_bytes(picture(17)[:-30])
  with pytest.raises(errors.UserError, match=r'picture b/17.png in .*damaged'):
    data.images(photos, SHAPE).split('train')


def test_a_damaged_member_is_named(tmp_path):
  archive = write_zip(tmp_path / 'x.zip', [('a.png', picture(1)),
                                           ('b.png', picture(2))])
  content = bytearray(archive.read_bytes())
  place = content.find(b'IDAT', content.find(b'b.png')) + 8
  content[place] ^= 255
  archive.write_bytes(content)
  with pytest.raises(errors.UserError, match='picture b.png'):
    data.images(archive, SHAPE, test_fraction=0.).split('train')


def test_a_picture_that_is_smaller_than_the_crop_is_named(photos):
  with pytest.raises(errors.UserError, match='00.png.*crop of 9 x 9'):
    data.images(photos, SHAPE, crop=9, test_fraction=0.).split('train')


def test_what_is_neither_folder_nor_zip_is_told(tmp_path):
  path = tmp_path / 'x.zip'
  path.write_bytes(b'PK but no zip')
  with pytest.raises(errors.UserError, match='cannot be read as a zip'):
    data.images(path, SHAPE).split('train')
  with pytest.raises(errors.UserError, match='holds no PNG or JPEG'):
    (tmp_path / 'empty').mkdir()
    data.images(tmp_path / 'empty', SHAPE).split('train')
  with pytest.raises(errors.UserError, match='no folder or zip'):
    data.images(tmp_path / 'absent', SHAPE)


@pytest.mark.parametrize('options,message', [
    (dict(path=None), 'set images.path'),
    (dict(image_shape=(4, 4)), 'images.image_shape'),
    (dict(image_shape=None), 'images.image_shape'),
    (dict(image_shape=(4, 4, 2)), '1 or 3 channels'),
    (dict(crop=0), 'images.crop'),
    (dict(test_fraction=.6, validation_fraction=.4), 'leave something'),
    (dict(test_fraction=-.1), 'at least 0')])
def test_senseless_settings_are_refused(tmp_path, options, message):
  with pytest.raises(errors.UserError, match=message):
    data.images(**{'path': tmp_path, 'image_shape': SHAPE, **options})


def test_a_split_is_a_function_of_the_names_in_every_process():
  # `printf 0.png | sha256sum | head -c 12` and so on, as shares of 16^12.
  names = [f'{i}.png' for i in range(5)]
  shares = [folders._place(name) for name in names]
  assert shares == pytest.approx([.0592, .5796, .2010, .7746, .6523], abs=1e-4)


@pytest.mark.skipif(not REAL, reason='PGAK_TEST_DATA is not set')
@pytest.mark.parametrize('crop,number', [(54, 50), (70, 50), pytest.param(
    54, None, marks=pytest.mark.slow)])
def test_real_faces(tmp_path, crop, number):
  original = f'{REAL}/celeba_subset/img_align_celeba_half.zip'
  with zipfile.ZipFile(original) as faces:
    archive = write_zip(tmp_path / 'faces.zip', [
        (name, faces.read(name)) for name in sorted(faces.namelist())[:number]])
  dataset = data.images(archive, (64, 64, 3), crop)
  every = dataset.split('all')
  assert len(every) == (number or 10000)
  assert .05 * len(every) <= len(dataset.split('test')) <= .2 * len(every)
  pixels = every.read(np.arange(min(500, len(every))))
  # Faces: reddish in the middle, and no two alike.
  middle = pixels[:, 24:40, 24:40].mean((0, 1, 2))
  assert middle[0] > middle[1] > middle[2] > 60
  assert len(np.unique(pixels.reshape([len(pixels), -1]), axis=0)) == len(
      pixels)


def test_an_open_zip_is_read_by_several_threads_at_once(tmp_path):
  rows = [(f'{i:03}.png', picture(i % 256)) for i in range(300)]
  buffer = io.BytesIO()
  with zipfile.ZipFile(buffer, 'w', zipfile.ZIP_DEFLATED) as file:
    for name, content in rows:
      file.writestr(name, content)
  (tmp_path / 'x.zip').write_bytes(buffer.getvalue())
  dataset = data.images(tmp_path / 'x.zip', SHAPE, test_fraction=0.)
  assert pixel(dataset.split('all')) == [i % 256 for i in range(300)]

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
from pgak.data import sources
from pgak.data import splits

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
  array = data.images(photos, SHAPE, test_fraction=0.,
                      labels=False).split('all')
  assert pixel(array) == list(range(0, 40, 2)) + list(range(1, 40, 2))
  assert array.labels is None and array.label_names == ()
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


def test_all_damaged_pictures_are_named_at_once(photos):
  for number in (3, 8, 17):
    path = photos / 'ab'[number % 2] / f'{number:02}.png'
    path.write_bytes(picture(number)[:-30])
  (photos / 'a' / 'text.jpg').write_text('a text')
  (photos / 'b' / 'small.png').write_bytes(
      tf.io.encode_png(np.zeros([3, 9, 3], np.uint8)).numpy())
  with pytest.raises(errors.UserError) as caught:
    data.images(photos, SHAPE, crop=6).split('train')
  told = str(caught.value)
  assert told.startswith('5 pictures in ')
  for text in ('a/08.png (it is damaged)', 'b/03.png', 'b/17.png',
               'a/text.jpg (it is no PNG', 'b/small.png (it has 3 x 9 pixels',
               'images.skip_damaged = True'):
    assert text in told
  assert '\n' not in told


def test_many_damaged_pictures_are_counted(photos):
  for path in photos.glob('a/[0-9]*.png'):
    path.write_bytes(b'no picture')
  with pytest.raises(errors.UserError,
                     match=r'^20 pictures in .*, \.\.\.\) .*; repl'):
    data.images(photos, SHAPE).split('train')


def test_damaged_pictures_may_be_left_out(photos, tmp_path, capsys):
  for number in (3, 8):
    path = photos / 'ab'[number % 2] / f'{number:02}.png'
    path.write_bytes(picture(number)[:-30])
  attributes = tmp_path / 'list.txt'
  lines = [f'{"ab"[n % 2]}/{n:02}.png {1 if n % 3 else -1}' for n in range(40)]
  attributes.write_text('\n'.join(['40', 'Third', *lines]))
  array = data.images(photos, SHAPE, skip_damaged=True,
                      attributes=attributes).split('all')
  found = pixel(array)
  assert sorted(found) == sorted(set(range(40)) - {3, 8})
  # What goes with a picture goes with it still.
  assert array.labels.tolist() == [number % 2 for number in found]
  assert array.attributes[:, 0].tolist() == [n % 3 > 0 for n in found]
  told = capsys.readouterr().err
  assert '38 pictures' in told
  assert '2 it is damaged (a/08.png, b/03.png)' in told


def test_what_was_used_and_passed_over_is_told_once(photos, capsys):
  photos.joinpath('a', 'raw.nef').write_bytes(b'MM\0*' + bytes(90))
  photos.joinpath('broken').symlink_to(photos / 'nowhere')
  dataset = data.images(photos, SHAPE, test_fraction=0.)
  assert 'pictures' not in capsys.readouterr().err
  dataset.split('train')
  told = capsys.readouterr().err.splitlines()[-1]
  assert told.endswith(
      '40 pictures (40 train, by the hash of their names); labels 0 a, 1 b; '
      'passed over 5: 2 hidden (.hidden, a/._00.png), 1 a TIFF by another name,'
      ' such as a raw file (a/raw.nef), 1 a broken link (broken), 1 no picture '
      '(notes.txt).')
  data.images(photos, SHAPE, test_fraction=0.).split('train')
  assert 'pictures' not in capsys.readouterr().err


@pytest.mark.parametrize('size, crop, is_large', [
    (1, None, True), (2, None, False), (1, 7, False)])
def test_a_large_reduction_is_warned_of(photos, caplog, size, crop, is_large):
  # The pictures are 8 x 9.
  data.images(photos, (size, size, 3), crop).split('train')
  told = 'reduced by 8 on each side to 1 x 1 pixels' in caplog.text
  assert told == is_large
  assert len(caplog.records) == is_large


def test_a_file_is_a_picture_by_its_content(photos):
  (photos / 'a' / 'bare').write_bytes(picture(50))
  (photos / 'b' / 'odd.dat').write_bytes(picture(51))
  (photos / 'b' / 'misnamed.webp').write_bytes(picture(52))
  every = data.images(photos, SHAPE).split('all')
  assert sorted(pixel(every)) == [*range(40), 50, 51, 52]
  old = data.images(photos, SHAPE, listing='suffixes').split('all')
  assert sorted(pixel(old)) == list(range(40))


def test_links_are_followed_without_loops(photos, tmp_path, capsys):
  other = tmp_path / 'other'
  (other / 'deep').mkdir(parents=True)
  (other / 'deep' / '60.png').write_bytes(picture(60))
  (photos / 'linked').symlink_to(other)
  (other / 'back').symlink_to(photos)
  (other / 'deep' / 'up').symlink_to('..')
  (photos / 'b' / 'again').symlink_to(photos / 'a')
  (photos / 'b' / 'one.png').symlink_to(photos / 'a' / '00.png')
  every = data.images(photos, SHAPE).split('all')
  assert sorted(pixel(every)) == [*range(40), 60]
  told = capsys.readouterr().err
  assert '1 a link to a picture that is read already (b/one.png)' in told
  assert '3 a link to a folder that is read already (b/again, linked/back, ' \
         'linked/deep/up)' in told
  old = data.images(photos, SHAPE, listing='suffixes').split('all')
  assert sorted(pixel(old)) == sorted([*range(40), 0])


def test_a_name_that_is_no_utf_8(photos, capsys):
  name = os.fsdecode(os.fsencode(photos) + b'/a/\xff\xfe.png')
  with open(name, 'wb') as file:
    file.write(picture(70))
  assert 70 in pixel(data.images(photos, SHAPE).split('all'))
  with open(name, 'wb') as file:
    file.write(b'damaged')
  with pytest.raises(errors.UserError) as caught:
    data.images(photos, SHAPE).split('all')
  assert 'a/\\udcff\\udcfe.png in' in str(caught.value)
  dataset = data.images(photos, SHAPE, skip_damaged=True)
  assert len(dataset.split('all')) == 40
  assert 'a/\\udcff\\udcfe.png' in capsys.readouterr().err


def test_a_zip_of_windows(tmp_path, capsys):
  archive = write_zip(tmp_path / 'x.zip', [
      ('photos\\d\\0.png', picture(1)), ('photos\\e\\1.png', picture(2)),
      ('photos\\e\\', b''), ('photos\\Thumbs.db', b'a cache')])
  array = data.images(archive, SHAPE, test_fraction=0.).split('all')
  assert pixel(array) == [1, 2]
  # A single folder that holds all is looked through.
  assert array.label_names == ('d', 'e')
  assert '1 no picture (photos/Thumbs.db)' in capsys.readouterr().err


def test_names_of_old_zips(tmp_path):
  # 'é' in code page 437, without the flag of UTF-8.
  archive = write_zip(tmp_path / 'x.zip', [('abc.png', picture(3))])
  archive.write_bytes(archive.read_bytes().replace(b'abc.png', b'ab\x82.png'))
  every = data.images(archive, SHAPE, test_fraction=0.).split('all')
  assert pixel(every) == [3]


@pytest.mark.parametrize('name', ['/etc/a.png', '../a.png', 'a/../../b.png',
                                  'C:/a.png', 'a\\..\\b.png', '/etc/passwd',
                                  '\\a.png', 'C:\\a.png'])
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
  monkeypatch.setattr(sources, limit, bound)
  with pytest.raises(errors.UserError, match=f'{bound} is the most'):
    data.images(photos, SHAPE).split('train')


def test_too_many_pixels_are_refused_by_name(photos, monkeypatch):
  monkeypatch.setattr(folders.decoding, 'MAX_PIXELS', 8 * 9 - 1)
  with pytest.raises(errors.UserError,
                     match='40 pictures in .*.a/00.png, .*most'):
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
  with pytest.raises(errors.UserError, match='holds no PNG, JPEG'):
    (tmp_path / 'empty').mkdir()
    data.images(tmp_path / 'empty', SHAPE).split('train')
  with pytest.raises(errors.UserError, match='no folder, zip or tar'):
    data.images(tmp_path / 'absent', SHAPE)


@pytest.mark.parametrize('options,message', [
    (dict(path=None), 'images.path = None` must be a path'),
    (dict(image_shape=(4, 4)), 'images.image_shape'),
    (dict(image_shape=None), 'images.image_shape'),
    (dict(image_shape=(4, 4, 2)), '1 or 3 channels'),
    (dict(crop=0), 'images.crop'),
    (dict(test_fraction=.6, validation_fraction=.4), 'leave something'),
    (dict(test_fraction=-.1), 'at least 0'),
    (dict(background=256), 'images.background'),
    (dict(background=(1, 2)), 'images.background'),
    (dict(resize='bilinear'), 'images.resize'),
    (dict(resize='bicubic_tf1'), 'images.antialias = False'),
    (dict(splits='dirs'), "must be 'folders' or 'names'"),
    (dict(listing='all'), "must be 'contents' or 'suff")])
def test_senseless_settings_are_refused(tmp_path, options, message):
  with pytest.raises(errors.UserError, match=message):
    data.images(**{'path': tmp_path, 'image_shape': SHAPE, **options})


def test_a_split_is_a_function_of_the_names_in_every_process():
  # `printf 0.png | sha256sum | head -c 12` and so on, as shares of 16^12.
  names = [f'{i}.png' for i in range(5)]
  shares = [splits.place_of(name) for name in names]
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

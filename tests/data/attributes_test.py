"""Lists of attributes, CSV or in CelebA's format, and masks by name."""
import os

import numpy as np
import pytest
import tensorflow as tf

from pgak import data
from pgak import errors
from pgak.data import attributes

REAL = os.environ.get('PGAK_TEST_DATA')
LIST = '3\nEyeglasses Smiling\n0.png -1  1\n1.png  1 -1 \n2.png 1 1\n'


@pytest.fixture(name='folder')
def _folder(tmp_path, monkeypatch):
  """Three pictures in two folders, and their list."""
  monkeypatch.setenv('PGAK_CACHE', str(tmp_path / 'cache'))
  for number, where in enumerate('abb'):
    path = tmp_path / 'photos' / where / f'{number}.png'
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(tf.io.encode_png(
        np.full([4, 4, 3], number, np.uint8)).numpy())
  (tmp_path / 'list.txt').write_text(LIST)
  return tmp_path


def photos(folder, **settings):
  return data.images(folder / 'photos', (4, 4, 3), test_fraction=.4,
                     attributes=folder / 'list.txt', **settings)


def test_each_picture_has_its_line(folder):
  for split in ('train', 'test', 'all'):
    array = photos(folder).split(split)
    number = array.read(np.arange(len(array)))[:, 0, 0, 0]
    wanted = np.array([[0, 1], [1, 0], [1, 1]], bool)[number]
    assert array.attribute_names == ('Eyeglasses', 'Smiling')
    assert array.attributes.dtype == bool
    np.testing.assert_array_equal(array.attributes, wanted)
    np.testing.assert_array_equal(
        data.attribute_mask(array, 'Smiling'), wanted[:, 1])
    np.testing.assert_array_equal(data.attribute_masks(array), wanted)


def test_a_line_with_the_folders_goes_before_one_without(folder):
  (folder / 'list.txt').write_text(
      LIST.replace('3', '5', 1) + 'b/0.png 1 1\nunused.png 1 1\n')
  rows = attributes.AttributeList(folder / 'list.txt').rows(
      ['a/0.png', 'b/0.png', 'b/1.png'])
  assert rows[:, 0].tolist() == [False, True, True]
  assert len(photos(folder).split('all')) == 3


def test_a_changed_list_is_read_anew_and_the_pixels_are_the_same(folder):
  before = photos(folder).split('all')
  (folder / 'list.txt').write_text(LIST.replace('-1  1', '1 1'))
  after = photos(folder).split('all')
  assert before.attributes[:, 0].sum() == 2
  assert after.attributes[:, 0].sum() == 3
  assert before.fingerprint == after.fingerprint


def test_a_set_without_a_list_has_none(folder):
  array = data.images(folder / 'photos', (4, 4, 3), labels=False).split('all')
  assert array.attributes is None
  assert array.attribute_names == ()
  with pytest.raises(errors.UserError, match='neither .* images.attributes'):
    data.attribute_masks(array)


@pytest.mark.parametrize('old,new,message', [
    ('3\n', 'three\n', 'Line 1 .* number of images'),
    ('3\n', '4\n', 'Line 1 .* lines that follow, 3'),
    ('Eyeglasses Smiling', 'Eyeglasses Eyeglasses', 'different names'),
    ('1.png  1 -1', '1.png  1', 'Line 4 .* 2 values'),
    ('1.png  1 -1', '1.png  1 0', 'Line 4 .* -1 or 1'),
    ('1.png', '0.png', 'Line 4 .* another file than 0.png'),
    (LIST, '', 'Line 1'),
    ('2.png', '3.png', 'picture b/2.png has no line')])
def test_a_damaged_list_is_told_with_its_line(folder, old, new, message):
  (folder / 'list.txt').write_text(LIST.replace(old, new, 1))
  with pytest.raises(errors.UserError, match=message) as caught:
    photos(folder).split('all')
  assert 'list.txt' in str(caught.value)


def test_what_is_no_list_is_told(folder):
  (folder / 'list.txt').write_bytes(b'\xff\xfe\x00')
  with pytest.raises(errors.UserError, match='is no text'):
    photos(folder).split('all')
  (folder / 'list.txt').unlink()
  with pytest.raises(errors.UserError, match='cannot be read'):
    photos(folder).split('all')


def test_classes_are_attributes_of_a_set_with_labels():
  array = data.digits().split('test')
  assert data.attribute_names(array) == tuple(f'label={k}' for k in range(10))
  np.testing.assert_array_equal(
      data.attribute_mask(array, 'label=7'), array.labels == 7)
  assert data.attribute_masks(array).sum(1).tolist() == [1] * 297
  one = data.attribute_masks(array, 'label=3')
  assert one.shape == (297, 1) and one.any()
  for name in ('Hat', 'label=', 'label=x'):
    with pytest.raises(errors.UserError,
                       match=f"no attribute '{name}'; .*label=9"):
      data.attribute_mask(array, name)


def test_a_split_may_lack_a_class(monkeypatch, tmp_path):
  monkeypatch.setenv('PGAK_CACHE', str(tmp_path))
  made = data.from_arrays({'train': np.zeros([4, 3, 2]), 'test': np.zeros(
      [2, 3, 2])}, {'train': [0, 1, 2, 2], 'test': [0, 2]})
  names = data.attribute_names(made.split('train'))
  masks = data.attribute_masks(made.split('test'), names)
  np.testing.assert_array_equal(
      masks, [[True, False, False], [False, False, True]])


@pytest.mark.skipif(not REAL, reason='PGAK_TEST_DATA is not set')
def test_the_real_list():
  faces = attributes.AttributeList(f'{REAL}/celeba_subset/list_attr_celeba.txt')
  assert len(faces.names) == 40
  # The first picture of CelebA: a smiling young woman with brown hair.
  first, = faces.rows(['000001.jpg'])
  true = {name for name, value in zip(faces.names, first) if value}
  assert {'Smiling', 'Young', 'Brown_Hair'} <= true
  assert not {'Male', 'Bald', 'Eyeglasses'} & true


@pytest.mark.parametrize('text', [
    'file_name,Eyeglasses,Smiling\n0.png,0,1\n1.png,1,0\n2.png,1,1\n',
    '\ufeffEyeglasses;file;Smiling;age\n-1;a/0.png;1;3\n\n1;1;-1;4\n1;2;1;5\n',
    'image_id\tEyeglasses\tSmiling\n0\tfalse\tTrue\n1\t1\t0.0\n2\t1\t1\n'])
def test_a_csv_gives_the_same_attributes(folder, text, capfd):
  (folder / 'list.txt').write_text(text, encoding='utf-8')
  array = photos(folder).split('all')
  number = array.read(np.arange(3))[:, 0, 0, 0]
  assert array.attribute_names == ('Eyeglasses', 'Smiling')
  np.testing.assert_array_equal(
      array.attributes, np.array([[0, 1], [1, 0], [1, 1]], bool)[number])
  assert ('not binary: age' in capfd.readouterr().err) == (';age' in text)


@pytest.mark.parametrize('text, words', [
    ('name,A\n0.png,x\n1.png,y\n2.png,z\n', 'Line 1 .*column of 0 and 1'),
    ('name,A\n', 'Line 1 .*column of 0 and 1'),
    ('name,A\n0.png,1,1\n', 'Line 2 .*2 fields'),
    ('name,A,A\n0.png,1,1\n', 'Line 1 .*different names'),
    ('name,A\n0.png,1\n0.png,0\n', 'Line 3 .*another file'),
    ('name,A\n' + ''.join(f'{i}.png,{i % 2 if i < 19 else "?"}\n'
                          for i in range(20)), 'Line 21 .*column A'),
    ('name,A\n0.png,1\n', 'has no line')])
def test_a_csv_that_cannot_be_used_is_a_sentence(folder, text, words):
  (folder / 'list.txt').write_text(text)
  with pytest.raises(errors.UserError, match=words):
    photos(folder).split('all')

"""Data of odd kinds: each works rightly, or ends in one sentence."""
import zipfile

import numpy as np
import pytest

from pgak import errors
from pgak.data import array_files
from pgak.data import array_members
from pgak.data import attributes
from pgak.data import folders
from pgak.data import levels
from pgak.data import path_kinds
from pgak.pictures import png

PNG = png.encode(np.arange(64, dtype=np.uint8).reshape(8, 8, 1))


def _zip(path, *names):
  with zipfile.ZipFile(path, 'w') as file:
    for name in names:
      file.writestr(name, PNG)
  return path


@pytest.mark.parametrize('shape, match', [
    ((9, 7, 3), 'a single image with its channels'),
    ((6, 4, 9, 8), 'channels seem to come first'),
    ((6, 2, 9, 8), 'channels seem to come first'),
    ((9, 8, 3, 20), r'examples seem to come last.*moveaxis\(x, -1, 0\)')])
def test_axes_in_another_order_are_told(tmp_path, shape, match):
  np.save(tmp_path / 'x.npy', np.zeros(shape, np.uint8))
  with pytest.raises(errors.UserError, match=match):
    array_files.arrays(tmp_path / 'x.npy')


def test_arrays_that_are_an_example_each_are_told(tmp_path):
  for i in range(3):
    np.save(tmp_path / f'{i}.npy', np.zeros([8, 8]))
  with pytest.raises(errors.UserError, match='0, 1, 2.*np.stack'):
    array_files.arrays(tmp_path)


def test_labels_that_are_objects_are_told(tmp_path):
  np.savez(tmp_path / 'x.npz', x=np.zeros([3, 8, 8]),
           y=np.array(['a', 'b', 'c'], object))
  with pytest.raises(errors.UserError, match=r'y holds.*\.astype\(str\)'):
    array_files.arrays(tmp_path / 'x.npz')


def test_roles_of_arrays_with_several_names(tmp_path):
  images, labels = np.zeros([3, 8, 8]), np.arange(3)
  np.savez(tmp_path / 'bunch.npz', data=images.reshape(3, -1), images=images,
           target=labels)
  tables, unused = array_members.tables(
      array_members.members(tmp_path / 'bunch.npz'), tmp_path)
  assert tables['all'].images.name == 'images' and unused == ['data']
  np.savez(tmp_path / 'test.npz', x_test=images, y_test=labels)
  tables, unused = array_members.tables(
      array_members.members(tmp_path / 'test.npz'), tmp_path)
  assert tables['all'].labels.name == 'y_test' and not unused


def test_what_is_all_dark_is_said_with_the_way_out():
  assert 'value_range = (0, 16)' in levels.hint(16., (0., 255.))
  assert not levels.hint(200., (0., 255.)) and not levels.hint(1., (0., 1.))
  with pytest.raises(errors.UserError, match=r'= \(0, 65535\)'):
    levels.range_of(np.dtype('uint16'), 7., 60000., 'x')
  with pytest.raises(errors.UserError, match=r'= \(0, 4095\)'):
    levels.range_of(np.dtype('uint16'), 7., 3000., 'x')


@pytest.mark.parametrize('name, content, match', [
    ('train-images', b'\0\0\x08\x03' + bytes(20), 'IDX file.*np.frombuffer'),
    ('a.csv', b'1,2,3\n4,5,6\n', 'is text: save a table'),
    ('a.bin', b'\1\2\3\4\5\6\7\xff', 'no known format')])
def test_files_of_other_kinds_are_told_apart(tmp_path, name, content, match):
  (tmp_path / name).write_bytes(content)
  with pytest.raises(errors.UserError, match=match):
    path_kinds.kind_of_path(tmp_path / name)


def test_archives_and_heic_are_named_with_the_way_out(tmp_path):
  (tmp_path / 'a').mkdir()
  _zip(tmp_path / 'a/in.zip', '0.png')
  (tmp_path / 'a/IMG.HEIC').write_bytes(b'\0\0\0\x18ftypheic')
  with pytest.raises(errors.UserError, match='but IMG.HEIC .HEIC, to be conv.*'
                     'in.zip .an archive, to be unpacked'):
    path_kinds.kind_of_path(tmp_path / 'a')
  with zipfile.ZipFile(tmp_path / 'out.zip', 'w') as file:
    file.write(tmp_path / 'a/in.zip', 'in.zip')
  with pytest.raises(errors.UserError, match='but in.zip .an archive'):
    folders.images(tmp_path / 'out.zip', (8, 8, 1))


def test_names_with_dots_are_not_hidden(tmp_path):
  inside = _zip(tmp_path / 'a.zip', './0.png')
  assert path_kinds.kind_of_path(inside) == 'images'
  outside = _zip(tmp_path / 'b.zip', '../0.png')
  with pytest.raises(errors.UserError, match='leads outside'):
    folders.images(outside, (8, 8, 1))


def test_pictures_of_which_none_can_be_used_are_named(tmp_path):
  (tmp_path / 'a').mkdir()
  for name in ('0.png', '1.png'):
    (tmp_path / 'a' / name).write_text('no')
  with pytest.raises(errors.UserError,
                     match='2 pictures in .* .0.png, 1.png. cannot.*no other'):
    folders.images(tmp_path / 'a', (8, 8, 1), skip_damaged=True).split('train')


def test_too_few_examples_to_cut_are_told(tmp_path):
  for shape in ([1, 8, 8, 1], [1, 5]):
    np.save(tmp_path / 'x.npy', np.zeros(shape))
    with pytest.raises(errors.UserError, match='1 example in all.*at least 3'):
      array_files.arrays(tmp_path / 'x.npy').split('test')


@pytest.mark.parametrize('encoding, separator', [
    ('utf-16', '\t'), ('utf-8', '|')])
def test_lists_of_attributes_as_spreadsheets_write_them(
    tmp_path, encoding, separator):
  lines = ['path,hat', 'faces/a.png,yes', 'faces/b.png,no']
  (tmp_path / 'a.csv').write_bytes(
      '\r\n'.join(lines).replace(',', separator).encode(encoding))
  found = attributes.AttributeList(tmp_path / 'a.csv')
  assert found.names == ('hat',)
  assert found.rows(['a.png', 'faces/b.png']).tolist() == [[True], [False]]


def test_a_name_that_two_folders_have_is_not_guessed(tmp_path):
  (tmp_path / 'a.csv').write_text('path,hat\nx/a.png,1\ny/a.png,0\n')
  found = attributes.AttributeList(tmp_path / 'a.csv')
  with pytest.raises(errors.UserError, match='a.png has no line'):
    found.rows(['a.png'])

"""What a path holds, and what it is called where that is of no use."""
import io
import os
import tarfile
import zipfile

import numpy as np
import pytest
import tensorflow as tf

from pgak import data
from pgak import errors

PNG = tf.io.encode_png(np.zeros([4, 4, 3], np.uint8)).numpy()


def _tar(path, mode='w', names=('a/x.png',)):
  with tarfile.open(path, mode) as file:
    for name in names:
      info = tarfile.TarInfo(name)
      info.size = len(PNG)
      file.addfile(info, io.BytesIO(PNG))


def _zip(path, name, content=PNG):
  with zipfile.ZipFile(path, 'w') as file:
    if name:
      file.writestr(name, content)


def _nested(path):
  (path / 'a' / 'b').mkdir(parents=True)
  (path / 'a' / 'notes.txt').write_text('no picture')
  (path / 'a' / 'b' / 'without_suffix').write_bytes(PNG)


def _folder_of_npy(path):
  path.mkdir()
  np.save(path / 'x.npy', np.zeros([2, 3]))


def _npy(path):
  np.save(path.with_suffix('.npy'), np.zeros([2, 3]))
  os.rename(path.with_suffix('.npy'), path)


def _npz(path):
  with open(path, 'wb') as file:
    np.savez(file, x=np.zeros([2, 3]))


@pytest.mark.parametrize('make, kind', [
    (_nested, 'images'), (_tar, 'images'),
    (lambda p: _tar(p, 'w:gz'), 'images'), (lambda p: _tar(p, 'w:xz'), 'images'
                                            ),
    (lambda p: _zip(p, 'a/x.png'), 'images'), (_npy, 'arrays'),
    (_npz, 'arrays'), (_folder_of_npy, 'arrays')])
def test_kinds_are_told_by_content(tmp_path, make, kind):
  make(tmp_path / 'path.jpg')
  assert data.kind_of_path(str(tmp_path / 'path.jpg')) == kind


def _text_folder(path):
  path.mkdir()
  (path / 'notes.txt').write_text('x')


@pytest.mark.parametrize('make, words', [
    (lambda p: None, 'nothing at'),
    (lambda p: p.mkdir(), 'an empty folder'),
    (_text_folder, 'holds no picture and no array'),
    (lambda p: p.write_bytes(b''), 'is empty, 0 bytes'),
    (lambda p: p.write_bytes(PNG), 'single picture: give the folder'),
    (lambda p: p.write_text('name,x\n'), 'is text'),
    (lambda p: p.write_bytes(b'\1\xff\xfe\xfd\xfc'), 'no known format'),
    (lambda p: p.write_bytes(b'\x89HDF\r\n\x1a\n'), 'HDF5'),
    (lambda p: _zip(p, ''), 'empty zip'),
    (lambda p: p.write_bytes(b'PK\x03\x04' + 99 * b'x'), 'cannot be opened'),
    (lambda p: p.symlink_to('nowhere'), 'broken link'),
    (os.mkfifo, 'no file or folder')])
def test_the_rest_is_told_apart(tmp_path, make, words):
  make(tmp_path / 'path.npz')
  with pytest.raises(errors.UserError, match=words):
    data.kind_of_path(tmp_path / 'path.npz')


@pytest.mark.parametrize('mode', ['w', 'w:gz', 'w:bz2'])
def test_a_tar_is_a_data_set(tmp_path, monkeypatch, mode):
  monkeypatch.setenv('PGAK_CACHE', str(tmp_path / 'cache'))
  names = [f'./faces/train/{k}/{i}.png' for k in 'ab' for i in range(3)]
  _tar(tmp_path / 'faces.tar', mode, names + ['./faces/test/a/0.png'])
  made = data.images(str(tmp_path / 'faces.tar'), (4, 4, 3))
  assert len(made.split('train')) == 6 and len(made.split('test')) == 1
  assert made.split('train').labels.tolist() == [0, 0, 0, 1, 1, 1]


@pytest.mark.parametrize('mode, bytes_', [('w', 1000), ('w:gz', 40)])
def test_a_tar_that_is_cut_short_is_a_sentence(tmp_path, mode, bytes_):
  path = tmp_path / 'x.tar'
  _tar(path, mode, [f'{i}.png' for i in range(9)])
  path.write_bytes(path.read_bytes()[:-bytes_ if mode != 'w' else 3700])
  with pytest.raises(errors.UserError, match='tar|zip'):
    data.images(str(path), (4, 4, 3))


def test_a_tar_that_leads_outside_is_refused(tmp_path):
  _tar(tmp_path / 'x.tar', names=['../x.png'])
  with pytest.raises(errors.UserError, match='leads outside'):
    data.images(str(tmp_path / 'x.tar'), (4, 4, 3))

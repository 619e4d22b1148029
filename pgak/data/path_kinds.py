"""The kind of data at a user's path, by first bytes and not by its name."""
import os
import pathlib
import zipfile

from pgak import errors
from pgak import files
from pgak.data import formats
from pgak.data import sources

__all__ = ['kind_of_path']

_NPY = b'\x93NUMPY'
_ZIP = b'PK\x03\x04'
_KNOWN = (f'pictures ({formats.LISTED}) in a folder, zip or tar, or arrays in '
          'a .npy or .npz file')
# First bytes -> what to call it, and the way out.
_OTHERS = {
    b'\x89HDF\r\n': ('an HDF5 file', 'save its arrays with np.savez'),
    b'MATLAB 5.0': ('a MATLAB file', 'save its arrays with np.savez'),
    b'PAR1': ('a Parquet file', 'save its columns with np.savez'),
    b'\x80': ('a pickle, which could run code', 'save its arrays with np.savez'
              ),
    b'\x1f\x8b': ('compressed with gzip, and no tar', 'unpack it with gunzip'),
    b'7z\xbc\xaf': ('a 7z archive', 'unpack it'),
    b'Rar!': ('a RAR archive', 'unpack it'),
    b'%PDF': ('a PDF', 'save its pictures in a folder'),
    b'\0\0\x08\x03': ('an IDX file, as MNIST comes in',
                      'read it by np.frombuffer(data, np.uint8, offset=16), '
                      'reshape it to [N, 28, 28] and save it with np.save'),
    b'\0\0\x08\x01': ('an IDX file of labels, as MNIST comes in',
                      'save images and labels with np.savez'),
}


def kind_of_path(path):
  """Returns the kind of data at a path: 'images' or 'arrays'.

  Images are pictures in a folder, with all folders in it, in a zip or in a tar;
  arrays are a .npy, an .npz or a folder of .npy files without pictures. What is
  inside is not read, so that a damaged file may still be found.

  Args:
    path: string or `pathlib.Path`.

  Raises:
    UserError: if it is missing, empty, cannot be opened, or of no known format;
      each in its own sentence.
  """
  path = files.local(path)
  if not os.path.lexists(path):
    raise errors.UserError(f'There is nothing at {path}: check the path.')
  if path.is_dir():
    return _kind_of_folder(path)
  if not path.is_file():
    reason = 'a broken link' if path.is_symlink() else 'no file or folder'
    raise errors.UserError(f'{path} is {reason}: give {_KNOWN}.')
  try:
    return _kind_of_file(path)
  except (OSError, zipfile.BadZipFile) as e:
    raise errors.UserError(f'{path} cannot be opened ({errors.reason(e)}): '
                           f'give {_KNOWN}.') from e


def _kind_of_folder(path):
  """Looks at files until one is a picture; arrays lie in `path` itself."""
  arrays, instead = False, []
  for folder, folders, names in os.walk(path, followlinks=False,
                                        onerror=_refuse):
    # In place: `os.walk` then skips the others.
    folders[:] = sorted(f for f in folders if not sources.is_hidden(f))
    for name in sorted(names):
      if sources.is_hidden(name):
        continue
      file = pathlib.Path(folder, name)
      # A pipe would never end.
      head = _head(file) if os.access(file, os.R_OK) and file.is_file() else b''
      reason = sources.reason_against(name, 'contents', lambda h=head: h)
      if not reason:
        return 'images'
      instead.append((name, reason))
      arrays = arrays or (head.startswith(_NPY) and file.parent == path)
  if arrays:
    return 'arrays'
  if _links(path):  # To folders, which `images` follows.
    return 'images'
  what = (f'holds no picture and no array{sources.instead(instead)}' if instead
          else 'is an empty folder')
  raise errors.UserError(f'{path} {what}: give {_KNOWN}.')


def _links(path):
  return any(p.is_symlink() and p.is_dir() for p in path.rglob('*'))


def _refuse(error):
  raise errors.UserError(f'{error.filename} cannot be opened '
                         f'({error.strerror}): allow it to be read.')


def _kind_of_file(path):
  head = _head(path)
  if not path.stat().st_size:
    raise errors.UserError(f'{path} is empty, 0 bytes: give {_KNOWN}.')
  if head.startswith(_NPY):
    return 'arrays'
  # A zip may have something before it, and a damaged one begins as one.
  if head.startswith(_ZIP) or zipfile.is_zipfile(path):
    return _kind_of_zip(path)
  # Before the list of others: a compressed tar begins as gzip does.
  if sources.is_tar(path):
    return 'images'
  if formats.sniff(head):
    raise errors.UserError(f'{path} is a single picture: give the folder that '
                           f'it is in, such as {path.parent}/.')
  for begin, (what, way_out) in _OTHERS.items():
    if head.startswith(begin):
      raise errors.UserError(f'{path} is {what}: {way_out}, and give {_KNOWN}.')
  if _is_text(head):
    raise errors.UserError(
        f'{path} is text: save a table of numbers as vectors [N, D] with '
        f'np.save, and give that, or {_KNOWN}.')
  raise errors.UserError(f'{path} is of no known format: give {_KNOWN}.')


def _is_text(head):
  try:
    # The last character may be cut.
    text = head[:-3].decode('utf-8-sig')
  except UnicodeDecodeError:
    return False
  return bool(text) and all(c.isprintable() or c.isspace() for c in text)


def _kind_of_zip(path):
  with zipfile.ZipFile(path) as file:
    names = [i.filename for i in file.infolist() if not i.is_dir()
             and not any(map(sources.is_hidden, i.filename.split('/')))]
  if not names:
    raise errors.UserError(f'{path} is an empty zip: give {_KNOWN}.')
  # What np.savez writes is a zip of such files, and of nothing else.
  return 'arrays' if all(n.endswith('.npy') for n in names) else 'images'


def _head(path):
  with open(path, 'rb') as file:
    return file.read(formats.HEAD)

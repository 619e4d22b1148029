"""The arrays in .npy and .npz files, and their roles by their names.

Headers are read first, so that shapes and types are known, and damaged or too
large arrays are refused, before any array is read. Pickled objects are never
read: they could run code.
"""
import hashlib
import re
from typing import Callable, NamedTuple
import zipfile
import zlib

import numpy as np

from pgak import errors

__all__ = ['Member', 'NAMES', 'Table', 'fingerprint', 'members', 'tables']

# The remedy in an error about names.
NAMES = ("name them images and labels, or x_train, y_train, x_test and y_test, "
         'as in np.savez(path, images=x, labels=y)')

_IMAGES = {'', 'x', 'images', 'image', 'imgs', 'img', 'data', 'pictures',
           'vectors', 'vector', 'features', 'samples', 'inputs', 'arr_0'}
_LABELS = {'y', 'labels', 'label', 'targets', 'target', 'classes', 'class'}
_SPLITS = {'train': 'train', 'training': 'train', 'validation': 'validation',
           'val': 'validation', 'valid': 'validation', 'dev': 'validation',
           'test': 'test', 'testing': 'test'}
_ORDER = ('train', 'validation', 'test')

_DAMAGED = (EOFError, KeyError, NotImplementedError, OSError, TypeError,
            ValueError, zipfile.BadZipFile, zlib.error)
_OBJECTS = ('holds Python objects, which could run code: make it numbers of '
            'one shape, or strings by .astype(str)')
_STACK = '; or, if each is one example, save them as one by np.stack'
# Names in a sentence; the others are counted.
_NAMED = 10
# 256 GiB: a damaged header may claim any size.
_MAX_BYTES = 1 << 38
# A fingerprint reads at most 64 samples of 64 KiB, also of a large file.
_SAMPLES, _SAMPLE_BYTES = 64, 1 << 16


class Member(NamedTuple):
  """One array that has not been read.

  Attributes:
    name: in its file, without .npy.
    shape: tuple.
    dtype: NumPy type.
    open: function that returns it, mapped from the disk where it can be.
  """
  name: str
  shape: tuple
  dtype: np.dtype
  open: Callable


class Table(NamedTuple):
  """The examples of a split, or of all, and their labels."""
  images: Member
  labels: Member | None = None


def members(path):
  """Lists the arrays of a file, or of the .npy files in a folder.

  Args:
    path: `pathlib.Path` of a .npy or .npz file, by any name, or of a folder.

  Returns:
    List of `Member`, sorted by name.

  Raises:
    UserError: if there is none, or one cannot be read.
  """
  try:
    if path.is_dir():
      found = [_of_npy(p) for p in sorted(path.iterdir())
               if p.suffix == '.npy' and p.is_file()]
    elif zipfile.is_zipfile(path):
      found = _of_npz(path)
    else:
      found = [_of_npy(path)]
  except _DAMAGED as e:
    raise errors.UserError(
        f'The arrays in {path} cannot be read ({errors.reason(e)}): write them '
        'again with np.save or np.savez.') from e
  if not found:
    raise errors.UserError(f'{path} holds no array: write one with np.save.')
  return found


def fingerprint(path):
  """Returns a digest of a file's content, hexadecimal digits.

  Of an .npz these are its checksums; of a .npy, its size, its time of change
  and bytes of 64 places, so that a large file is not read whole.
  """
  if zipfile.is_zipfile(path):
    with zipfile.ZipFile(path) as file:
      found = [(i.filename, i.file_size, i.CRC) for i in file.infolist()]
  else:
    files = sorted(path.glob('*.npy')) if path.is_dir() else [path]
    # Times alone would miss a file that is copied over with its own time.
    found = [(p.name, p.stat().st_size, p.stat().st_mtime_ns, _sampled(p))
             for p in files]
  return hashlib.sha256(repr(found).encode()).hexdigest()[:16]


def tables(found, path):
  """Finds the examples and labels of each split by the names of arrays.

  x and images, data and so on are examples, y, labels, targets and so on are
  labels; train, val or test before or behind are the splits. One array that has
  no known name is the examples.

  Args:
    found: list of `Member`.
    path: of the file, for the error.

  Returns:
    `({split: Table}, names of arrays that are not used)`; without splits the
    only split is 'all'.

  Raises:
    UserError: if no array can be the examples.
  """
  roles: dict = {}
  # Images before vectors, then in the order of names, where two have one role.
  for member in sorted(found, key=lambda m: -len(m.shape)):
    roles.setdefault(_role(member.name), member)
  if len(found) == 1:
    roles = {('all', 'images'): found[0]}
  for member in found:  # As np.savez(path, x, y) names them.
    if member.name == 'arr_1' and roles.get(('all', 'images')):
      roles.setdefault(('all', 'labels'), member)
  splits = [s for s in _ORDER if (s, 'images') in roles]
  if 'train' not in splits:
    splits = ['all'] if ('all', 'images') in roles else []
  if not splits:
    unknown = [m for m in found if len(m.shape) > 1]
    if len(unknown) != 1:
      alike = len(unknown) > 1 and len({m.shape for m in unknown}) == 1
      raise errors.UserError(
          f'Which array of {path} holds the examples is not clear from the '
          f'names {_shortened(m.name for m in found)}: {NAMES}'
          f'{_STACK if alike else ""}.')
    splits, roles[('all', 'images')] = ['all'], unknown[0]
    # Of x_test alone, y_test are the labels.
    split, what = _role(unknown[0].name) or ('all', '')
    if what == 'images' and (split, 'labels') in roles:
      roles['all', 'labels'] = roles[split, 'labels']
  made = {s: Table(roles[s, 'images'], roles.get((s, 'labels')))
          for s in splits}
  used = {m.name for table in made.values() for m in table if m}
  return made, [m.name for m in found if m.name not in used]


def _shortened(names):
  names = list(names)
  more = f' and {len(names) - _NAMED} more' if len(names) > _NAMED else ''
  return ', '.join(names[:_NAMED]) + more


def _role(name):
  """Returns `(split or 'all', 'images' or 'labels')`, or None."""
  # xTrain and x_train are the same name.
  words = re.sub(r'(?<=[a-z])(?=[A-Z])', '_', name).lower().split('_')
  places = [i for i, word in enumerate(words) if word in _SPLITS]
  split = 'all'
  if places:
    split = _SPLITS[words.pop(places[0])]
  rest = '_'.join(words)
  if rest in _LABELS:
    return split, 'labels'
  return (split, 'images') if rest in _IMAGES else None


def _of_npy(path):
  with open(path, 'rb') as file:
    shape, dtype = _header(file)
    size = file.tell() + _bytes(shape, dtype)
  if dtype.hasobject:
    raise ValueError(f'{path.name} {_OBJECTS}')
  if path.stat().st_size < size:
    raise ValueError(f'{path.name} is cut short: it has '
                     f'{path.stat().st_size} of {size} bytes')
  return Member(path.stem, shape, dtype, lambda: _opened(
      path, lambda: np.load(path, mmap_mode='r', allow_pickle=False)))


def _of_npz(path):
  found = []
  with zipfile.ZipFile(path) as archive:
    for info in sorted(archive.infolist(), key=lambda i: i.filename):
      if not info.filename.endswith('.npy'):
        continue
      with archive.open(info) as file:
        shape, dtype = _header(file)
        size = file.tell() + _bytes(shape, dtype)
      name = info.filename.removesuffix('.npy')
      if dtype.hasobject:
        # An array that nobody asks for may hold objects: it is never read.
        if _role(name) is None:
          continue
        raise ValueError(f'{name} {_OBJECTS}')
      if info.file_size != size:
        raise ValueError(f'{name} has {info.file_size} of {size} bytes')
      found.append(Member(name, shape, dtype, lambda name=name: _opened(
          path, lambda: _loaded(path, name))))
  return found


def _header(file):
  version = np.lib.format.read_magic(file)
  read = {(1, 0): np.lib.format.read_array_header_1_0,
          (2, 0): np.lib.format.read_array_header_2_0}.get(version)
  if read is None:
    raise ValueError(f'it is of version {version} of the format')
  shape, _, dtype = read(file)
  return shape, dtype


def _bytes(shape, dtype):
  # In Python's integers, which do not overflow as NumPy's product would.
  size = dtype.itemsize
  for side in shape:
    size *= side
  if size > _MAX_BYTES:
    raise ValueError(f'an array of the shape {list(shape)} has more than the '
                     f'{_MAX_BYTES} bytes that pgak reads')
  return size


def _loaded(path, name):
  with np.load(path, allow_pickle=False) as archive:
    return archive[name]


def _opened(path, load):
  try:
    return load()
  except _DAMAGED as e:
    raise errors.UserError(
        f'An array in {path} is damaged ({errors.reason(e)}): write the file '
        'again with np.save or np.savez.') from e


def _sampled(path):
  """Returns a digest of bytes at evenly spaced places of a file."""
  size, digest = path.stat().st_size, hashlib.sha256()
  step = max(size // _SAMPLES, _SAMPLE_BYTES)
  with open(path, 'rb') as file:
    # And the end, where an appended example is.
    for start in [*range(0, size, step), max(size - _SAMPLE_BYTES, 0)]:
      file.seek(start)
      digest.update(file.read(_SAMPLE_BYTES))
  return digest.hexdigest()

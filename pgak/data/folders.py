"""Any folder or zip of PNG and JPEG pictures as a data set."""
import concurrent.futures
import hashlib
import os
import pathlib
import re
import zipfile
import zlib

import gin
import numpy as np

from pgak import errors
from pgak.data import arrays
from pgak.data import attributes as attributes_lib
from pgak.data import decoding
from pgak.data import store

__all__ = ['images', 'partition', 'pictures']

# Bounds on what a folder or zip may claim.
MAX_FILES = 1 << 21
MAX_FILE_BYTES = 1 << 28
MAX_TOTAL_BYTES = 1 << 38

_SUFFIXES = ('.png', '.jpg', '.jpeg')
_CHUNK = 128


@gin.register
def images(path=None, image_shape=None, crop=None, antialias=True,
           test_fraction=0.1, validation_fraction=0., attributes=None):
  """The PNG and JPEG pictures of a folder, with all folders in it, or a zip.

  They are taken in the order of their names, turned as their EXIF orientation
  says, cropped in the middle and resized by bicubic interpolation. Which split
  a picture belongs to is a function of its name alone, so that adding others
  does not move it. No labels. Hidden files are passed over.

  Args:
    path: a folder or a `.zip` file; required.
    image_shape: `(height, width, channels)`, of 1 or 3 channels; required.
    crop: side in pixels of the square in the middle that is kept; None keeps
      the largest middle part with the proportions of `image_shape`.
    antialias: whether to smooth before shrinking.
    test_fraction: share of the pictures in the split `test`; above 0 it holds
      at least one.
    validation_fraction: the same for `validation`; with 0 there is none, and
      `test` stands in for it.
    attributes: path of a list of binary attributes in the format of CelebA's
      `list_attr_celeba.txt` (see `attributes.AttributeList`), with a line for
      every picture; None for none.

  Returns:
    A `Dataset`, named after the path and the crop.

  Raises:
    UserError: if nothing is there or a setting is out of bounds; when it is
      prepared, also if a picture is damaged or smaller than the crop, or
      if the list of attributes is damaged or lacks a picture.
  """
  if path is None:
    raise errors.UserError(
        'Say which folder or zip of images to read: set images.path.')
  path = pathlib.Path(path).expanduser()
  _check_settings(path, image_shape, crop, test_fraction, validation_fraction)
  stem = re.sub(r'[^A-Za-z0-9]+', '_', path.resolve().stem).strip('_')
  name = f'images_{stem}' + (f'_crop{crop}' if crop else '')
  fractions = {'validation': validation_fraction, 'test': test_fraction}
  choices = {'crop': crop, 'resize': 'bicubic', 'antialias': antialias,
             'fractions': fractions}
  splits = ('train',) + tuple(s for s in fractions if fractions[s])
  return arrays.Dataset(_Pictures(
      path, attributes, name, image_shape, splits, choices))


def _check_settings(path, image_shape, crop, test_fraction,
                    validation_fraction):
  if not path.exists():
    raise errors.UserError(
        f'There is no folder or zip of images at {path}; set images.path.')
  if not image_shape or len(image_shape) != 3 or image_shape[-1] not in (1, 3):
    raise errors.UserError(
        f'images.image_shape = {image_shape} must be (height, width, channels) '
        'with 1 or 3 channels.')
  if crop is not None and crop < 1:
    raise errors.UserError(f'images.crop = {crop} must be at least 1 pixel.')
  fractions = (test_fraction, validation_fraction)
  if min(fractions) < 0. or sum(fractions) >= 1.:
    raise errors.UserError(
        f'images.test_fraction = {test_fraction} and '
        f'images.validation_fraction = {validation_fraction} must be at least '
        '0 and leave something to train on.')


class _Pictures(store.Recipe):
  """A folder or zip of pictures; the source is listed once."""

  def __init__(self, path, attributes, *args):
    super().__init__(*args)
    self._path = path
    self._attribute_path = attributes

  def _attributes(self):
    return (None if self._attribute_path is None
            else attributes_lib.AttributeList(self._attribute_path))

  def fingerprint(self):
    listing = _open(self._path).listing
    if self._attribute_path is not None:
      listing = listing, self._attributes().fingerprint
    return hashlib.sha256(repr(listing).encode()).hexdigest()[:16]

  def read(self):
    source, attributes = _open(self._path), self._attributes()
    by_split = partition([name for name, *_ in source.listing],
                          self.choices['fractions'])
    workers = min(8, os.cpu_count() or 1)
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
      for split in self.splits:
        yield split, self._chunks(pool, source, attributes, by_split[split])

  def _chunks(self, pool, source, attributes, names):
    for i in range(0, len(names), _CHUNK):
      picked = names[i:i + _CHUNK]
      columns = {} if attributes is None else dict(
          zip(attributes.names, attributes.rows(picked).T))
      yield np.stack(list(pool.map(
          lambda name: self._picture(source, name), picked))), None, columns

  def _picture(self, source, name):
    try:
      image = decoding.decode(source.read(name), self.image_shape[-1])
      return decoding.to_shape(image, self.image_shape, self.choices['crop'],
                               self.choices['antialias']).numpy()
    except (ValueError, OSError, zipfile.BadZipFile) as error:
      raise errors.UserError(
          f'The picture {name} in {self._path} cannot be used: {error}; '
          'replace or remove it.') from error


def pictures(path):
  """Returns the sorted `(name, bytes, time of change)` of a folder's pictures.

  Raises:
    UserError: if it holds none, or more than pgak reads.
  """
  return _open(path).listing


def partition(names, fractions):
  """Returns split -> names, by a hash of each name; order is kept."""
  place = {name: _place(name) for name in names}
  test_end = fractions['test']
  validation_end = test_end + fractions['validation']
  split_of = {
      name: 'test' if x < test_end else
            'validation' if x < validation_end else 'train'
      for name, x in place.items()}
  for split in ('test', 'validation'):
    if fractions[split] and split not in split_of.values() and len(names) > 2:
      spare = [name for name in names if split_of[name] == 'train']
      split_of[min(spare, key=place.get)] = split
  return {split: [name for name in names if split_of[name] == split]
          for split in ('train', 'validation', 'test')}


def _place(name):
  """Returns a number in [0, 1) that looks random and depends on the name."""
  return int(hashlib.sha256(name.encode()).hexdigest()[:12], 16) / 2.**48


def _open(path):
  source = _Folder(path) if path.is_dir() else _Zip(path)
  if not source.listing:
    raise errors.UserError(
        f'{path} holds no PNG or JPEG; set images.path to a folder or zip '
        'that does.')
  _check_bounds(path, source.listing)
  return source


def _check_bounds(path, listing):
  """Refuses what is larger than pgak will read; `listing` has bytes second."""
  if len(listing) > MAX_FILES:
    raise errors.UserError(f'{path} holds {len(listing)} pictures, and '
                           f'{MAX_FILES} is the most that pgak reads.')
  total = sum(size for _, size, _ in listing)
  if total > MAX_TOTAL_BYTES:
    raise errors.UserError(f'{path} unpacks to {total} bytes, and '
                           f'{MAX_TOTAL_BYTES} is the most that pgak reads.')
  for name, size, _ in listing:
    if size > MAX_FILE_BYTES:
      raise errors.UserError(
          f'The picture {name} in {path} has {size} bytes, and '
          f'{MAX_FILE_BYTES} is the most that pgak reads; remove it.')


def _is_picture(name):
  hidden = any(part.startswith('.') or part == '__MACOSX'
               for part in name.split('/'))
  return name.lower().endswith(_SUFFIXES) and not hidden


class _Folder:
  """Pictures below a folder.

  Attributes:
    listing: sorted list of `(name, bytes, time of change)`.
  """

  def __init__(self, path):
    self._path = path
    self.listing = sorted(self._entries())

  def _entries(self):
    for folder, _, files in os.walk(self._path):
      for file in files:
        full = pathlib.Path(folder, file)
        name = full.relative_to(self._path).as_posix()
        if _is_picture(name) and full.is_file():
          stat = full.stat()
          yield name, stat.st_size, stat.st_mtime_ns

  def read(self, name):
    return (self._path / name).read_bytes()


class _Zip:
  """Pictures in a zip, which is read in place and never unpacked.

  Attributes:
    listing: sorted list of `(name, bytes, CRC-32)`.
  """

  def __init__(self, path):
    self._path = path
    try:
      self._zip = zipfile.ZipFile(path)
      members = self._zip.infolist()
    except (zipfile.BadZipFile, OSError, ValueError) as error:
      raise errors.UserError(
          f'{path} is not a folder and cannot be read as a zip ({error}); set '
          'images.path to a folder or zip of PNG or JPEG.') from error
    self.listing = sorted((member.filename, member.file_size, member.CRC)
                          for member in members if self._wanted(member))

  def _wanted(self, member):
    name = member.filename
    if name.startswith('/') or '\\' in name or ':' in name[:2] or (
        '..' in name.split('/')):
      raise errors.UserError(
          f'The zip {self._path} has a member {name!r} whose path leads '
          'outside; make it again with plain relative paths.')
    if member.flag_bits & 1:
      raise errors.UserError(
          f'The picture {name} in {self._path} is encrypted; make the zip '
          'again without a password.')
    return _is_picture(name)

  def read(self, name):
    # zipfile stops at the size that the listing was checked for.
    try:
      return self._zip.read(name)
    except (NotImplementedError, EOFError, zlib.error) as error:
      raise ValueError('it is damaged') from error

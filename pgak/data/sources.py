"""Folders and zips of pictures: what is in them, and what is passed over."""
import collections
import os
import pathlib
import stat
import zipfile
import zlib

from pgak import errors
from pgak.data import formats

__all__ = ['LISTINGS', 'open_source', 'pictures']

# Bounds on what a folder or zip may claim.
MAX_FILES = 1 << 21
MAX_FILE_BYTES = 1 << 28
MAX_TOTAL_BYTES = 1 << 38

LISTINGS = ('contents', 'suffixes')

_OLD_SUFFIXES = ('.png', '.jpg', '.jpeg')

HIDDEN = 'hidden'
_NO_PICTURE = 'no picture'


def open_source(path, listing='contents'):
  """Lists the pictures in a folder, with all folders in it, or in a zip.

  Args:
    path: `pathlib.Path`.
    listing: 'contents' for every file that is named as a picture or begins as
      one, also behind links to folders; 'suffixes' for .png, .jpg and .jpeg
      alone and no such links, as version 0.4 did.

  Returns:
    A source. Its `listing` is a sorted list of `(name, bytes, time of change or
    CRC-32)`, its `passed_over` one of `(name, reason)`; `read(name)` gives the
    bytes of a picture, and `text(name)` those of another file there, or None.

  Raises:
    UserError: if it holds no picture, more than pgak reads, or a member of a
      zip that cannot be read at all.
  """
  source = (_Folder if path.is_dir() else _Zip)(path, listing)
  source.listing.sort()
  source.passed_over.sort()
  if not source.listing:
    raise errors.UserError(
        f'{path} holds no {formats.LISTED}; set images.path to a folder or zip '
        'that does.')
  _check_bounds(path, source.listing)
  return source


def pictures(path):
  """Returns the sorted `(name, bytes, time of change)` of .png, .jpg and .jpeg.

  Raises:
    UserError: as `open_source`.
  """
  return open_source(path, 'suffixes').listing


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


def _is_hidden(part):
  return part.startswith('.') or part == '__MACOSX'


def _reason_against(name, listing, head):
  """Returns why a file is no picture, or '' if it is one.

  Args:
    name: its path.
    listing: one of `LISTINGS`.
    head: function that returns its first bytes.
  """
  suffix = pathlib.PurePosixPath(name).suffix.lower()
  if listing == 'suffixes':
    return '' if suffix in _OLD_SUFFIXES else 'neither .png nor .jpg'
  if suffix in formats.SUFFIXES:
    return ''
  form = formats.sniff(head())
  if form == 'TIFF' and suffix:
    # A camera's raw files are TIFFs, of which Pillow reads a thumbnail.
    return 'a TIFF by another name, such as a raw file'
  return '' if form else _NO_PICTURE


class _Folder:
  """Pictures below a folder."""

  def __init__(self, path, listing):
    self._path = path
    self._listing = listing
    self.listing = []
    self.passed_over = []
    self._walk()

  def read(self, name):
    return (self._path / name).read_bytes()

  def text(self, name):
    path = self._path / name
    return path.read_bytes() if path.is_file() else None

  def _walk(self):
    """Lists every folder once, those behind links after all others."""
    seen = set()
    folders, links = collections.deque(['']), collections.deque()
    while folders or links:
      name = (folders or links).popleft()
      try:
        status = os.stat(self._path / name)
        entries = sorted(os.scandir(self._path / name), key=lambda e: e.name)
      except OSError as error:
        self._pass_over(name, f'cannot be opened ({error.strerror})')
        continue
      if (status.st_dev, status.st_ino) in seen:
        self._pass_over(name, 'a link to a folder that is read already')
        continue
      seen.add((status.st_dev, status.st_ino))
      for entry in entries:
        self._take(entry, f'{name}/{entry.name}'.lstrip('/'), folders, links)

  def _take(self, entry, name, folders, links):
    """Sorts one entry of a folder into what is to be read, or passed over."""
    if _is_hidden(entry.name):
      self._pass_over(name, HIDDEN)
    elif entry.is_dir():
      if not entry.is_symlink():
        folders.append(name)
      elif self._listing == 'contents':
        links.append(name)
      else:
        self._pass_over(name, 'a link to a folder')
    elif entry.is_file():
      self._take_file(entry, name)
    else:
      self._pass_over(
          name, 'a broken link' if entry.is_symlink() else 'no file')

  def _take_file(self, entry, name):
    try:
      reason = _reason_against(name, self._listing, lambda: self._head(name))
      status = entry.stat()
    except OSError as error:
      reason = f'cannot be read ({error.strerror})'
    if reason:
      self._pass_over(name, reason)
    else:
      self.listing.append((name, status.st_size, status.st_mtime_ns))

  def _head(self, name):
    with open(self._path / name, 'rb') as file:
      return file.read(formats.HEAD)

  def _pass_over(self, name, reason):
    self.passed_over.append((name, reason))


class _Zip:
  """Pictures in a zip, which is read in place and never unpacked."""

  def __init__(self, path, listing):
    self._path = path
    self.listing = []
    self.passed_over = []
    self._members = {}
    try:
      self._zip = zipfile.ZipFile(path)
      members = self._zip.infolist()
    except (zipfile.BadZipFile, OSError, ValueError) as error:
      raise errors.UserError(
          f'{path} is not a folder and cannot be read as a zip ({error}); set '
          f'images.path to a folder or zip of {formats.LISTED}.') from error
    for member in members:
      self._take(member, self._checked_name(member), listing)

  def read(self, name):
    return self._read(name)

  def text(self, name):
    found = next((member for member in sorted(self._members)
                  if f'/{member}'.endswith(f'/{name}')), None)
    return None if found is None else self._read(found)

  def _checked_name(self, member):
    """Returns a member's name with slashes, as programs on Windows omit."""
    name = member.filename.replace('\\', '/')
    if name.startswith('/') or ':' in name[:2] or '..' in name.split('/'):
      raise errors.UserError(
          f'The zip {self._path} has a member {member.filename!r} whose path '
          'leads outside; make it again with plain relative paths.')
    if member.flag_bits & 1:
      raise errors.UserError(
          f'The picture {name} in {self._path} is encrypted; make the zip '
          'again without a password.')
    return name

  def _take(self, member, name, listing):
    if name.endswith('/'):
      return
    if any(map(_is_hidden, name.split('/'))):
      self.passed_over.append((name, HIDDEN))
      return
    if name in self._members:
      self.passed_over.append((name, 'another file of that name'))
      return
    self._members[name] = member
    if stat.S_ISLNK(member.external_attr >> 16):
      self.passed_over.append((name, 'a link in a zip'))
      return
    reason = _reason_against(name, listing, lambda: self._head(name))
    if reason:
      self.passed_over.append((name, reason))
    else:
      self.listing.append((name, member.file_size, member.CRC))

  def _head(self, name):
    try:
      with self._zip.open(self._members[name]) as file:
        return file.read(formats.HEAD)
    except (NotImplementedError, OSError, EOFError, zlib.error,
            zipfile.BadZipFile):
      return b''

  def _read(self, name):
    # zipfile stops at the size that the listing was checked for.
    try:
      return self._zip.read(self._members[name])
    except (NotImplementedError, EOFError, zlib.error) as error:
      raise ValueError('it is damaged') from error

"""Pictures in folders, zips and tars: those read, and those passed over."""
import collections
import lzma
import os
import pathlib
import stat
import tarfile
import zipfile
import zlib

from pgak import errors
from pgak.data import formats
from pgak.data import uncompressed

__all__ = ['LISTINGS', 'instead', 'is_hidden', 'is_tar', 'open_source',
           'pictures', 'reason_against']

_DAMAGED_TAR = (tarfile.TarError, OSError, EOFError, ValueError, zlib.error,
                lzma.LZMAError)

_DAMAGED_ZIP = (zipfile.BadZipFile, NotImplementedError, OSError, EOFError,
                zlib.error, lzma.LZMAError)

# Bounds on what a folder or zip may claim: 2 million files, 256 MiB in one and
# 256 GiB in all. A small zip can unpack to any size.
MAX_FILES = 1 << 21
MAX_FILE_BYTES = 1 << 28
MAX_TOTAL_BYTES = 1 << 38

LISTINGS = ('contents', 'suffixes')

_OLD_SUFFIXES = ('.png', '.jpg', '.jpeg')
_ARCHIVES = ('.zip', '.tar', '.gz', '.tgz', '.bz2', '.xz', '.7z', '.rar')
_HEIC = ('.heic', '.heif', '.hif')
# Names in the error where there is no picture.
_NAMED = 3

HIDDEN = 'hidden'
_NO_PICTURE = 'no picture'


def open_source(path, listing='contents'):
  """Lists the pictures in a folder, with all folders in it, a zip or a tar.

  Args:
    path: `pathlib.Path`.
    listing: 'contents' for every file that is named as a picture or begins as
      one, also behind links to folders, each picture once; 'suffixes' for
      .png, .jpg and .jpeg alone, no such links, and a picture for each link to
      one, as version 0.4 did.

  Returns:
    A source. Its `listing` is a sorted list of `(name, bytes, time of change or
    CRC-32)`, its `passed_over` one of `(name, reason)`; `read(name)` gives the
    bytes of a picture, and `text(name)` those of another file there, or None.

  Raises:
    UserError: if it holds no picture, more than pgak reads, or a member of a
      zip or tar that cannot be read at all.
  """
  kind = (_Folder if path.is_dir() else _Tar if is_tar(path) else _Zip)
  source = kind(path, listing)
  # By name: the order on a disk differs from machine to machine.
  source.listing.sort()
  source.passed_over.sort()
  if not source.listing:
    raise errors.UserError(
        f'{path} holds no {formats.LISTED}{instead(source.passed_over)}; set '
        'images.path to a folder, zip or tar that does.')
  _check_bounds(path, source.listing)
  return source


def instead(passed_over):
  """Returns ', but X (why), ...' of what is there instead of pictures, or ''.
  """
  found = [f'{name} ({reason})' for name, reason in passed_over
           if reason != HIDDEN]
  more = f' and {len(found) - _NAMED} more' if len(found) > _NAMED else ''
  return f', but {", ".join(found[:_NAMED])}{more}' if found else ''


def pictures(path):
  """Returns the sorted `(name, bytes, time of change)` of .png, .jpg and .jpeg.

  Raises:
    UserError: as `open_source`.
  """
  return open_source(path, 'suffixes').listing


def _check_bounds(path, listing):
  """Refuses more than pgak reads; `listing` has bytes second."""
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


def is_hidden(part):
  # macOS puts a folder of that name into zips; disks on a network keep
  # thumbnails in the others.
  return part in ('__MACOSX', '@eaDir') or (
      part.startswith('.') and part not in ('.', '..'))


def reason_against(name, listing, head):
  """Returns why a file is no picture, or '' if it is one.

  Args:
    name: its path.
    listing: one of `LISTINGS`.
    head: function that returns its first bytes.
  """
  suffix = pathlib.PurePosixPath(name).suffix.lower()
  if listing == 'suffixes':
    return '' if suffix in _OLD_SUFFIXES else 'neither .png nor .jpg'
  # By name alone, so that a damaged picture is an error and not passed over.
  if suffix in formats.SUFFIXES:
    return ''
  form = formats.sniff(head())
  if suffix in _ARCHIVES:
    return 'an archive, to be unpacked first'
  if suffix in _HEIC:
    return 'HEIC, to be converted to JPEG first'
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
    self._listed = set()
    self._links = []
    self._walk()
    self._take_links()

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
    """Sorts one entry of a folder into those to be read, or passed over."""
    if is_hidden(entry.name):
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
      reason = reason_against(name, self._listing, lambda: self._head(name))
      status = entry.stat()
    except OSError as error:
      reason = f'cannot be read ({error.strerror})'
    if reason:
      self._pass_over(name, reason)
    # Version 0.4 took a link for one more picture.
    elif entry.is_symlink() and self._listing == 'contents':
      self._links.append((name, status))
    else:
      self._list(name, status)

  def _take_links(self):
    """Lists those links that lead to no picture that is listed.

    A picture that is there twice could be both trained and tested on.
    """
    for name, status in self._links:
      if (status.st_dev, status.st_ino) in self._listed:
        self._pass_over(name, 'a link to a picture that is read already')
      else:
        self._list(name, status)

  def _list(self, name, status):
    self._listed.add((status.st_dev, status.st_ino))
    self.listing.append((name, status.st_size, status.st_mtime_ns))

  def _head(self, name):
    with open(self._path / name, 'rb') as file:
      return file.read(formats.HEAD)

  def _pass_over(self, name, reason):
    self.passed_over.append((name, reason))


class _Archive:
  """Pictures in a file, which is read in place and never unpacked."""

  kind: str

  def __init__(self, path):
    self._path = path
    self.listing = []
    self.passed_over = []
    self._members = {}

  def read(self, name):
    return self._read(name)

  def text(self, name):
    found = next((member for member in sorted(self._members)
                  if f'/{member}'.endswith(f'/{name}')), None)
    return None if found is None else self._read(found)

  def _read(self, name):
    raise NotImplementedError

  def _head(self, name):
    raise NotImplementedError

  def _checked_name(self, stated):
    """Returns a member's name with slashes, as programs on Windows omit."""
    name = stated.replace('\\', '/').removeprefix('./')
    # Nothing is unpacked, but such an archive is not to be trusted.
    if name.startswith('/') or ':' in name[:2] or '..' in name.split('/'):
      raise errors.UserError(
          f'The {self.kind} {self._path} has a member {stated!r} whose path '
          'leads outside; make it again with plain relative paths.')
    return name

  def _take(self, member, name, listing, bytes_, stamp, reason=''):
    """Sorts a member that is a file into those to be read, or passed over."""
    if any(map(is_hidden, name.split('/'))):
      self.passed_over.append((name, HIDDEN))
      return
    # The first of two: `read` goes by name.
    if name in self._members:
      self.passed_over.append((name, 'another file of that name'))
      return
    self._members[name] = member
    reason = reason or reason_against(name, listing, lambda: self._head(name))
    if reason:
      self.passed_over.append((name, reason))
    else:
      self.listing.append((name, bytes_, stamp))


class _Zip(_Archive):
  """Pictures in a zip."""

  kind = 'zip'

  def __init__(self, path, listing):
    super().__init__(path)
    try:
      self._zip = zipfile.ZipFile(path)
      members = self._zip.infolist()
    except (zipfile.BadZipFile, OSError, ValueError) as error:
      raise errors.UserError(
          f'{path} is not a folder and cannot be read as a zip ({error}); set '
          f'images.path to a folder, zip or tar of {formats.LISTED}.'
      ) from error
    for member in members:
      name = self._checked_name(member.filename)
      if member.flag_bits & 1:
        raise errors.UserError(
            f'The picture {name} in {self._path} is encrypted; make the zip '
            'again without a password.')
      if not name.endswith('/'):
        # The upper half has Unix's mode.
        linked = stat.S_ISLNK(member.external_attr >> 16)
        self._take(member, name, listing, member.file_size, member.CRC,
                   'a link in a zip' if linked else '')

  def _head(self, name):
    try:
      with self._zip.open(self._members[name]) as file:
        return file.read(formats.HEAD)
    except _DAMAGED_ZIP:
      return b''

  def _read(self, name):
    # zipfile stops at the size that the listing was checked for.
    try:
      return self._zip.read(self._members[name])
    except _DAMAGED_ZIP as error:
      raise ValueError('it is damaged') from error


class _Tar(_Archive):
  """Pictures in a tar, which is decompressed once if it is compressed."""

  kind = 'tar'

  def __init__(self, path, listing):
    super().__init__(path)
    try:
      status = path.stat()
      self._open = uncompressed.opened(
          path, (status.st_size, status.st_mtime_ns), MAX_TOTAL_BYTES)
      self._size = os.fstat(self._open.file.fileno()).st_size
      self._open.file.seek(0)
      with tarfile.open(fileobj=self._open.file, mode='r:') as tar:
        members = tar.getmembers()
    except _DAMAGED_TAR as error:
      raise errors.UserError(
          f'The tar {path} cannot be read ({error}); make it again.'
      ) from error
    for member in members:
      self._add(member, self._checked_name(member.name), listing)
    # Of members that all have one time, as in reproducible tars, another
    # picture of the same size would not be seen.
    if len({time for *_, (time, _) in self.listing}) == 1:
      self.listing = [(name, bytes_, (*stamp, status.st_mtime_ns))
                      for name, bytes_, stamp in self.listing]

  def _add(self, member, name, listing):
    if member.isdir():
      return
    # `tarfile` itself finds this only when the member is read.
    if member.offset_data + member.size > self._size:
      raise errors.UserError(f'The tar {self._path} is cut short at {name}; '
                             'make it again.')
    # Their bytes are not at one place of the file.
    reason = '' if member.isreg() and not member.issparse() else (
        'a link or another kind of member in a tar')
    self._take(member, name, listing, member.size,
               (member.mtime, member.offset_data), reason)

  def _head(self, name):
    return self._bytes(name, formats.HEAD)

  def _read(self, name):
    return self._bytes(name, self._members[name].size)

  def _bytes(self, name, most):
    member = self._members[name]
    # Several threads read at once, each at its own place.
    return os.pread(self._open.file.fileno(), min(most, member.size),
                    member.offset_data)


def is_tar(path):
  """Returns whether a file is a tar, compressed or not, by its content."""
  try:
    return not zipfile.is_zipfile(path) and tarfile.is_tarfile(path)
  except _DAMAGED_TAR:
    return False

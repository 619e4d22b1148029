"""Atomic replacement of files and folders, locks, and digests of settings.

The promise of `replacing`: whatever happens, a full disk, an error or a
SIGKILL, afterwards the path holds the new file or folder, whole and on the
disk, or what it held before. Leftovers of a killed process in that folder are
removed at the next write there.
"""
import contextlib
import ctypes
import errno
import fcntl
import hashlib
import json
import os
import pathlib
import re
import secrets
import shutil
import socket
import time
import zipfile
import zlib

from absl import logging
import numpy as np

from pgak import errors

__all__ = ['KINDS', 'beside', 'cache_directory', 'flush', 'keep_npz', 'key',
           'load_json', 'load_npz', 'local', 'locked', 'put', 'replacing',
           'write_text']

# Leftovers of another machine on a shared disk, or of an unknown process, are
# taken for dead after a day.
_DAY = 24 * 3600.
_PART = re.compile(r'\..+\.(?P<host>[^.]*)-(?P<pid>\d+)-[0-9a-f]{8}f?\.part')
# How version 0.4 named those of a file {name}, which is {stem} and an ending.
_OLD_PARTS = (r'\.({name}|{stem})\.(?P<pid>\d+)\.part', r'\.{name}\.part',
              r'{name}\.partial', r'\.part-[0-9a-f]{{32}}',
              r'\.sweep\.json\.\d+\.part')  # Of a shard, no process.
# What a damaged .npz raises, by where it is damaged.
_DAMAGED = (EOFError, KeyError, NotImplementedError, OSError, TypeError,
            ValueError, zipfile.BadZipFile, zlib.error)
# Types of what JSON holds, in words.
KINDS = {dict: 'names and values', list: 'a list', int: 'a whole number',
         str: 'a string'}
# Constants of Linux's renameat2, which Python does not have.
_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


@contextlib.contextmanager
def replacing(path):
  """Writes a file or folder beside its place and puts it there when whole.

  The parent folder is made if absent. Without an error inside the block, what
  was written is flushed to the disk and renamed; with one, it is removed.

  Args:
    path: where it will be; a string or `pathlib.Path`.

  Yields:
    `pathlib.Path` that does not exist, beside `path`: write a file there, or
    make a folder.

  Raises:
    OSError: if it cannot be written; `path` is as it was.

  Example:

  ```python
  with files.replacing(run / 'config.json') as part:
    part.write_text(text)
  ```
  """
  path = pathlib.Path(path)
  with beside(path) as part:
    yield part
    # In this order: content, rename, entry. After a crash a file that was
    # renamed without its content on the disk would be empty.
    flush(part)
    put(part, path)
    _flush_entry(path.parent)


@contextlib.contextmanager
def beside(path):
  """Yields an unused path beside another one, and removes what is left there.

  The parent folder is made if absent. For files that replace none: the caller
  flushes and renames them.

  Raises:
    OSError: if the folder cannot be made.
  """
  path = pathlib.Path(path)
  path.parent.mkdir(parents=True, exist_ok=True)
  _sweep(path)
  # Host and process in the name, so that a later process can tell a leftover
  # from a file that is still being written.
  part = path.with_name(f'.{path.name}.{_host()}-{os.getpid()}-'
                        f'{secrets.token_hex(4)}.part')
  try:
    yield part
  except OSError as e:
    if e.errno and not e.filename:  # A full disk's names none.
      e.filename = str(path)
    raise
  finally:
    _remove(part)


def write_text(path, text):
  """Writes a text file, UTF-8, as `replacing` promises."""
  with replacing(path) as part:
    part.write_text(text, encoding='utf-8')


def _host():
  return re.sub(r'[^A-Za-z0-9]', '_', socket.gethostname())


def _sweep(path):
  """Removes what killed processes left in the folder of `path`."""
  names = dict(name=re.escape(path.name), stem=re.escape(path.stem))
  patterns = [_PART, *(re.compile(p.format(**names)) for p in _OLD_PARTS)]
  for left in path.parent.iterdir():
    for match in filter(None, (p.fullmatch(left.name) for p in patterns)):
      if not _is_written(left, **match.groupdict()):
        _remove(left)


def _is_written(left, pid=None, host=None):
  """Whether the process that writes a left-over may still be there."""
  try:
    if not pid or host not in (None, _host()):
      return time.time() - left.stat().st_mtime < _DAY
    # Signal 0 only asks whether the process is there.
    os.kill(int(pid), 0)
  except (FileNotFoundError, ProcessLookupError):
    return False
  except OSError:  # The process is someone else's.
    return True
  return True


def flush(path):
  """Forces a file, or a folder with all that is in it, onto the disk."""
  if path.is_dir():
    for folder, _, names in os.walk(path):
      for name in names:
        _flush_entry(os.path.join(folder, name))
      _flush_entry(folder)
  else:
    _flush_entry(path)


def _flush_entry(path):
  descriptor = os.open(path, os.O_RDONLY)
  try:
    os.fsync(descriptor)
  except OSError as e:
    # Some file systems know no fsync of folders.
    if e.errno not in (errno.EINVAL, errno.ENOTSUP):
      raise
  finally:
    os.close(descriptor)


def put(part, path):
  """Renames a file, or a folder, over what is there."""
  if not (part.is_dir() and path.is_dir()):
    os.replace(part, path)
  # `os.replace` puts no folder over one that is not empty.
  elif not _exchange(part, path):
    # Two renames, where the system cannot swap: for a moment nothing is there.
    old = part.with_name(part.name.replace('.part', 'f.part'))
    os.rename(path, old)
    os.rename(part, path)
    shutil.rmtree(old)


def _exchange(one, other):
  """Swaps two folders at once; returns whether this system can."""
  try:
    # Of glibc 2.28 on Linux, and of some file systems alone.
    rename = ctypes.CDLL(None, use_errno=True).renameat2
  except (AttributeError, OSError):
    return False
  return rename(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other),
                _RENAME_EXCHANGE) == 0


def _remove(path):
  """Removes a file or folder if it is there, as far as that is allowed."""
  if path.is_dir() and not path.is_symlink():
    shutil.rmtree(path, ignore_errors=True)
  else:
    with contextlib.suppress(OSError):
      path.unlink(missing_ok=True)


def local(path):
  """Returns a path that a user gave as `pathlib.Path`, with ~ for the home.

  Raises:
    UserError: if it is an address, or the home of an unknown user.
  """
  text = os.fspath(path)
  if re.match(r'[A-Za-z][\w+.-]*://', text):
    raise errors.UserError(f'{text} is an address, and pgak reads and writes '
                           'folders of this machine: give the path of one.')
  try:
    return pathlib.Path(text).expanduser()
  except RuntimeError as e:
    raise errors.UserError(
        f'{text} begins with the home of a user that this machine does not '
        'know: give the whole path.') from e


def load_json(path, kind=dict):
  """Reads a JSON file.

  Args:
    path: the file.
    kind: type of what it holds.

  Raises:
    OSError: if it cannot be read.
    ValueError: if it is damaged, or holds something else.
  """
  try:
    found = json.loads(pathlib.Path(path).read_text(encoding='utf-8'))
  except RecursionError as e:
    raise ValueError('its brackets are nested too deeply') from e
  if not isinstance(found, kind):
    raise ValueError(f'it does not hold {KINDS[kind]}')
  return found


def keep_npz(path, arrays):
  """Writes an .npz file of what can be made again, whole or not at all.

  If it cannot be written, such as to a full disk, that is a warning: the caller
  can do without the file.

  Args:
    path: the file.
    arrays: `{name: array}`.
  """
  try:
    with replacing(path) as part, part.open('wb') as file:
      np.savez(file, **arrays)
  except OSError as e:
    logging.warning('%s cannot be kept (%s): it is made again when it is next '
                    'needed.', path, errors.unwritable(e) or errors.reason(e))


def load_npz(path):
  """Reads an .npz file that may be absent or damaged.

  Args:
    path: the file.

  Returns:
    `{name: array}`, or None if it is not there or not whole. Pickled objects
    count as damage: they would run code.
  """
  try:
    # NumPy leaves a damaged file open that it opened itself.
    with (open(path, 'rb') as file,
          np.load(file, allow_pickle=False) as arrays):
      return {name: arrays[name] for name in arrays.files}
  except (*_DAMAGED, AttributeError):  # A bare array has no names.
    return None


@contextlib.contextmanager
def locked(path, sentence, wait=False):
  """Holds a lock file, so that one process at a time does something.

  Args:
    path: the lock file; made if absent, and left there.
    sentence: the UserError's text where another process holds it.
    wait: whether to wait until it is free; True, or seconds.

  Yields:
    The lock file, open for appending; a process that inherits it keeps the
    lock.

  Raises:
    UserError: if another process holds it, still after that time.
  """
  end = time.monotonic() + (float('inf') if wait is True else float(wait))
  # Never removed: another process may hold or await the lock of this very file.
  with open(path, 'a', encoding='utf-8') as file:
    while True:
      try:
        # Without blocking: a signal and a time limit end the wait.
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        break
      except BlockingIOError as e:
        if time.monotonic() >= end:
          raise errors.UserError(sentence) from e
        time.sleep(0.05)
    yield file


def key(settings, length=16):
  """Returns a digest of settings, hexadecimal digits.

  Args:
    settings: what JSON can hold; nothing else, whose text might hold an address
      that changes from process to process.
    length: int, number of digits.

  Raises:
    TypeError: if JSON cannot hold them.
  """
  text = json.dumps(settings, sort_keys=True)
  return hashlib.sha256(text.encode()).hexdigest()[:length]


def cache_directory():
  """Returns the cache folder: `PGAK_CACHE`, or `~/.cache/pgak`; made if absent.

  Raises:
    UserError: if it cannot be made.
  """
  path = local(os.environ.get('PGAK_CACHE') or '~/.cache/pgak')
  try:
    path.mkdir(parents=True, exist_ok=True)
  except OSError as e:
    raise errors.UserError(
        f'The cache folder {path} cannot be made ({errors.reason(e)}): set '
        'PGAK_CACHE to another.') from e
  return path

"""Compressed files, decompressed once into a file that has no name."""
import bz2
import functools
import gzip
import lzma
import tempfile
import weakref

from pgak import errors
from pgak import files

__all__ = ['opened']

# How a compressed file begins.
_COMPRESSED = {b'\x1f\x8b': gzip, b'BZh': bz2, b'\xfd7zXZ\x00': lzma}


@functools.lru_cache(maxsize=2)
def opened(path, stamp, most):
  """Opens a file, or a copy without its compression.

  Args:
    path: `pathlib.Path`.
    stamp: its size and time of change: another file is opened anew.
    most: bytes that it may unpack to.

  Returns:
    An object whose `file` is closed with the last reference to it.

  Raises:
    UserError: if it unpacks to more.
  """
  del stamp
  with open(path, 'rb') as file:
    head = file.read(8)
  packing = next((module for begin, module in _COMPRESSED.items()
                  if head.startswith(begin)), None)
  if packing is None:
    return _Open(open(path, 'rb'))
  # In the cache: /tmp may be small. Members are read at random, and a
  # compressed file can only be read from its beginning.
  copy = _Open(tempfile.TemporaryFile(dir=files.cache_directory()))
  with packing.open(path, 'rb') as packed:
    while chunk := packed.read(1 << 20):
      copy.file.write(chunk)
      if copy.file.tell() > most:
        raise errors.UserError(f'{path} unpacks to more than {most} bytes, the '
                               'most that pgak reads.')
  copy.file.flush()
  return copy


class _Open:
  """A file that is closed with the last reference to it."""

  def __init__(self, file):
    self.file = file
    weakref.finalize(self, file.close)

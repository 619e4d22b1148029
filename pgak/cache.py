"""Where pgak keeps what it can make again: prepared data, statistics, weights.
"""
import os

from pgak import errors
from pgak import files

__all__ = ['cache_directory']


def cache_directory():
  """Returns the cache folder: `PGAK_CACHE`, or `~/.cache/pgak`; made if absent.

  Raises:
    UserError: if it cannot be made.
  """
  path = files.local(os.environ.get('PGAK_CACHE') or '~/.cache/pgak')
  try:
    path.mkdir(parents=True, exist_ok=True)
  except OSError as e:
    raise errors.UserError(
        f'The cache folder {path} cannot be made ({errors.reason(e)}): set '
        'PGAK_CACHE to another.') from e
  return path

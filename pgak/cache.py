"""Where pgak keeps what it can make again: prepared data, statistics, weights.
"""
import os
import pathlib

__all__ = ['cache_directory']


def cache_directory():
  """Returns the cache folder: `PGAK_CACHE`, or `~/.cache/pgak`; made if absent.
  """
  folder = os.environ.get('PGAK_CACHE') or '~/.cache/pgak'
  path = pathlib.Path(folder).expanduser()
  path.mkdir(parents=True, exist_ok=True)
  return path

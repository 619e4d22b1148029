"""Keeps the moments of reference images on disk, under all that made them."""
import hashlib
import json
import os
import zipfile

import numpy as np

from pgak import cache
from pgak.metrics import frechet

__all__ = ['cached', 'key']


def key(choices):
  """Returns the name of a set of choices: a hash of their sorted JSON.

  Args:
    choices: dictionary of what JSON can hold.
  """
  text = json.dumps(choices, sort_keys=True)
  return hashlib.sha256(text.encode()).hexdigest()[:24]


def cached(choices, compute):
  """Returns the moments made by `choices`, from the cache if they are there.

  A file holds its choices, too, and one that is damaged is made again.

  Args:
    choices: dictionary of everything that decides the result: data set,
      fingerprint of its content, split, preprocessing, number of images, feature
      net, fingerprint of its weights, resize.
    compute: function without arguments that returns `frechet.Moments`.

  Returns:
    `frechet.Moments`.
  """
  folder = cache.cache_directory() / 'statistics'
  path = folder / f'{key(choices)}.npz'
  found = _read(path, choices)
  if found is None:
    found = compute()
    folder.mkdir(parents=True, exist_ok=True)
    _write(path, choices, found)
  return found


def _read(path, choices):
  try:
    with np.load(path, allow_pickle=False) as arrays:
      if json.loads(str(arrays['choices'])) != json.loads(json.dumps(choices)):
        return None
      return frechet.Moments(len(arrays['mean']), arrays['count'],
                             arrays['mean'], arrays['scatter'])
  except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile):
    return None


def _write(path, choices, moments):
  part = path.with_name(f'.{path.stem}.{os.getpid()}.part')
  with part.open('wb') as file:
    np.savez(file, count=moments.count, mean=moments.mean,
             scatter=moments.scatter,
             choices=json.dumps(choices, sort_keys=True, indent=1))
  os.replace(part, path)

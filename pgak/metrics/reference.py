"""Keeps the moments of reference images on disk, under all that made them."""
import hashlib
import json
import os
import zipfile

import numpy as np

from pgak import cache
from pgak.metrics import frechet

__all__ = ['cached', 'count', 'key', 'moments', 'read']

_READ_BATCH = 500


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
      fingerprint of its content, split, preprocessing, number of images,
      feature net, fingerprint of its weights, resize.
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


def _write(path, choices, found):
  part = path.with_name(f'.{path.stem}.{os.getpid()}.part')
  with part.open('wb') as file:
    np.savez(file, count=found.count, mean=found.mean,
             scatter=found.scatter,
             choices=json.dumps(choices, sort_keys=True, indent=1))
  os.replace(part, path)


def read(array, number):
  """Yields the first `number` images in batches, uint8 `[b, h, w, C]`."""
  for start in range(0, number, _READ_BATCH):
    yield array.read(np.arange(start, min(start + _READ_BATCH, number)))


def count(array, limit):
  """Returns how many images a limit leaves; None leaves all."""
  return len(array) if limit is None else min(len(array), limit)


def moments(net, array, limit=None):
  """Returns the moments of real images' features, from the cache if there.

  Args:
    net: a `features.FeatureNet`.
    array: a `data.ImageArray`.
    limit: takes the first so many images; None for all.

  Returns:
    `frechet.Moments`.
  """
  number = count(array, limit)
  choices = dict(
      dataset=array.name, split=array.split, content=array.fingerprint,
      preprocessing={k: str(v) for k, v in array.preprocessing.items()},
      num_images=number, features=net.name, weights=net.fingerprint,
      resize=net.resize)
  return cached(
      choices, lambda: frechet.moments(net(read(array, number)), net.size))

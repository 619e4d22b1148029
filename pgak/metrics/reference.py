"""Keeps features of reference images in the cache, under all that decides them.

Kept are their moments, and the features of the first images themselves, which
some metrics compare one by one.
"""
import hashlib
import json

import numpy as np
from pgak import files
from pgak.metrics import frechet

__all__ = ['MAXIMUM_ROWS', 'cached', 'count', 'key', 'moments', 'read', 'rows',
           'span']

# Of 2,048 features these are 80 MB; nearest neighbours of more would take long.
MAXIMUM_ROWS = 10000

_READ_BATCH = 500


def key(choices):
  """Returns the name of a set of choices: a hash of their sorted JSON.

  Args:
    choices: dictionary of what JSON can hold.
  """
  text = json.dumps(choices, sort_keys=True)
  # Part of the names of files that earlier versions left in the cache.
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
  def arrays():
    found = compute()
    return dict(count=found.count, mean=found.mean, scatter=found.scatter)

  found = _cached('statistics', choices, arrays)
  return frechet.Moments(len(found['mean']), found['count'], found['mean'],
                         found['scatter'])


def _cached(kind, choices, compute):
  """Returns named arrays from a folder of the cache, made if need be."""
  folder = files.cache_directory() / kind
  path = folder / f'{key(choices)}.npz'
  # A file whose own choices differ from those asked for is not used, whatever
  # its name.
  found = _read(path, choices)
  if found is None:
    found = compute()
    files.keep_npz(path, {'choices': _text(choices), **found})
  return found


def _read(path, choices):
  arrays = files.load_npz(path) or {}
  written = str(arrays.pop('choices', ''))
  return arrays if written == _text(choices) else None


def _text(choices):
  return json.dumps(choices, sort_keys=True, indent=1)


def read(array, number):
  """Yields the first `number` images in batches, uint8 `[b, h, w, C]`."""
  for start in range(0, number, _READ_BATCH):
    yield array.read(np.arange(start, min(start + _READ_BATCH, number)))


def count(array, limit):
  """Returns how many images a limit leaves; None leaves all."""
  return len(array) if limit is None else min(len(array), limit)


def span(array, number):
  """Returns the name of an array's first images: 'test', 'test[:2500]'."""
  return array.split + ('' if number == len(array) else f'[:{number}]')


def _choices(net, array, number):
  return dict(
      dataset=array.name, split=array.split, content=array.fingerprint,
      # As text, which is a part of the files' names, see `key`.
      preprocessing={k: str(v) for k, v in array.preprocessing.items()},
      num_images=number, features=net.name, weights=net.fingerprint,
      resize=net.resize)


def moments(net, array, limit=None, known=None):
  """Returns the moments of real images' features, from the cache if there.

  Args:
    net: a `features.FeatureNet`.
    array: a `data.ImageArray`.
    limit: takes the first so many images; None for all.
    known: precomputed features of the first images, float `[n, D]`, or None;
      used if they cover all that is asked for.

  Returns:
    `frechet.Moments`.
  """
  number = count(array, limit)

  def compute():
    if known is not None and len(known) == number:
      # No second pass through the net.
      return frechet.moments([known], net.size)
    return frechet.moments(net(read(array, number)), net.size)

  return cached(_choices(net, array, number), compute)


def rows(net, array, limit=None, most=None):
  """Returns the features of real images, from the cache if they are there.

  Args:
    net: a `features.FeatureNet`.
    array: a `data.ImageArray`.
    limit: takes the first so many images.
    most: how many there are at the most, `MAXIMUM_ROWS` by default.

  Returns:
    float32 `[n, D]`, in the order of the images.
  """
  number = min(count(array, limit), most or MAXIMUM_ROWS)

  def compute():
    return dict(rows=np.concatenate(list(net(read(array, number)))))

  return _cached('features', _choices(net, array, number), compute)['rows']

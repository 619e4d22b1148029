"""Nearest real images of samples, and whether samples are training images.

Distances are Euclidean, between pixels on [0, 1] or between features.
"""
import numpy as np

from pgak import errors
from pgak.metrics import distances
from pgak.pictures import grids

__all__ = ['memorisation', 'picture', 'pixels']


def pixels(images):
  """Returns uint8 images as vectors, float32 `[N, h w C]` on [0, 1]."""
  images = np.asarray(images)
  return images.reshape(len(images), -1).astype(np.float32) / 255.


def _ratio(a, b):
  # 0 / 0: both are copies, so neither is nearer than the other.
  if a == b == 0.:
    return 1.
  return a / b if b > 0. else np.inf


def _fresh(test, number):
  """The first odd-numbered test vectors."""
  fresh, seen = [], 0
  for batch in test():
    # Where an odd number was seen, the batch begins with an odd position.
    fresh.append(np.asarray(batch)[1 - seen % 2::2])
    seen += len(batch)
    if sum(map(len, fresh)) >= number:
      break
  if seen < 2:
    raise errors.UnavailableError(
        f'Nearest neighbours need at least 2 test images, and there is {seen}.')
  return np.concatenate(fresh)[:number]


def memorisation(samples, train, test, k=5):
  """Measures whether samples are nearer to training images than data is.

  With d the mean distance of a set's vectors to their nearest training image
  over that to their nearest test image, the ratio is `d(samples) / d(fresh)`,
  where every other test image is fresh and the rest is searched. So it does not
  depend on how many training and test images there are: about 1 for samples
  that are as near to the training images as fresh data is, and 0 for copies.

  Args:
    samples: float `[N, D]`.
    train: function without arguments to an iterable of float `[b, D]`, the
      training images.
    test: the same of the test images.
    k: neighbours of each sample that are looked for.

  Returns:
    `(scores, train_indices, test_indices)`: the dictionary with
    `memorisation_ratio`, `nearest_train_distance` and `nearest_test_distance`
    (means over the samples); positions `[N, k]` in the two sets, nearest first.

  Raises:
    UserError: without samples, with fewer than two test images, or if a number
      is not finite.
  """
  samples = np.asarray(samples)
  if not len(samples):
    raise errors.UnavailableError(
        'Nearest neighbours need samples, and there are none; raise the number '
        'of samples.')
  distances.require_finite(samples, 'The search of neighbours')
  number = len(samples)
  # Both in one search: the training images are read once.
  queries = np.concatenate([samples, _fresh(test, number)])
  to_train, train_indices = distances.nearest(queries, train(), k)
  to_test, test_indices = distances.nearest(samples, test(), k)
  # Searched without the fresh images, of which each is its own neighbour.
  searched = _even(test())
  to_even = distances.nearest(queries, searched, 1)[0][:, 0]
  to_train = to_train[:, 0]  # [N + fresh]
  own = _ratio(to_train[:number].mean(), to_even[:number].mean())
  usual = _ratio(to_train[number:].mean(), to_even[number:].mean())
  return ({'memorisation_ratio': float(_ratio(own, usual)),
           'nearest_train_distance': float(to_train[:number].mean()),
           'nearest_test_distance': float(to_test[:, 0].mean())},
          train_indices[:number], test_indices)


def _even(batches):
  """Yields the even-numbered vectors."""
  seen = 0
  for batch in batches:
    yield np.asarray(batch)[seen % 2::2]
    seen += len(batch)


def picture(samples, train_images, test_images):
  """Returns a uint8 grid: samples, with their neighbours beside them.

  Args:
    samples: uint8 `[N, h, w, C]`.
    train_images: uint8 `[N, k, h, w, C]`, nearest first.
    test_images: uint8 `[N, k, h, w, C]`.

  Returns:
    uint8 `[H, W, C]`: a row for each sample, then its training neighbours, then
    its test neighbours, a white column between.
  """
  white = np.full_like(samples[:, None], 255)
  cells = np.concatenate(
      [samples[:, None], white, train_images, white, test_images], 1)
  columns = cells.shape[1]
  return grids.grid(
      grids.enlarged(cells.reshape(-1, *samples.shape[1:])), columns)

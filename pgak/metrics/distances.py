"""Euclidean distances between sets of vectors, in blocks of bounded memory."""
import numpy as np

from pgak import errors

__all__ = ['BLOCK', 'nearest', 'require_finite', 'squared']

BLOCK = 1000


def require_finite(rows, what):
  """Raises UserError unless all numbers of an array are finite."""
  if not np.isfinite(rows).all():
    raise errors.UserError(
        f'{what} needs finite features, and some are not: the model or the '
        'feature net is damaged.')


def squared(a, b):
  """Squared distances between the rows of two arrays.

  `|a|**2 + |b|**2 - 2 a.b` in float64, about the mean of b, so that a mean far
  from 0 costs no digits. What is within rounding of 0 is 0.

  Args:
    a: float `[N, D]`.
    b: float `[M, D]`.

  Returns:
    float64 `[N, M]`, not negative.
  """
  b = np.asarray(b, np.float64)
  centre = b.mean(0)
  a, b = np.asarray(a, np.float64) - centre, b - centre
  norms = np.square(a).sum(1)[:, None] + np.square(b).sum(1)
  found = norms - 2. * (a @ b.T)
  return np.where(found > 1e-12 * norms, found, 0.)


def nearest(queries, batches, k):
  """Finds the nearest references of each query.

  Args:
    queries: float `[N, D]`.
    batches: iterable of float `[b, D]`, all references one after the other.
    k: int, how many; fewer where there are not so many references.

  Returns:
    `(distances, indices)`, float64 and int64 `[N, k]`, nearest first.
  """
  distances = np.empty((len(queries), 0))
  indices = np.empty((len(queries), 0), np.int64)
  first = 0
  for rows in batches:
    if not len(rows):
      continue
    found = np.concatenate([squared(queries[i:i + BLOCK], rows)
                            for i in range(0, len(queries), BLOCK)])
    here = np.arange(first, first + len(rows))
    distances = np.concatenate([distances, found], 1)
    indices = np.concatenate(
        [indices, np.broadcast_to(here, found.shape)], 1)
    order = np.argsort(distances, 1, kind='stable')[:, :k]
    distances = np.take_along_axis(distances, order, 1)
    indices = np.take_along_axis(indices, order, 1)
    first += len(rows)
  return np.sqrt(distances), indices

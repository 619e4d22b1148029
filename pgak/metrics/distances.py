"""Euclidean distances between sets of vectors, in blocks of bounded memory."""
import numpy as np

from pgak import errors

__all__ = ['BLOCK', 'closest', 'nearest', 'require_finite', 'squared']

# 8 MB of float64 for each 1,000 references.
BLOCK = 1000


def require_finite(array, what):
  """Raises UserError unless all elements of an array are finite."""
  if not np.isfinite(array).all():
    raise errors.UserError(
        f'{what} needs finite features, and some are not: the model or the '
        'feature net is damaged.')


def squared(a, b):
  """Squared distances between all pairs of two sets of vectors.

  `|a|**2 + |b|**2 - 2 a.b` in float64, about the mean of b, so that a mean far
  from 0 costs no digits. A distance within rounding of 0 is returned as 0.

  Args:
    a: float `[N, D]`.
    b: float `[M, D]`.

  Returns:
    float64 `[N, M]`, not negative.
  """
  b = np.asarray(b, np.float64)
  centre = b.mean(0)
  a, b = np.asarray(a, np.float64) - centre, b - centre
  norms = np.square(a).sum(1)[:, None] + np.square(b).sum(1)  # [N, M]
  # One product of matrices, where the differences themselves would be
  # [N, M, D] in memory.
  found = norms - 2. * (a @ b.T)
  # The difference cancels for equal vectors; a copy must be at distance 0, not
  # at the root of a rounding error.
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
  for batch in batches:
    if not len(batch):
      continue
    found = np.concatenate([squared(queries[i:i + BLOCK], batch)
                            for i in range(0, len(queries), BLOCK)])  # [N, b]
    here = np.arange(first, first + len(batch))
    distances = np.concatenate([distances, found], 1)
    indices = np.concatenate(
        [indices, np.broadcast_to(here, found.shape)], 1)
    # Stable: of equally near references the first one counts, however they are
    # cut into batches.
    order = np.argsort(distances, 1, kind='stable')[:, :k]
    distances = np.take_along_axis(distances, order, 1)
    indices = np.take_along_axis(indices, order, 1)
    first += len(batch)
  return np.sqrt(distances), indices


def closest(queries, batches, left_out=None):
  """Finds the one nearest reference of each query, at the cost of a product.

  Which one it is, is decided in float32 about the queries' mean, so among equal
  distances within rounding any may be found; its distance is that of the
  vectors themselves. Memory is that of the queries, of one batch, and of
  `BLOCK` times a batch.

  Args:
    queries: float `[N, D]`.
    batches: iterable of float `[b, D]`, all references one after the other.
    left_out: integers `[N]`, for each query the position of a reference that
      does not count, such as the query's own; or None.

  Returns:
    `(distances, indices)`, float64 and int64 `[N]`; infinite and -1 where there
    is no reference.
  """
  queries = np.asarray(queries, np.float32)
  centre = queries.mean(0)
  queries = queries - centre
  found = np.full(len(queries), np.inf)  # Squared distances.
  indices = np.full(len(queries), -1)
  first = 0
  for batch in batches:
    batch = np.asarray(batch, np.float32) - centre
    for start in range(0, len(queries) if len(batch) else 0, BLOCK):
      here = slice(start, start + BLOCK)
      places, squares = _closest_of(
          queries[here], batch,
          None if left_out is None else left_out[here] - first)
      nearer = squares < found[here]
      found[here] = np.where(nearer, squares, found[here])
      indices[here] = np.where(nearer, first + places, indices[here])
    first += len(batch)
  return np.sqrt(found), indices


def _closest_of(queries, batch, left_out):
  """Positions `[n]` of the nearest of a batch, and squared distances."""
  # Without the queries' own norms, which do not decide which is the nearest.
  scores = np.square(batch).sum(1) - 2. * (queries @ batch.T)  # [n, b]
  if left_out is not None:
    own = np.flatnonzero((left_out >= 0) & (left_out < len(batch)))
    scores[own, left_out[own]] = np.inf
  places = scores.argmin(1)
  # Of the differences themselves: a copy is at 0, whatever the product lost.
  squares = np.square(queries - batch[places]).sum(1, dtype=np.float64)
  rows = np.arange(len(places))
  return places, np.where(np.isinf(scores[rows, places]), np.inf, squares)

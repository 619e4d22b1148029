"""Improved precision and recall: who lies within whose neighbourhoods.

#### References

[1]: Tuomas Kynkaanniemi, Tero Karras, Samuli Laine, Jaakko Lehtinen, Timo Aila.
     Improved Precision and Recall Metric for Assessing Generative Models.
     NeurIPS, 2019.
"""
import numpy as np

from pgak import errors
from pgak.metrics import distances
from pgak.metrics import metric

__all__ = ['BLOCK', 'precision_recall', 'radii']

BLOCK = 1000


def _blocks(rows):
  return [rows[i:i + BLOCK] for i in range(0, len(rows), BLOCK)]


def radii(rows, k=3):
  """Distance of each vector to its k-th nearest of the others.

  Args:
    rows: float `[N, D]`, N > k.
    k: int.

  Returns:
    float64 `[N]`.
  """
  return np.concatenate([
      _kth(rows, first, k) for first in range(0, len(rows), BLOCK)])


def _kth(rows, first, k):
  """The radii of one block of vectors."""
  found = distances.squared(rows[first:first + BLOCK], rows)
  own = np.arange(len(found))
  found[own, first + own] = np.inf
  return np.sqrt(np.partition(found, k - 1, 1)[:, k - 1])


def _share_inside(rows, centres, radius):
  """Share of vectors that lie in at least one ball."""
  # Rounding must not put a vector outside of a ball that it is the edge of.
  limits = np.square(radius) * (1. + 1e-9)
  return float(np.concatenate([
      (distances.squared(block, centres) <= limits).any(1)
      for block in _blocks(rows)]).mean())


def precision_recall(real, fake, k=3):
  """Improved precision and recall, [1, eqs. 1 and 2].

  A ball is around each vector of a set, as wide as to its k-th neighbour in the
  set. Precision is the share of generated vectors in a ball of the real ones,
  recall the share of real vectors in a ball of the generated ones.

  Args:
    real: float `[N, D]`.
    fake: float `[M, D]`.
    k: int.

  Returns:
    Dictionary with `knn_precision` and `knn_recall`, in `[0, 1]`.

  Raises:
    UserError: if a set has k vectors or fewer, or a number is not finite.
  """
  real, fake = np.asarray(real), np.asarray(fake)
  for rows in (real, fake):
    if len(rows) <= k:
      raise errors.UserError(
          f'Improved precision and recall with {k} neighbours needs more than '
          f'{k} images, and there are {len(rows)}; raise the number of '
          'samples.')
    distances.require_finite(rows, 'Improved precision and recall')
  return {'knn_precision': _share_inside(fake, real, radii(real, k)),
          'knn_recall': _share_inside(real, fake, radii(fake, k))}


@metric.register('precision_recall', scope='features', keeps=('features',),
                 better={'knn_*': 'higher'})
def _compute(context):
  real, fake = context.real.rows, context.fake.rows
  for name, value in precision_recall(real, fake).items():
    yield metric.Value(name, value, num_samples=len(fake),
                       split=context.compared(len(real)))

"""Improved precision and recall: by the k nearest neighbours.

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

# Vectors whose distances to all others are in memory at once.
BLOCK = 1000


def _blocks(vectors):
  return [vectors[i:i + BLOCK] for i in range(0, len(vectors), BLOCK)]


def radii(vectors, k=3):
  """Distance of each vector to its k-th nearest of the others.

  Args:
    vectors: float `[N, D]`, N > k.
    k: int.

  Returns:
    float64 `[N]`.
  """
  return np.concatenate([
      _kth(vectors, first, k) for first in range(0, len(vectors), BLOCK)])


def _kth(vectors, first, k):
  """The radii of one block of vectors."""
  found = distances.squared(vectors[first:first + BLOCK], vectors)  # [b, N]
  # By its position, not by a distance of 0: a copy is a neighbour.
  own = np.arange(len(found))
  found[own, first + own] = np.inf
  return np.sqrt(np.partition(found, k - 1, 1)[:, k - 1])


def _share_inside(vectors, centres, radius):
  """Share of vectors that lie in at least one ball."""
  # Rounding must not exclude a vector whose own distance is the radius.
  limits = np.square(radius) * (1. + 1e-9)
  return float(np.concatenate([
      (distances.squared(block, centres) <= limits).any(1)
      for block in _blocks(vectors)]).mean())


def precision_recall(real, fake, k=3):
  """Improved precision and recall, [1, eqs. 1 and 2].

  Each vector of a set has a ball around it, whose radius is the distance to its
  k-th neighbour in the set. Precision is the share of generated vectors in a
  ball of the real ones, recall the share of real vectors in a ball of the
  generated ones.

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
  for features in (real, fake):
    if len(features) <= k:
      raise errors.UnavailableError(
          f'Improved precision and recall with {k} neighbours needs more than '
          f'{k} images, and there are {len(features)}; raise the number of '
          'samples.')
    distances.require_finite(features, 'Improved precision and recall')
  return {'knn_precision': _share_inside(fake, real, radii(real, k)),
          'knn_recall': _share_inside(real, fake, radii(fake, k))}


@metric.register('precision_recall', scope='features', keeps=('features',),
                 better={'knn_*': 'higher'})
def _compute(context):
  real, fake = context.real.rows, context.fake.rows
  for name, value in precision_recall(real, fake).items():
    yield metric.Value(name, value, num_samples=len(fake),
                       split=context.compared(len(real)))

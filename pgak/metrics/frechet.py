"""The Frechet distance between two sets of features, in float64.

#### References

[1]: D. C. Dowson, B. V. Landau. The Frechet distance between multivariate
     normal distributions. Journal of Multivariate Analysis, 1982.
[2]: Tony F. Chan, Gene H. Golub, Randall J. LeVeque. Updating formulae and a
     pairwise algorithm for computing sample variances. COMPSTAT, 1982.
"""
import warnings

import numpy as np

from pgak import errors
from pgak.metrics import metric

__all__ = ['Moments', 'distance', 'frechet_distance', 'moments']


class Moments:
  """Mean and covariance of features that come in batches.

  Sums of squares are kept about the running mean, [2, eq. 2.1], so that a mean
  far from 0 costs no digits. The covariance is unbiased (divided by n - 1).

  Example:

  ```python
  moments = frechet.Moments(768)
  for features in net(batches):
    moments.update(features)
  ```

  Attributes:
    count: int, number of examples n.
    mean: float64 `[D]`.
    scatter: float64 `[D, D]`, `sum{ outer(x[i] - mean) : i=1...n }`.
  """

  def __init__(self, size, count=0, mean=None, scatter=None):
    """Starts from nothing, or from the attributes of another one.

    Args:
      size: int, the number of features D.
      count: int.
      mean: float `[D]`.
      scatter: float `[D, D]`.
    """
    self.count = int(count)
    self.mean = np.zeros(size) if mean is None else np.array(mean, float)
    self.scatter = (np.zeros([size, size]) if scatter is None
                    else np.array(scatter, float))

  @property
  def size(self):
    return len(self.mean)

  @property
  def covariance(self):
    """Unbiased covariance, float64 `[D, D]`; needs two examples."""
    if self.count < 2:
      raise errors.UserError(
          f'A covariance needs at least 2 samples, and there are {self.count};'
          ' raise the number of samples.')
    return self.scatter / (self.count - 1)

  def update(self, features):
    """Adds the features of b examples, float `[b, D]`; returns self.

    Raises:
      UserError: if an element is not finite.
    """
    # float64: a covariance of float32 sums would lose the digits in which two
    # good models differ.
    features = np.asarray(features, np.float64)
    # One infinite feature would spoil all sums and show only at the end.
    if not np.isfinite(features).all():
      raise errors.UserError(
          'A Frechet distance needs finite features, and some are not: the '
          'model or the feature net is damaged.')
    if len(features):
      mean = features.mean(0)  # [D]
      centred = features - mean
      self._add(len(features), mean, centred.T @ centred)
    return self

  def merge(self, other):
    """Adds the examples of another `Moments`; returns self."""
    if other.count:
      self._add(other.count, other.mean, other.scatter)
    return self

  def _add(self, count, mean, scatter):
    # [2, eq. 2.1], of two sets: the scatter of the union is the sum of both,
    # plus that of the two means about the common one.
    total = self.count + count
    shift = mean - self.mean
    self.scatter += scatter
    self.scatter += np.outer(shift, shift) * (self.count * count / total)
    self.mean = self.mean + shift * (count / total)
    self.count = total


def moments(batches, size=None):
  """Returns the `Moments` of features in batches.

  Args:
    batches: iterable of float `[b, D]`.
    size: D; by default that of the first batch.

  Raises:
    UserError: if there is no batch.
  """
  found = None if size is None else Moments(size)
  for batch in batches:
    found = Moments(batch.shape[-1]) if found is None else found
    found.update(batch)
  if found is None:
    raise errors.UserError(
        'There are no images to measure; raise the number of samples.')
  return found


def _sqrt_psd(matrix):
  """Symmetric square root of a positive semidefinite matrix."""
  # Rounding makes eigenvalues that are 0 slightly negative.
  values, vectors = np.linalg.eigh(matrix)
  return (vectors * np.sqrt(np.maximum(values, 0.))) @ vectors.T


def frechet_distance(mean_a, covariance_a, mean_b, covariance_b):
  """Squared Frechet distance between two Gaussians, [1, eq. 4].

  `|m_a - m_b|**2 + trace(C_a + C_b - 2 (C_a C_b)**0.5)`.

  With the symmetric root R of C_a, `C_a C_b = R (R C_b R) R^-1` where R has an
  inverse, so it has the eigenvalues of the symmetric `R C_b R`, and the trace
  of its root is the sum of their roots. Unlike a root of `C_a C_b` itself
  this stays real for singular covariances, and needs nothing added to them.

  Args:
    mean_a: float `[D]`.
    covariance_a: float `[D, D]`, symmetric, positive semidefinite.
    mean_b: float `[D]`.
    covariance_b: float `[D, D]`, symmetric, positive semidefinite.

  Returns:
    Float, not negative, in squared units of the features.

  Raises:
    UserError: if a number is not finite.
    ValueError: if shapes differ.
  """
  arrays = [np.asarray(a, np.float64)
            for a in (mean_a, covariance_a, mean_b, covariance_b)]
  mean_a, covariance_a, mean_b, covariance_b = arrays
  if (mean_a.shape != mean_b.shape
      or covariance_a.shape != 2 * mean_a.shape
      or covariance_b.shape != 2 * mean_b.shape):
    raise ValueError(
        'Means must be [D] and covariances [D, D], not '
        f'{[a.shape for a in arrays]}.')
  if not all(np.isfinite(a).all() for a in arrays):
    raise errors.UserError(
        'A Frechet distance needs finite means and covariances, and some are '
        'not: the model or the feature net is damaged.')
  root = _sqrt_psd(covariance_a)
  # The same eigenvalues as those of C_a C_b, but of a symmetric matrix.
  values = np.linalg.eigvalsh(root @ covariance_b @ root)  # [D]
  trace = (np.trace(covariance_a) + np.trace(covariance_b)
           - 2. * np.sqrt(np.maximum(values, 0.)).sum())
  # Rounding can leave the trace of equal covariances below 0.
  return float(np.square(mean_a - mean_b).sum() + max(trace, 0.))


def distance(moments_a, moments_b):
  """Squared Frechet distance between two `Moments`.

  It is biased upwards by an amount in proportion to 1 / n, so only distances
  with equal counts compare.

  Raises:
    UserError: if one has fewer than two examples.
  """
  fewest = min(moments_a.count, moments_b.count)
  # n vectors span n - 1 dimensions about their mean. With one there is an error
  # instead.
  if 1 < fewest <= moments_a.size:
    warnings.warn(
        f'A Frechet distance of {moments_a.size} features from {fewest} '
        'samples has singular covariances and a large bias; use more samples '
        'than features.')
  return frechet_distance(moments_a.mean, moments_a.covariance,
                          moments_b.mean, moments_b.covariance)


@metric.register('frechet', scope='features', of=('images', 'pairs'),
                 better={'fid*': 'lower', 'frechet_*': 'lower'})
def _compute(context):
  real, fake = context.real.moments, context.fake.moments
  yield metric.Value(context.fake.net.metric, distance(real, fake))

"""How well latents preserve the neighbourhoods and the geometry of the data.

#### References

[1]: Jarkko Venna, Samuel Kaski. Neighborhood Preservation in Nonlinear
     Projection Methods: An Experimental Study. ICANN, 2001.
"""
import numpy as np

from pgak import errors
from pgak.metrics import distances
from pgak.metrics import metric
from pgak.metrics import reference

__all__ = ['MAXIMUM_EXAMPLES', 'geodesic_correlation', 'topology']

# All pairwise distances are needed: memory and time grow with the square.
MAXIMUM_EXAMPLES = 2000


def _flat(vectors):
  """Returns vectors of any shape as finite float64 `[N, D]`."""
  vectors = np.asarray(vectors, np.float64)
  distances.require_finite(vectors, 'The topology of latents')
  return vectors.reshape(len(vectors), -1)


def _neighbours(points, k):
  """Positions `[N, k]` of the nearest other points."""
  from sklearn import neighbors
  # Trees are slower than all distances in so many dimensions.
  search = neighbors.NearestNeighbors(n_neighbors=k, algorithm='brute')
  # Without an argument, scikit-learn leaves each point itself out.
  return search.fit(points).kneighbors(return_distance=False)


def _overlap(points, codes, k):
  """Mean of `|neighbours of a point & neighbours of its code| / k`."""
  shared = [len(np.intersect1d(a, b)) for a, b in zip(
      _neighbours(points, k), _neighbours(codes, k))]
  return float(np.mean(shared)) / k


def topology(points, codes, k=10):
  """How well latents preserve which points are neighbours; 1 is perfect.

  With r(i, j) the rank of j among the neighbours of i by the distance of the
  points, U_i the k nearest codes of i that are not among its k nearest points,
  trustworthiness is [1, eq. 1]

      1 - 2 / (N k (2 N - 3 k - 1)) sum_i sum_{j in U_i} (r(i, j) - k),

  and continuity is the same with points and codes exchanged: it falls where
  neighbours are torn apart. Distances are Euclidean. Latents that are
  independent of the points have about 1/2, and an overlap of k / (N - 1).

  Args:
    points: float `[N, ...]`, such as pixels, flattened here.
    codes: float `[N, ...]`, the code of each point.
    k: neighbours that count, below N / 2.

  Returns:
    Dictionary of floats in [0, 1]: `trustworthiness`, `continuity` and
    `neighbour_overlap`, the mean share of its k nearest neighbours that a point
    and its code have in common.

  Raises:
    UserError: if a number is not finite, or there are not more than `2 k`
      points.
    ValueError: if there are not as many codes as points.
  """
  points, codes = _flat(points), _flat(codes)  # [N, D], [N, H]
  if len(points) != len(codes):
    raise ValueError(
        f'There are {len(points)} points and {len(codes)} codes, not one each.')
  if not 0 < k < len(points) / 2:
    raise errors.UnavailableError(
        f'The topology of {k} neighbours needs more than {2 * k} points, and '
        f'there are {len(points)}: take more of them, or fewer neighbours.')
  # Imported here, because it takes a second, and few commands need it.
  from sklearn import manifold
  return {
      'trustworthiness': float(
          manifold.trustworthiness(points, codes, n_neighbors=k)),
      'continuity': float(
          manifold.trustworthiness(codes, points, n_neighbors=k)),
      'neighbour_overlap': _overlap(points, codes, k)}


def geodesic_correlation(geodesics, codes):
  """Spearman's rank correlation of distances along a manifold and of codes.

  Args:
    geodesics: float, the distances between N points along their manifold, as a
      square matrix `[N, N]`, or as its upper triangle row by row,
      `[N (N - 1) / 2]`.
    codes: float `[N, H]`, N above 2; their distances are Euclidean.

  Returns:
    Float in [-1, 1], over all pairs of points; 0 where all codes are one.

  Raises:
    UserError: if a number is not finite.
    ValueError: if there are not as many codes as points.
  """
  from scipy import stats
  from scipy.spatial import distance
  apart = distance.pdist(_flat(codes))  # [N (N - 1) / 2]
  geodesics = np.asarray(geodesics, np.float64)
  distances.require_finite(geodesics, 'The correlation of geodesics')
  if geodesics.ndim == 2:
    # Unchecked: rounding may leave the matrix slightly asymmetric.
    geodesics = distance.squareform(geodesics, checks=False)
  if len(geodesics) != len(apart):
    raise ValueError(
        f'There are {len(geodesics)} geodesics, and {len(apart)} pairs of '
        'codes.')
  # SciPy gives NaN and a warning for a constant.
  if np.ptp(apart) == 0. or np.ptp(geodesics) == 0.:
    return 0.
  return float(stats.spearmanr(geodesics, apart).statistic)


@metric.register('topology', scope='model', of=('images', 'vectors'),
                 needs=('encode',),
                 better=dict.fromkeys(('trustworthiness', 'continuity',
                                       'neighbour_overlap',
                                       'geodesic_correlation'), 'higher'))
def _compute(context):
  """Compares latents with pixels, and with geodesics where they are known."""
  from scipy.spatial import distance
  array = context.encoded
  number = reference.count(array, MAXIMUM_EXAMPLES)
  latents = context.latents(number)
  values = topology(array.read(np.arange(number)), latents)
  # The Swiss roll's coordinates in its plane, in which straight lines are
  # geodesics; see `data.vectors`.
  unrolled = getattr(array, 'unrolled', None)
  if unrolled is not None:
    values['geodesic_correlation'] = geodesic_correlation(
        distance.pdist(unrolled[:number]), latents)
  for name, value in values.items():
    yield metric.Value(name, value, features='latents', num_samples=number,
                       split=reference.span(array, number))

"""Sliced Wasserstein distance between two sets of points.

#### References

[1]: Julien Rabin, Gabriel Peyre, Julie Delon, Marc Bernot. Wasserstein
     Barycenter and Its Application to Texture Mixing. SSVM, 2011.
"""
import numpy as np

from pgak import errors
from pgak.metrics import distances
from pgak.metrics import metric

__all__ = ['sliced_wasserstein']


def sliced_wasserstein(points, others, num_directions=500, seed=0):
  """Mean Wasserstein-1 distance of projections on random directions.

      mean{ W_1(theta . x, theta . y) : |theta| = 1 }

  Between two sets of N scalars, W_1 is the mean absolute difference of the
  sorted ones. It is in units of the points; [1, eq. 5] takes squares instead.

  Args:
    points: float `[N, D]`.
    others: float `[N, D]`.
    num_directions: directions, uniform on the sphere.
    seed: int that decides them.

  Returns:
    Float, 0 for two equal sets. For samples of one distribution it shrinks as
    `1 / sqrt(N)`.

  Raises:
    UserError: if there are not equally many, or none, or a number is not
      finite.
  """
  points, others = (np.asarray(x, np.float64) for x in (points, others))
  if points.shape != others.shape or not len(points):
    raise errors.UserError(
        'The sliced Wasserstein distance needs equally many points of equal '
        f'dimension, and not {points.shape} and {others.shape}.')
  for cloud in (points, others):
    distances.require_finite(cloud, 'The sliced Wasserstein distance')
  # Normalised Gaussian vectors are uniform on the sphere.
  directions = np.random.default_rng(seed).normal(
      size=(points.shape[1], num_directions))
  directions /= np.linalg.norm(directions, axis=0)
  # In one dimension the optimal transport maps sorted points to sorted points.
  one, other = (np.sort(x @ directions, 0) for x in (points, others))
  return float(np.abs(one - other).mean())


@metric.register('sliced_wasserstein', scope='examples', of='vectors',
                 better={'sliced_wasserstein': 'lower'})
def _compute(context):
  yield metric.Value('sliced_wasserstein', sliced_wasserstein(
      context.real, context.examples, seed=context.seed), features='vectors')

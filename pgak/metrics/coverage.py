"""How much of the data has a sample near it.

#### References

[1]: Muhammad Ferjad Naeem, Seong Joon Oh, Youngjung Uh, Yunjey Choi, Jaejun
     Yoo. Reliable Fidelity and Diversity Metrics for Generative Models. ICML,
     2020.
"""
import numpy as np

from pgak import errors
from pgak.metrics import distances
from pgak.metrics import metric

__all__ = ['coverage']


def coverage(real, samples, k=5):
  """Share of real points with a sample in their neighbourhood, [1, eq. 4].

      mean{ 1[min_j |x_i - y_j| <= NND_k(x_i)] }

  with NND_k the distance of a real point to its k-th nearest other real one.
  For two equal-size samples of one distribution it is about `1 - 2^-k`.

  Args:
    real: float `[N, D]`, N above k.
    samples: float `[M, D]`.
    k: int, which neighbour decides how large a neighbourhood is.

  Returns:
    Float in [0, 1].

  Raises:
    UserError: with too few points, or if a number is not finite.
  """
  real, samples = (np.asarray(x, np.float64) for x in (real, samples))  # [N, D]
  if not 0 < k < len(real) or not len(samples):
    raise errors.UnavailableError(
        f'The coverage by {k} neighbours needs more than {k} points and a '
        f'sample, and there are {len(real)} and {len(samples)}.')
  for cloud in (real, samples):
    distances.require_finite(cloud, 'The coverage')
  # Imported here, because few commands need it.
  from scipy import spatial
  # A point is the nearest one to itself, at distance 0.
  radii = spatial.cKDTree(real).query(real, k + 1)[0][:, k]  # [N]
  nearest = spatial.cKDTree(samples).query(real)[0]  # [N]
  return float(np.mean(nearest <= radii))


@metric.register('coverage', scope='examples', of='vectors',
                 better={'coverage': 'higher'})
def _compute(context):
  yield metric.Value('coverage', coverage(context.real, context.examples),
                     features='vectors')

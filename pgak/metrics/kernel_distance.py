"""The kernel distance between two sets of features, without bias.

#### References

[1]: Mikolaj Binkowski, Dougal J. Sutherland, Michael Arbel, Arthur Gretton.
     Demystifying MMD GANs. ICLR, 2018.
"""
import numpy as np

from pgak import errors
from pgak.metrics import distances
from pgak.metrics import metric

__all__ = ['kernel_distance', 'mmd2', 'name_of']


def _kernel(a, b):
  """`(a.b / D + 1)**3`, [1, sec. 4]."""
  return (a @ b.T / a.shape[1] + 1.)**3


def mmd2(real, fake):
  """Unbiased estimate of the squared maximum mean discrepancy, [1, eq. 4].

  Args:
    real: float `[N, D]`, N > 1.
    fake: float `[M, D]`, M > 1.

  Returns:
    Float; for equal distributions it is 0 on average, so it may be negative.
  """
  real, fake = np.asarray(real, float), np.asarray(fake, float)
  total = -2. * _kernel(real, fake).mean()
  for features in (real, fake):
    kernel = _kernel(features, features)  # [N, N]
    number = len(features)
    # Without the diagonal, k(x, x), which makes the estimate unbiased.
    total += (kernel.sum() - np.trace(kernel)) / (number * (number - 1))
  return float(total)


def kernel_distance(real, fake, subset_size=1000, num_subsets=100, seed=0):
  """Mean of `mmd2` over random subsets, the KID of [1] for pool_3 features.

  Args:
    real: float `[N, D]`.
    fake: float `[M, D]`.
    subset_size: vectors of each set in a subset, fewer where there are fewer.
    num_subsets: int.
    seed: int.

  Returns:
    `(mean, standard deviation)` over the subsets; the latter None if there is
    one alone.

  Raises:
    UserError: with fewer than two vectors, or if a number is not finite.
  """
  real, fake = np.asarray(real), np.asarray(fake)
  for features in (real, fake):
    distances.require_finite(features, 'The kernel distance')
  size = min(subset_size, len(real), len(fake))
  if size < 2:
    raise errors.UnavailableError(
        f'The kernel distance needs at least 2 images, and there are {size}; '
        'raise the number of samples.')
  if size == len(real) == len(fake):
    # They would all be the same, and their deviation would say nothing.
    num_subsets = 1
  generator = np.random.default_rng(seed)
  # Subsets keep the kernel matrices small, and show how much the estimate
  # varies.
  values = [mmd2(generator.choice(real, size, replace=False, axis=0),
                 generator.choice(fake, size, replace=False, axis=0))
            for _ in range(num_subsets)]
  return (float(np.mean(values)),
          float(np.std(values)) if num_subsets > 1 else None)


def name_of(net):
  """Returns what the kernel distance by a `features.FeatureNet` is called.

  Only pool_3 features make a KID, as they alone make an FID.
  """
  return {'fid': 'kid', 'fid_768': 'kid_768'}.get(
      net.metric, net.metric.replace('frechet', 'kernel'))


@metric.register('kid', scope='features', keeps=('features',),
                 better={'*_std': 'neither', 'kid*': 'lower',
                         'kernel_*': 'lower'})
def _compute(context):
  real, fake = context.real.rows, context.fake.rows
  name = name_of(context.fake.net)
  mean, deviation = kernel_distance(real, fake, seed=context.seed)
  numbers = dict(num_samples=len(fake), split=context.compared(len(real)))
  yield metric.Value(name, mean, **numbers)
  if deviation is not None:
    yield metric.Value(f'{name}_std', deviation, **numbers)

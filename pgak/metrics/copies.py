"""Share of samples that are nearer to a training image than test images are.

With d(x) the distance of x to its nearest training example, and q the 1 %
quantile of d over the test examples, it is

  copy_share = 1/N sum_i [d(sample_i) <= q].

Samples of the data's own distribution have 1 %, within
`sqrt(.01 .99 (1/N + 1/M))` of N samples and M test examples: 0.2 % of 5,000 and
10,000. q is the (M + 1)/100-th smallest distance, with which that holds on
average for any M from 99 on; below that no test example is that near. `MOST`,
2 %, is what a model may have that does not memorise, of thousands of both; of
fewer, look at the error. Samples of worse quality are farther from everything
and have less: a small share is no merit, a large one is a fault.

The nearest-neighbour test of memorisation is old; the quantile as its bound is
pgak's own choice.
"""
import math

import numpy as np

from pgak import errors
from pgak.metrics import metric
from pgak.metrics import training_neighbours

__all__ = ['MOST', 'QUANTILE', 'copy_share']

QUANTILE = 0.01
MOST = 0.02


def copy_share(samples, test, quantile=QUANTILE):
  """Returns the share of samples that are nearer than a quantile of the test.

  Args:
    samples: float `[N]`, distances to the nearest training example.
    test: float `[M]`, the same of examples that training has not seen.
    quantile: float in (0, 1).

  Returns:
    float in [0, 1].

  Raises:
    UserError: if there are no samples, or fewer test examples than
      `1 / quantile - 1`.
  """
  if not len(samples) or (len(test) + 1) * quantile < 1.:
    raise errors.UnavailableError(
        'The share of copies needs samples and '
        f'{math.ceil(1. / quantile) - 1} test examples, and there are '
        f'{len(samples)} and {len(test)}: raise the number of samples, or take '
        'a data set with more test examples.')
  # Not only below: where some test examples are themselves in the training
  # split, the quantile is 0, and so are the distances of copies.
  # NumPy's usual quantile of M examples is farther from their end: 2 % of
  # samples would be below that of 100.
  return float(np.mean(
      samples <= np.quantile(test, quantile, method='weibull')))


@metric.register('copies', scope='examples', held_out=True,
                 of=('images', 'vectors'), keeps=('features', 'examples'),
                 better={'copy_share': 'neither'})
def _compute(context):
  if context.images != 'samples':
    return
  for space in training_neighbours.spaces(context):
    test = space.real.nearest[0]
    share = copy_share(space.nearest[0], test)
    # That of a share of the samples, and that of the quantile.
    variance = (share * (1. - share) / len(space.samples)
                + QUANTILE * (1. - QUANTILE) / len(test))
    yield metric.Value('copy_share', share, features=space.real.features,
                       num_samples=len(space.samples),
                       split=space.real.split, error=float(np.sqrt(variance)))

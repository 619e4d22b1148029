"""Precision and recall for distributions (PRD): quality and coverage.

#### References

[1]: Mehdi S. M. Sajjadi, Olivier Bachem, Mario Lucic, Olivier Bousquet, Sylvain
     Gelly. Assessing Generative Models via Precision and Recall. NeurIPS, 2018.
"""
import io

import numpy as np

from pgak import errors
from pgak import files
from pgak.metrics import clusters
from pgak.metrics import metric

__all__ = ['curve', 'curve_of_histograms', 'f_beta', 'histograms', 'plot',
           'prd', 'write']

# As in [1] and its authors' code.
NUM_CLUSTERS = 20
NUM_RUNS = 10
NUM_ANGLES = 1001


def curve_of_histograms(real, fake, num_angles=NUM_ANGLES):
  """The curve of two discrete distributions, [1, eqs. 4 and 5].

  For slopes `l = tan(angle)` the precision is `sum{ min(l real[i], fake[i]) }`
  and the recall `sum{ min(real[i], fake[i] / l) }`.

  Args:
    real: float `[K]`, adds up to 1.
    fake: float `[K]`, adds up to 1.
    num_angles: points of the curve, angles evenly spaced in `(0, pi / 2)`.

  Returns:
    `(precision, recall)`, float64 `[num_angles]` in `[0, 1]`.
  """
  # The slope of the first angle would be 0, a divisor, and that of the last one
  # infinite.
  angles = np.linspace(1e-10, np.pi / 2. - 1e-10, num_angles)
  slopes = np.tan(angles)[:, None]  # [A, 1]
  precision = np.minimum(slopes * real, fake).sum(1)  # [A]
  recall = np.minimum(real, fake / slopes).sum(1)
  # Rounding of the sums can exceed 1.
  return np.clip(precision, 0., 1.), np.clip(recall, 0., 1.)


def histograms(real, fake, num_clusters=NUM_CLUSTERS, seeds=(0,)):
  """Shares of two sets of features in clusters of their union.

  Args:
    real: float `[N, D]`.
    fake: float `[N, D]`.
    num_clusters: int K of mini-batch k-means, the best of ten starts.
    seeds: ints, one per clustering.

  Returns:
    List of two float64 arrays `[K]` for each seed.
  """
  union = np.concatenate([real, fake]).astype(np.float64)  # [2 N, D]
  return [[np.bincount(part, minlength=num_clusters) / len(part)
           for part in np.split(means.labels_, [len(real)])]
          for means in clusters.fits(union, num_clusters, seeds, starts=10)]


def curve(real, fake, num_clusters=NUM_CLUSTERS, num_runs=NUM_RUNS, seed=0):
  """The curve of two sets of features, the mean over some clusterings.

  Of the larger set the first vectors count, as many as the other has.

  Args:
    real: float `[N, D]`.
    fake: float `[M, D]`.
    num_clusters: int.
    num_runs: int, clusterings.
    seed: int.

  Returns:
    `(precision, recall)`, float64 `[1001]`.

  Raises:
    UserError: with fewer features than clusters, or if one is not finite.
  """
  number = min(len(real), len(fake))
  # Equally many, as in [1]: else the clusters would follow the larger set.
  real, fake = np.asarray(real)[:number], np.asarray(fake)[:number]
  if 2 * number < num_clusters:
    raise errors.UnavailableError(
        f'The curve of precision and recall needs {num_clusters} images for as '
        f'many clusters, and there are {2 * number}; raise the number of '
        'samples.')
  if not (np.isfinite(real).all() and np.isfinite(fake).all()):
    raise errors.UserError(
        'The curve of precision and recall needs finite features, and some are '
        'not: the model or the feature net is damaged.')
  # k-means starts at random; [1] averages runs.
  seeds = range(seed * num_runs, (seed + 1) * num_runs)
  curves = [curve_of_histograms(*shares)
            for shares in histograms(real, fake, num_clusters, seeds)]
  return tuple(np.mean(curves, 0))


def f_beta(precision, recall, beta):
  """`(1 + beta**2) p r / (beta**2 p + r)`; 0 where both are 0."""
  weighted = beta**2 * precision + recall
  # Both are 0 then, and so is the numerator.
  safe = np.where(weighted > 0., weighted, 1.)
  return (1. + beta**2) * precision * recall / safe


def prd(precision, recall):
  """What [1] reports of a curve.

  Args:
    precision: float `[A]`.
    recall: float `[A]`.

  Returns:
    Dictionary with `prd_f_8`, the largest F_8, which stresses recall,
    and `prd_f_1_8`, the largest F_1/8, which stresses precision; both in
    `[0, 1]`.
  """
  return {'prd_f_8': float(f_beta(precision, recall, 8.).max()),
          'prd_f_1_8': float(f_beta(precision, recall, 1. / 8.).max())}


def plot(precision, recall, title=''):
  """Returns the curve as the bytes of a PNG."""
  from matplotlib import figure as figure_lib
  # Not pyplot, which keeps every figure until it is closed.
  figure = figure_lib.Figure(figsize=(4., 4.), layout='constrained')
  axes = figure.subplots()
  axes.plot(recall, precision)
  axes.set(xlabel='recall', ylabel='precision', xlim=(0., 1.02),
           ylim=(0., 1.02), aspect='equal')
  axes.set_title(title, fontsize=8)
  axes.grid(alpha=0.3)
  buffer = io.BytesIO()
  figure.savefig(buffer, format='png', dpi=120)
  return buffer.getvalue()


def write(path, precision, recall, title=''):
  """Writes a curve as `path`.npz, with its two arrays, and as `path`.png."""
  buffer = io.BytesIO()
  np.savez(buffer, precision=precision, recall=recall)
  for suffix, content in (('npz', buffer.getvalue()),
                          ('png', plot(precision, recall, title))):
    with files.replacing(path.with_name(f'{path.name}.{suffix}')) as part:
      part.write_bytes(content)


@metric.register('prd', scope='features', keeps=('features',),
                 better={'prd_*': 'higher'})
def _compute(context):
  real, fake = context.real.rows, context.fake.rows
  found = curve(real, fake, seed=context.seed)
  number = min(len(real), len(fake))
  for name, value in prd(*found).items():
    yield metric.Value(name, value, num_samples=number, curve=found,
                       split=context.compared(number))

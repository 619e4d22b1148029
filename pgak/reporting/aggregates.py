"""Scores by cell: which one stands for a run, and what is made of several."""
import math
import re

import numpy as np
from scipy import stats

__all__ = ['better', 'by_step', 'choices_of', 'columns_of', 'format_mean',
           'is_distance', 'mean_error', 'older_steps', 'rank_correlation',
           'sign', 'values']

_KINDS = ('reconstructions', 'samples', 'interpolations')
_DENSITIES = ('none', 'standard_normal', 'gaussian', 'gmm')


def sign(cells, metric, images):
  """Returns -1 where less is better, 1 where more is, 0 where neither is.

  Args:
    cells: list of `runs.Cell`, whose scores say so.
    metric: string, the value's name.
    images: string, what it is of.
  """
  found = (s.better for cell in cells for s in _scores(cell)
           if s.better and s.column[:2] == (metric, images))
  return {'lower': -1, 'higher': 1}.get(next(found, ''), 0)


def better(sign_of):
  """Returns a sign in words: 'less is better', 'more is better' or ''."""
  return {-1: 'less is better', 1: 'more is better'}.get(sign_of, '')


def is_distance(metric):
  """Returns whether it is a Frechet distance."""
  return metric.startswith(('fid', 'frechet_'))


def _scores(cell):
  return [score for run in cell.runs for score in run.scores]


def choices_of(cells):
  """Returns the distinct choices of all scores, in the order of their rows."""
  return list(dict.fromkeys(
      s.choices for cell in cells for s in _scores(cell)))


def columns_of(cells, choices):
  """Returns the distinct columns of these choices.

  Metrics stand in the order of their rows; within a metric, reconstructions
  come first, and densities from the simplest to the richest.
  """
  found = list(dict.fromkeys(
      s.column for cell in cells for s in _scores(cell)
      if s.choices == choices))
  metrics = [column.metric for column in found]
  return sorted(found, key=lambda c: (metrics.index(c.metric), _rank(c)))


def _rank(column):
  images, prior = column.images.split(' of ')[0], column.prior
  # As in gmm_10; but kde_1e-30 ends with no number of components.
  name, size = re.fullmatch(r'(.*?)(?:_(\d+))?', prior, re.DOTALL).groups('0')
  return (_KINDS.index(images) if images in _KINDS else len(_KINDS),
          _DENSITIES.index(name) if name in _DENSITIES else len(_DENSITIES),
          name, int(size))


def by_step(run, choices, column):
  """Returns `{step: value}` of one run.

  The last measurement with a seed counts; seeds are averaged.
  """
  found = {}
  for score in run.scores:
    if (score.choices, score.column) == (choices, column):
      found.setdefault(score.step, {})[score.seed] = score.value
  return {step: float(np.mean(list(seeds.values())))
          for step, seeds in sorted(found.items())}


def values(cell, choices, column):
  """Returns `{seed of the run: value at its newest measured step}`."""
  found = {}
  for i, run in enumerate(cell.runs):
    steps = by_step(run, choices, column)
    if steps:
      # Two runs of one seed, in two folders, are two runs.
      key = run.seed if run.seed not in found else f'{run.seed}/{i}'
      found[key] = steps[max(steps)]
  return found


def older_steps(cell, choices, column, beside):
  """Returns the steps of values that are older than other scores of their run.

  Args:
    cell: `runs.Cell`.
    choices: those of the values.
    column: that of the values.
    beside: the choices of all scores that stand beside them, which decide what
      a run's newest measured step is.

  Returns:
    Sorted list of int.
  """
  found = set()
  for run in cell.runs:
    steps = by_step(run, choices, column)
    newest = max((s.step for s in run.scores if s.choices in beside), default=0)
    if steps and max(steps) < newest:
      found.add(max(steps))
  return sorted(found)


def mean_error(numbers):
  """Returns the mean and its standard error, None for a single number.

  The standard error is s / sqrt(n), with s^2 = sum (x - mean)^2 / (n - 1).
  """
  numbers = np.asarray(list(numbers), np.float64)
  if len(numbers) < 2:
    return float(numbers[0]), None
  return float(numbers.mean()), float(stats.sem(numbers))


def format_mean(mean, error=None):
  """Returns a mean with its error as text: '12.30 ± 0.40', or '12.34'."""
  if not error:
    return f'{mean:#.4g}'.rstrip('.') + (' ± 0' if error == 0. else '')
  # As many decimals as the error's second digit has.
  decimals = max(1 - math.floor(math.log10(error)), 0)
  return f'{mean:.{min(decimals, 8)}f} ± {error:.{min(decimals, 8)}f}'


def rank_correlation(a, b):
  """Returns Spearman's rank correlation of two sequences, None if undefined.

  It is the correlation of their ranks; equal numbers share their mean rank.
  """
  if len(set(a)) < 2 or len(set(b)) < 2:
    return None
  return float(stats.spearmanr(a, b).statistic)

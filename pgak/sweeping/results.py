"""The finished parts of a sweep, and the table of its scores.

Beside each run directory a small file records with which settings the run was
trained to its end, and the rows of scores.csv that each evaluation made.
"""
import hashlib
import json
import math
import pathlib
import statistics

from pgak import errors
from pgak import files
from pgak.runs import run_directory
from pgak.runs import scores

__all__ = ['Record', 'format_table', 'mean_and_error']

# All that decides a score, except what the table's rows and columns show.
_CHOICES = ('metric', *(c for c in scores.CHOICES
                        if c not in ('images', 'prior')))


class Record:
  """The finished stages of one job.

  Args:
    output_dir: path of the sweep's folder.
    job: a `plan.Job`.
  """

  def __init__(self, output_dir, job):
    self.run_dir = pathlib.Path(output_dir, job.name)
    self.path = self.run_dir.with_name(f'{self.run_dir.name}.json')
    self.log = self.run_dir.with_name(f'{self.run_dir.name}.log')
    self._digest = job.digest()
    self._finished = self._read()

  def _read(self):
    try:
      found = files.load_json(self.path)
      return {'settings': found['settings'], 'step': int(found['step']),
              'evaluations': dict(found['evaluations'])}
    except (OSError, ValueError, TypeError, KeyError):
      # Without a record the job runs again, which costs time, not results.
      return {'settings': None, 'step': 0, 'evaluations': {}}

  @property
  def is_trained(self):
    """Whether the run was trained to its end with the job's settings."""
    steps = self._checkpoints()
    # The digest is empty where a gin file is gone. The checkpoint may be too: a
    # user may have deleted the run.
    return bool(self._digest and self._digest == self._finished['settings']
                and steps and steps[-1] >= self._finished['step'])

  def _checkpoints(self):
    try:
      return run_directory.RunDirectory(self.run_dir).checkpoints()
    except errors.UserError:
      return []

  def write_trained(self):
    """Records that training is finished."""
    steps = self._checkpoints()
    # A run that was deleted and trained anew is not measured.
    self._finished = {'settings': self._digest,
                      'step': steps[-1] if steps else 0, 'evaluations': {}}
    self._write()

  def rows(self, evaluation):
    """Returns the rows that an evaluation made, or None if it was not run."""
    key = self._key(evaluation) if self.is_trained else None
    return self._finished['evaluations'].get(key)

  def write_rows(self, evaluation, rows):
    """Records that an evaluation is finished."""
    self._finished['evaluations'][self._key(evaluation)] = rows
    self._write()

  def _key(self, evaluation):
    run = run_directory.RunDirectory(self.run_dir)
    try:
      step = run.resolve_checkpoint(evaluation.checkpoint)
    except errors.UserError:
      step = None  # Such as 'all', or what the evaluate command will refuse.
    # The last step, too: 'best' may stay while a longer run changes what 'all'
    # stands for.
    text = json.dumps([self._digest, step, run.checkpoints()[-1],
                       evaluation.flags])
    return hashlib.sha256(text.encode()).hexdigest()[:16]

  def _write(self):
    files.write_text(
        self.path, json.dumps(self._finished, indent=1) + '\n')


def mean_and_error(values):
  """Returns the mean and its standard error, None for a single value.

  The error is s / sqrt(n), with s^2 = sum (x - mean)^2 / (n - 1).
  """
  mean = statistics.fmean(values)
  if len(values) < 2 or not math.isfinite(mean):
    return mean, None
  return mean, statistics.stdev(values) / math.sqrt(len(values))


def format_table(sweep, output_dir):
  """Returns the scores of all runs of a sweep as text.

  One table per metric and all that decides it; a row per cell, and a column per
  prior of samples, or kind of other images, such as reconstructions.

  Args:
    sweep: a `plan.Sweep`.
    output_dir: path of its folder.
  """
  tables = {}
  for job in sweep.jobs:
    for choices, column, more, value in _scores(
        Record(output_dir, job), sweep):
      cell = tables.setdefault(choices, {}).setdefault(job.cell, {})
      # Two evaluations with equal choices differ in settings that scores do not
      # record: the label has them. As text, or NaN would differ from itself.
      if str(cell.get(column, {}).get(job.seed, value)) != str(value):
        column = f'{column} ({more})'
      cell.setdefault(column, {})[job.seed] = value
  return '\n'.join(line for choices, table in tables.items()
                   for line in _lines(choices, table))


def _scores(record, sweep):
  for evaluation in sweep.evaluations:
    for row in record.rows(evaluation) or ():
      choices = tuple(row.get(c, '') for c in _CHOICES)
      yield choices, _column(row), evaluation.label, float(row['value'])


def _column(row):
  images, prior = row.get('images') or 'samples', row['prior']
  if prior == 'none':
    return images
  # A density is measured by its samples, or by the latents of real images.
  return prior if images in ('samples', 'data') else f'{images} {prior}'


def _lines(choices, table):
  named = dict(zip(_CHOICES, choices))
  metric = named.pop('metric')
  columns = list(dict.fromkeys(c for cell in table.values() for c in cell))
  rows = [['', *columns]]
  rows += [[name, *(_value(cell.get(c, {})) for c in columns)]
           for name, cell in table.items()]
  widths = [max(map(len, column)) for column in zip(*rows)]
  yield metric
  yield '  ' + ', '.join(f'{n} {v}' for n, v in named.items() if v != '')
  for name, *values in rows:
    yield '  '.join([f'  {name:{widths[0]}}', *(
        f'{v:>{w}}' for v, w in zip(values, widths[1:]))]).rstrip()
  yield ''


def _value(by_seed):
  if not by_seed:
    return '-'
  mean, error = mean_and_error(list(by_seed.values()))
  error = '' if error is None else f' +- {error:.2g}'
  return f'{mean:.4g}{error} (n={len(by_seed)})'

"""A search over gin bindings by Optuna: it asks for trials, and is told scores.

The trials stand in OUTPUT_DIR/search.journal, Optuna's own file, as soon as
they are asked for and told. So the same command goes on after an interruption,
and trial n is decided by the seed, by n and by what was told before it.
"""
import dataclasses
import importlib
import json
import math
import statistics

import numpy as np

from pgak import errors
from pgak import files
from pgak.sweeping import pruning
from pgak.sweeping import results
from pgak.sweeping import search_plan

__all__ = ['Searcher']

# Trials at random, before there are enough for an estimate.
_RANDOM = 5


class Searcher:
  """Runs the trials of a search, each a cell `trial-<number>` of the sweep.

  Args:
    runner: a `running.Runner` of a `plan.Sweep` that has a search.
    better_of: function of a metric's name and what it is of to 'lower',
      'higher' or another word, as `metrics.metric.better_of`.

  Raises:
    errors.UserError: if Optuna is not installed, or if there is no direction
      in which the objective is better.
  """

  def __init__(self, runner, better_of):
    self._runner = runner
    self._search = runner.sweep.search
    self._optuna = _optuna()
    self._better = self._direction(
        better_of, 'objective', self._search.objective['metric'],
        self._search.objective.get('images', 'samples'))
    self._early_better = self._search.pruned_by and self._direction(
        better_of, 'pruned_by', self._search.pruned_by, 'samples')
    self._study = self._pruner = None
    self._failed = set()  # Numbers of the trials that failed in this process.
    self._pruned = set()  # And of those that were ended early.

  def _direction(self, better_of, setting, metric, images):
    better = better_of(metric, images)
    if better not in ('lower', 'higher'):
      raise errors.UserError(
          f'`sweep.{setting}` names {metric!r}, which is no score of which '
          'less or more is better: name one as scores.csv does, such as '
          "'frechet_digits_classifier' or 'reconstruction_mse'.")
    return better

  # === Running ===

  def pending_commands(self):
    """Returns the commands of a trial, as lines for a shell.

    Its settings are those at the beginning of each range.
    """
    self._runner.take((), self._first_jobs())
    return self._runner.pending_commands()

  def run(self):
    """Runs the trials that are left.

    Returns:
      `{'trial-3/seed-0 training': reason}`, the stages that failed.

    Raises:
      errors.UserError: if the folder holds another search, if the train command
        refuses the first trial, or if the objective is not among its scores.
      KeyboardInterrupt: as `Runner.run`.
    """
    self._require_right(self._first_jobs())
    folder = self._runner.output_dir
    _made(folder)
    with files.locked(folder / 'search.lock',
                      f'{folder} is in use by another search: wait for it, or '
                      'choose another --output_dir.'):
      self._study = self._opened(folder)
      if self._search.pruned_by:
        self._pruner = pruning.Pruner(
            self._optuna, self._study, self._search.pruned_by,
            self._early_better != self._better, _RANDOM)
        self._runner.is_over = self._is_over
      while batch := self._next():
        self._run_batch(batch)
    self._runner.take(self._all_jobs(), ())
    return self._runner.failures

  def _run_batch(self, batch):
    jobs = [job for trial in batch for job in self._jobs_of(trial)]
    self._runner.take(self._all_jobs(), jobs)
    self._runner.run()
    for trial in batch:
      if trial.number in self._pruned:
        self._study.tell(trial.number,
                         state=self._optuna.trial.TrialState.PRUNED)
        continue
      value = self._value(trial)
      if self._pruner and value is not None:
        job = self._jobs_of(trial)[0]
        self._pruner.require_scores(
            trial, self._first_run(trial), self._rows(job))
      if value is None:
        # Not told, so that the same command runs it again, as any failed cell.
        self._failed.add(trial.number)
      elif math.isfinite(value):
        self._study.tell(trial.number, value)
      else:
        self._study.tell(trial.number,
                         state=self._optuna.trial.TrialState.FAIL)

  def _is_over(self, job):
    """Whether a job that is trained is to end, by its trial's first seed."""
    trial = next(t for t in self._running() if job in self._jobs_of(t))
    if job == self._jobs_of(trial)[0] and self._pruner.is_over(
        trial, self._first_run(trial)):
      self._pruned.add(trial.number)
    return trial.number in self._pruned

  def _first_run(self, trial):
    return self._runner.output_dir / self._jobs_of(trial)[0].name

  def _next(self):
    """Returns the trials to run now: as many as are run at a time."""
    state = self._optuna.trial.TrialState
    for trial in self._running():
      if len(trial.params) < len(self._search.ranges):
        # A kill while it was being asked for.
        self._study.tell(trial.number, state=state.FAIL)
    batch = [t for t in self._running() if t.number not in self._failed]
    while len(batch) < self._runner.parallel and (
        len(self._trials()) < self._search.trials):
      batch.append(self._ask())
    return batch[:self._runner.parallel]

  def _ask(self):
    number = len(self._study.get_trials(deepcopy=False))
    # Of each trial its own, so that an interruption changes none.
    seed = int(np.random.SeedSequence(
        [self._search.seed, number]).generate_state(1)[0])
    samplers = self._optuna.samplers
    self._study.sampler = (
        samplers.TPESampler(n_startup_trials=_RANDOM, seed=seed)
        if self._search.sampler == 'tpe' else samplers.RandomSampler(seed=seed))
    asked = self._study.ask({r.name: self._distribution(r)
                             for r in self._search.ranges})
    return next(t for t in self._running() if t.number == asked.number)

  def _distribution(self, one):
    made = self._optuna.distributions
    if one.kind == 'choice':
      return made.CategoricalDistribution(one.options)
    is_whole, is_log = search_plan.KINDS[one.kind]
    kind = made.IntDistribution if is_whole else made.FloatDistribution
    return kind(*one.options, log=is_log)

  def _require_right(self, jobs):
    reason = self._runner.refusal(jobs[0])
    if reason:
      raise errors.UserError(
          f'The train command refuses the first trial: {reason}')

  # === Trials ===

  def _trials(self):
    """Returns the trials that count, in order."""
    return [t for t in self._study.get_trials(deepcopy=False)
            if len(t.params) == len(self._search.ranges)]

  def _running(self):
    return [t for t in self._study.get_trials(deepcopy=False)
            if t.state == self._optuna.trial.TrialState.RUNNING]

  def _done(self):
    """Returns the trials that have a value, the best first."""
    done = [t for t in self._trials()
            if t.state == self._optuna.trial.TrialState.COMPLETE]
    return sorted(done, key=lambda t: t.value,
                  reverse=self._better == 'higher')

  def _jobs(self, number, values):
    bindings = self._search.bindings(values)
    # Before the last one, which is the seed.
    return [dataclasses.replace(
        job, cell=f'trial-{number}',
        bindings=(*job.bindings[:-1], *bindings, job.bindings[-1]))
        for job in self._runner.sweep.pattern]

  def _first_jobs(self):
    return self._jobs(0, {r.name: r.options[0] for r in self._search.ranges})

  def _jobs_of(self, trial):
    return self._jobs(trial.number, trial.params)

  def _all_jobs(self):
    return tuple(j for t in self._trials() for j in self._jobs_of(t))

  def _value(self, trial):
    """Returns the mean of the objective over the seeds, None if one failed."""
    found = [self._score(job) for job in self._jobs_of(trial)]
    return None if None in found else statistics.fmean(found)

  def _score(self, job):
    rows = self._rows(job)
    if rows is None:
      return None
    wanted = self._search.objective
    fit = [row for row in rows
           if all(row.get(name) == value for name, value in wanted.items())]
    if len(fit) != 1:
      raise errors.UserError(
          f'`sweep.objective` = {wanted} fits {len(fit)} scores of {job.name}, '
          f'and must fit one of: {_described(fit or rows)}.')
    return float(fit[0]['value'])

  def _rows(self, job):
    """Returns the rows of all evaluations of a job, None if one is missing."""
    record = results.Record(self._runner.output_dir, job)
    of_each = [record.rows(e) for e in self._runner.sweep.evaluations]
    return None if None in of_each else [r for rows in of_each for r in rows]

  # === The journal ===

  def _opened(self, folder):
    # Otherwise it reports every trial, beside our own progress.
    self._optuna.logging.set_verbosity(self._optuna.logging.WARNING)
    backend = self._optuna.storages.journal.JournalFileBackend(
        str(folder / 'search.journal'), lock_obj=_Held())
    _drop_torn_line(folder / 'search.journal')
    study = self._optuna.create_study(
        storage=self._optuna.storages.JournalStorage(backend),
        study_name='search', load_if_exists=True, direction=(
            'maximize' if self._better == 'higher' else 'minimize'))
    cells = _text([[str(r) for r in self._search.ranges],
                   [r.name for r in self._search.ranges],
                   self._search.sampler, self._search.seed,
                   list(map(dataclasses.astuple, self._runner.sweep.pattern))])
    measured = _text([self._search.objective, [
        e.flags for e in self._runner.sweep.evaluations]] + (
            [self._search.pruned_by] if self._search.pruned_by else []))
    # The content of the gin files, which earlier journals do not have.
    digests = _text([job.digest() for job in self._runner.sweep.pattern])
    kept = study.user_attrs
    is_told = any(t.state.is_finished() for t in study.get_trials())
    if kept.get('cells', cells) != cells or (is_told and (
        kept.get('measured', measured) != measured
        or kept.get('digests', digests) != digests)):
      raise errors.UserError(
          f'{folder} holds a search with other settings or other content of '
          'its gin files, and only `sweep.trials` may change: choose another '
          '--output_dir, or remove that folder.')
    for name, value in (('cells', cells), ('measured', measured),
                        ('digests', digests)):
      if kept.get(name) != value:
        study.set_user_attr(name, value)
    return study

  # === The table ===

  def table(self):
    """Returns the trials, the best first, and the best bindings as gin text."""
    done, ranges = self._done(), self._search.ranges
    lines = [f'{self._search.objective["metric"]} ({self._better} is better), '
             f'{len(done)} of {self._search.trials} trials']
    rows = [['trial', 'value', *(r.name for r in ranges)]]
    rows += [[str(t.number), f'{t.value:.4g}', *(
        r.text(t.params[r.name]) for r in ranges)] for t in done]
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines += ['  '.join(f'{v:>{w}}' for v, w in zip(row, widths))
              for row in rows]
    if ended := [f'trial-{t.number}' for t in self._trials()
                 if t.state == self._optuna.trial.TrialState.PRUNED]:
      lines += ['', f'Ended early, by {self._search.pruned_by}: '
                f'{", ".join(ended)}.']
    if done:
      lines += ['', f'The best, trial-{done[0].number}, as lines of a gin '
                'file:', *self._search.bindings(done[0].params)]
    return '\n'.join(lines) + '\n'


class _Held:
  """The journal's lock, which `search.lock` makes needless.

  Optuna's own would be left behind by a kill.
  """

  def acquire(self):
    """Returns whether it is held."""
    return True

  def release(self):
    """Does nothing."""


def _optuna():
  try:
    return importlib.import_module('optuna')
  except ImportError as e:
    raise errors.UserError(
        'A search needs Optuna, which is not installed: pip install '
        'optuna.') from e


def _made(folder):
  try:
    folder.mkdir(parents=True, exist_ok=True)
  except OSError as e:
    raise errors.UserError(f'Cannot write to {folder}: {e.strerror}.') from e


def _drop_torn_line(path):
  """Cuts off what a killed process has begun to write."""
  text = path.read_bytes()
  whole = text[:text.rfind(b'\n') + 1]
  if whole != text:
    files.write_text(path, whole.decode())


def _text(value):
  return json.dumps(value, sort_keys=True)


def _described(rows):
  columns = ('metric', 'features', 'images', 'prior', 'protocol')
  return '; '.join(dict.fromkeys(
      ', '.join(f'{c} {row[c]}' for c in columns if row.get(c))
      for row in rows)) or 'no score at all'

"""Ends a trial of a search whose scores on the way are worse than the median.

While a trial trains, `train.scorer` writes its scores to the run's scores.csv
every `train.score_every` steps. Optuna's `MedianPruner` compares the best of
them so far with the median of the earlier trials at the same step.
"""
from pgak import errors
from pgak.runs import run_directory

__all__ = ['Pruner']


class Pruner:
  """Reports the scores of trials to Optuna, and asks which are to end.

  Args:
    optuna: the module.
    study: the study; its pruner is set.
    metric: a metric as scores.csv names it.
    is_opposite: whether more of it is better where the study wants less, or the
      other way round.
    first: number of the first trials that are not ended.
  """

  def __init__(self, optuna, study, metric, is_opposite, first):
    self._optuna, self._study, self._metric = optuna, study, metric
    self._sign = -1. if is_opposite else 1.
    study.pruner = optuna.pruners.MedianPruner(n_startup_trials=first)

  def is_over(self, trial, run_dir):
    """Whether a trial is to end, by the scores that its run has by now.

    Args:
      trial: Optuna's `FrozenTrial`.
      run_dir: path of its run.
    """
    live = self._optuna.trial.Trial(self._study, trial._trial_id)
    reported = self._of(trial.number).intermediate_values
    for step, value in sorted(self._early(run_dir).items()):
      if step not in reported:
        live.report(self._sign * value, step)
      # After each, so that what is told does not depend on when one looks.
      if live.should_prune():
        return True
    return False

  def require_scores(self, trial, run_dir, measured):
    """Raises errors.UserError if a trained trial has no score on the way.

    Args:
      trial: as for `is_over`.
      run_dir: as there.
      measured: the rows of its scores that evaluations made, which may be of
        the same metric.
    """
    if all(row in measured for row in self._rows(run_dir)):
      raise errors.UserError(
          f'`sweep.pruned_by` = {self._metric!r} is not among the scores that '
          f'trial-{trial.number} had while it trained: set `train.score_every` '
          'and `train.scorer` so that it is, or leave `sweep.pruned_by` out.')

  def _of(self, number):
    return next(t for t in self._study.get_trials(deepcopy=False)
                if t.number == number)

  def _early(self, run_dir):
    """Returns `{step: value}` of the metric."""
    return {int(row['step']): float(row['value'])
            for row in self._rows(run_dir)}

  def _rows(self, run_dir):
    """Returns the rows of the metric."""
    try:
      rows = run_directory.RunDirectory(run_dir).scores()
    except errors.UserError:
      return []  # It has not begun.
    return [row for row in rows if row['metric'] == self._metric]

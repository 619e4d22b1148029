"""Where a fit is, kept in a file now and then, so that it can go on there."""
import time

import numpy as np

from pgak import files

__all__ = ['Course']

# Between two writings, in seconds: what a killed process loses at most.
_BETWEEN = 20.


class Course:
  """The step of a fit, its variables, and the best averages so far.

  Args:
    variables: list of Keras variables, all that change in a step.
    averages: those of them whose best values are kept.
    path: a file for all of it; None for none.
    content: string that changes with all that decides the fit, so that a file
      of another one is left alone.

  Attributes:
    step: int, the steps that were taken.
    best_loss: the lowest loss that was seen.
    best_step: after which step that was.
  """

  def __init__(self, variables, averages, path=None, content=''):
    self.step = np.int64(0)
    self.best_loss = np.inf
    self.best_step = 0
    self._best = [v.numpy() for v in averages]
    self._variables = variables
    self._averages = averages
    self._path = path
    self._content = content
    self._kept_at = time.monotonic()

  def see(self, loss):
    """Keeps the averages if their loss, a float, is the lowest so far."""
    # At the start any loss, so that one that is never finite is known.
    if loss < self.best_loss or not self.step:
      self.best_loss, self.best_step = loss, int(self.step)
      self._best = [v.numpy() for v in self._averages]

  def finish(self):
    """Gives the averages their best values."""
    _assign(self._averages, self._best)

  def keep(self):
    """Writes the file, unless it was written a short time ago."""
    if self._path is None or time.monotonic() - self._kept_at < _BETWEEN:
      return
    files.keep_npz(self._path, {
        'content': self._content, 'step': self.step,
        'best_loss': self.best_loss, 'best_step': self.best_step,
        **_named('variable', [v.numpy() for v in self._variables]),
        **_named('best', self._best)})
    self._kept_at = time.monotonic()

  def resume(self):
    """Goes on where the file is, if it is there; returns whether it was."""
    arrays = files.load_npz(self._path) if self._path else None
    if not arrays or str(arrays.get('content')) != self._content:
      return False
    best, values = (
        [arrays.get(f'{name}_{i}') for i in range(len(variables))]
        for name, variables in (('best', self._averages),
                                ('variable', self._variables)))
    # Of an optimizer with other variables, such as another version's.
    if [np.shape(x) for x in values] != [tuple(v.shape)
                                         for v in self._variables]:
      return False
    self.step = np.int64(arrays['step'])
    self.best_loss = float(arrays['best_loss'])
    self.best_step = int(arrays['best_step'])
    self._best = best
    _assign(self._variables, values)
    return True


def _named(name, values):
  return {f'{name}_{i}': value for i, value in enumerate(values)}


def _assign(variables, values):
  for variable, value in zip(variables, values, strict=True):
    variable.assign(value)

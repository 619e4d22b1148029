"""How far a run is: a bar on a terminal or in a notebook, lines in a log."""
import os
import sys
import time

import numpy as np
from tqdm import auto as tqdm

from pgak.training import callbacks

__all__ = ['Progress', 'is_interactive']

# Between two lines of a log, in seconds.
_BETWEEN_LINES = 60.
# After so many steps the time that is left is estimated.
_STEPS_OF_ESTIMATE = 100
# What is shorter, in seconds, is not worth a sentence.
_SHORT = 10.
# What is shown first, where a narrow terminal cuts the rest.
_FIRST = ('loss', 'validation_loss')


def is_interactive(stream):
  """Whether a stream shows a bar: a terminal, or a notebook."""
  return stream.isatty() or _in_notebook()


def _in_notebook():
  # IPython is loaded where one runs in it, and a notebook's shell has a kernel.
  ipython = sys.modules.get('IPython')
  return ipython is not None and hasattr(ipython.get_ipython(), 'kernel')


class Progress(callbacks.EveryNSteps):
  """A bar over the whole run, or a line a minute in a log file.

  A log has a line at the first interval, then one a minute, and one at the end.
  Once 100 steps are done, it also has a sentence on the time that is left; the
  first execution, which compiles the step, does not count there.

  Args:
    intervals: `Intervals`.
    stream: where to write; standard output by default. On a terminal and in a
      notebook there is one bar.
    validated: `callbacks.TermLogger`, whose latest validation is shown, too; it
      comes before this callback. None for none.
  """

  def __init__(self, intervals, stream=None, validated=None):
    super().__init__(intervals.log_every, intervals.steps)
    self.stream = stream or sys.stdout
    self.validated = validated
    self.interactive = is_interactive(self.stream)
    self.shown = 0.
    self.mark = None  # When the last line was written, and at which step.
    self.compiled = None  # The same of the end of the first execution.
    self.has_line = self.has_estimate = False
    self.bar = None

  def make_up(self, model, is_finished):
    """Does nothing: what a line says of its interval went with the process."""

  def on_train_begin(self, logs=None):
    super().on_train_begin()
    self.mark, self.compiled = (time.monotonic(), self.step), None
    if self.interactive:
      self.bar = tqdm.tqdm(
          total=self.last_step, initial=self.step, unit='step',
          file=self.stream, **_size(self.stream))

  def on_train_batch_end(self, batch, logs=None):
    super().on_train_batch_end(batch, logs)
    now = time.monotonic()
    if self.bar is not None:
      # A mean waits for the device.
      if now - self.shown > 0.5 or self.step == self.last_step:
        self.shown = now
        self.bar.set_postfix_str(self._values(logs or {}), refresh=False)
      self.bar.update(self.step - self.bar.n)
    elif not self.interactive:
      self._write_estimate(now)
      if now - self.mark[0] >= _BETWEEN_LINES:
        self._write_line(now, logs or {})

  def on_train_end(self, logs=None):
    if self.bar is not None:
      self.bar.close()

  def at_step(self, step, logs):
    if self.interactive or self.has_line and step != self.last_step:
      return
    self._write_line(time.monotonic(), logs)

  def _write_line(self, now, logs):
    begun, first_step = self.mark
    seconds = (now - begun) / max(self.step - first_step, 1)
    left = _clock(seconds * (self.last_step - self.step))
    print(f'step {self.step}/{self.last_step} {1e3 * seconds:.3g} ms/step '
          f'{left} left  {self._values(logs)}', file=self.stream, flush=True)
    self.mark = (now, self.step)  # The next line has the speed since this one.
    self.has_line = True

  def _write_estimate(self, now):
    if self.compiled is None:
      self.compiled = (now, self.step)
    begun, first_step = self.compiled
    steps = self.step - first_step
    if self.has_estimate or steps < _STEPS_OF_ESTIMATE:
      return
    self.has_estimate = True
    seconds = (now - begun) / steps
    left = seconds * (self.last_step - self.step)
    if left >= _SHORT:
      print(f'About {_duration(left)} to go ({_number(10. * seconds)} s per '
            '10 steps, without the time that compiling took).',
            file=self.stream, flush=True)

  def _values(self, logs):
    latest = self.validated.latest if self.validated else {}
    logs = logs | {n: latest[n] for n in _FIRST if n in latest}
    names = [n for n in _FIRST if n in logs]
    names += [n for n in logs if n not in names]
    return ' '.join(f'{n} {float(np.mean(logs[n])):.4g}' for n in names)


def _duration(seconds):
  """Returns a time in words, such as '12 minutes'."""
  for size, unit in ((3600., 'hour'), (60., 'minute')):
    if seconds >= 1.5 * size:
      return f'{_number(seconds / size)} {unit}s'
  number = max(round(seconds), 1)
  return f'{number} second{"s" * (number > 1)}'


def _number(value):
  """Returns two digits, or all of those before the point."""
  return f'{value:.2g}' if value < 99.5 else f'{value:.0f}'


def _clock(seconds):
  """Returns a time as '12:00:59', with as many hours as there are."""
  minutes, seconds = divmod(int(seconds), 60)
  hours, minutes = divmod(minutes, 60)
  return f'{hours:02}:{minutes:02}:{seconds:02}'


def _size(stream):
  """Returns tqdm's arguments: as wide as the terminal, if it says how wide."""
  if not stream.isatty():
    return {}  # A notebook's, which is as wide as its cell.
  try:
    known = all(os.get_terminal_size(stream.fileno()))
  except (AttributeError, OSError, ValueError):
    known = False
  # tqdm shows nothing on a terminal of size 0, as some containers have it.
  return {'dynamic_ncols': True} if known else {'ncols': 80, 'nrows': 24}

"""How far a sweep is: a bar on a terminal, lines in a log.

A log has a line for each change, and one a minute where nothing changes.
"""
import re
import shutil
import sys
import threading
import time

import tqdm

__all__ = ['Progress']

# Between two lines of a log in which nothing has changed, in seconds.
_BETWEEN_LINES = 60.
_LEFT = re.compile(r'(\d+):(\d\d):(\d\d) left')


class Progress:
  """Counts the jobs of a sweep and estimates when they will be done.

  Args:
    stages: `{job: list}` of the kinds of stages that are to be run, such as
      'training'.
    parallel: number of jobs at a time.
    stream: where to write; standard output by default.
  """

  def __init__(self, stages, parallel=1, stream=None):
    self._total, self._parallel = len(stages), parallel
    self._waiting = {name: list(kinds) for name, kinds in stages.items()}
    self._stream = stream or sys.stdout
    self._bar = self._new_bar() if self._stream.isatty() else None
    # Reentrant, because `fail` and `finish` print within it.
    self._lock = threading.RLock()
    self._begun = time.monotonic()
    self._written = self._begun
    self._done = 0
    self._running = {}  # job: (kind, when it began, its log)
    self._taken = {}  # kind: seconds of each stage that is finished

  def _new_bar(self):
    # Without tqdm's estimate, which assumes that all jobs take equally long.
    # A terminal may report 0 lines and columns, on which tqdm shows nothing.
    return tqdm.tqdm(
        total=self._total, file=self._stream, nrows=24, ncols=_columns(),
        bar_format='{l_bar}{bar}| {n_fmt}/{total_fmt}{postfix}')

  def begin(self, name, kind, log=None):
    """A job begins a stage; `log` is the path of what the stage writes."""
    with self._lock:
      self._waiting[name].remove(kind)
      self._running[name] = kind, time.monotonic(), log
      self._change(name, kind)

  def end(self, name):
    """A job's stage has ended well."""
    with self._lock:
      kind, begun, _ = self._running.pop(name)
      self._taken.setdefault(kind, []).append(time.monotonic() - begun)

  def fail(self, name, reason):
    """A job's stage has failed; its duration is not used for estimates."""
    with self._lock:
      kind, _, _ = self._running.pop(name)
      self._print(f'{self._count()} {name}  {kind} failed: {reason}')

  def finish(self, name, word='finished'):
    """A job has ended, well or not; what it left will not be run."""
    with self._lock:
      self._done += 1
      self._waiting.pop(name)
      self._running.pop(name, None)
      self._change(name, word)

  def show(self):
    """Draws the bar of a terminal anew; a log has a line a minute."""
    with self._lock:
      jobs = [f'{n} {kind}' for n, (kind, _, _) in self._running.items()]
      if self._bar is not None:
        self._bar.n, self._bar.ncols = self._done, _columns()
        self._bar.set_postfix_str(', '.join([self._clock(), *jobs]))
      elif jobs and time.monotonic() - self._written >= _BETWEEN_LINES:
        self._print(f'{self._count()} {", ".join(jobs)}  {self._clock()}')

  def close(self):
    """Leaves the terminal's bar."""
    if self._bar is not None:
      self._bar.close()

  def seconds_left(self):
    """Returns the time left, or None if no stage has an estimate yet.

    Returns:
      `(seconds, is_complete)`: without stages of an unknown duration, and
      whether there are none.
    """
    now = time.monotonic()
    known = [self._seconds_of_running(*r, now) for r in self._running.values()]
    known += [self._mean(kind) for kinds in self._waiting.values()
              for kind in kinds]
    if not self._taken and not any(known):
      return None
    seconds = sum(s for s in known if s is not None) / self._parallel
    return seconds, None not in known

  def _seconds_of_running(self, kind, begun, log, now):
    estimate = _seconds_left_in(log)
    if estimate is not None:
      return estimate
    mean = self._mean(kind)
    return None if mean is None else max(0., mean - (now - begun))

  def _mean(self, kind):
    """Returns the mean seconds of a kind of stage, or None if unknown."""
    taken = list(self._taken.get(kind, ()))
    now = time.monotonic()
    for other, begun, log in self._running.values():
      # Without a finished stage, use the run's own estimate, and assume that
      # similar stages take as long.
      wanted = other == kind and not taken
      estimate = _seconds_left_in(log) if wanted else None
      if estimate is not None:
        taken.append(now - begun + estimate)
    return sum(taken) / len(taken) if taken else None

  def _change(self, name, what):
    if self._bar is not None:
      self.show()
    else:
      self._print(f'{self._count()} {name}  {what}  {self._clock()}')

  def _print(self, line):
    if self._bar is not None:
      self._bar.write(line, self._stream)
    else:
      print(line, file=self._stream, flush=True)
      self._written = time.monotonic()

  def _count(self):
    return f'[{self._done:>{len(str(self._total))}}/{self._total}]'

  def _clock(self):
    line = f'{_time(time.monotonic() - self._begun)} elapsed'
    left = self.seconds_left()
    if not left or not self._waiting:
      return line
    return f'{line}, {"about" if left[1] else "over"} {_time(left[0])} left'


def _time(seconds):
  return tqdm.tqdm.format_interval(round(seconds))


def _columns():
  return shutil.get_terminal_size().columns


def _seconds_left_in(log):
  """Returns the time left by the end of a train command's log, or None."""
  try:
    with open(log, 'rb') as file:
      file.seek(max(0, file.seek(0, 2) - 2000))
      # The log holds several commands: only the last one runs. Its end is
      # enough, and may begin within a character.
      lines = file.read().decode(errors='replace').split('\n$ ')[-1]
  except (OSError, TypeError):  # TypeError: no log at all.
    return None
  found = _LEFT.findall(lines)
  if not found:
    return None
  hours, minutes, seconds = map(int, found[-1])
  return 3600. * hours + 60. * minutes + seconds

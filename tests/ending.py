"""Ways in which a command ends before it is done."""
import os
import pathlib
import re
import resource
import signal
import time
from typing import NamedTuple

import forked

__all__ = ['Ended', 'WAYS', 'check_told']

_CHUNK = bytes(2**20)
# Lines of stderr beside the one that says why a command ends.
_ASIDE = re.compile(r'(WARNING:|W\d{4} |Preparing the data set|Prepared |'
                    # TensorFlow logs that it keeps no temporary file.
                    r'Please report this to|Cause: |To silence this warning)')


class Ended(NamedTuple):
  """How a command ended.

  Attributes:
    result: a `forked.Result`.
    allowed: the exit statuses that are right; 0 only with the result.
    moment: string, when it ended, for the failure's message.
  """
  result: forked.Result
  allowed: tuple
  moment: str


def check_told(ended):
  """Checks that a command said in a sentence why it ended, or nothing."""
  status, _, err = ended.result
  assert 'Traceback' not in err and 'Exception ignored' not in err, err
  lines = [s for s in err.splitlines() if not _ASIDE.match(s)]
  if status in (1, 130, 143):
    assert lines and lines[-1].endswith('.'), err
  assert len(lines) <= (status > 0), err


def _signal(number, *allowed):
  def end(trial, chance):
    child = trial.start()
    moment = _wait(child, trial, chance)
    child.send_signal(number)
    result = child.wait()
    trial.wait_for_others()
    # The last is that of one that was just ending with its result.
    return Ended(result, (*allowed, 0, -number), moment)
  return end


def _kill(trial, chance):
  """Ends it at once; one time in two while it writes something."""
  child = trial.start()
  wait = _wait_for_writing if chance.random() < 0.5 else _wait
  moment = wait(child, trial, chance)
  child.send_signal(signal.SIGKILL)
  result = child.wait()
  trial.wait_for_others()
  return Ended(result, (0, -signal.SIGKILL), moment)


def _fill_disk(trial, chance):
  """Leaves no room on its disk from some moment on."""
  child = trial.start()
  moment = _wait(child, trial, chance)
  filler = trial.place / 'filler'
  while child.poll() is None:
    _fill(filler)
    time.sleep(0.01)
  filler.unlink(missing_ok=True)
  trial.wait_for_others()
  return Ended(child.wait(), (0, 1), moment)


def _fill(path):
  with open(path, 'ab', buffering=0) as file:
    for size in (2**20, 2**12, 1):
      try:
        while file.write(_CHUNK[:size]) == size:
          pass
      except OSError:
        continue


def _limit_files(trial, chance):
  """Lets no file grow beyond some size from some moment on."""
  child = trial.start()
  moment = _wait(child, trial, chance)
  size = chance.choice([2000, 5000, 20000])
  try:
    resource.prlimit(child.pid, resource.RLIMIT_FSIZE, (size, size))
  except ProcessLookupError:
    pass
  return Ended(child.wait(), (0, 1), f'{moment}, {size} bytes')


WAYS = {'kill': _kill, 'term': _signal(signal.SIGTERM, 143),
        'int': _signal(signal.SIGINT, 130), 'disk': _fill_disk,
        'limit': _limit_files}


def _wait(child, trial, chance):
  """Waits until a random moment; returns which it was."""
  while child.poll() is None and not _handles_signals(child.pid):
    time.sleep(0.001)
  share = chance.uniform(0.02, 0.8)
  time.sleep(share * trial.seconds)
  return f'after {share:.0%} of {trial.seconds:.1f} s'


def _wait_for_writing(child, trial, chance):
  """Waits until a file or folder gets its name; returns which it was.

  Where something is put in its place bit by bit, there it can be half.
  """
  number, before = chance.randint(1, trial.writes), _names(trial.place)
  seen = set()
  while child.poll() is None and len(seen) < number:
    seen |= _names(trial.place) - before
    time.sleep(0.001)
  time.sleep(chance.choice([0., 0., 0.01]))
  return f'when it writes its name {number}'


def _names(folder):
  """Returns all paths; what goes meanwhile is no error of a walk."""
  return {os.path.join(place, name) for place, folders, names in os.walk(folder)
          for name in (*folders, *names)}


def _handles_signals(pid):
  text = pathlib.Path(f'/proc/{pid}/status').read_text(encoding='utf-8')
  caught = int(re.search(r'SigCgt:\s*([0-9a-f]+)', text)[1], 16)
  return bool(caught >> (signal.SIGTERM - 1) & 1)

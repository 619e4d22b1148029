"""Runs the jobs of a sweep: each stage is a command in a process of its own."""
import contextlib
import dataclasses
import json
import os
import pathlib
import queue
import shlex
import signal
import subprocess
import sys
import threading

from pgak import errors
from pgak import files
from pgak import interruption
from pgak.runs import run_directory
from pgak.sweeping import progress as progress_lib
from pgak.sweeping import results

__all__ = ['PATIENCE', 'Runner', 'locked_log']

# Seconds that a stopped command may take to end.
PATIENCE = 30.
# Between two looks at whether a job that is trained is over, in seconds.
_BETWEEN_LOOKS = 1.


class Runner:
  """Trains and evaluates the jobs of a sweep that are not finished.

  Args:
    sweep: a `plan.Sweep`.
    output_dir: path of the folder of all runs.
    bin_dir: path of the folder of train.py and evaluate.py.
    shard: `(index, number)`: only this part of the jobs is run.
    parallel: number of jobs at a time.
    train_flags: more flags of every train command.
    evaluate_flags: more flags of every evaluate command.
    stream: where the progress is written; standard output by default.
  """

  def __init__(self, sweep, output_dir, bin_dir, shard=(0, 1), parallel=1,
               train_flags=(), evaluate_flags=(), stream=None):
    self.sweep, self.parallel = sweep, parallel
    self.output_dir = files.local(output_dir)
    self._bin_dir = pathlib.Path(bin_dir)
    self.shard = shard
    self.jobs = sweep.shard(*shard)
    self.failures = {}  # 'cell/seed-0 training': reason
    self._train_flags, self._evaluate_flags = train_flags, evaluate_flags
    self._stream = stream
    self._lock = threading.Lock()
    self._children = set()
    self._stopped = False
    # A function of a job that is trained: whether that is to end before its
    # time; and the names of the jobs for which it was so.
    self.is_over = None
    self.ended_early = set()

  def take(self, jobs, own):
    """Replaces the sweep's jobs, of which only `own` are to be run."""
    self.sweep = dataclasses.replace(self.sweep, jobs=tuple(jobs))
    self.jobs = tuple(own)

  # === Commands ===

  def train_command(self, job):
    """Returns the words of a job's train command."""
    return ['pgak_train', f'--run_dir={self.output_dir / job.name}',
            *job.train_flags, *self._train_flags]

  def evaluate_command(self, job, evaluation):
    """Returns the words of the command that evaluates a job."""
    return ['pgak_evaluate', f'--run_dir={self.output_dir / job.name}',
            *evaluation.flags, *self._evaluate_flags]

  def refusal(self, job):
    """Returns why the train command refuses a job's settings, or None."""
    done = subprocess.run(
        [*_words(self.train_command(job), self._bin_dir), '--dry_run'],
        stdin=subprocess.DEVNULL, capture_output=True, check=False,
        env=self._environment())
    if not done.returncode:
      return None
    return _last_line(done.stderr.decode(errors='replace'))

  def pending(self, job):
    """Returns the stages of a job that are not finished, in order.

    Returns:
      List of None, which stands for training, and `plan.Evaluation`s.
    """
    record = results.Record(self.output_dir, job)
    if not record.is_trained:
      # Evaluations of an older training do not count.
      return [None, *self.sweep.evaluations]
    return [e for e in self.sweep.evaluations if record.rows(e) is None]

  def pending_commands(self):
    """Returns the commands that `run` would run, as lines for a shell."""
    return [shlex.join(self._command(job, stage))
            for job in self.jobs for stage in self.pending(job)]

  def _command(self, job, stage):
    return (self.evaluate_command(job, stage) if stage
            else self.train_command(job))

  # === Running ===

  def run(self):
    """Runs the stages that are not finished.

    Returns:
      `{'cell/seed-0 training': reason}`, the stages that failed.

    Raises:
      KeyboardInterrupt: after SIGINT or SIGTERM; the commands are then ended.
      errors.UserError: if the output folder cannot be written to.
    """
    self._stopped = False  # A search runs it again and again.
    self._write_description()
    pending = [(job, self.pending(job)) for job in self.jobs]
    waiting = queue.SimpleQueue()
    for item in pending:
      if item[1]:
        waiting.put(item)
    shown = progress_lib.Progress(
        {job.name: [_kind(s) for s in stages] for job, stages in pending},
        self.parallel, self._stream)
    for job, stages in pending:
      if not stages:
        shown.finish(job.name, 'was finished')
    with _terminating():
      self._run_threads(waiting, shown)
    return self.failures

  def _run_threads(self, waiting, shown):
    # Threads suffice: the work is in child processes. Daemons, so that a second
    # Ctrl-C can end the command.
    threads = [threading.Thread(target=self._work, args=(waiting, shown),
                                daemon=True) for _ in range(self.parallel)]
    try:
      for thread in threads:
        thread.start()
      while any(thread.is_alive() for thread in threads):
        shown.show()
        # With a timeout, so that this thread can receive signals and redraw.
        threads[0].join(0.5)
        for thread in threads[1:]:
          thread.join(0.02)
    finally:
      # A second signal must not end the wait for commands that are saving.
      interruption.postpone()
      self._stop()
      interruption.allow()
      shown.close()

  def _work(self, waiting, shown):
    with contextlib.suppress(queue.Empty, _Stopped):
      while True:
        job, stages = waiting.get_nowait()
        self._run_locked(job, stages, shown)
        failed = any(n.split()[0] == job.name for n in self.failures)
        shown.finish(job.name, 'ended early' if job.name in self.ended_early
                     else 'failed' if failed else 'finished')

  def _run_locked(self, job, stages, shown):
    try:
      with locked_log(self.output_dir / f'{job.name}.log') as log:
        self._run_job(job, stages, log, shown)
    except errors.UserError as e:
      self.failures[job.name] = str(e)
    except Exception as e:
      # The other jobs go on, and this one must not pass for finished.
      self.failures[job.name] = f'{type(e).__name__}: {e}'

  def _run_job(self, job, stages, log, shown):
    # Another sweep may have finished some while this one waited.
    left = self.pending(job)
    record = results.Record(self.output_dir, job)
    for stage in [s for s in stages if s in left]:
      command = self._command(job, stage)
      print(f'$ {shlex.join(command)}', file=log, flush=True)
      shown.begin(job.name, _kind(stage), log.name)
      # scores.csv only grows: the rows after these are those of this
      # evaluation.
      before = len(_scores(record))
      reason = self._call(command, log, job if not stage else None)
      if job.name in self.ended_early:
        return
      if reason:
        self.failures[f'{job.name} {_kind(stage)}'] = reason
        shown.fail(job.name, reason)
        # Without training there is nothing to evaluate; the next evaluation may
        # succeed.
        if not stage:
          return
        continue
      if stage:
        record.write_rows(stage, _scores(record)[before:])
      else:
        record.write_trained()
      shown.end(job.name)

  def _call(self, command, log, trained=None):
    """Runs a command; returns why it failed, or None.

    Args:
      command: its words.
      log: the file of its output.
      trained: the job that it trains, whose training may end early; or None.
    """
    if self._ends(trained):
      return None
    # The log holds the output of earlier commands, too.
    start = log.tell()
    with self._lock:
      if self._stopped:
        raise _Stopped
      # A group of its own, so that a terminal's Ctrl-C ends the command once.
      child = subprocess.Popen(
          _words(command, self._bin_dir), stdin=subprocess.DEVNULL,
          stdout=log, stderr=log, env=self._environment(), process_group=0)
      self._children.add(child)
    status = self._status(child, trained)
    with self._lock:
      self._children.discard(child)
      if self._stopped:
        raise _Stopped
    return _reason(status, log.name, start) if status else None

  def _status(self, child, trained):
    """Waits for a command, which is ended where its job is over."""
    while trained and self.is_over:
      try:
        return child.wait(_BETWEEN_LOOKS)
      except subprocess.TimeoutExpired:
        if self._ends(trained):
          _end([child])
          return 0
    return child.wait()

  def _ends(self, job):
    if job and self.is_over and self.is_over(job):
      self.ended_early.add(job.name)
    return bool(job) and job.name in self.ended_early

  def _environment(self):
    """Returns the environment of a command: our path, its share of the cores.

    What we import may be on the path only because of how we were started.
    """
    # Each TensorFlow takes all cores otherwise, and they slow each other down.
    share = str(max(1, _cores() // self.parallel))
    threads = {} if self.parallel == 1 else {
        'OMP_NUM_THREADS': share, 'TF_NUM_INTRAOP_THREADS': share}
    return {'PYTHONUNBUFFERED': '1', interruption.END_WITH_PARENT: '1',
            **threads, **os.environ,
            'PYTHONPATH': os.pathsep.join(p or os.getcwd() for p in sys.path)}

  def _stop(self):
    with self._lock:
      self._stopped = True
      children = [c for c in self._children if c.poll() is None]
    _end(children)

  def _write_description(self):
    """Writes sweep.json: the cells and their commands."""
    cells = [{'cell': job.cell, 'seed': job.seed, 'run_dir': job.name,
              'train': shlex.join(self.train_command(job)),
              'evaluate': [shlex.join(self.evaluate_command(job, e))
                           for e in self.sweep.evaluations]}
             for job in self.sweep.jobs]
    text = json.dumps({'sweep': self.sweep.name, 'cells': cells}, indent=1)
    try:
      files.write_text(self.output_dir / 'sweep.json', text + '\n')
    except OSError as e:
      raise errors.UserError(
          f'Cannot write to {self.output_dir}: {e.strerror}.') from e


def _end(children):
  """Ends processes, which have time to save."""
  for child in children:
    # The group, because a command may have children itself.
    os.killpg(child.pid, signal.SIGTERM)
  for child in children:
    try:
      child.wait(PATIENCE)
    except subprocess.TimeoutExpired:
      os.killpg(child.pid, signal.SIGKILL)


class _Stopped(BaseException):
  """The sweep is to end."""


def _words(command, bin_dir):
  """Replaces a console script by this environment's Python with its file."""
  path = bin_dir / f'{command[0].removeprefix("pgak_")}.py'
  return [sys.executable, str(path), *command[1:]]


def _kind(stage):
  return f'evaluating {stage.label}' if stage else 'training'


def _cores():
  # A container or batch system may allow fewer cores than there are. Not on
  # macOS.
  if hasattr(os, 'sched_getaffinity'):
    return len(os.sched_getaffinity(0))
  return os.cpu_count() or 1


def _scores(record):
  try:
    return run_directory.RunDirectory(record.run_dir).scores()
  except errors.UserError:
    return []


def _reason(status, log, start):
  """Returns the last line that a command wrote."""
  with open(log, 'rb') as file:
    file.seek(start)
    text = file.read().decode(errors='replace')
  last = _last_line(text)
  # subprocess gives a signal as a negative status.
  if status < 0:
    return f'ended by {signal.Signals(-status).name} ({last})'
  return last


def _last_line(text):
  lines = [s for s in map(str.strip, _lines(text)) if s]
  return lines[-1] if lines else 'it wrote nothing'


def _lines(text):
  """Splits at carriage returns, too, and drops control sequences of a bar."""
  return text.replace('\x1b[K', '').replace('\r', '\n').splitlines()


def locked_log(path):
  """Returns a job's log as a context, open for appending and locked.

  The commands inherit it, so that one that outlives a killed sweep keeps the
  lock until it has saved what it did.
  """
  path.parent.mkdir(parents=True, exist_ok=True)
  return files.locked(
      path, f'{path.with_suffix("")} is in use by another sweep: wait for it, '
      'or choose another --output_dir.', wait=PATIENCE)


@contextlib.contextmanager
def _terminating():
  """Handles SIGTERM and SIGHUP as Ctrl-C."""
  def interrupt(number, frame):
    raise interruption.Interrupted(number)
  # Python sets handlers in the main thread alone.
  if threading.current_thread() is not threading.main_thread():
    yield
    return
  # nohup ignores SIGHUP, so that a sweep outlives its terminal.
  kept = {s: signal.signal(s, interrupt)
          for s in (signal.SIGTERM, signal.SIGHUP)
          if signal.getsignal(s) is not signal.SIG_IGN}
  try:
    yield
  finally:
    for number, handler in kept.items():
      signal.signal(number, handler)

"""Commands as forks of one process that has imported TensorFlow already.

A command of its own imports for seconds; a fork of one that did begins at once,
and is as good: it shares nothing with the others but what an import makes, has
signals, streams, folder, environment and exit of its own, and gin is empty.

The process that is forked makes nothing of TensorFlow's, which would start
threads: those that its imports leave are BLAS's, and BLAS ends them itself
before a fork.
"""
import atexit
import gc
import importlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
from typing import NamedTuple

__all__ = ['Child', 'Result', 'run', 'start']

_STREAMS = ('stdout', 'stderr')
# What a test runner or a shell may have set otherwise.
_HANDLERS = {signal.SIGINT: signal.default_int_handler,
             signal.SIGTERM: signal.SIG_DFL, signal.SIGHUP: signal.SIG_DFL}


class Result(NamedTuple):
  """Exit status, negative for a signal that killed it, and what was written."""
  status: int
  out: str
  err: str


class Child:
  """A command that runs.

  Attributes:
    pid: its process, which stays a zombie until `poll` has seen its end; so
      that a signal never comes to another.
  """

  def __init__(self, server, pid, folder):
    self._server, self._folder = server, folder
    self._status = self._result = None
    self.pid = pid

  def poll(self):
    """Returns its exit status, or None while it runs."""
    if self._status is None:
      self._status = self._server.ask({'poll': self.pid})
    return self._status

  def send_signal(self, number):
    """Sends it a signal, if it is still there."""
    if self._status is None:
      os.kill(self.pid, number)

  def wait(self, timeout=120.):
    """Waits until it ends, and returns its `Result`.

    Raises:
      TimeoutError: if it takes longer; it is killed.
    """
    end = time.monotonic() + timeout
    while self.poll() is None:
      if time.monotonic() > end:
        self.send_signal(signal.SIGKILL)
        raise TimeoutError(f'{self.wait()}')
      time.sleep(0.005)
    if not self._result:
      self._result = Result(self._status, *(
          pathlib.Path(self._folder.name, s).read_text(
              encoding='utf-8', errors='replace')
          for s in _STREAMS))
      self._folder.cleanup()
    return self._result


def run(main, argv=(), cwd=None, env=None, timeout=120.):
  """Runs a command to its end.

  Args:
    main: function without arguments that a module holds, such as
      `pgak.bin.train.run`; it finds `argv` in `sys.argv`.
    argv: its flags, without the command's name.
    cwd: folder that it works in; by default the present one.
    env: what is added to the present environment.
    timeout: seconds after which it is killed.

  Returns:
    `Result`.

  Raises:
    TimeoutError: if it takes longer.
  """
  return start(main, argv, cwd, env).wait(timeout)


def start(main, argv=(), cwd=None, env=None):
  """Starts a command; see `run`. Returns a `Child`."""
  folder = tempfile.TemporaryDirectory(prefix='pgak_forked_')
  streams = [os.path.join(folder.name, s) for s in _STREAMS]
  for path in streams:  # A signal may come before it opens them.
    pathlib.Path(path).touch()
  server = _Server.running()
  pid = server.ask({
      'main': [main.__module__, main.__qualname__],
      'argv': [main.__module__, *map(str, argv)],
      'cwd': str(cwd or os.getcwd()), 'env': {**os.environ, **(env or {})},
      'streams': streams})
  return Child(server, pid, folder)


class _Server:
  """The process that is forked."""

  _running = None

  def __init__(self):
    ours, theirs = socket.socketpair()
    self._process = subprocess.Popen(
        [sys.executable, os.path.abspath(__file__), str(theirs.fileno())],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, pass_fds=[theirs.fileno()],
        start_new_session=True,
        # As a command sets it before it imports TensorFlow.
        env={**os.environ, 'TF_CPP_MIN_LOG_LEVEL': '3',
             'PYTHONPATH': os.pathsep.join(sys.path)})
    theirs.close()
    self._lines = ours.makefile('rw')
    ours.close()
    atexit.register(self.close)

  @classmethod
  def running(cls):
    """Returns the one of this process."""
    if cls._running is None:
      cls._running = cls()
    return cls._running

  def ask(self, request):
    """Sends a request and returns the answer."""
    print(json.dumps(request), file=self._lines, flush=True)
    answer = self._lines.readline()
    if not answer:
      raise RuntimeError('The process that is forked is gone.')
    return json.loads(answer)

  def close(self):
    """Ends it, and with it what it forked."""
    self._lines.close()
    self._process.wait()


# === In the process that is forked ===


def _serve(connection):
  """Answers requests; returns one, in the fork that is to do it, or None."""
  running = set()
  with connection, connection.makefile('rw') as lines:
    for line in lines:
      request = json.loads(line)
      if 'poll' in request:
        answer = _poll(request['poll'], running)
      else:
        answer = os.fork()
        if answer == 0:
          return request
        running.add(answer)
      print(json.dumps(answer), file=lines, flush=True)
  for pid in running:
    os.kill(pid, signal.SIGKILL)
  return None


def _poll(pid, running):
  found, status = os.waitpid(pid, os.WNOHANG)
  if not found:
    return None
  running.discard(pid)
  return os.waitstatus_to_exitcode(status)


def _become(request):
  """Makes this fork the command that is asked for, and calls it."""
  for number, handler in _HANDLERS.items():
    signal.signal(number, handler)
  for target, path in enumerate(request['streams'], 1):
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND)
    os.dup2(descriptor, target)
    os.close(descriptor)
  os.environ.clear()
  os.environ.update(request['env'])
  os.chdir(request['cwd'])
  sys.path[1:1] = filter(None, os.environ.get('PYTHONPATH', '').split(
      os.pathsep))
  sys.argv = request['argv']
  module, name = request['main']
  _leave(getattr(importlib.import_module(module), name))


def _leave(main):
  """Calls `main` and ends as Python would, but for what it takes apart.

  To take all modules apart costs a fork a second: it copies every page.
  """
  status = 0
  try:
    main()
  except SystemExit as e:
    status = e.code if isinstance(e.code, int) else int(e.code is not None)
  except BaseException:  # As Python prints it.
    traceback.print_exc()
    status = 1
  atexit._run_exitfuncs()
  sys.stdout.flush()
  sys.stderr.flush()
  os._exit(status)


def _import_all():
  from pgak import registry
  registry.register()
  for name in ('reporting', 'sweeping', 'serving'):
    importlib.import_module(f'pgak.{name}')


def main():
  """Waits for requests; returns in a fork when its command has ended."""
  _import_all()
  gc.freeze()  # Or each fork's collector would copy what it looks at.
  wanted = _serve(socket.socket(fileno=int(sys.argv[1])))
  if wanted:
    _become(wanted)


if __name__ == '__main__':
  main()

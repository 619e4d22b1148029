"""SIGINT and SIGTERM: when a command ends, and with which exit status.

Ctrl-C sends the first; Slurm, Kubernetes and spot machines send the second and
wait (Kubernetes 30 seconds) before they kill. A command ends at once, also
inside a call that does not come back to Python for minutes, such as a long
compilation. A run that has made a step ends between two steps, so that it can
be saved there; a second signal ends it at once.
"""
import contextlib
import os
import select
import signal
import sys
import threading

__all__ = ['Interrupted', 'check', 'defer', 'handled']

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
# Seconds in which Python gets to end by itself.
_GRACE = 1.


class Interrupted(KeyboardInterrupt):
  """A signal that ends the command.

  Args:
    number: the signal's.
    sentence: what is told, such as where the checkpoint is.

  Attributes:
    status: the exit status, 130 for SIGINT and 143 for SIGTERM.
  """

  def __init__(self, number=signal.SIGINT, sentence='Interrupted.'):
    super().__init__(sentence)
    self.number = number
    self.status = 128 + number


class _State:
  """What has happened so far; there is one of them in a process."""

  received = None
  is_deferred = False


@contextlib.contextmanager
def handled():
  """Within it, a signal raises `Interrupted`, or ends the process.

  Outside the main thread it does nothing. Set it before TensorFlow is
  imported: process 1 of a container ignores SIGTERM without a handler.
  """
  if threading.current_thread() is not threading.main_thread():
    yield
    return
  _State.received = None
  read, write = os.pipe()
  os.set_blocking(write, False)
  handlers = {number: signal.signal(number, _handle) for number in _SIGNALS}
  # The C part of Python's handler writes here even while Python waits for a
  # call that does not return.
  before = signal.set_wakeup_fd(write, warn_on_full_buffer=False)
  threading.Thread(target=_watch, args=(read,), daemon=True).start()
  try:
    yield
  finally:
    signal.set_wakeup_fd(before)
    for number, handler in handlers.items():
      signal.signal(number, handler)
    _State.is_deferred = False
    os.close(write)  # Which ends the thread.


def _handle(number, frame):
  del frame
  _State.received = _State.received or number
  if not _State.is_deferred:
    raise Interrupted(number)


def _watch(read):
  """Ends the process where Python does not come to it in time."""
  seen = 0
  while True:
    waits = seen and not _State.is_deferred
    ready, _, _ = select.select([read], [], [], _GRACE if waits else None)
    if not ready:
      _end(seen, 'Interrupted.')
    byte = os.read(read, 1)
    if not byte:
      os.close(read)
      return
    if byte[0] in _SIGNALS:
      if seen:
        _end(byte[0], 'Interrupted again: what was not saved is lost.')
      seen = byte[0]


def _end(number, sentence):
  os.write(2, f'{sentence}\n'.encode())
  sys.stdout.flush()
  os._exit(128 + number)  # pylint: disable=protected-access


@contextlib.contextmanager
def defer():
  """Within it a signal is only noted, and `check` raises it."""
  before, _State.is_deferred = _State.is_deferred, True
  try:
    yield
  finally:
    _State.is_deferred = before


def check():
  """Raises `Interrupted` if a signal came while it was deferred.

  Loops over batches call it where leaving does no harm.
  """
  if _State.received and _State.is_deferred:
    raise Interrupted(_State.received)

"""SIGINT and SIGTERM: when a command ends, and with which exit status.

Ctrl-C sends the first; Slurm, Kubernetes and spot machines send the second and
wait (Kubernetes 30 seconds) before they kill. A command ends at once, also
inside a call that does not come back to Python for minutes, such as a long
compilation. A run that has made a step ends between two steps, so that it can
be saved there; a second signal, a second later or more, ends it at once.
"""
import contextlib
import ctypes
import os
import select
import signal
import sys
import threading
import time

__all__ = ['END_WITH_PARENT', 'Interrupted', 'allow', 'check', 'handled',
           'postpone', 'raised']

# An environment variable: a command that has it gets SIGTERM when the process
# that started it dies, which a SIGKILL gives no time to pass on.
END_WITH_PARENT = 'PGAK_END_WITH_PARENT'

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_PR_SET_PDEATHSIG = 1
# Seconds in which Python gets to end by itself.
_GRACE = 2.
_POKE = 0.2
# Signals that come so close after each other are one: a dying parent's threads
# send one each.
_SAME = 1.


class Interrupted(KeyboardInterrupt):
  """A signal that ends the command.

  Args:
    number: the signal's.
    sentence: what is printed, such as where the checkpoint is.

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
  raised = None
  is_deferred = False


@contextlib.contextmanager
def handled():
  """Context in which a signal raises `Interrupted`, or ends the process.

  Outside the main thread it does nothing. Set it before TensorFlow is
  imported: process 1 of a container ignores SIGTERM without a handler.
  """
  if threading.current_thread() is not threading.main_thread():
    yield
    return
  _State.received = _State.raised = None
  if os.environ.get(END_WITH_PARENT):
    _end_with_parent()
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
    _State.is_deferred, _State.received = False, None
    os.close(write)  # Which ends the thread.


def _end_with_parent():
  with contextlib.suppress(AttributeError, OSError):  # Not on Linux.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _handle(number, frame):
  del frame
  first = not _State.received
  if first:
    _State.received = number
  # Not again, in the middle of what cleans up.
  if first and not _State.is_deferred:
    _State.raised = number
    raise Interrupted(number)


def raised():
  """Returns the signal that raised `Interrupted` wherever Python was, or None.

  C++ turns an exception that comes while it imports or calls Python into
  another one, so an error after this signal may come from the signal alone.
  It is kept until `handled` begins anew.
  """
  return _State.raised


def _watch(read):
  """Ends the process if Python does not handle the signal in time."""
  # The main thread is to get them, so that they end what it waits in.
  signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
  seen, begun, own = 0, None, 0
  while True:
    waits = seen and not _State.is_deferred
    ready, _, _ = select.select([read], [], [], _POKE if waits else None)
    if not ready:
      if time.monotonic() - begun > _GRACE:
        _end(seen, 'Interrupted.')
      # A call that began just after the signal came does not know of it.
      own += 1
      signal.pthread_kill(threading.main_thread().ident, seen)
      continue
    byte = os.read(read, 1)
    if not byte:
      os.close(read)
      return
    if byte[0] in _SIGNALS and own:
      own -= 1
    elif byte[0] in _SIGNALS and not seen:
      seen, begun = byte[0], time.monotonic()
    elif byte[0] in _SIGNALS and time.monotonic() - begun > _SAME:
      _end(byte[0], 'Interrupted again: what was not saved is lost.')


def _end(number, sentence):
  os.write(2, f'{sentence}\n'.encode())
  sys.stdout.flush()
  os._exit(128 + number)


def postpone():
  """From now on a signal is only noted, and `check` raises it."""
  _State.is_deferred = True


def allow():
  """From now on a signal ends the command, as before `postpone`."""
  _State.is_deferred = False


def check():
  """Raises `Interrupted` if a signal came that was postponed.

  Loops over batches call it where leaving does no harm.
  """
  if _State.received and _State.is_deferred:
    raise Interrupted(_State.received)

"""Signals end a command at once, or between two steps."""
import os
import pathlib
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from pgak import interruption

ROOT = pathlib.Path(interruption.__file__).parent.parent


def start(body, **environment):
  """Starts a process that handles signals around `body`."""
  code = textwrap.dedent('''
      import ctypes, os, signal, sys, time
      from pgak import interruption
      try:
        with interruption.handled():
      {}
      except interruption.Interrupted as e:
        print(e, file=sys.stderr)
        sys.exit(e.status)
  ''').format(textwrap.indent(textwrap.dedent(body), '    '))
  child = subprocess.Popen(
      [sys.executable, '-c', code], stdout=subprocess.PIPE,
      stderr=subprocess.PIPE, text=True,
      env={**os.environ, 'PYTHONPATH': str(ROOT), **environment},
      # A shell lets what it starts in the background ignore interrupts.
      preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
  assert child.stdout.readline() == 'ready\n'
  return child


READY = "print('ready', flush=True)\n"
BOTH = pytest.mark.parametrize('number, status', [
    (signal.SIGINT, 130), (signal.SIGTERM, 143)])


@BOTH
def test_a_signal_raises(number, status):
  child = start("try:\n  print('ready', flush=True)\n  time.sleep(60)\n"
                "finally:\n  print('cleaned')")
  child.send_signal(number)
  out, err = child.communicate(timeout=20)
  assert (child.returncode, out, err) == (status, 'cleaned\n', 'Interrupted.\n')


@BOTH
def test_a_call_that_does_not_come_back_is_ended(number, status):
  child = start(READY + 'while ctypes.CDLL(None).sleep(60) >= 0: pass')
  child.send_signal(number)
  begun = time.monotonic()
  _, err = child.communicate(timeout=20)
  assert child.returncode == status and err == 'Interrupted.\n'
  assert time.monotonic() - begun < 5.


@BOTH
def test_a_postponed_signal_waits_for_a_check(number, status):
  child = start("interruption.postpone()\n" + READY + textwrap.dedent('''
      end = time.monotonic() + 3.
      while time.monotonic() < end: time.sleep(0.01)
      print('went on', flush=True)
      interruption.check()
      print('never')
  '''))
  child.send_signal(number)
  out, _ = child.communicate(timeout=30)
  assert (child.returncode, out) == (status, 'went on\n')


@BOTH
def test_a_second_signal_ends_at_once(number, status):
  child = start('interruption.postpone()\n' + READY + textwrap.dedent('''
      end = time.monotonic() + 60.
      while time.monotonic() < end: time.sleep(0.01)
  '''))
  for _ in range(3):  # Close together they are one.
    child.send_signal(number)
    time.sleep(0.05)
  time.sleep(1.2)
  assert child.poll() is None
  child.send_signal(number)
  _, err = child.communicate(timeout=5)
  assert child.returncode == status and 'what was not saved is lost' in err


def test_without_a_signal_nothing_happens():
  child = start(READY + 'interruption.check()\ninterruption.postpone()\n'
                'interruption.check()')
  assert child.wait(20) == 0
  child.communicate()


def test_handlers_are_put_back():
  before = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]
  with interruption.handled():
    assert signal.getsignal(signal.SIGTERM) is interruption._handle
    with pytest.raises(interruption.Interrupted):
      os.kill(os.getpid(), signal.SIGTERM)
      time.sleep(5)
  assert before == [
      signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]


@pytest.mark.skipif(not sys.platform.startswith('linux'), reason='prctl')
def test_a_command_ends_with_the_process_that_started_it(tmp_path):
  parent = subprocess.Popen(
      [sys.executable, '-c', textwrap.dedent('''
          import subprocess, sys, time
          child = subprocess.Popen([sys.executable, '-c', sys.argv[1]])
          time.sleep(60)
      '''), textwrap.dedent(f'''
          import os, pathlib, time
          from pgak import interruption
          try:
            with interruption.handled():
              pathlib.Path({str(tmp_path / 'pid')!r}).write_text('ready')
              time.sleep(60)
          except interruption.Interrupted as e:
            pathlib.Path({str(tmp_path / 'end')!r}).write_text(str(e.status))
      ''')], env={**os.environ, 'PYTHONPATH': str(ROOT),
                  interruption.END_WITH_PARENT: '1'})
  wait_for((tmp_path / 'pid').exists)
  parent.kill()
  parent.wait()
  wait_for((tmp_path / 'end').exists)
  time.sleep(0.1)
  assert (tmp_path / 'end').read_text() == '143'


def wait_for(condition, seconds=20.):
  end = time.monotonic() + seconds
  while not condition():
    assert time.monotonic() < end
    time.sleep(0.02)

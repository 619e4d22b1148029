"""Forks of one process are commands as good as those of a process of their own.
"""
import atexit
import json
import os
import pathlib
import signal
import sys
import tempfile
import threading
import time

import forked
import gin
import pytest
import tiny_runs

from pgak.bin import sample
from pgak.bin import train

pytestmark = pytest.mark.slow


def probe():
  """Prints the process's state, then changes what the next must not see."""
  from tensorflow.python.eager import context
  found = {'argv': sys.argv[1:], 'cwd': os.getcwd(),
           'mark': os.environ.get('PGAK_MARK'), 'gin': gin.config_str(),
           'threads': threading.active_count(),
           'has_context': context.context()._initialized,
           'sigint': signal.getsignal(signal.SIGINT)
                     is signal.default_int_handler,
           'sigterm': signal.getsignal(signal.SIGTERM) == signal.SIG_DFL,
           'stdin': sys.stdin.read()}
  os.environ['PGAK_MARK'] = 'left'
  gin.parse_config('train.steps = 3')
  signal.signal(signal.SIGINT, signal.SIG_IGN)
  print('told', file=sys.stderr)
  atexit.register(print, json.dumps(found))
  sys.exit(3)


def sleep():
  print('begun', flush=True)
  time.sleep(60)


def fail():
  raise ValueError('odd')


def test_a_command_finds_a_fresh_process(tmp_path, monkeypatch):
  monkeypatch.setenv('PGAK_MARK', 'set')
  first = forked.run(probe, ['--a=b', 3], cwd=tmp_path)
  monkeypatch.delenv('PGAK_MARK')
  second = forked.run(probe)
  for result, argv, cwd, mark in ((first, ['--a=b', '3'], str(tmp_path), 'set'),
                                  (second, [], os.getcwd(), None)):
    assert result.status == 3 and result.err == 'told\n'
    assert json.loads(result.out) == {
        'argv': argv, 'cwd': cwd, 'mark': mark, 'gin': '', 'threads': 1,
        'has_context': False, 'sigint': True, 'sigterm': True,
        'stdin': ''}


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGKILL])
def test_a_signal_ends_it(number):
  child = forked.start(sleep)
  assert child.poll() is None
  child.send_signal(number)
  assert child.wait(20).status == -number == child.poll()
  assert child.wait().out in ('', 'begun\n')
  child.send_signal(number)  # Nobody gets it.


def test_one_that_takes_too_long_is_killed():
  child = forked.start(sleep)
  with pytest.raises(TimeoutError, match='-9'):
    child.wait(0.1)
  assert not pathlib.Path(f'/proc/{child.pid}').exists()


def test_nothing_outlives_the_process_that_is_forked():
  server = forked._Server()
  with tempfile.TemporaryDirectory() as folder:
    streams = [os.path.join(folder, s) for s in ('out', 'err')]
    for path in streams:
      pathlib.Path(path).touch()
    pid = server.ask({
        'main': [sleep.__module__, 'sleep'], 'argv': [''], 'cwd': folder,
        'env': dict(os.environ), 'streams': streams})
    assert pathlib.Path(f'/proc/{pid}').exists()
    server.close()
    end = time.monotonic() + 20.
    while pathlib.Path(f'/proc/{pid}').exists():
      assert time.monotonic() < end
      time.sleep(0.02)


def test_an_exception_ends_it_as_python_does():
  result = forked.run(fail)
  assert (result.status, result.out) == (1, '')
  assert result.err.splitlines()[-1] == 'ValueError: odd'


def test_several_run_at_once(tmp_path):
  children = [forked.start(train.run, [
      f'--run_dir={tmp_path}/{i}', *tiny_runs.flags('train.steps = 2')])
              for i in range(2)]
  for child in children:
    result = child.wait()
    assert result.status == 0, result.err
    assert 'step 2/2' in result.out


def test_commands_end_with_their_own_status():
  assert forked.run(sample.run, ['--help']).status == 0
  wrong = forked.run(sample.run, ['--no_flag=3'])
  assert wrong.status == 2 and 'no_flag' in wrong.err
  absent = forked.run(sample.run, ['--run_dir=/absent', '--output=a.png'])
  assert absent.status == 1 and absent.err.startswith('/absent')

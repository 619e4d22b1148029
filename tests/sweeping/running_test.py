"""Tests of how a sweep runs, with commands that take milliseconds."""
import io
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time

import pytest

from pgak import errors
from pgak import sweeping
from pgak.runs import run_directory
from pgak.sweeping import running

STAND_IN = pathlib.Path(__file__).absolute().parent / 'stand_in.py'
ROOT = STAND_IN.parent.parent.parent
WORDS = running._words
EVALUATIONS = ("sweep.evaluations = [{'protocol': 'quick'}, "
               "{'protocol': 'vectors'}]\n")


@pytest.fixture(name='stand_in', autouse=True)
def _stand_in(monkeypatch, tmp_path):
  """Lets the sweep call the stand-in, from a folder with a gin file."""
  monkeypatch.setattr(running, '_words', lambda command, _: [
      sys.executable, str(STAND_IN), command[0].removeprefix('pgak_'),
      *command[1:]])
  monkeypatch.setenv('PYTHONPATH', str(ROOT))
  monkeypatch.chdir(tmp_path)
  (tmp_path / 'a.gin').write_text('train.steps = 4\n')


def read(cells, text=EVALUATIONS):
  cells = {name: ['a.gin', *more] for name, more in cells.items()}
  pathlib.Path('a.sweep').write_text(
      f'sweep.cells = {cells}\n{text}', encoding='utf-8')
  return sweeping.read('a.sweep')


def runner_of(sweep, **settings):
  """Returns what runs a sweep; the stand-in is called instead of `bin`."""
  return sweeping.Runner(sweep, 'out', 'bin', **settings)


def run(cells, text=EVALUATIONS, **settings):
  """Runs a sweep; returns its failures and what it printed."""
  stream = io.StringIO()
  failures = runner_of(read(cells, text), stream=stream, **settings).run()
  return failures, stream.getvalue()


def calls():
  """Returns how often each verb was called, from the logs."""
  words = [line.split()[1] for log in pathlib.Path('out').rglob('*.log')
           for line in log.read_text().splitlines()
           if line.startswith('calls ')]
  return {word: words.count(word) for word in set(words)}


def test_all_is_run_once():
  cells = {'a': [], 'b': []}
  for parallel in (1, 2):
    failures, printed = run(cells, parallel=parallel)
    assert not failures
    assert calls() == {'train': 2, 'evaluate': 4}
    assert '[2/2]' in printed
  table = sweeping.format_table(read(cells), 'out')
  assert table.splitlines()[2].split() == ['quick', 'vectors']
  log = pathlib.Path('out/a/seed-0.log').read_text(encoding='utf-8')
  assert log.startswith('$ pgak_train --run_dir=out/a/seed-0 --gin_file=a.gin')


def test_what_another_sweep_finished_meanwhile_is_not_run(monkeypatch):
  sweep = read({'a': [], 'b': []})
  runner, other = (runner_of(sweep, stream=io.StringIO()) for _ in range(2))
  call = runner._call

  def call_after_the_other(*arguments):
    monkeypatch.setattr(runner, '_call', call)
    other.jobs = sweep.jobs[1:]
    assert not other.run()
    return call(*arguments)

  monkeypatch.setattr(runner, '_call', call_after_the_other)
  assert not runner.run()
  assert calls() == {'train': 2, 'evaluate': 4}
  assert '[2/2]' in runner._stream.getvalue()


def test_what_is_left_is_told_and_not_run():
  sweep = read({'a': []})
  runner = runner_of(sweep, train_flags=['--data_dir=a b'])
  first, second, third = runner.pending_commands()
  assert first.endswith("'--gin_param=train.seed = 0' '--data_dir=a b'")
  assert second == 'pgak_evaluate --run_dir=out/a/seed-0 --protocol=quick'
  assert not pathlib.Path('out').exists()
  run({'a': []})
  assert not runner_of(sweep).pending_commands()
  grown = read({'a': []}, EVALUATIONS[:-2] + ", {'protocol': 'rae_quick'}]")
  left, = runner_of(grown).pending_commands()
  assert left.endswith('--protocol=rae_quick') and third not in left


def test_a_failed_cell_does_not_stop_the_others():
  cells = {'a': ["fail = 'train'"], 'b': ["fail = '--protocol=quick'"], 'c': []}
  failures, printed = run(cells)
  assert failures == {'a/seed-0 training': 'It cannot train.',
                      'b/seed-0 evaluating quick': 'It cannot evaluate.'}
  assert calls() == {'train': 3, 'evaluate': 4}
  assert 'a/seed-0  failed' in printed and 'c/seed-0  finished' in printed
  # The same command tries what failed once more, and nothing else.
  assert set(run(cells)[0]) == set(failures)
  assert calls() == {'train': 4, 'evaluate': 5}


def test_changed_settings_are_refused_by_the_run():
  run({'a': ['value = 1.'], 'b': []})
  failures, _ = run({'a': ['value = 2.'], 'b': []})
  assert failures == {
      'a/seed-0 training': 'It was trained with other settings.'}
  assert not run({'a': ['value = 1.'], 'b': []})[0]
  # An included file counts, too; the stand-in has no objection.
  pathlib.Path('a.gin').write_text('train.steps = 5\n', encoding='utf-8')
  assert len(runner_of(
      read({'a': ['value = 1.'], 'b': []})).pending_commands()) == 6


def test_shards_fill_one_folder():
  text = EVALUATIONS + 'sweep.seeds = [0, 1, 2]'
  for i in range(2):
    failures, printed = run({'a': [], 'b': []}, text, shard=(i, 2))
    assert not failures and '[3/3]' in printed
  assert calls() == {'train': 6, 'evaluate': 12}
  # Scores are 1 + seed: mean 2, standard error 1 / sqrt(3).
  table = sweeping.format_table(read({'a': [], 'b': []}, text), 'out')
  assert table.splitlines()[3].split()[:4] == ['a', '2', '+-', '0.58']
  assert '(n=3)' in table


def test_a_run_that_another_command_holds_is_named(monkeypatch):
  monkeypatch.setattr(running, 'PATIENCE', 0.1)
  held = run_directory.RunDirectory('out/a/seed-0', create=True)
  with held.locked():
    failures, _ = run({'a': [], 'b': []})
  assert 'in use by another train command' in failures['a/seed-0 training']
  assert calls() == {'train': 2, 'evaluate': 2}
  with running.locked_log(pathlib.Path('out/a/seed-0.log')):
    failures, _ = run({'a': [], 'b': []})
  assert list(failures) == ['a/seed-0']
  assert 'in use by another sweep' in failures['a/seed-0']
  assert not run({'a': [], 'b': []})[0]


def test_a_command_that_is_killed_is_told_so(monkeypatch):
  monkeypatch.setattr(running, '_words', lambda command, _: [
      sys.executable, '-c', 'import os; print("so far", flush=True); '
      'os.kill(os.getpid(), 9)'])
  failures, _ = run({'a': []})
  assert failures == {'a/seed-0 training': 'ended by SIGKILL (so far)'}


def test_an_error_of_ours_does_not_pass_for_finished(monkeypatch):
  monkeypatch.setattr(running, '_words', lambda *_: 1 / 0)
  failures, printed = run({'a': []})
  assert 'ZeroDivisionError' in failures['a/seed-0']
  assert 'a/seed-0  failed' in printed


def test_commands_at_the_same_time_share_the_cores(monkeypatch):
  for name in ('OMP_NUM_THREADS', 'TF_NUM_INTRAOP_THREADS'):
    monkeypatch.delenv(name, raising=False)
  monkeypatch.setattr(running, '_cores', lambda: 8)
  environment = runner_of(read({'a': []}), parallel=3)._environment
  assert environment()['TF_NUM_INTRAOP_THREADS'] == '2'
  monkeypatch.setenv('OMP_NUM_THREADS', '7')
  assert environment()['OMP_NUM_THREADS'] == '7'
  alone = runner_of(read({'a': []}))._environment()
  assert 'TF_NUM_INTRAOP_THREADS' not in alone


def test_commands_are_files_and_import_from_where_we_do(monkeypatch, tmp_path):
  words = WORDS(['pgak_train', '--run_dir=a'], pathlib.Path('there/bin'))
  assert words == [sys.executable, 'there/bin/train.py', '--run_dir=a']
  monkeypatch.setattr(sys, 'path', ['', 'ours'])
  path = runner_of(read({'a': []}))._environment()['PYTHONPATH']
  assert path == f'{tmp_path}{os.pathsep}ours'


def test_an_output_that_is_a_file_is_named():
  pathlib.Path('out').write_text('mine', encoding='utf-8')
  with pytest.raises(errors.UserError, match='out'):
    run({'a': []})
  assert pathlib.Path('out').read_text(encoding='utf-8') == 'mine'


def is_alive(pid):
  try:
    stat = pathlib.Path(f'/proc/{pid}/stat').read_text(encoding='utf-8')
    return 'Z' not in stat.split()[2]
  except OSError:
    return False


@pytest.mark.skipif(not sys.platform.startswith('linux'), reason='reads /proc')
@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_sweep_stops_its_commands_and_resumes(tmp_path, number):
  text = EVALUATIONS + 'sweep.seeds = [0, 1]'
  read({'a': ["sleep = 30"]}, text)
  # What is started in the background may have been told to ignore SIGINT.
  code = ('import signal, sys\nfrom pgak import sweeping\n'
          'signal.signal(signal.SIGINT, signal.default_int_handler)\n'
          'from pgak.sweeping import running\n'
          f'running._words = lambda c, _: [sys.executable, {str(STAND_IN)!r}, '
          'c[0][5:], *c[1:]]\n'
          "runner = sweeping.Runner(sweeping.read('a.sweep'), 'out', "
          "'bin', parallel=2)\n"
          'try:\n  runner.run()\nexcept KeyboardInterrupt:\n  sys.exit(130)')
  sweep = subprocess.Popen([sys.executable, '-c', code], cwd=tmp_path,
                           stdout=subprocess.DEVNULL)
  wait_for(lambda: calls().get('train') == 2)
  children = pathlib.Path(
      f'/proc/{sweep.pid}/task/{sweep.pid}/children').read_text(
          encoding='utf-8').split()
  threads = pathlib.Path(f'/proc/{sweep.pid}/task').iterdir()
  children += [c for t in threads
               for c in (t / 'children').read_text().split()]
  assert children and all(map(is_alive, children))
  os.kill(sweep.pid, number)
  assert sweep.wait(60) == 130
  assert not any(map(is_alive, children))
  # Nothing was finished, and the locks are free again.
  failures, _ = run({'a': ['sleep = 0']}, text)
  assert not failures and calls() == {'train': 4, 'evaluate': 4}


STUBBORN = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)  # A child inherits it.
child = subprocess.Popen(['sleep', '120'])
open('pids', 'w').write(f'{os.getpid()} {child.pid} end')
time.sleep(120)
"""
TIDY = """
import os, signal, sys, time
def tidy(*unused):
  open('tidied', 'w').close()
  sys.exit(1)
signal.signal(signal.SIGTERM, tidy)
open('pids', 'w').write(f'{os.getpid()} end')
time.sleep(120)
"""


def stop_when_begun(monkeypatch, code):
  """Stops a sweep in its first command; returns the processes that ran."""
  monkeypatch.setattr(running, '_words', lambda command, _: [
      sys.executable, '-c', code])
  runner = runner_of(read({'a': [], 'b': []}), stream=io.StringIO())
  thread = threading.Thread(target=runner.run, daemon=True)
  thread.start()
  path = pathlib.Path('pids')
  wait_for(lambda: path.exists() and
           path.read_text(encoding='utf-8').endswith('end'))
  pids = path.read_text(encoding='utf-8').split()[:-1]
  assert all(map(is_alive, pids))
  runner._stop()
  thread.join(30.)
  assert not thread.is_alive()
  return pids


@pytest.mark.skipif(not sys.platform.startswith('linux'), reason='reads /proc')
def test_what_does_not_end_when_told_is_killed_with_its_children(monkeypatch):
  monkeypatch.setattr(running, 'PATIENCE', 0.3)
  pids = stop_when_begun(monkeypatch, STUBBORN)
  assert len(pids) == 2
  wait_for(lambda: not any(map(is_alive, pids)), 10.)
  # Nothing more was begun.
  assert not pathlib.Path('out/b').exists()


@pytest.mark.skipif(not sys.platform.startswith('linux'), reason='reads /proc')
def test_a_command_is_told_to_end_before_it_is_killed(monkeypatch):
  stop_when_begun(monkeypatch, TIDY)
  assert pathlib.Path('tidied').exists()


def wait_for(condition, seconds=60.):
  end = time.monotonic() + seconds
  while not condition():
    assert time.monotonic() < end
    threading.Event().wait(0.05)


def test_a_training_that_is_over_is_ended(monkeypatch):
  monkeypatch.setattr(running, '_BETWEEN_LOOKS', 0.05)
  stream = io.StringIO()
  runner = runner_of(read({'long': ['sleep = 60'], 'short': []}), stream=stream)
  looks = []

  def is_over(job):
    looks.append(job.cell)
    return job.cell == 'long' and looks.count('long') > 2

  runner.is_over = is_over
  begun = time.monotonic()
  assert not runner.run() and time.monotonic() - begun < 30.
  assert 'long/seed-0  ended early' in stream.getvalue()
  assert 'short/seed-0  finished' in stream.getvalue()
  assert not pathlib.Path('out/long/seed-0.json').exists()
  assert calls()['evaluate'] == 2

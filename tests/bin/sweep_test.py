"""Tests of the sweep command, with the real train and evaluate commands."""
import json
import pathlib
import subprocess
import sys
import time

import pytest
import tiny_commands
import tiny_runs

from pgak.bin import sweep
from pgak.runs import run_directory

SMALL = ("sweep.bindings = ['train.steps = 4', 'classifier.steps = 20']",)


ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def flags(*bindings):
  return [f'--gin_param={b}' for b in (*tiny_runs.SETTINGS, *SMALL, *bindings)]


@pytest.mark.slow
def test_one_cell_is_trained_and_measured(tmp_path, capsys):
  path = tmp_path / 'it.sweep'
  path.write_text('''
sweep.gin_files = ['quickstart.gin']
sweep.cells = {'ae': ['models/ae.gin']}
sweep.evaluations = [{'protocol': 'quick', 'num_samples': 70}]
''')
  command = [f'--sweep={path}', f'--output_dir={tmp_path}/out']
  planned = tiny_commands.call(
      sweep, capsys, *command, *flags(), '--dry_run')
  assert [line.split()[0] for line in planned.out.splitlines()] == [
      'pgak_train', 'pgak_evaluate']
  assert not (tmp_path / 'out').exists()
  result = tiny_commands.call(sweep, capsys, *command, *flags())
  assert result.status == 0, result
  run = run_directory.RunDirectory(tmp_path / 'out/ae/seed-0')
  assert run.checkpoints() == [4]
  value, = (r['value'] for r in run.scores()
            if r['metric'] == 'frechet_digits_classifier')
  assert f'{float(value):.4g} (n=1)' in result.out
  assert f'pgak_report --output={tmp_path}/out/report.html' in result.out
  written = json.loads((tmp_path / 'out/sweep.json').read_text())
  cell, = written['cells']
  assert (cell['cell'], cell['run_dir']) == ('ae', 'ae/seed-0')
  # Given again, it starts no command and tells the same.
  log = (tmp_path / 'out/ae/seed-0.log').read_text()
  again = tiny_commands.call(sweep, capsys, *command, *flags())
  assert again.status == 0 and f'{float(value):.4g} (n=1)' in again.out
  assert (tmp_path / 'out/ae/seed-0.log').read_text() == log
  assert not tiny_commands.call(
      sweep, capsys, *command, *flags(), '--dry_run').out.strip()


@pytest.mark.slow
def test_a_failed_cell_is_named_with_its_reason(tmp_path, capsys):
  path = tmp_path / 'it.sweep'
  path.write_text(
      "sweep.cells = {'a': ['quickstart.gin', 'train.steps = 0']}\n")
  result = tiny_commands.call(sweep, capsys, f'--sweep={path}',
                              f'--output_dir={tmp_path}/out')
  assert result.status == 1
  line, = result.err.splitlines()
  assert line.startswith('a/seed-0 training failed: ') and (
      'train.steps = 0' in line)
  assert f'See {tmp_path}/out/a/seed-0.log.' in line


@pytest.mark.slow
@pytest.mark.exhaustive
def test_the_quick_sweep(tmp_path, capsys):
  small = [*flags(), "--gin_param=quick.num_samples = 70"]
  result = tiny_commands.call(
      sweep, capsys, '--sweep=quick.sweep', f'--output_dir={tmp_path}',
      '--parallel=2', *small)
  assert result.status == 0, result
  head = result.out.split('frechet_digits_classifier')[1].splitlines()[2]
  assert head.split() == ['gaussian', 'gmm_10']
  for cell in ('vae', 'rae', 'vpga'):
    assert pathlib.Path(tmp_path, cell, 'seed-0', 'scores.csv').is_file()


@pytest.mark.parametrize('more, status, named', [
    (['--shard=2/2'], 2, 'I/N'),
    (['--parallel=0'], 2, 'parallel'),
    (['--run_dir=x'], 2, 'run_dir'),
    (['--sweep=absent.sweep'], 1, 'absent.sweep'),
    (['--gin_param=train.seed = 3'], 1, 'sweep.seeds'),
    (['--gin_param=sweep.seeds = []'], 1, 'sweep.seeds'),
    (['--gin_param=train.steps'], 1, 'train.steps'),
    (['--sweep=quickstart.gin'], 1, 'sweep.bindings'),
    (['--sweep=search_digits.sweep', '--shard=0/2'], 1, '--parallel'),
    (['--sweep=search_digits.sweep', "--gin_param=sweep.objective = 'fred'"], 1,
     "'fred'"),
    pytest.param(['--sweep=search_digits.sweep',
                  "--gin_param=sweep.search = {'VPGA.klx': ('int', 1, 2)}"], 1,
                 'klx', marks=pytest.mark.slow),
])
def test_a_wrong_flag_is_one_sentence(tmp_path, capsys, more, status, named):
  assert named in tiny_commands.refused(
      sweep, capsys, '--sweep=quick.sweep', f'--output_dir={tmp_path}/out',
      *more, status=status)
  assert not (tmp_path / 'out').exists()


def wait_for(condition, seconds=120.):
  end = time.monotonic() + seconds
  while not condition():
    assert time.monotonic() < end
    time.sleep(0.05)


def trainings(folder):
  """Returns the numbers of the processes that train below a folder."""
  found = []
  for path in pathlib.Path('/proc').glob('[0-9]*/cmdline'):
    try:
      words = path.read_bytes().decode(errors='replace').split('\0')
    except OSError:
      continue
    if f'--run_dir={folder}/it/seed-0' in words:
      found.append(int(path.parent.name))
  return found


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith('linux'), reason='reads /proc')
def test_a_killed_sweep_takes_its_training_along_and_goes_on(tmp_path):
  (tmp_path / 'it.sweep').write_text(
      "sweep.gin_files = ['quickstart.gin', 'models/ae.gin']\n"
      "sweep.cells = {'it': ['train.steps = 20000', "
      "'train.checkpoint_every = 100']}\n")
  out = tmp_path / 'out'
  command = [sys.executable, ROOT / 'bin' / 'sweep.py',
             f'--sweep={tmp_path / "it.sweep"}', f'--output_dir={out}',
             *(f'--gin_param={b}' for b in tiny_runs.SETTINGS)]
  sweeping = subprocess.Popen(command, stdout=subprocess.DEVNULL)
  saved = out / 'it' / 'seed-0' / 'checkpoints'
  wait_for(lambda: list(saved.glob('step-*')))
  assert trainings(out)
  sweeping.kill()
  sweeping.wait()
  # The same command at once: it waits until what was trained is saved.
  again = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
  wait_for(lambda: run_directory.RunDirectory(saved.parent).checkpoints()[-1]
           >= 2000 or again.poll() is not None)
  assert len(trainings(out)) == 1
  again.terminate()
  again.communicate(timeout=60)
  assert again.returncode == 143
  wait_for(lambda: not trainings(out))
  log = (out / 'it' / 'seed-0.log').read_text()
  assert log.count('the same command goes on from step') == 2
  assert 'in use by another' not in log

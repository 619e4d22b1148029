"""Opening a run never runs code that the user did not name."""
import os
import pathlib
import shutil
import subprocess
import sys

import pytest
import tiny_commands
import tiny_runs

import pgak
from pgak import errors
from pgak.bin import evaluate
from pgak.bin import export
from pgak.bin import report
from pgak.bin import sample
from pgak.bin import sweep
from pgak.runs import configuration
from pgak.runs import run_directory

ROOT = pathlib.Path(__file__).resolve().parent.parent
GIFT = ("import pathlib\npathlib.Path(__file__).with_name('opened')"
        ".write_text('')\n")
COMMANDS = {
    'evaluate': (evaluate, ['--num_samples=20',
                            '--metrics=reconstruction_mse']),
    'sample': (sample, ['--num_samples=2', '--output={folder}/a.png']),
    'export': (export, ['--noverify', '--output={folder}/export']),
}


@pytest.fixture(name='trained', scope='module')
def _trained(tmp_path_factory):
  path = tmp_path_factory.mktemp('runs') / 'run'
  tiny_runs.train(path, 'train.steps = 1', 'train.log_every = 1')
  return path


@pytest.fixture(name='gift')
def _gift(tmp_path, monkeypatch):
  """A module that leaves a mark when it is imported; returns the mark."""
  (tmp_path / 'gift.py').write_text(GIFT)
  monkeypatch.syspath_prepend(tmp_path)
  monkeypatch.delitem(sys.modules, 'gift', raising=False)
  yield tmp_path / 'opened'
  sys.modules.pop('gift', None)


@pytest.fixture(name='run', params=['config.gin', 'config.json'])
def _run(request, trained, tmp_path):
  """A run that would import the gift, by one file or the other."""
  run = run_directory.RunDirectory(shutil.copytree(trained, tmp_path / 'run'))
  if request.param == 'config.gin':
    run.write_config('import gift\n' + run.config_gin, run.config)
  else:
    run.write_config(run.config_gin, run.config | {'imports': ['gift']})
  return run


@pytest.mark.parametrize('name', [
    'evaluate', 'sample', pytest.param('export', marks=pytest.mark.slow)])
def test_a_command_runs_no_code_that_is_not_named(run, gift, capsys, name):
  binary, flags = COMMANDS[name]
  flags = [f'--run_dir={run.path}',
           *(f.format(folder=run.path.parent) for f in flags)]
  line = tiny_commands.refused(binary, capsys, *flags)
  assert str(run.path) in line and 'gift' in line and '--import=gift' in line
  assert not gift.exists()
  result = tiny_commands.call(binary, capsys, *flags, '--import=gift')
  assert result.status == 0, result.err
  assert gift.exists()


@pytest.mark.parametrize('binary, said', [
    (evaluate, 'opened without running its code'),
    (report, 'opened without running its code'),
    (sample, 'opened without running its code'),
    (sample, 'An export is a program'),
    (export, 'opened without running its code'),
    (export, 'An export is a program: serve only what you'),
    (sweep, 'sweep only what you, or someone you trust')])
def test_help_says_what_is_trusted(capsys, binary, said):
  text = ' '.join(tiny_commands.call(binary, capsys, '--help').out.split())
  assert 'What is trusted: ' in text and said in text
  assert 'where --import names it' in text or (
      'unless --import names the module' in text)


def test_a_sweep_runs_code_that_its_file_names(tmp_path, gift, capsys):
  file = tmp_path / 'mine.sweep'
  file.write_text('import gift\n')
  tiny_commands.call(sweep, capsys, f'--sweep={file}', '--dry_run',
                     f'--output_dir={tmp_path / "runs"}')
  assert gift.exists()


def test_load_runs_no_code_that_is_not_named(run, gift):
  with pytest.raises(errors.UserError, match=r"imports=\['gift'\]"):
    pgak.load(run.path)
  assert not gift.exists()
  assert pgak.load(run.path, imports=['gift']).name == 'ae'
  assert gift.exists()


def test_a_report_runs_no_code_that_is_not_named(run, gift, capsys):
  page = run.path.parent / 'a.html'
  result = tiny_commands.call(report, capsys, f'--output={page}', run.path)
  assert result.status == 0 and not gift.exists()
  assert '--import=gift' in page.read_text()
  result = tiny_commands.call(report, capsys, f'--output={page}', run.path,
                              '--import=gift')
  assert result.status == 0 and gift.exists()


def test_what_is_told_apart_from_is_read_with_the_same_care(run, gift, capsys):
  line = tiny_commands.refused(
      sample, capsys, f'--run_dir={run.path}', '--kind=ood',
      '--against=synthetic', f'--output={run.path.parent}/a.png')
  assert '--import=gift' in line and not gift.exists()


@pytest.mark.parametrize('text', [
    "include 'other.gin'\n", 'from __gin__ import dynamic_registration\n',
    'import os\n', 'from os import path\n', 'import gift.deeper\n',
    'import pgakish\n'])
def test_what_a_config_gin_may_not_say(trained, tmp_path, gift, text):
  run = run_directory.RunDirectory(shutil.copytree(trained, tmp_path / 'run'))
  (tmp_path / 'other.gin').write_text('import gift\n')
  run.write_config(text + run.config_gin, run.config)
  with pytest.raises(errors.UserError, match='config.gin|--import='):
    configuration.parse_run(run)
  assert not gift.exists()


@pytest.mark.parametrize('imports', [5, 'gift', {'gift': 1}, [5], [None]])
def test_imports_of_another_type_are_damage(trained, tmp_path, imports):
  run = run_directory.RunDirectory(shutil.copytree(trained, tmp_path / 'run'))
  run.write_config(run.config_gin, run.config | {'imports': imports})
  with pytest.raises(errors.UserError, match='config.json is .*damaged'):
    pgak.load(run.path)


@pytest.mark.slow
def test_a_file_of_the_working_directory_takes_no_library_s_place(tmp_path):
  for name in ('gin', 'numpy', 'keras', 'absl'):
    (tmp_path / f'{name}.py').write_text(f'raise SystemExit("own {name}")')
  done = subprocess.run(
      [sys.executable, ROOT / 'bin' / 'evaluate.py', '--run_dir=missing'],
      cwd=tmp_path, capture_output=True, text=True,
      env={**os.environ, 'PYTHONPATH': str(ROOT)})
  assert done.returncode == 1
  assert done.stderr.startswith('missing is not a run directory')

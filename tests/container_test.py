"""The Dockerfile: its steps in a fresh environment, and what it promises."""
import os
import pathlib
import re
import shutil
import subprocess
import sys

import environments
import pytest
import yaml

ROOT = pathlib.Path(__file__).absolute().parent.parent
INSTALL = ROOT / 'docs' / 'docker' / 'install.sh'


def instructions():
  """Returns the `(instruction, rest)` of the Dockerfile, in order."""
  text = (ROOT / 'Dockerfile').read_text(encoding='utf-8')
  lines = re.sub(r'\\\n', ' ', re.sub(r'^#.*\n', '', text, flags=re.M))
  return [tuple(line.split(None, 1)) for line in lines.splitlines() if line]


def environment():
  """Returns the variables that the image sets."""
  (rest,) = [rest for name, rest in instructions() if name == 'ENV']
  return dict(word.split('=', 1) for word in rest.split())


def test_it_is_run_by_an_ordinary_user():
  names = [name for name, _ in instructions()]
  assert names[0] == 'FROM' and names.index('USER') > names.index('COPY')
  assert dict(instructions())['USER'] == 'pgak'
  job = yaml.safe_load((ROOT / 'docs/kubernetes_job.yaml').read_text())
  pod = job['spec']['template']['spec']
  assert f'--uid {pod["securityContext"]["runAsUser"]} pgak' in (
      dict(reversed(instructions()))['RUN'])
  # Without a shell, so that SIGTERM arrives.
  assert dict(instructions())['CMD'] == '["pgak_train", "--help"]'


def test_caches_are_in_one_folder():
  folders = {name: value for name, value in environment().items()
             if name not in ('PATH', 'PYTHONUNBUFFERED')}
  assert {'PGAK_CACHE', 'TFDS_DATA_DIR', 'KERAS_HOME', 'MPLCONFIGDIR'} <= (
      set(folders))
  assert all(value.split('/')[1] == 'cache' for value in folders.values())


def test_what_is_copied_is_there_and_all_that_setup_reads():
  kept = [line[1:] for line in (ROOT / '.dockerignore').read_text().split()
          if line.startswith('!')]
  assert all((ROOT / name).exists() for name in kept)
  read = re.findall(r"HERE / '([\w.]+)'",
                    (ROOT / 'setup.py').read_text(encoding='utf-8'))
  assert {'setup.py', 'pyproject.toml', *read} <= set(kept)
  scripts = re.findall(r'/source/(\S+\.sh)', (ROOT / 'Dockerfile').read_text())
  assert all(os.access(ROOT / script, os.X_OK) for script in scripts)


def test_the_script_is_a_shell_script():
  subprocess.run(['sh', '-n', INSTALL], check=True)
  assert subprocess.run(['sh', INSTALL], capture_output=True, check=False
                        ).returncode


@pytest.mark.slow
@pytest.mark.exhaustive
def test_the_steps_in_a_fresh_environment(tmp_path):
  """Installs as the image does, but what pgak needs is lent by the tests'."""
  source, folder = tmp_path / 'source', tmp_path / 'pgak'
  for line in (ROOT / '.dockerignore').read_text().split():
    path = ROOT / line[1:]
    if line.startswith('!') and path.is_dir():
      shutil.copytree(path, source / path.name)
    elif line.startswith('!'):
      source.mkdir(exist_ok=True)
      shutil.copy(path, source)
  setting = {
      'PATH': os.environ['PATH'], 'HOME': str(tmp_path / 'absent'),
      'TF_CPP_MIN_LOG_LEVEL': '3', 'TMPDIR': str(tmp_path),
      'PYTHON': _python_with_packages(tmp_path),
      'PIP_ARGS': '--no-deps --no-build-isolation', **{
          name: value.replace('/cache', str(tmp_path / 'cache'), 1)
          for name, value in environment().items() if name != 'PATH'}}
  (tmp_path / 'cache').mkdir()
  # The image's root installs it.
  done = subprocess.run([INSTALL, source, folder], text=True,
                        env=setting | {'HOME': str(tmp_path / 'root')},
                        capture_output=True, check=False)
  assert not done.returncode, done.stdout + done.stderr
  shutil.rmtree(source)
  before = {p for p in folder.rglob('*') if p.is_file()}
  done = subprocess.run(
      [folder / 'bin' / 'pgak_train', f'--run_dir={tmp_path / "run"}',
       '--gin_file=quickstart.gin', '--gin_param=train.steps = 1',
       '--gin_param=train.xla = False'], env=setting, text=True,
      cwd=tmp_path, capture_output=True, check=False)
  assert not done.returncode, done.stderr
  # Nothing was written to the environment, nor to the home.
  assert {p for p in folder.rglob('*') if p.is_file()
          and p.suffix != '.pyc'} <= before
  assert not [*tmp_path.glob('absent/**/*')]


def _python_with_packages(folder):
  """Returns a program that makes environments with the tests' packages."""
  made = environments.make(folder / 'lender') / 'python'
  script = folder / 'python3'
  script.write_text(
      f'#!/bin/sh\n{sys.executable} "$@"\n'
      f'cp {made.parent.parent}/lib/python*/site-packages/lent.pth '
      '"$3"/lib/python*/site-packages/\n')
  script.chmod(0o755)
  return str(script)

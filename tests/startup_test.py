"""Each command answers `--help` and a wrong flag at once, in a fresh process.

At once is without what takes seconds to import, on any machine.
"""
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).absolute().parent.parent
COMMANDS = sorted(path.name for path in (ROOT / 'bin').glob('*.py')
                  if '__main__' in path.read_text(encoding='utf-8'))
# Whoever imports one of these ends in a traceback.
WITHOUT = '''
import runpy, sys
for name in ('tensorflow', 'keras', 'tensorflow_probability', 'sklearn',
             'scipy', 'matplotlib'):
  sys.modules[name] = None
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name='__main__')
'''


def run(command, *arguments):
  """Returns the finished process, which had nothing slow to import."""
  return subprocess.run(
      [sys.executable, '-c', WITHOUT, ROOT / 'bin' / command, *arguments],
      capture_output=True, text=True, timeout=60, check=False)


def test_what_is_slow_is_not_there(tmp_path):
  (tmp_path / 'slow.py').write_text('import tensorflow')
  assert 'import of tensorflow halted' in run(tmp_path / 'slow.py').stderr


def test_the_commands_of_the_package_are_here():
  assert {'train.py', 'evaluate.py', 'sample.py', 'export.py'} <= set(COMMANDS)


@pytest.mark.parametrize('command', COMMANDS)
def test_help(command):
  done = run(command, '--help')
  assert command in done.stdout
  assert not done.returncode and '--help: ' in done.stdout
  assert 'Traceback' not in done.stdout + done.stderr


@pytest.mark.parametrize('command', COMMANDS)
def test_a_wrong_flag(command):
  done = run(command, '--no_such_flag=1')
  assert done.returncode in (1, 2)
  assert 'no_such_flag' in done.stderr
  assert 'Traceback' not in done.stderr

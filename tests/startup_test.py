"""Each command answers `--help` and a wrong flag at once, in a fresh process.

TensorFlow alone takes longer to import than the two seconds allowed here.
"""
import pathlib
import subprocess
import sys
import time

import pytest

ROOT = pathlib.Path(__file__).absolute().parent.parent
COMMANDS = sorted(path.name for path in (ROOT / 'bin').glob('*.py')
                  if '__main__' in path.read_text(encoding='utf-8'))
SECONDS = 2.


def run(command, *arguments):
  """Returns the finished process, after checking that it was quick."""
  start = time.monotonic()
  done = subprocess.run(
      [sys.executable, ROOT / 'bin' / command, *arguments],
      capture_output=True, text=True, timeout=60, check=False)
  assert time.monotonic() - start < SECONDS
  return done


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

"""benchmarks/start_up.py times each phase before the second step."""
import pathlib
import subprocess
import sys

import pytest

SCRIPT = pathlib.Path(__file__).parents[2] / 'benchmarks/start_up.py'


def test_a_row_of_phases_and_their_sum():
  done = subprocess.run(
      [sys.executable, SCRIPT, '--repeats=1', 'quickstart.gin:4'],
      capture_output=True, text=True, check=False, timeout=300)
  assert not done.returncode, done.stderr[-2000:]
  head, _, row = done.stdout.splitlines()
  assert head.split('|')[3].strip() == 'TensorFlow, s'
  _, file, batch_size, *numbers, _ = (cell.strip() for cell in row.split('|'))
  assert (file, batch_size) == ('quickstart.gin', '4')
  *phases, later, whole = map(float, numbers)
  assert len(phases) == 5 and min(phases) >= 0. and later < whole
  assert whole == pytest.approx(sum(phases), abs=0.04)

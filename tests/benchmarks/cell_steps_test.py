"""benchmarks/cell_steps.py says how many steps of a cell take equal time."""
import pathlib
import subprocess
import sys

import cell_steps
import pytest

SCRIPT = pathlib.Path(__file__).parents[2] / 'benchmarks/cell_steps.py'


def test_steps_are_rounded_down_to_hundreds():
  assert cell_steps.steps_within(600., 41.3) == 14500  # 14,527.8
  assert cell_steps.steps_within(1., 41.3) == 24


@pytest.mark.slow
@pytest.mark.exhaustive
def test_a_row_for_each_cell_of_the_first_seed(tmp_path):
  sweep = tmp_path / 'two.sweep'
  sweep.write_text("""
sweep.gin_files = ['quickstart.gin']
sweep.cells = {'few': ['train.batch_size = 4'],
               'many': ['train.batch_size = 256']}
sweep.seeds = [3, 4]
sweep.evaluations = [{'protocol': 'quick'}]
""", encoding='utf-8')
  done = subprocess.run(
      [sys.executable, SCRIPT, sweep, '--core_seconds=1'], capture_output=True,
      text=True, check=False, timeout=300)
  assert not done.returncode, done.stderr[-2000:]
  _, _, *rows = done.stdout.splitlines()
  names, times, steps = zip(*(
      [cell.strip() for cell in row.split('|')[1:4]] for row in rows))
  assert names == ('few (XLA)', 'many (XLA)')
  few, many = map(float, times)
  assert 0. < few < many
  assert int(steps[0]) > int(steps[1]) > 0

"""benchmarks/xla_on_cpu.py times a file's step with XLA and without."""
import pathlib
import subprocess
import sys

import pytest

SCRIPT = pathlib.Path(__file__).parents[2] / 'benchmarks/xla_on_cpu.py'


@pytest.mark.slow
@pytest.mark.exhaustive
def test_a_row_for_each_file():
  done = subprocess.run(
      [sys.executable, SCRIPT, 'quickstart.gin:4'], capture_output=True,
      text=True, check=False, timeout=300)
  assert not done.returncode, done.stderr[-2000:]
  *_, row = done.stdout.splitlines()
  _, file, batch_size, plain, xla, ratio, default, _ = (
      cell.strip() for cell in row.split('|'))
  assert (file, batch_size, default) == ('quickstart.gin', '4', 'XLA')
  assert float(plain) > 0. and float(xla) > 0. and float(ratio) > 0.

"""benchmarks/step_bound.py compares a step with what the machine could do."""
import pathlib
import subprocess
import sys

import pytest
import step_bound

SCRIPT = pathlib.Path(__file__).parents[2] / 'benchmarks/step_bound.py'


def test_the_bound_is_arithmetic_and_traffic():
  # Adam with averages keeps three numbers for each weight: eight transfers of
  # four bytes, and the gradient.
  assert step_bound.update_bytes(1000, 3000) == 36_000
  assert step_bound.bound(4e9, 2e9, {'gflops': 100., 'gigabytes': 10.}) == (
      pytest.approx(0.04 + 0.2))


def test_a_row_for_each_file():
  done = subprocess.run(
      [sys.executable, SCRIPT, 'quickstart.gin+models/ae.gin:4'],
      capture_output=True, text=True, check=False, timeout=300)
  assert not done.returncode, done.stderr[-2000:]
  *_, row = done.stdout.splitlines()
  _, file, batch_size, *numbers, _ = (cell.strip() for cell in row.split('|'))
  assert (file, batch_size) == (
      'quickstart.gin+models/ae.gin (XLA)', '4')
  operations, moved, rate, bandwidth, bound, step, share = map(float, numbers)
  assert min(rate, bandwidth, step) > 0.
  # GFLOP over GFLOP/s and MB over GB/s, as far as the digits go.
  assert bound == pytest.approx(1e3 * operations / rate + moved / bandwidth,
                                abs=0.5 + 60. / rate + 0.6 / bandwidth)
  assert share == pytest.approx(bound / step, abs=0.02 + 0.06 / step)

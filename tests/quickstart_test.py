"""`make quickstart`, as a newcomer types it, in the environment of the tests.
"""
import csv
import pathlib
import subprocess
import sys
import time

import pytest
import tensorflow as tf

ROOT = pathlib.Path(__file__).absolute().parent.parent
SECONDS = 180.


@pytest.mark.slow
def test_make_quickstart(tmp_path):
  run_dir = tmp_path / 'quickstart'
  start = time.monotonic()
  done = subprocess.run(
      ['make', 'quickstart', f'QUICKSTART={run_dir}', f'VENV={sys.prefix}',
       '-o', f'{sys.prefix}/.installed'],
      cwd=ROOT, capture_output=True, text=True, check=False)
  seconds = time.monotonic() - start
  assert not done.returncode, (done.stdout + done.stderr)[-4000:]
  assert seconds < SECONDS
  for kind in ('samples', 'reconstruction', 'interpolation'):
    picture = tf.io.decode_png((run_dir / f'{kind}.png').read_bytes())
    assert tf.math.reduce_std(tf.cast(picture, tf.float32)) > 10., kind
  with open(run_dir / 'scores.csv', encoding='utf-8') as scores:
    assert {'step', 'metric', 'value'} <= set(next(csv.DictReader(scores)))
  last = done.stdout.splitlines()[-6:]
  assert any(str(run_dir) in line for line in last)
  assert 'without pgak' in done.stdout
  assert 'mnist' in last[-1]

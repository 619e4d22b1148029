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


def picture(path):
  """Returns the pixels of a PNG file as floats, in grey levels."""
  return tf.cast(tf.io.decode_png(path.read_bytes()), tf.float32)


@pytest.mark.slow
def test_make_quickstart(tmp_path):
  run_dir = tmp_path / 'quickstart'
  start = time.monotonic()
  done = subprocess.run(
      ['make', '--no-print-directory', 'quickstart', f'QUICKSTART={run_dir}',
       f'VENV={sys.prefix}', '-o', f'{sys.prefix}/.installed'],
      cwd=ROOT, capture_output=True, text=True, check=False)
  seconds = time.monotonic() - start
  assert not done.returncode, (done.stdout + done.stderr)[-4000:]
  assert seconds < SECONDS
  drawn = {name: picture(run_dir / f'{name}.png') for name in (
      'samples', 'reconstruction', 'interpolation', 'served')}
  assert all(tf.math.reduce_std(image) > 10. for image in drawn.values())
  difference = tf.abs(drawn['served'] - drawn['samples'])
  assert tf.reduce_max(difference) <= 1., 'the export draws other images'
  with open(run_dir / 'scores.csv', encoding='utf-8') as scores:
    assert {'step', 'metric', 'value'} <= set(next(csv.DictReader(scores)))
  last = done.stdout.splitlines()[-7:]
  assert any(str(run_dir) in line for line in last)
  assert 'mnist' in last[-1]

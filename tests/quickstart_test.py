"""`make quickstart`, as a newcomer types it, in the environment of the tests.
"""
import csv
import pathlib
import resource
import subprocess
import sys

import pytest
import tensorflow as tf

ROOT = pathlib.Path(__file__).absolute().parent.parent

# How often TensorFlow could be imported in the processor's time that it takes:
# a machine has its own speed, and other programs beside the tests.
IMPORTS = 80.


def picture(path):
  """Returns the pixels of a PNG file as floats, in grey levels."""
  return tf.cast(tf.io.decode_png(path.read_bytes()), tf.float32)


def seconds_of_children():
  """Returns the processor's time that finished child processes took."""
  usage = resource.getrusage(resource.RUSAGE_CHILDREN)
  return usage.ru_utime + usage.ru_stime


def seconds_of_an_import():
  """Returns the processor's time of a process that imports TensorFlow."""
  before = seconds_of_children()
  subprocess.run([sys.executable, '-c', 'import tensorflow'], check=True,
                 capture_output=True)
  return seconds_of_children() - before


@pytest.fixture(name='run_dir', scope='module')
def _run_dir(tmp_path_factory):
  return tmp_path_factory.mktemp('quickstart') / 'run'


def make_quickstart(run_dir):
  """Returns what `make quickstart` prints, after checking that it succeeded."""
  done = subprocess.run(
      ['make', '--no-print-directory', 'quickstart', f'QUICKSTART={run_dir}',
       f'VENV={sys.prefix}', '-o', f'{sys.prefix}/.installed'],
      cwd=ROOT, capture_output=True, text=True, check=False)
  assert not done.returncode, (done.stdout + done.stderr)[-4000:]
  return done.stdout


@pytest.mark.slow
def test_make_quickstart(run_dir):
  unit, before = seconds_of_an_import(), seconds_of_children()
  printed = make_quickstart(run_dir)
  assert seconds_of_children() - before < IMPORTS * unit
  drawn = {name: picture(run_dir / f'{name}.png') for name in (
      'samples', 'reconstruction', 'interpolation', 'served')}
  assert all(tf.math.reduce_std(image) > 10. for image in drawn.values())
  # The first image of each grid; the export's others have seeds of their own.
  side = (drawn['served'].shape[0] - 7) // 8
  first = [drawn[name][:side, :side] for name in ('served', 'samples')]
  assert tf.reduce_max(tf.abs(first[0] - first[1])) <= 1., (
      'the export draws other images')
  with open(run_dir / 'scores.csv', encoding='utf-8') as scores:
    assert {'step', 'metric', 'value'} <= set(next(csv.DictReader(scores)))
  farewell = '\n'.join(printed.splitlines()[-10:])
  assert str(run_dir) in farewell
  assert '--gin_file=papers/pga_icml2020/vpga_mnist.gin' in farewell


@pytest.mark.slow
@pytest.mark.exhaustive
def test_once_more_it_trains_nothing(run_dir):
  if not run_dir.exists():
    make_quickstart(run_dir)
  assert 'is finished' in make_quickstart(run_dir)

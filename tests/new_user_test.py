"""A new user in an empty directory: a typo, then one's own photographs.

Slow: each command is a process of its own, found as the console scripts are.
"""
import os
import pathlib
import subprocess
import sys
import zipfile

import numpy as np
import pytest
import tensorflow as tf

pytestmark = pytest.mark.slow

REAL = os.environ.get('PGAK_TEST_DATA')
ZIP = pathlib.Path(REAL or '', 'celeba_subset/img_align_celeba_half.zip')


def command(name, *flags, cwd):
  """Runs a console script as an installed one; returns the finished process."""
  done = subprocess.run(
      [sys.executable, '-c', f'from pgak.bin import {name}; {name}.run()',
       *flags], cwd=cwd, capture_output=True, text=True, check=False,
      timeout=300)
  assert 'Traceback' not in done.stderr, done.stderr[-3000:]
  return done


def lines_of(text):
  return [line for line in text.splitlines()
          if not line.startswith(('Preparing the data set', 'Prepared '))]


def write_photos(folder, number=60):
  """Writes photographs: JPEG, PNG, large, small, upright, in two folders."""
  for i in range(number):
    image = _photo(i)
    path = folder / ('trip' if i % 3 else 'home') / f'photo {i:03d}'
    path.parent.mkdir(exist_ok=True, parents=True)
    if i % 2:
      path.with_suffix('.JPG').write_bytes(tf.io.encode_jpeg(image).numpy())
    else:
      path.with_suffix('.png').write_bytes(tf.io.encode_png(image).numpy())
  (folder / 'notes.txt').write_text('not a picture')
  (folder / '.DS_Store').write_bytes(b'\x00')


def _photo(i):
  if ZIP.is_file():
    with zipfile.ZipFile(ZIP) as file:
      names = sorted(n for n in file.namelist() if n.endswith('.jpg'))
      return tf.io.decode_jpeg(file.read(names[i]))
  generator = np.random.default_rng(i)
  size = generator.integers(70, 130, 2)
  corners = generator.uniform(0, 255, (2, 2, 3))
  return tf.cast(tf.image.resize(corners, size), tf.uint8)


def test_a_typo_is_told_and_costs_nothing(tmp_path):
  flags = ['--run_dir=runs/a', '--gin_file=quickstart.gin']
  done = command('train', '--run_dri=runs/a', *flags[1:], cwd=tmp_path)
  assert done.returncode == 2 and not done.stdout
  (line,) = lines_of(done.stderr)
  assert 'run_dri' in line and 'run_dir' in line
  done = command('train', *flags, '--gin_param=train.step = 20', cwd=tmp_path)
  assert done.returncode == 1 and not done.stdout
  (line,) = lines_of(done.stderr)
  assert 'step' in line and 'train' in line
  assert not list(tmp_path.iterdir())
  done = command('train', *flags, '--gin_param=train.steps = 20', cwd=tmp_path)
  assert not done.returncode, done.stderr
  assert 'step 20/20' in done.stdout
  for name, more in (('evaluate', []), ('sample', ['--output=new/a.png'])):
    done = command(name, '--run_dir=runs/a', *more, cwd=tmp_path)
    assert not done.returncode, done.stderr
  assert {p.name for p in tmp_path.iterdir()} == {'runs', 'new'}


@pytest.mark.exhaustive
def test_photographs_of_ones_own(tmp_path):
  write_photos(tmp_path / 'photos')
  flags = ['--run_dir=runs/mine',
           '--gin_file=papers/pga_icml2020/lpga_celeba.gin',
           '--gin_file=datasets/images.gin',
           '--gin_param=images.path = "photos/"',
           '--gin_param=base_filters = 8', '--gin_param=train.batch_size = 8']
  done = command('train', *flags, '--gin_param=train.steps = 4', cwd=tmp_path)
  assert not done.returncode, done.stderr
  assert 'step 4/4' in done.stdout
  pictures = sorted(p.name for p in (tmp_path / 'runs/mine/samples').iterdir())
  assert len(pictures) == 3
  # Moved elsewhere, the photographs are still the same.
  (tmp_path / 'photos').rename(tmp_path / 'pictures')
  flags[3] = '--gin_param=images.path = "pictures/"'
  done = command('train', *flags, '--gin_param=train.steps = 6', cwd=tmp_path)
  assert not done.returncode, done.stderr
  assert 'step 6/6' in done.stdout
  done = command('sample', '--run_dir=runs/mine', '--kind=reconstruction',
                 '--num_samples=9', '--output=a.png', cwd=tmp_path)
  assert not done.returncode, done.stderr
  picture = tf.io.decode_png((tmp_path / 'a.png').read_bytes())
  assert picture.shape[-1] == 3
  # One cannot go on with others.
  next((tmp_path / 'pictures').rglob('*.png')).unlink()
  done = command('train', *flags, '--gin_param=train.steps = 8', cwd=tmp_path)
  (line,) = lines_of(done.stderr)
  assert done.returncode == 1 and 'other images' in line


def test_the_recipe_for_faces_takes_ones_own(tmp_path):
  write_photos(tmp_path / 'photos', 20)
  done = command(
      'train', '--run_dir=run', '--recipe=best_faces', '--data=photos',
      '--gin_param=base_filters = 2', '--gin_param=train.batch_size = 4',
      '--gin_param=train.steps = 2', '--gin_param=polish.steps = 1',
      cwd=tmp_path)
  assert not done.returncode, done.stderr
  done = command('sample', '--run_dir=run', '--prior=gmm', '--num_samples=4',
                 '--output=a.png', cwd=tmp_path)
  assert not done.returncode, done.stderr
  assert (tmp_path / 'a.png').is_file()


@pytest.mark.exhaustive
def test_no_digits_are_needed_to_evaluate_photographs(tmp_path):
  """Without classes the quick protocol takes a net with random weights."""
  write_photos(tmp_path / 'photos', 12)
  done = command(
      'train', '--run_dir=run', '--gin_file=quickstart.gin',
      '--gin_file=datasets/images.gin', '--gin_param=images.path = "photos"',
      '--gin_param=train.steps = 1', '--gin_param=train.batch_size = 4',
      '--gin_param=images.labels = False', cwd=tmp_path)
  assert not done.returncode, done.stderr
  done = command('evaluate', '--run_dir=run', cwd=tmp_path)
  assert not done.returncode, done.stderr
  assert 'features random_net_0' in done.stdout

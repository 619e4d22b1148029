"""Tests of the benchmark whose sides take turns."""
import os
import sys

import in_turn
import numpy as np
import pytest
import pythae_comparison

# A side that counts its parts, and prints what is no answer, too.
COUNTER = """
import json, sys
for part in range(9):
  print('a note', flush=True)
  print(json.dumps({'seconds': part}), flush=True)
  if not sys.stdin.readline():
    break
"""


def _side(code, folder):
  return in_turn.Side([sys.executable, '-c', code], dict(os.environ),
                      folder / 'log.txt')


def test_all_sides_take_turns_and_the_first_groups_do_not_count(tmp_path):
  sides = {name: _side(COUNTER, tmp_path) for name in 'ab'}
  found = in_turn.rounds(sides, 3)
  for side in sides.values():
    side.close()
    assert side._process.returncode == 0
  # Two groups of each are not counted.
  assert found == {name: [{'seconds': s} for s in (3, 4, 5)] for name in 'ab'}


def test_a_side_that_ends_says_why(tmp_path):
  with pytest.raises(RuntimeError, match='no such side'):
    _side('raise ValueError("no such side")', tmp_path)


def test_the_interval_is_of_the_median():
  values = np.random.default_rng(1).normal(2., 0.1, 400)
  median, low, high = in_turn.interval(values)
  assert low < median < high and median == np.median(values)
  # 1.96 sqrt(pi / 2) 0.1 / sqrt(400) about the median.
  assert high - low == pytest.approx(2. * 0.0123, rel=0.25)
  assert in_turn.interval([3.]) == (3., 3., 3.)


def test_a_ratio_is_of_the_same_round():
  # Twice as fast in each round, while rounds differ by ten.
  slow = np.array([1., 10., 1., 10., 5.])
  found = {'vae': {
      'machine': [{'gflops': 100., 'gigabytes': 8.}] * 5,
      'pgak': [{'seconds': s} for s in slow],
      'pgak XLA': [{'seconds': s / 2.} for s in slow],
      'pythae': [{'seconds': s} for s in slow]}}
  table = in_turn.format_table(found, 1000)
  assert table.splitlines()[2] == (
      '| vae | 200 | 400 | 200 | 2.00 (2.00 to 2.00) | 100 | 8.0 |')


def test_the_machine_is_measured():
  found = in_turn.measure_machine(8, 1)
  assert found['gflops'] > 0. and found['gigabytes'] > 0.


def test_threads_are_the_same_for_every_library():
  found = in_turn._environment(3)
  assert {found[n] for n in ('OMP_NUM_THREADS', 'TF_NUM_INTRAOP_THREADS',
                             'MKL_NUM_THREADS')} == {'3'}


def test_without_data_all_sides_train_on_the_same_made_up_images(
    tmp_path, monkeypatch):
  monkeypatch.setattr(pythae_comparison, '_MADE_UP', 8)
  model, images = pythae_comparison.made_here(
      pythae_comparison.SETTINGS
      | {'model': 'vae', 'seed': 0, 'data_dir': None, 'xla': False})
  assert model.image_shape == (28, 28, 1)
  pythae_comparison.write_images(None, tmp_path / 'train.npy')
  theirs = np.load(tmp_path / 'train.npy')
  assert theirs.shape == (6, 28, 28, 1) and theirs.dtype == np.uint8
  np.testing.assert_array_equal(images.read(np.arange(6)), theirs)

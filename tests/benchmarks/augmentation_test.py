"""Tests of the measurement of what changed images buy."""
import augmentation
import numpy as np
import pytest


def test_the_table_has_a_row_for_each_set_and_recipe():
  runs = [{'train': 0.01, 'held_out': 0.03, 'distance': 0.5, 'seconds': 9.},
          {'train': 0.02, 'held_out': 0.03, 'distance': 0.25, 'seconds': 9.}]
  lines = augmentation.table({'faces': {'modern': runs}})
  assert lines[2:] == ['| faces | modern | 0.01000, 0.02000 | 0.03000, 0.03000 '
                       '| 0.02000, 0.01000 | 0.5000, 0.2500 |']


@pytest.mark.slow
@pytest.mark.filterwarnings('ignore:A Frechet distance of 448 features')
def test_a_run_is_trained_and_measured(tmp_path):
  images = np.random.default_rng(0).integers(0, 256, (48, 32, 32, 3), np.uint8)
  np.savez(tmp_path / 'few.npz', x_train=images[:32], x_test=images[32:])
  found = augmentation.measured(tmp_path / 'run', 'augmented', 0, 2,
                                {'data': str(tmp_path / 'few.npz')})
  assert set(found) == {'train', 'held_out', 'distance', 'seconds'}
  assert all(value > 0. for value in found.values())

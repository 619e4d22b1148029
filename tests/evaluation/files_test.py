"""Tests of the files that an evaluation leaves in a run."""
import numpy as np
import tensorflow as tf

from pgak.evaluation import files
from pgak.metrics import metric
from pgak.runs import scores


def _write(out, name, features='flat', prior='gmm_10', **parts):
  chosen = dict.fromkeys(scores.COLUMNS) | dict(
      images='samples', prior=prior, features=features)
  out.write_parts(name, metric.Value('x', 0., **parts), scores.Score(**chosen))


def test_files_hold_what_they_are_named_after(tmp_path):
  out = files.Files(tmp_path, 7)
  curve = np.linspace(0., 1., 5), np.linspace(1., 0., 5)
  _write(out, 'prd', curve=curve)
  picture = np.arange(12, dtype=np.uint8).reshape(3, 4, 1)
  _write(out, 'neighbours', 'pixels', picture=picture)
  _write(out, 'separability', table=[['attribute', 'bits'], ['Hat', '0.5']])
  out.write_grid(np.full((4, 64, 64, 1), 9, np.uint8), 'gmm_10')
  with np.load(tmp_path / 'prd/step-00000007_samples_gmm_10_flat.npz') as found:
    np.testing.assert_array_equal(found['precision'], curve[0])
    np.testing.assert_array_equal(found['recall'], curve[1])
  table = tmp_path / 'separability/step-00000007_gmm_10.csv'
  assert table.read_text() == 'attribute,bits\nHat,0.5\n'
  path = tmp_path / 'neighbours/step-00000007_samples_gmm_10_pixels.png'
  np.testing.assert_array_equal(tf.io.decode_png(path.read_bytes()), picture)
  grid = tf.io.decode_png(
      (tmp_path / 'grids/step-00000007_gmm_10.png').read_bytes()).numpy()
  assert grid.shape[0] >= 128 and 9 in grid


def test_nowhere_and_nothing_write_nothing(tmp_path):
  out = files.Files(None, 7)
  _write(out, 'prd', curve=(np.ones(2), np.ones(2)))
  _write(out, 'neighbours', picture=np.zeros((1, 1, 1), np.uint8))
  out.write_grid(np.zeros((1, 8, 8, 1), np.uint8), 'own')
  _write(files.Files(tmp_path, 7), 'prd')
  assert not list(tmp_path.iterdir())


def test_what_cannot_be_written_is_a_warning(tmp_path, caplog):
  (tmp_path / 'file').write_text('in the way')
  out = files.Files(tmp_path / 'file', 7)
  out.write_grid(np.zeros((1, 8, 8, 1), np.uint8), 'own')
  _write(out, 'prd', curve=(np.ones(2), np.ones(2)))
  _write(out, 'neighbours', picture=np.zeros((1, 1, 1), np.uint8))
  assert len(caplog.records) == 3
  assert 'cannot be written (' in caplog.text

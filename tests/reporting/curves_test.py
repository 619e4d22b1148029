"""Tests of curves from events and from arrays."""
import numpy as np
import tensorflow as tf
import tiny_reports

from pgak.reporting import curves
from pgak.reporting import runs


def test_scalars_of_both_streams(tmp_path):
  run = runs.Run(tiny_reports.make(tmp_path / 'run'))
  found = curves.read_events(run)
  assert set(found) == {(s, n) for s in ('train', 'validation')
                        for n in ('loss', 'kl')}
  steps, values = found['train', 'loss']
  np.testing.assert_array_equal(steps, [300, 600])
  np.testing.assert_allclose(values, [.2, .1], rtol=1e-6)
  assert not run.problems


def test_of_a_resumed_run_the_later_point_counts(tmp_path):
  run = runs.Run(tmp_path)
  folder = tmp_path / 'events' / 'train'
  # TensorFlow's names end in a count: the tenth file comes before the ninth.
  for count, points in (('9', {1: 9., 2: 8.}), ('10', {2: 5., 3: 4.})):
    writer = tf.summary.create_file_writer(
        str(folder), filename_suffix='.new')
    with writer.as_default():
      for step, value in points.items():
        tf.summary.scalar('loss', value, step=step)
    writer.close()
    (written,) = folder.glob('*.new')
    written.rename(folder / f'events.out.tfevents.1.host.2.{count}.v2')
  steps, values = curves.read_events(run)['train', 'loss']
  np.testing.assert_array_equal(steps, [1, 2, 3])
  np.testing.assert_array_equal(values, [9., 5., 4.])


def test_damaged_events_are_named(tmp_path):
  run = runs.Run(tiny_reports.make(tmp_path / 'run'))
  file = next((run.path / 'events' / 'train').iterdir())
  file.write_bytes(b'\x00' * 40 + file.read_bytes()[:100])
  assert {s for s, _ in curves.read_events(run)} == {'validation'}
  assert len(run.problems) == 1 and 'events/train' in run.problems[0]


def test_no_events_are_named(tmp_path):
  run = runs.Run(tmp_path)
  assert not curves.read_events(run)
  assert 'no training curves' in run.problems[0]


def test_precision_recall_curves(tmp_path):
  np.savez(tmp_path / 'a.npz', recall=[0., 1.], precision=[1., 0.])
  np.savez(tmp_path / 'b.npz', recall=[0., 1.], precision=[1.])
  np.savez(tmp_path / 'c.npz', recall=[0., 1.])
  (tmp_path / 'd.npz').write_text('no')
  run = runs.Run(tmp_path, curve_files={
      n: tmp_path / f'{n}.npz' for n in 'abcd'})
  found = curves.read_precision_recall(run)
  assert list(found) == ['a']
  np.testing.assert_array_equal(found['a'][1], [1., 0.])
  assert [p.split()[0] for p in run.problems] == [
      'prd/b.npz', 'prd/c.npz', 'prd/d.npz']

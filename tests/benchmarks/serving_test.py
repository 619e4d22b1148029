"""Tests of the table of latencies: what is asked, and what is printed."""
import numpy as np
import serving
import tensorflow as tf


class _Made(tf.Module):
  """As an export: rows to rows, and one signature of scalars."""

  @tf.function(input_signature=[
      tf.TensorSpec([None, 2], tf.float32, 'latents')])
  def decode(self, latents):
    return {'images': tf.cast(latents, tf.uint8)}

  @tf.function(input_signature=[tf.TensorSpec([], tf.int64, 'seed')])
  def generate(self, seed):
    return {'images': tf.fill([2], seed)}


def test_each_batch_size_is_a_row(tmp_path, capsys):
  made = _Made()
  tf.saved_model.save(made, str(tmp_path / '2'), signatures={
      'decode': made.decode, 'generate': made.generate})
  serving.main([str(tmp_path), '--batches=1,1024', '--seconds=0'])
  lines = capsys.readouterr().out.splitlines()
  # Scalars of an old export have no batch.
  assert [line.split('|')[1:3] for line in lines[4:]] == [
      [' `decode` ', ' 1 '], [' `decode` ', ' 1,024 ']]


def test_requests_have_the_shapes_of_the_signature(tmp_path):
  made = _Made()
  tf.saved_model.save(made, str(tmp_path), signatures={
      'decode': made.decode, 'generate': made.generate})
  signatures = serving.load(tmp_path).signatures
  request = serving.inputs(signatures['decode'], 5)
  assert request['latents'].shape == (5, 2)
  assert serving.inputs(signatures['generate'], 5) is None


def test_the_table():
  table = serving.format_table([('decode', 1000, np.array([0.5, 0.25, 0.25]))])
  assert table.splitlines()[2] == (
      '| `decode` | 1,000 | 250.00 | 475.00 | 4,000 |')

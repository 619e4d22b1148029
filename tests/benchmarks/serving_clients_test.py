"""Tests of many clients at once: what is counted, and what is a fault."""
import serving_clients
import tensorflow as tf


class _Made(tf.Module):
  """As an export: images of latents, of each row alone but for `leaking`."""

  def __init__(self, leaking):
    super().__init__()
    self._leaking = leaking

  @tf.function(input_signature=[
      tf.TensorSpec([None, 2], tf.float32, 'latents')])
  def decode(self, latents):
    latents = tf.debugging.check_numerics(latents, 'NaN')
    if self._leaking:
      latents += 100. * tf.reduce_sum(latents, 0)
    return {'images': tf.cast(tf.clip_by_value(latents + 100., 0., 255.),
                              tf.uint8)}


def _ask(tmp_path, capsys, leaking):
  made = _Made(leaking)
  tf.saved_model.save(made, str(tmp_path), signatures={'decode': made.decode})
  status = serving_clients.main([
      str(tmp_path), '--clients=2', '--seconds=0.2'])
  return status, capsys.readouterr().out


def test_right_answers_are_counted(tmp_path, capsys):
  status, out = _ask(tmp_path, capsys, False)
  assert status == 0
  assert 'decode: ' in out and 'refused: ' in out
  assert '0 answers were wrong.' in out


def test_rows_that_depend_on_others_are_faults(tmp_path, capsys):
  status, out = _ask(tmp_path, capsys, True)
  assert status == 1
  assert 'decode differs: rows [' in out

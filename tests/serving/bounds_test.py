"""What an export's signature refuses when it runs, and what is said of it."""
import numpy as np
import pytest
import tensorflow as tf

from pgak.serving import bounds

SPECS = [tf.TensorSpec([None, 2], tf.float32, 'start'),
         tf.TensorSpec([None, 2], tf.float32, 'end'),
         tf.TensorSpec([], tf.int32, 'steps')]
BOUNDS = {'batch': (1, 3), 'steps': (2, 5), 'batch * steps': (0, 8)}


@pytest.fixture(name='call', scope='module')
def _call():
  """A traced function of batches of some sizes; it notes no call of its own."""
  @tf.function(input_signature=[
      tf.TensorSpec(None, spec.dtype, spec.name) for spec in SPECS])
  def function(start, end, steps):
    return bounds.checked(
        lambda a, b, n: tf.reduce_sum(a + b) * tf.cast(n, tf.float32),
        SPECS, BOUNDS)(start, end, steps)
  return lambda rows, others, steps, value=1.: function(
      tf.fill([rows, 2], value), tf.ones([others, 2]), tf.constant(steps))


def test_what_is_within_bounds_is_computed(call):
  assert float(call(3, 3, 2)) == 24.
  assert float(call(1, 1, 5)) == 20.


@pytest.mark.parametrize('arguments, sentence', [
    ((2, 3, 2), '`start` and `end` must be equally many, but are'),
    ((0, 0, 2), '`batch` must be 1 to 3, but is'),
    ((4, 4, 2), '`batch` must be 1 to 3, but is'),
    ((1, 1, 1), '`steps` must be 2 to 5, but is'),
    ((1, 1, 6), '`steps` must be 2 to 5, but is'),
    ((3, 3, 3), r'`batch \* steps` must be 0 to 8, but is'),
    ((1, 1, 2, np.nan), '`start`'), ((1, 1, 2, np.inf), '`start`'),
    # Of several faults the first is told.
    ((2, 3, 9, np.nan), 'equally many'), ((4, 4, 9), '`batch` must be 1')])
def test_what_is_out_of_bounds_is_refused(call, arguments, sentence):
  with pytest.raises(tf.errors.InvalidArgumentError, match=sentence):
    call(*arguments)


def test_a_wrong_shape_is_refused_before_anything_is_made():
  made = []
  check = bounds.checked(lambda *inputs: made.append(inputs), SPECS, BOUNDS)
  with pytest.raises(tf.errors.InvalidArgumentError):
    check(tf.ones([1, 3]), tf.ones([1, 2]), tf.constant(2))
  assert not made


def test_bounds_of_an_export_and_of_one_by_version_0_4():
  metadata = {'max_count': 10, 'signatures': {'encode': {
      'bounds': {'batch': [0, 7]}}}}
  assert bounds.stated(metadata, 'encode') == {'batch': [0, 7]}
  assert bounds.stated(metadata, 'interpolate') == {
      'steps': [2, 10], 'batch * steps': [0, 10]}
  assert bounds.stated({'max_count': 10}, 'sample_latents') == {
      'count': [0, 1000]}
  assert bounds.stated({'max_count': 10}, 'decode') == {}

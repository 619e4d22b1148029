"""What an export's signature refuses when it runs, and what is said of it."""
import numpy as np
import pytest
import tensorflow as tf

from pgak import errors
from pgak.serving import bounds

SPECS = [tf.TensorSpec([None, 2], tf.float32, 'start'),
         tf.TensorSpec([None, 2], tf.float32, 'end'),
         tf.TensorSpec([None], tf.float32, 'weight'),
         tf.TensorSpec([None], tf.int32, 'label')]
BOUNDS = {'batch': (1, 3), 'weight': (0, 1), 'label': (0, 9)}
DESCRIBED = {'bounds': BOUNDS, 'inputs': {
    s.name: {'shape': s.shape.as_list()} for s in SPECS}}


@pytest.fixture(name='call', scope='module')
def _call():
  """A traced function of batches of some sizes; it notes no call of its own."""
  @tf.function(input_signature=[
      tf.TensorSpec(None, spec.dtype, spec.name) for spec in SPECS])
  def function(*inputs):
    return bounds.checked(
        lambda a, b, w, y: tf.reduce_sum(a + b) + tf.reduce_sum(w),
        SPECS, BOUNDS)(*inputs)
  return function


def rows(number, others=None, weight=1., label=9, value=1.):
  others = number if others is None else others
  return {'start': np.full([number, 2], value, 'f'),
          'end': np.ones([others, 2], 'f'),
          'weight': np.full([number], weight, 'f'),
          'label': np.full([number], label, 'i')}


def test_what_is_within_bounds_is_computed(call):
  assert float(call(*rows(3).values())) == 15.
  assert float(call(*rows(1, weight=0., label=0).values())) == 4.


@pytest.mark.parametrize('asked, sentence', [
    (rows(2, 3), 'and `label` must be equally many, but are'),
    (rows(0), '`batch` must be 1 to 3, but is'),
    (rows(4), '`batch` must be 1 to 3, but is'),
    (rows(2, weight=1.01), '`weight` must be 0 to 1, but is'),
    (rows(2, weight=-1e-3), '`weight` must be 0 to 1, but is'),
    (rows(2, weight=np.nan), '`weight` must be 0 to 1, but is'),
    (rows(2, label=-1), '`label` must be 0 to 9, but is'),
    (rows(2, label=10), '`label` must be 0 to 9, but is'),
    (rows(1, value=np.nan), '`start`'), (rows(1, value=np.inf), '`start`'),
    # Of several faults the first is told.
    (rows(2, 3, label=99, value=np.nan), 'equally many'),
    (rows(4, weight=9.), '`batch` must be 1')])
def test_what_is_out_of_bounds_is_refused(call, asked, sentence):
  """By the graph, and in the same words before it is sent."""
  with pytest.raises(tf.errors.InvalidArgumentError, match=sentence):
    call(*asked.values())
  with pytest.raises(errors.UserError, match=sentence):
    bounds.require(DESCRIBED, asked)


def test_a_wrong_shape_is_refused_before_anything_is_made():
  made = []
  check = bounds.checked(lambda *inputs: made.append(inputs), SPECS, BOUNDS)
  asked = rows(1) | {'start': np.ones([1, 3], 'f')}
  with pytest.raises(tf.errors.InvalidArgumentError):
    check(*map(tf.constant, asked.values()))
  assert not made
  with pytest.raises(errors.UserError, match='`start` must have the shape '
                     r'\[B, 2\], but has \[1, 3\].'):
    bounds.require(DESCRIBED, asked)

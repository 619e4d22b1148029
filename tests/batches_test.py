"""Tests of batches of no rows, of no numbers, and of too many rows."""
import numpy as np
import pytest
import tensorflow as tf

from pgak import batches
from pgak import errors


def calls(*batch, graph):
  """Returns the sizes that a function saw, and what came of them."""
  seen = []

  def total(*rows):
    seen.append([row.shape[0] for row in rows])
    tf.debugging.assert_positive(tf.shape(rows[0])[0])
    return tf.add_n([tf.reduce_sum(row, 1) for row in rows])

  def call(*rows):
    return batches.never_empty(total, *rows)
  specs = [tf.TensorSpec([None, *b.shape[1:]], b.dtype) for b in batch]
  made = (tf.function(call, specs) if graph else call)(*map(tf.constant, batch))
  return seen, made.numpy().tolist()


def test_positions_are_all_or_a_random_subset_in_order():
  for most in (None, 4, 5):
    assert batches.positions(4, most).tolist() == [0, 1, 2, 3]
  some = batches.positions(1000, 100)
  assert len(set(some)) == 100 and np.all(np.diff(some) > 0)
  # Neither of one end, nor of every second example alone.
  assert 35 < np.sum(some < 500) < 65 and 35 < np.sum(some % 2) < 65
  np.testing.assert_array_equal(some, batches.positions(1000, 100))
  assert not batches.positions(0, 3).size and not batches.positions(3, 0).size


@pytest.mark.parametrize('graph', [False, True])
def test_a_function_never_sees_an_empty_batch(graph):
  one, two = np.ones([3, 2], 'f'), np.ones([3, 5], 'f')
  sizes = [None, None] if graph else [3, 3]
  assert calls(one, two, graph=graph) == ([sizes], [7., 7., 7.])
  sizes = [None, None] if graph else [1, 1]
  assert calls(one[:0], two[:0], graph=graph) == ([sizes], [])


def test_of_rows_leaves_a_graph_alone():
  def ops(function):
    spec = tf.TensorSpec([None, 2], tf.float32)
    traced = tf.function(lambda x: function(tf.exp, x), [spec])
    graph = traced.get_concrete_function().graph
    return {op.type for op in graph.get_operations()}
  assert 'Pad' in ops(batches.never_empty)
  assert ops(batches.of_rows) == {'Placeholder', 'Exp', 'Identity'}
  assert batches.of_rows(tf.exp, tf.zeros([0, 2])).shape == (0, 2)


@pytest.mark.parametrize('shape', [[4, 3], [4, 2, 3, 1], [4]])
def test_rows_are_counted(shape):
  rows = np.zeros(shape, 'f')
  assert batches.broken_rows(tf.constant(rows)) == 0
  assert batches.require_finite(tf.constant(rows), 'x').shape == shape
  rows[1] = np.nan
  rows.reshape(4, -1)[3, -1] = -np.inf
  assert batches.broken_rows(tf.constant(rows)) == 2
  with pytest.raises(errors.UserError, match='^`x` must be finite, but so many '
                     'rows hold NaN or infinity: 2.$'):
    batches.require_finite(tf.constant(rows), 'x')


def test_large_arrays_are_cut_into_batches():
  sizes = []

  def double(rows, others):
    sizes.append(len(rows))
    return 2. * rows + others

  rows = np.arange(2500, dtype=np.float32)[:, None]
  np.testing.assert_array_equal(
      batches.in_batches(double, rows, rows[::-1]), rows + 2499.)
  assert sizes == [1000, 1000, 500]


def test_a_graph_makes_one_call():
  calls = []

  @tf.function(input_signature=[tf.TensorSpec([None, 1])])
  def double(rows):
    return batches.in_batches(lambda x: calls.append(x) or 2. * x, rows)

  assert double(np.ones([2500, 1], np.float32)).shape == (2500, 1)
  assert len(calls) == 1

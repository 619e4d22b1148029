"""Tests of the check of numbers."""
import numpy as np
import pytest
import tensorflow as tf

from pgak import counts
from pgak import errors


@pytest.mark.parametrize('value', [
    0, 5, np.uint8(5), np.array(5), tf.constant(5), tf.constant(0, tf.int64)])
def test_a_number_is_returned_as_it_was_given(value):
  assert counts.whole(value, 'n', 0, 5) is value


@pytest.mark.parametrize('value', [
    5., np.float32(5), '5', None, True, np.True_, [5], np.array([5]), 5j,
    tf.constant(5.), tf.constant([5, 5])])
def test_what_is_no_whole_number(value):
  with pytest.raises(errors.UserError, match='`n` must be a whole number, not '
                     ) as caught:
    counts.whole(value, 'n')
  assert '\n' not in str(caught.value)


@pytest.mark.parametrize('value', [1, 6, np.int8(-5), 2**70, tf.constant(6)])
def test_what_is_out_of_bounds(value):
  with pytest.raises(errors.UserError,
                     match=f'^`steps` must be 2 to 5, but is {int(value)}.$'):
    counts.whole(value, 'steps', 2, 5)


def test_a_graph_is_not_looked_into():
  @tf.function(input_signature=[tf.TensorSpec([], tf.int32)])
  def twice(n):
    return 2 * counts.whole(n, 'n', 0, 5)
  assert twice(7) == 14


def test_a_tensor_holds_fewer_numbers_than_an_int32_counts():
  assert counts.most([]) == counts.most([1]) == counts.most([0]) == 10**8
  # 2^31 / 3072 = 699,050.67.
  assert counts.most([32, 32, 3]) == 699050
  assert counts.rows(699050, [32, 32, 3]) == 699050
  with pytest.raises(errors.UserError, match='`n` must be 0 to 699050'):
    counts.rows(699051, [32, 32, 3])

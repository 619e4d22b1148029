"""Tests of writing functions as the signatures of a SavedModel."""
import numpy as np
import tensorflow as tf

from pgak.serving import saved_models


def test_each_function_is_traced_once_and_answers_as_before(tmp_path):
  scale, traces = tf.Variable([2., 3.]), []

  def scaled(points):
    traces.append('scaled')
    return {'products': points * scale}

  def counted(points, more):
    traces.append('counted')
    return {'number': tf.shape(points)[0] + tf.shape(more)[0]}

  points = tf.TensorSpec([None, 2], name='points')
  outputs = saved_models.write({
      'scaled': (scaled, [points]),
      'counted': (counted, [points, tf.TensorSpec([None], name='more')])},
                               tmp_path)
  assert traces == ['scaled', 'counted']
  assert outputs['scaled']['products'].shape.as_list() == [None, 2]
  scale.assign([0., 0.])  # The file has what it was.
  loaded = tf.saved_model.load(str(tmp_path))
  assert set(loaded.signatures) == {'scaled', 'counted', 'serving_default'}
  for name in ('scaled', 'serving_default'):
    answer = loaded.signatures[name](points=tf.ones([3, 2]))
    np.testing.assert_array_equal(answer['products'], [[2., 3.]] * 3)
  counted = loaded.counted(tf.ones([3, 2]), tf.ones([4]))
  assert counted['number'] == 7

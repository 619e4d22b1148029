import keras
import numpy as np
import pytest
import tensorflow as tf

from pgak.networks import weight_norm


def test_the_kernel_is_g_v_over_the_norm_of_v():
  """One pixel: x . v g / |v| + b, with |(3, 4)| = 5."""
  layer = weight_norm.WeightNormConv2D(1, 1)
  layer.build((None, 1, 1, 2))
  layer.v.assign(np.reshape([3., 4.], (1, 1, 2, 1)))
  layer.g.assign([10.])
  layer.bias.assign([1.])
  made = layer(np.reshape([1., 2.], (1, 1, 1, 2)).astype(np.float32))
  # (3 + 8) * 10 / 5 + 1
  assert float(made[0, 0, 0, 0]) == pytest.approx(23.)


def test_the_scale_of_v_says_nothing():
  layer = weight_norm.WeightNormConv2D(4, 3, 2)
  x = np.random.default_rng(0).normal(size=(2, 6, 6, 3)).astype(np.float32)
  before = layer(x)
  assert before.shape == (2, 3, 3, 4) == tuple(
      layer.compute_output_shape((2, 6, 6, 3)))
  layer.v.assign(7. * layer.v)
  np.testing.assert_allclose(layer(x), before, rtol=1e-4, atol=1e-6)
  plain = keras.layers.Conv2D(4, 3, 2, 'same')
  plain.build((None, 6, 6, 3))
  v = layer.v.numpy()
  plain.kernel.assign(v / np.sqrt((v**2).sum((0, 1, 2))))
  np.testing.assert_allclose(plain(x), before, rtol=1e-4, atol=1e-5)


def test_inputs_of_variance_one_give_outputs_of_variance_one():
  layer = weight_norm.WeightNormConv2D(64, 3, seed=1)
  x = np.random.default_rng(0).normal(size=(1, 40, 40, 16)).astype(np.float32)
  assert np.std(np.asarray(layer(x))[:, 1:-1, 1:-1]) == pytest.approx(
      1., abs=0.05)


def test_a_batch_sets_scale_and_offset():
  """g = gain / s and b = -gain m / s of v * x / |v|, by filter."""
  layer = weight_norm.WeightNormConv2D(2, 1, gain=0.5)
  x = np.random.default_rng(0).normal(3., 2., (4, 5, 5, 3)).astype(np.float32)
  inputs = keras.Input((5, 5, 3))
  net = keras.Model(inputs, layer(inputs))
  layer.g.assign([7., 8.])  # Whatever it was.
  plain = net(x).numpy()
  with weight_norm.set_by_data(net):
    found = net(x).numpy()
  np.testing.assert_allclose(found.mean((0, 1, 2)), 0., atol=1e-5)
  np.testing.assert_allclose(found.std((0, 1, 2)), 0.5, rtol=1e-4)
  np.testing.assert_array_equal(net(x), found)
  v = layer.v.numpy()[0, 0]
  projected = x.reshape(-1, 3) @ (v / np.linalg.norm(v, axis=0))
  scale = 0.5 / projected.std(0)
  np.testing.assert_allclose(layer.g, scale, rtol=1e-4)
  np.testing.assert_allclose(layer.bias, -projected.mean(0) * scale, rtol=1e-4)
  assert np.any(plain != found)


def test_dropout_repeats_by_its_count_of_calls():
  layer = weight_norm.RepeatableDropout(0.25, seed=3)
  x = np.ones((50, 40, 5), np.float32)
  first = layer(x, training=True).numpy()
  second = layer(x, training=True).numpy()
  assert (first == 0.).mean() == pytest.approx(0.25, abs=0.02)
  assert first.max() == pytest.approx(4. / 3.)
  assert (first != second).mean() == pytest.approx(2 * .25 * .75, abs=0.03)
  layer.count.assign(0)
  jitted = tf.function(lambda y: layer(y, training=True), jit_compile=True)
  np.testing.assert_array_equal(jitted(x), first)
  assert int(layer.count.numpy()) == 1
  np.testing.assert_array_equal(layer(x), x)
  other = weight_norm.RepeatableDropout(0.25, seed=4)
  assert np.any(other(x, training=True).numpy() != first)


@pytest.mark.parametrize('rate', [-0.1, 1.])
def test_a_rate_that_leaves_nothing_is_refused(rate):
  with pytest.raises(ValueError, match='dropout'):
    weight_norm.RepeatableDropout(rate, 0)

"""What is put on an architecture: latents, their spread, and the images."""
import gin
import keras
from keras import layers
import numpy as np
import pytest
import tensorflow as tf

from pgak import networks
from pgak.data import kinds

SHAPE = (4, 2, 1)


def _features(x):
  return layers.Dense(6, activation='tanh')(layers.Flatten()(x))


def _pixels(x, channels):
  return layers.Reshape((4, 2, channels))(layers.Dense(8 * channels)(x))


def _images(number=3):
  return tf.random.stateless_uniform([number, *SHAPE], [1, 2], -1., 1.)


def test_a_deterministic_encoder():
  encoder = networks.encoder(_features, SHAPE, 5)
  assert len(encoder.outputs) == 1
  assert encoder(_images()).shape == (3, 5)
  assert encoder.input_shape == (None, *SHAPE)


@pytest.mark.parametrize('initial_sigma', [None, 0.1, 1., 0.03])
def test_a_stochastic_encoder_starts_at_its_sigma(initial_sigma):
  settings = {} if initial_sigma is None else {'initial_sigma': initial_sigma}
  encoder = networks.encoder(_features, SHAPE, 5, log_variance=True, **settings)
  mean, log_variance = encoder(_images())
  assert mean.shape == log_variance.shape == (3, 5)
  kernel, bias = encoder.get_layer('log_variance').get_weights()
  np.testing.assert_allclose(np.exp(0.5 * bias), initial_sigma or 0.1, 1e-6)
  assert np.abs(kernel).max() > 0.
  np.testing.assert_array_equal(encoder.get_layer('latents').bias, np.zeros(5))


@pytest.mark.parametrize('initial_sigma', [1., 0.1, 100.])
def test_a_bounded_head_is_five_times_a_tanh(initial_sigma):
  """log sigma = 5 tanh(dense layer), which starts at its sigma."""
  net = networks.encoder(_features, SHAPE, 3, True, initial_sigma,
                         sigma_head='tanh')
  dense = net.get_layer('log_variance')
  kernel, bias = dense.get_weights()
  np.testing.assert_allclose(np.exp(5. * np.tanh(bias)), initial_sigma, 1e-5)
  dense.set_weights([0. * kernel, bias + 0.3])
  images = np.zeros((2, *SHAPE), np.float32)
  np.testing.assert_allclose(
      np.log(np.exp(0.5 * net(images)[1])), np.full(
          (2, 3), 5. * np.tanh(bias + 0.3)), rtol=1e-5)
  dense.set_weights([0. * kernel, 0. * bias + 1e3])
  np.testing.assert_allclose(net(images)[1], 10., rtol=1e-6)


def test_a_sigma_beyond_the_bounded_head_is_refused():
  with pytest.raises(ValueError, match='`encoder.initial_sigma = 200` is bey'):
    networks.encoder(_features, SHAPE, 3, True, 200., sigma_head='tanh')


def test_latents_with_batch_norm_have_no_scale_and_no_offset():
  encoder = networks.encoder(_features, SHAPE, 5, batch_norm_latents=True)
  # Two dense layers, of which the second has no offset either.
  assert [tuple(v.shape) for v in encoder.trainable_variables] == [
      (8, 6), (6,), (6, 5)]
  latents = encoder(10. * _images(20), training=True).numpy()
  np.testing.assert_allclose(latents.mean(0), 0., atol=1e-5)
  np.testing.assert_allclose(latents.std(0), 1., atol=1e-2)
  with pytest.raises(ValueError, match='not normalised: give '
                     '`batch_norm_latents=False`'):
    networks.encoder(_features, SHAPE, 5, True, batch_norm_latents=True)


def test_the_latents_kernel_may_have_a_spectral_norm_of_1():
  # Where the two largest singular values are near, the power method is slow.
  keras.utils.set_random_seed(0)
  encoder = networks.encoder(_features, SHAPE, 5, spectral_norm=True)
  head = encoder.layers[-1]
  assert isinstance(head, networks.SpectralNormalization)
  for _ in range(50):
    head.update()
  features = keras.Model(encoder.inputs, encoder.layers[-2].output)(_images())
  kernel = head.layer.kernel.numpy()
  np.testing.assert_allclose(
      encoder(_images()),
      features @ kernel / np.linalg.svd(kernel)[1].max(), 1e-4, 1e-5)


def test_both_heads_are_linear_in_the_features():
  encoder = networks.encoder(_features, SHAPE, 5, log_variance=True)
  for head in ('latents', 'log_variance'):
    assert encoder.get_layer(head).activation is keras.activations.linear
    assert encoder.get_layer(head).use_bias


@pytest.mark.parametrize('value_range', [(-1., 1.), (0., 1.), (0, 1), [-1, 1]])
def test_a_decoder_covers_its_range(value_range):
  decoder = networks.decoder(_pixels, SHAPE, 5, value_range)
  low, high = value_range
  made = decoder(50. * tf.random.stateless_normal([64, 5], [0, 1])).numpy()
  assert made.shape == (64, *SHAPE)
  assert made.min() == pytest.approx(low, abs=1e-3)
  assert made.max() == pytest.approx(high, abs=1e-3)
  assert kinds.value_range_of(decoder) == (low, high)


def test_a_decoder_is_tanh_by_default():
  decoder = networks.decoder(_pixels, SHAPE, 5)
  assert kinds.value_range_of(decoder) == (-1., 1.)


@pytest.mark.parametrize('value_range', [(0., 255.), (1., -1.), (0.,)])
def test_another_range_is_an_error(value_range):
  with pytest.raises(ValueError, match='value_range'):
    networks.decoder(_pixels, SHAPE, 5, value_range)


def test_a_net_for_another_shape_is_an_error():
  with pytest.raises(ValueError, match=r'\(4, 2, 1\).*\(8, 8, 1\)'):
    networks.decoder(_pixels, (8, 8, 1), 5)


def test_the_heads_stay_in_float32_under_a_mixed_policy():
  keras.config.set_dtype_policy('mixed_bfloat16')
  encoder = networks.encoder(_features, SHAPE, 5, log_variance=True)
  decoder = networks.decoder(_pixels, SHAPE, 5)
  assert encoder.layers[-1].compute_dtype == 'float32'
  assert any(layer.compute_dtype == 'bfloat16' for layer in encoder.layers)
  assert any(layer.compute_dtype == 'bfloat16' for layer in decoder.layers)
  mean, log_variance = encoder(_images())
  assert {t.dtype for t in (mean, log_variance, decoder(mean))} == {tf.float32}


@pytest.mark.parametrize('head', ['spectral_norm', 'equalised'])
def test_a_wrapped_head_stays_in_float32_under_a_mixed_policy(head):
  keras.config.set_dtype_policy('mixed_bfloat16')
  encoder = networks.encoder(_features, SHAPE, 5, **{head: True})
  assert encoder.outputs[0].dtype == 'float32'
  assert encoder(_images()).dtype == tf.float32
  assert any(layer.compute_dtype == 'bfloat16' for layer in encoder.layers)


def test_gin_builds_a_pair():
  gin.parse_config("""
      image_shape = (8, 8, 1)
      encoder.network = @conv_digits_encoder
      encoder.image_shape = %image_shape
      encoder.latent_dim = 4
      encoder.log_variance = True
      conv_digits_encoder.base_filters = 2
      decoder.network = @conv_digits_decoder
      decoder.image_shape = %image_shape
      decoder.latent_dim = 4
      conv_digits_decoder.base_filters = 2
  """)
  encoder = gin.get_configurable('encoder')()
  decoder = gin.get_configurable('decoder')()
  mean, log_variance = encoder(tf.zeros([2, 8, 8, 1]))
  assert mean.shape == log_variance.shape == (2, 4)
  assert decoder(mean).shape == (2, 8, 8, 1)

"""RAE, RAE-L2, RAE-GP, RAE-SN: what their gradients alone do not show."""
import keras
from keras import layers
import numpy as np
import pytest
import tensorflow as tf

from pgak import models
from pgak import networks
import tiny_models


def _conv_decoder():
  def network(x, channels):
    x = layers.Reshape((3, 2, 2))(layers.Dense(12)(x))
    x = layers.BatchNormalization()(x)
    return layers.Conv2DTranspose(channels, 3, padding='same')(x)
  return networks.decoder(network, tiny_models.IMAGE_SHAPE, 3)


@pytest.mark.parametrize('dense_kernels', [False, True])
def test_the_decay_is_of_conv_kernels_or_of_all_and_of_nothing_else(
    dense_kernels):
  model = models.RAEL2(tiny_models.encoder(), _conv_decoder(),
                       dense_kernels=dense_kernels)
  tiny_models.scatter(model)
  kernels = [layer.kernel.numpy() for layer in model.decoder.layers
             if isinstance(layer, layers.Conv2DTranspose)
             or dense_kernels and isinstance(layer, layers.Dense)]
  assert len(kernels) == 1 + dense_kernels
  found = model.terms(tf.constant(tiny_models.images()), {})['decoder_l2']
  assert float(found) == pytest.approx(
      sum(float((k**2).sum()) for k in kernels), rel=1e-5)


def test_a_decoder_without_a_kernel_to_decay_is_refused():
  with pytest.raises(ValueError, match='give `dense_kernels=True`'):
    models.RAEL2(tiny_models.encoder(), tiny_models.decoder())


def test_a_probe_is_right_on_average():
  """The mean over many probes is the exact penalty, within 4 errors."""
  probing = tiny_models.make('RAEGP')
  exact = tiny_models.make('RAEGP', variant='exact')
  x = tf.constant(tiny_models.images())
  expected = float(tf.reduce_mean(exact.terms(x, {})['gradient_penalty']))
  found = [float(tf.reduce_mean(probing.terms(
      x, probing.draw_noise(x, counter=i))['gradient_penalty']))
           for i in range(200)]
  assert np.mean(found) == pytest.approx(
      expected, abs=4. * np.std(found) / 200**0.5)
  assert 0. < np.std(found) < 0.5 * expected


def test_a_probe_is_of_signs():
  model = tiny_models.make('RAEGP')
  probe = model.draw_noise(tiny_models.images())['probe'].numpy()
  assert probe.shape == (7, *tiny_models.IMAGE_SHAPE)
  assert set(np.unique(probe)) == {-1., 1.}


def test_an_unknown_variant_is_named():
  with pytest.raises(ValueError, match="'jacobian'` must be .*'exact' or 'rel"):
    tiny_models.make('RAEGP', variant='jacobian')


def _normalised_model():
  def network(x, channels):
    x = networks.SpectralNormalization(layers.Dense(5))(x)
    x = networks.SpectralNormalization(layers.Dense(6 * channels))(
        layers.Activation('softplus')(x))
    return layers.Reshape((3, 2, channels))(x)
  keras.utils.set_random_seed(0)
  decoder = networks.decoder(network, tiny_models.IMAGE_SHAPE, 3)
  model = models.RAESN(tiny_models.encoder(), decoder)
  tiny_models.scatter(model)
  model.compile(tiny_models.sgd(model))
  return model


def _directions(model):
  return [layer.u.numpy() for layer in model.decoder.layers
          if isinstance(layer, networks.SpectralNormalization)]


def test_a_train_step_is_one_step_of_the_power_method():
  model = _normalised_model()
  layer = model.decoder.layers[1]
  matrix, u = layer.layer.kernel.numpy(), layer.u.numpy()
  model.train_step(tf.constant(tiny_models.images()))
  moved = matrix.T @ (matrix @ u)
  np.testing.assert_allclose(layer.u.numpy(), moved / np.linalg.norm(moved),
                             rtol=1e-4)
  before = _directions(model)
  model.test_step(tf.constant(tiny_models.images()))
  model.frozen('decoder', tf.ones([2, 3]))
  for after, value in zip(_directions(model), before):
    np.testing.assert_array_equal(after, value)


def test_a_frozen_normalised_part_gets_no_gradient():
  model = _normalised_model()
  latents = tf.ones([2, 3])
  with tf.GradientTape() as tape:
    tape.watch(latents)
    value = tf.reduce_sum(model.frozen('decoder', latents)**2)
  variables = [v.value for v in model.decoder.trainable_variables]
  of_latents, of_weights = tape.gradient(value, (latents, variables))
  assert np.abs(of_latents).max() > 0.
  assert all(g is None for g in of_weights)


def test_rae_sn_needs_a_normalised_decoder():
  with pytest.raises(ValueError, match='rae_decoder` with `spectral_norm=True'):
    models.RAESN(tiny_models.encoder(), tiny_models.decoder())


@pytest.mark.parametrize('name', ['RAE', 'RAEL2', 'RAEGP'])
def test_a_config_builds_the_same_model_again(name):
  model = tiny_models.make(name, latent_l2=0.25)
  again = type(model).from_config(model.get_config())
  assert again.term_weights == model.term_weights
  assert again.table.phases == model.table.phases


@pytest.mark.parametrize('name', ['RAE', 'RAEL2', 'RAEGP'])
def test_the_encoder_must_be_deterministic(name):
  with pytest.raises(ValueError, match=f'{name}.*log_variance=False'):
    getattr(models, name)(tiny_models.encoder(True), tiny_models.decoder())

"""Latents that are maps."""
import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

from pgak import models
from pgak import networks
from pgak import priors
from pgak import settings
from pgak.networks import heads


def nets(shape, latent_dim, log_variance=False, **chosen):
  chosen = {'base_filters': 2, **chosen}
  return (
      networks.encoder(functools.partial(networks.map_encoder, **chosen), shape,
                       latent_dim, log_variance),
      networks.decoder(functools.partial(networks.map_decoder,
                                         image_shape=shape, **chosen),
                       shape, latent_dim))


@pytest.mark.parametrize('shape, depth, latent_dim', [
    ((28, 28, 1), 2, 7 * 7 * 4), ((9, 6, 3), 1, 5 * 3 * 2), ((4, 4, 1), 0, 16)])
@pytest.mark.parametrize('batch_norm', [True, False])
def test_latents_are_flat_and_no_layer_is_dense(shape, depth, latent_dim,
                                                batch_norm):
  encoder, decoder = nets(shape, latent_dim, depth=depth, batch_norm=batch_norm)
  assert encoder.output_shape == (None, latent_dim)
  assert decoder.input_shape == (None, latent_dim)
  assert decoder.output_shape == (None, *shape)
  kinds = [type(x) for net in (encoder, decoder) for x in net.layers]
  assert keras.layers.Dense not in kinds
  assert (keras.layers.BatchNormalization in kinds) == batch_norm


def test_a_latent_has_the_place_of_its_pixels():
  # Without padding's influence: the places far from a change stay.
  encoder, _ = nets((28, 28, 1), 7 * 7 * 4, batch_norm=False)
  images = np.zeros([2, 28, 28, 1], np.float32)
  images[1, 27, 27] = 1.
  first, second = tf.reshape(encoder(images), [2, 7, 7, 4])
  moved = np.any(np.abs(second - first) > 1e-7, -1)
  assert moved[6, 6] and not moved[:4].any() and not moved[:, :4].any()


@pytest.mark.parametrize('name', ['VPGA', *(
    pytest.param(name, marks=[pytest.mark.slow, pytest.mark.exhaustive])
    for name in ('AE', 'RAE', 'VAE'))])
def test_models_train_on_maps(name):
  encoder, decoder = nets((8, 8, 1), 2 * 2 * 3, name in ('VAE', 'VPGA'))
  model = getattr(models, name)(encoder, decoder)
  model.compile(keras.optimizers.SGD(0.1))
  images = tf.random.stateless_uniform([6, 8, 8, 1], [0, 1], -1., 1.)
  before = encoder.get_weights()
  assert np.isfinite(float(model.train_step(images)['loss']))
  assert any(np.any(a != b) for a, b in zip(before, encoder.get_weights()))
  assert model.reconstruct(np.zeros([2, 8, 8, 1], np.uint8)).shape == (
      2, 8, 8, 1)
  model.prior = priors.Gaussian(12).fit(model.encode_mean(images).numpy())
  assert model.sample(3).shape == (3, 8, 8, 1)


def test_maps_stay_in_float32_under_a_mixed_policy():
  keras.config.set_dtype_policy('mixed_bfloat16')
  encoder, _ = nets((8, 8, 1), 2 * 2 * 3, log_variance=True)
  assert {t.dtype for t in encoder.outputs} == {'float32'}
  assert {t.dtype for t in encoder(np.zeros([2, 8, 8, 1], 'f'))} == {tf.float32}


@pytest.mark.parametrize('latent_dim', [48, 50])
def test_latents_that_do_not_fill_the_map_are_refused(latent_dim):
  for net in (0, 1):
    with pytest.raises(settings.SettingError,
                       match='does not fill a map of 7 x 7 places: choose a '
                       'multiple of 49, such as 196'):
      _ = (functools.partial(networks.encoder, networks.map_encoder),
           functools.partial(networks.decoder, functools.partial(
               networks.map_decoder, image_shape=(28, 28, 1))))[net](
                   (28, 28, 1), latent_dim)
  assert heads.map_channels(98, (7, 7)) == 2

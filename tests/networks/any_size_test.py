"""Nets for every size: shapes, exact output, depth, one step at odd shapes."""
import functools

import keras
from keras import layers
import numpy as np
import pytest
import tensorflow as tf

from pgak import models
from pgak import networks
from pgak import optimizers
from pgak import settings
from pgak.networks import any_size

FAMILIES = {
    'conv': (networks.conv_encoder, networks.conv_decoder),
    'residual': (networks.residual_encoder, networks.residual_decoder),
}


def _nets(family, shape, latent_dim=3, **chosen):
  encode, decode = FAMILIES[family]
  chosen = {'base_filters': 1, **chosen}
  return (
      networks.encoder(functools.partial(encode, **chosen), shape, latent_dim),
      networks.decoder(functools.partial(decode, image_shape=shape, **chosen),
                       shape, latent_dim))


@pytest.mark.parametrize('size, expected', [
    ((48, 64), [(48, 64), (24, 32), (12, 16), (6, 8), (3, 4)]),
    ((33, 57), [(33, 57), (17, 29), (9, 15), (5, 8)]),
    ((4, 256), [(4, 256)]),
    ((16, 16), [(16, 16), (8, 8), (4, 4)]),
])
def test_sizes_are_halved_and_rounded_up(size, expected):
  assert any_size.sizes(*size) == expected


def test_the_smallest_side_is_of_3_to_5_pixels():
  for side in range(6, 257):
    assert 3 <= min(any_size.sizes(side, 256)[-1]) <= 5
  assert any_size.sizes(9, 7, depth=1) == [(9, 7), (5, 4)]


@pytest.mark.parametrize('family', FAMILIES)
@pytest.mark.parametrize('shape', [
    (4, 4, 1), (5, 16, 3), (28, 28, 1), (33, 57, 2), (48, 64, 5),
    pytest.param((256, 16, 3), marks=pytest.mark.slow),
    pytest.param((255, 129, 1), marks=pytest.mark.slow),
    pytest.param((256, 256, 3), marks=pytest.mark.slow)])
def test_the_decoder_reaches_the_size_of_the_images(family, shape):
  encoder, decoder = _nets(family, shape)
  assert encoder.input_shape == (None, *shape)
  assert encoder.output_shape == (None, 3)
  assert decoder.output_shape == (None, *shape)


@pytest.mark.parametrize('family', FAMILIES)
def test_what_is_computed_has_the_size_that_was_declared(family):
  keras.utils.set_random_seed(0)
  encoder, decoder = _nets(family, (7, 11, 2))
  images = decoder(np.ones((2, 3), np.float32))
  assert images.shape == (2, 7, 11, 2) and encoder(images).shape == (2, 3)
  # No pixel is padding: each answers to the latents.
  moved = decoder(-np.ones((2, 3), np.float32))
  assert np.all(np.abs(images - moved).max(-1) > 0.)


def test_filters_double_up_to_eight_times():
  encoder, decoder = _nets('conv', (192, 192, 3), base_filters=2)
  convs = [layer.filters for net in (encoder, decoder) for layer in net.layers
           if isinstance(layer, layers.Conv2D | layers.Conv2DTranspose)]
  # 192, 96, 48, 24, 12, 6 and 3 pixels.
  assert convs == [2, 4, 8, 16, 16, 16, 16] + [16, 16, 16, 8, 4, 2, 3]


@pytest.mark.parametrize('family', FAMILIES)
def test_batch_norm_and_spectral_norm_as_asked(family):
  def kinds(**chosen):
    return {type(layer) for net in _nets(family, (9, 9, 1), **chosen)
            for layer in net.layers}
  norm = layers.BatchNormalization
  assert norm in kinds() and norm not in kinds(batch_norm=False)
  for net in _nets(family, (9, 9, 1), spectral_norm=True):
    bare = [layer for layer in net.layers if hasattr(layer, 'kernel')
            and layer.name != 'latents']
    assert not bare


@pytest.mark.parametrize('family', FAMILIES)
def test_they_can_be_saved(family, tmp_path):
  _, decoder = _nets(family, (6, 9, 1))
  decoder.save(tmp_path / 'decoder.keras')
  loaded = keras.models.load_model(tmp_path / 'decoder.keras')
  latents = np.ones((2, 3), np.float32)
  np.testing.assert_allclose(loaded(latents), decoder(latents), atol=1e-6)


@pytest.mark.parametrize('family, shape', [
    ('conv', (17, 9, 2)),
    pytest.param('residual', (6, 21, 1), marks=pytest.mark.slow),
    pytest.param('conv', (35, 50, 3), marks=pytest.mark.slow)])
def test_a_training_step_moves_all_parts(family, shape):
  model = models.AE(*_nets(family, shape))
  model.compile({part: optimizers.adam(1e-2) for part in model.parts})
  before = [v.numpy() for v in model.trainable_variables]
  images = np.random.default_rng(0).uniform(-1., 1., (3, *shape))
  logs = model.train_step(tf.constant(images, tf.float32))
  assert np.isfinite(float(logs['loss']))
  moved = [np.any(v.numpy() != b)
           for v, b in zip(model.trainable_variables, before)]
  assert np.mean(moved) > 0.9


def test_vectors_are_refused_and_the_right_nets_named():
  with pytest.raises(settings.SettingError, match='networks/mlp.gin for vec'):
    networks.encoder(networks.conv_encoder, (3,), 2)


def test_a_wrong_size_is_told_of_nets_for_any():
  decode = functools.partial(networks.conv_decoder, image_shape=(8, 8, 1))
  with pytest.raises(settings.SettingError, match='networks/conv.gin'):
    networks.decoder(decode, (9, 9, 1), 2)

"""Keras's `compile` and `fit` where a user does what a run never does."""
import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny_models

from pgak import errors
from pgak import models
from pgak import networks

IMAGES = tiny_models.images(9)


def fit(model, images=IMAGES, **options):
  return model.fit(images, batch_size=4, shuffle=False, verbose=0, **options)


@pytest.mark.parametrize('name, settings', [
    ('SNGAN', dict(critic_steps=5)), ('PGGAN', dict(critic_steps=3)),
    ('AGE', {}), ('WAEMMD', {}), ('InfoVAE', {})])
@pytest.mark.filterwarnings('ignore:.*share of the run')
def test_a_last_batch_of_one_example_leaves_weights_finite(name, settings):
  model = tiny_models.compiled(name, 1e-3, batch_norm=True, **settings)
  fit(model)
  for variable in model.variables:
    assert np.all(np.isfinite(variable.numpy())), variable.path
  assert model.fault() is None


@pytest.mark.parametrize('attribute', ['image_error', 'polishing_error'])
def test_compile_gives_the_error_the_range(attribute):
  found, expected = networks.HuberError(), networks.HuberError()
  expected.value_range = (-1., 1.)
  values = []
  for error in (networks.MixedError((found, networks.SquaredError())),
                networks.MixedError((expected, networks.SquaredError()))):
    model = tiny_models.make('AE')
    setattr(model, attribute, error)
    model.compile('sgd')
    # The difference shows where errors are larger than delta.
    values.append(error(tf.constant(IMAGES), tf.zeros_like(IMAGES)))
  assert found.value_range == (-1., 1.)
  np.testing.assert_array_equal(*values)


@pytest.mark.parametrize('name', ['ALAE', 'PGGAN', 'SNGAN'])
def test_an_error_of_images_that_no_term_reads_is_told(name):
  model = tiny_models.make(name)
  model.image_error = networks.HuberError()
  with pytest.warns(UserWarning, match=f'{name} compares images'):
    model.compile('sgd')


@pytest.mark.parametrize('given', ['dataset', 'generator'])
def test_float64_is_taken(given):
  wide = IMAGES.astype(np.float64)
  data = (tf.data.Dataset.from_tensor_slices(wide).batch(3)
          if given == 'dataset' else ((wide[i:i + 3],) for i in (0, 3, 6)))
  history = []
  for x in (data, IMAGES):
    model = tiny_models.compiled('AE')
    history.append(model.fit(x, batch_size=3, shuffle=False,
                             verbose=0).history['loss'])
  np.testing.assert_allclose(*history, rtol=1e-6)


def test_a_decoder_in_16_bits_is_refused():
  keras.config.set_dtype_policy('mixed_bfloat16')
  latents = keras.Input((tiny_models.LATENT_DIM,))
  pixels = keras.layers.Dense(6, 'tanh')(latents)
  decoder = keras.Model(latents, keras.layers.Reshape((3, 2, 1))(pixels))
  model = models.AE(tiny_models.encoder(), decoder, value_range=(-1., 1.))
  with pytest.raises(errors.UserError, match='dtype="float32"'):
    model.compile('sgd')


def test_a_part_is_frozen_by_keras():
  model = tiny_models.make('AE')
  model.encoder.trainable = False
  model.compile('sgd')
  before = {p: net.get_weights() for p, net in model.parts.items()}
  fit(model)
  same = {p: all(map(np.array_equal, before[p], net.get_weights()))
          for p, net in model.parts.items()}
  assert same == {'encoder': True, 'decoder': False}


def test_fit_warns_of_stages():
  model = tiny_models.compiled('GMMN', autoencoder_steps=2)
  with pytest.warns(UserWarning, match='enter_stage'):
    fit(model)
  for stage in (0, 1):
    model.enter_stage(stage)
    fit(model)


@pytest.mark.parametrize('name', ['FPVAE'])
def test_fit_warns_of_shares_of_the_run(name):
  model = tiny_models.compiled(name)
  with pytest.warns(UserWarning, match='run_steps'):
    fit(model)
  model.compile('sgd', run_steps=3)
  fit(model)
  # Nothing is annealed.
  fit(tiny_models.compiled(name, beta=0.))


def test_an_argument_that_no_file_can_hold_is_named(tmp_path):

  @keras.saving.register_keras_serializable('edges')
  class Mine(models.AE):

    def __init__(self, encoder, decoder, forgotten=1., reconstruction=2.):
      super(models.AE, self).__init__(
          encoder, decoder, {'reconstruction': reconstruction})

  model = Mine(tiny_models.encoder(), tiny_models.decoder())
  with pytest.raises(errors.UserError, match='`forgotten`'):
    model.get_config()
  model.forgotten = 1.
  assert model.get_config()['reconstruction'] == 2.

"""Keras's habit: compile, fit, evaluate, predict, summary, export."""
import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny_models
import tiny_pairs

import pgak
from pgak import errors
from pgak import models

OPTIMIZERS = {
    'name': lambda: 'adam',
    'optimizer': lambda: keras.optimizers.Adam(1e-2, beta_1=0.5),
    'configuration': lambda: keras.optimizers.serialize(
        keras.optimizers.SGD(0.5)),
}


def _images(number=8):
  return np.random.default_rng(0).integers(
      0, 256, (number, *tiny_models.IMAGE_SHAPE), np.uint8)


def _fit(model, *args, **kwargs):
  return model.fit(*args, batch_size=4, shuffle=False, verbose=0, **kwargs)


def _model(name='VAE', **options):
  model = tiny_models.make(name)
  model.compile('adam', run_eagerly=True, **options)
  return model


# === compile ===


@pytest.mark.parametrize('given', OPTIMIZERS)
def test_one_optimizer_is_copied_for_each_part(given):
  optimizer = OPTIMIZERS[given]()
  model = tiny_models.make('AAE')
  model.compile(optimizer=optimizer)
  assert list(model.optimizers) == ['encoder', 'decoder', 'critic']
  wanted = keras.optimizers.get(optimizer).get_config()
  for part, own in model.optimizers.items():
    assert own is not optimizer
    assert own.get_config() == wanted | {'name': part}
    assert own._trainable_variables == model.parts[part].trainable_variables


def test_compile_alone_is_adam():
  model = tiny_models.make('AE')
  model.compile()
  assert [type(o) for o in model.optimizer.optimizers] == [
      keras.optimizers.Adam] * 2


def test_a_dictionary_by_part_stays():
  model = tiny_models.make('AE')
  own = {'encoder': keras.optimizers.SGD(0.5), 'decoder': 'adam'}
  model.compile(own)
  assert model.optimizers['encoder'] is own['encoder']
  assert isinstance(model.optimizers['decoder'], keras.optimizers.Adam)
  one = keras.optimizers.SGD(0.5)
  with pytest.raises(errors.UserError, match='one optimizer'):
    model.compile({'encoder': one, 'decoder': one})


@pytest.mark.parametrize('refused', [
    {'loss': 'mse'}, {'metrics': ['mae']}, {'loss_weights': [1.]},
    {'weighted_metrics': ['mae']}])
def test_what_is_keras_own_is_refused(refused):
  name, = refused
  with pytest.raises(errors.UserError, match=f'VAE takes no `{name}`.*kl'):
    tiny_models.make('VAE').compile('adam', **refused)


def test_an_unknown_optimizer_is_a_sentence():
  with pytest.raises(errors.UserError, match="the optimizer 'adm'"):
    tiny_models.make('VAE').compile('adm')


def test_the_optimizer_shows_those_of_the_parts():
  model = tiny_models.make('AE')
  model.compile({'encoder': keras.optimizers.SGD(0.5),
                 'decoder': keras.optimizers.SGD(0.25)})
  shown = model.optimizer
  assert shown.built and shown.iterations is model.step
  assert len(shown.variables) == 4  # An iteration and a rate of each.
  assert not isinstance(shown, keras.optimizers.Optimizer)
  assert float(shown.learning_rate) == 0.5
  shown.learning_rate = 0.1
  assert [float(o.learning_rate) for o in shown.optimizers] == pytest.approx(
      [0.1, 0.05])


# === What fit takes ===


def _same_weights(model, other):
  for ours, theirs in zip(model.variables, other.variables, strict=True):
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-5,
                               atol=1e-6)


def _dataset(*arrays):
  return tf.data.Dataset.from_tensor_slices(arrays).batch(4)


class _Batches(keras.utils.PyDataset):
  """Images with labels, as Keras's users have them."""

  def __len__(self):
    return 2

  def __getitem__(self, index):
    return _images()[4 * index:4 * index + 4], np.arange(4)


FORMS = {
    'uint8': lambda u, x: (u,),
    'floats': lambda u, x: (x,),
    'targets': lambda u, x: (x, x),
    'uint8_and_floats': lambda u, x: (u, x),
    'labels': lambda u, x: (u, np.arange(8)),
    'dataset': lambda u, x: (_dataset(u, np.eye(8, dtype=np.float32)),),
    'several_labels': lambda u, x: (u, [np.arange(8), np.eye(8)]),
    'named_labels': lambda u, x: (u, {'a': np.arange(8), 'b': x}),
    'dataset_of_named_labels': lambda u, x: (
        _dataset(u, {'a': np.arange(8), 'b': x}),),
    'dataset_of_shapeless_labels': lambda u, x: (_dataset(u, x).map(
        lambda a, b: (a, tf.numpy_function(lambda c: c, [b], tf.float32))),),
    'dataset_of_targets': lambda u, x: (_dataset(x, x),),
    'py_dataset': lambda u, x: (_Batches(),),
}


@pytest.fixture(scope='module', name='expected')
def fixture_expected():
  model = _model()
  _fit(model, _images())
  return model


@pytest.mark.parametrize('form', FORMS)
def test_fit_takes_what_keras_users_have(form, expected):
  model, images = _model(), _images()
  floats = images / np.float32(127.5) - 1.
  x, *y = FORMS[form](images, floats)
  batch_size = 4 if isinstance(x, np.ndarray) else None
  model.fit(x, *y, batch_size=batch_size, shuffle=False, verbose=0)
  _same_weights(model, expected)


@pytest.mark.slow
def test_validation_data_and_evaluate():
  model, images = _model(), _images()
  forms = (images, (images, np.arange(8)), (images, images),
           _dataset(images, np.arange(8)))
  found = [_fit(_model(), images, validation_data=given).history['val_loss']
           for given in forms]
  assert found == [pytest.approx(found[0])] * 4
  named = model.evaluate(images, images, batch_size=4, verbose=0,
                         return_dict=True)
  assert named.keys() == {'loss', 'reconstruction', 'kl'}
  assert model.evaluate(images, batch_size=4, verbose=0) == pytest.approx(
      [named['loss'], named['reconstruction'], named['kl']])


@pytest.mark.parametrize('refused, words', [
    (dict(sample_weight=np.ones(8)), 'no `sample_weight`'),
    (dict(class_weight={0: 1.}), 'no `class_weight`'),
    (dict(y=255 - _images()), 'other targets than the examples')])
def test_what_no_term_reads_is_refused(refused, words):
  with pytest.raises(errors.UserError, match=words):
    _fit(_model(), _images(), **refused)


def test_what_no_term_reads_is_refused_in_a_dataset():
  images = _images()
  with pytest.raises(errors.UserError, match='no `sample_weight`'):
    _model().fit(_dataset(images, images, np.ones(8)), verbose=0)
  with pytest.raises(errors.UserError, match='other targets than the examples'):
    _model().fit(_dataset(images, 255 - images), verbose=0)


# === What comes out ===


@pytest.mark.parametrize('name', ['VAE', 'AGE'])
def test_a_model_returns_reconstructions(name):
  model, images = _model(name), _images()
  made = model.predict(images, verbose=0)
  assert made.dtype == np.float32 and made.shape == images.shape
  low, high = model.value_range
  assert low <= made.min() and made.max() <= high
  np.testing.assert_array_equal(model.kind.to_users(made),
                                model.reconstruct(images))
  np.testing.assert_allclose(model(images), made, atol=1e-6)
  np.testing.assert_allclose(
      model.predict(_dataset(images, np.arange(8)), verbose=0), made, atol=1e-6)
  for call in (model, model.predict):
    with pytest.raises(errors.UserError, match=r'floats in \[-1, 1\]'):
      call(images.astype(np.float32))


@pytest.mark.slow
def test_a_conditional_model_takes_images_and_conditions():
  model = tiny_pairs.compiled('VUNet', compile_options=dict(
      run_eagerly=True, run_steps=4))
  pairs = {name: x.numpy() for name, x in tiny_pairs.batch().items()}
  both = pairs['images'], pairs['conditions']
  made = model.predict(both, verbose=0)
  for given in (both, list(both), pairs):
    np.testing.assert_allclose(model(given), made, atol=1e-6)
  for given in ((both,), (pairs,), both):
    model.fit(*given, verbose=0, validation_data=both)
  model.fit(_dataset(*both), verbose=0, validation_data=_dataset(*both))
  assert int(model.step) == 4


def test_a_gan_says_that_it_encodes_nothing():
  model = tiny_models.make('SNGAN')
  for call in (model, model.predict):
    with pytest.raises(errors.UserError, match='sn_gan has no encoder'):
      call(_images())


def test_the_summary_has_all_parts():
  lines = []
  tiny_models.make('FPVAE').summary(print_fn=lines.append)
  text = '\n'.join(map(str, lines))
  assert all(f'{part} (' in text
             for part in ('encoder', 'decoder', 'learned_real_nvp'))


def test_export_is_that_of_all_signatures(monkeypatch, tmp_path):
  model, called = tiny_models.make('AE'), []
  monkeypatch.setattr(pgak, 'export_model', lambda *a, **k: called.append(
      (a, k)), raising=False)
  model.export(tmp_path, verified=False)
  assert called == [((model, tmp_path), {'verified': False})]
  monkeypatch.setattr(type(model.decoder), 'export', lambda *a, **k:
                      called.append((a, k)))
  model.export(tmp_path, format='onnx')
  assert called[1] == ((model.decoder, tmp_path), {'format': 'onnx'})


@pytest.mark.slow
def test_export_writes_both(tmp_path):
  model = tiny_models.make('AE')
  written = model.export(tmp_path / 'served', verified=False)
  loaded = tf.saved_model.load(str(written))
  assert {'encode', 'generate', 'reconstruct'} <= set(loaded.signatures)
  model.export(str(tmp_path / 'decoder'), format='tf_saved_model')
  assert (tmp_path / 'decoder' / 'saved_model.pb').exists()


# === The value range ===


def _reshaping():
  latents = keras.Input((tiny_models.LATENT_DIM,))
  return keras.Model(latents, keras.layers.Reshape(tiny_models.IMAGE_SHAPE)(
      keras.layers.Dense(6, 'sigmoid')(latents)))


def test_a_range_that_nobody_knows_is_refused_at_once():
  encoder = tiny_models.encoder()
  with pytest.raises(errors.UserError, match='AE ends in Reshape.*value_range'):
    models.AE(encoder, _reshaping())
  with pytest.raises(errors.UserError, match=r'must be \(low, high\)'):
    models.AE(encoder, _reshaping(), value_range=(1., 0.))
  model = models.AE(encoder, _reshaping(), value_range=(0., 1.))
  assert model.value_range == model.kind.value_range == (0., 1.)
  assert models.AE(encoder, tiny_models.decoder()).value_range == (-1., 1.)

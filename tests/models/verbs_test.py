"""pgak's own verbs take uint8, or floats whose range is said; Keras's both."""
import re
import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny_models
import tiny_pairs

from pgak import data
from pgak import errors
from pgak import models
from pgak.models import keras_data

UINT8 = np.random.default_rng(0).integers(
    0, 256, (6, *tiny_models.IMAGE_SHAPE), np.uint8)
UNIT = (UINT8 / 255.).astype(np.float32)
SIGNED = (UINT8 / 127.5 - 1.).astype(np.float32)


@pytest.fixture(name='model')
def _model():
  return tiny_models.compiled('VAE', learning_rate=0.1)


VERBS = {
    'encode': lambda model, x, **k: model.encode(x, **k),
    'reconstruct': lambda model, x, **k: model.reconstruct(x, **k),
    'interpolate': lambda model, x, **k: model.interpolate(x, x, 3, **k),
}


@pytest.mark.parametrize('verb', VERBS)
@pytest.mark.parametrize('images, remedy', [
    (UNIT, "value_range=(0, 1) if that is black and white, or "
           "(255 * images).round().astype('uint8')"),
    (SIGNED, "value_range=(-1, 1) if that is black and white, or "
             "(127.5 * (images + 1)).round().astype('uint8')"),
    (UINT8.astype(np.float32), "images.round().astype('uint8')"),
    (UINT8.astype(np.int64), "images.round().astype('uint8')"),
    (SIGNED * 300., 'give value_range=(low, high)'),
])
def test_other_images_than_uint8_are_refused(model, verb, images, remedy):
  with pytest.raises(errors.UserError) as error:
    VERBS[verb](model, images)
  assert str(error.value).startswith(f'`{verb}` takes uint8 images, and these '
                                     f'are {images.dtype}')
  assert remedy in str(error.value) and '\n' not in str(error.value)


@pytest.mark.parametrize('verb', VERBS)
@pytest.mark.parametrize('images, value_range', [
    (UNIT, (0., 1.)), (SIGNED, (-1, 1)), (UINT8.astype(np.float64), (0, 255)),
    (tf.constant(UNIT), (0, 1))])
def test_floats_are_taken_with_their_range(model, verb, images, value_range):
  expected = np.asarray(VERBS[verb](model, UINT8), np.float32)
  found = np.asarray(VERBS[verb](model, images, value_range=value_range),
                     np.float32)
  # A level that lies between two is rounded one way or the other.
  np.testing.assert_allclose(found, expected,
                             atol=1e-5 if verb == 'encode' else 1.)


def test_floats_outside_their_range_are_refused(model):
  with pytest.raises(errors.UserError, match='they lie in .4, 248.'):
    model.encode(UINT8.astype(np.float32), value_range=(0, 1))
  with pytest.raises(errors.UserError, match='value_range = .0, 1.'):
    model.encode(SIGNED, value_range=(0, 1))
  with pytest.raises(errors.UserError):
    model.encode(UNIT * np.nan, value_range=(0, 1))
  model.encode(UNIT * 1.001, value_range=(0, 1))  # Rounding is no mistake.


def test_a_graph_refuses_by_the_type_alone(model):
  with pytest.raises(errors.UserError, match='encode'):
    tf.function(model.encode)(tf.constant(UNIT))
  found = tf.function(lambda x: model.encode(x, (0., 1.)))(tf.constant(UNIT))
  np.testing.assert_allclose(found, model.encode(UINT8), atol=1e-5)


def test_grey_levels_go_to_the_model_s_range():
  model = tiny_models.compiled('AE')
  np.testing.assert_allclose(
      model.to_model(UINT8), UINT8 / 127.5 - 1., atol=1e-6)


def test_lines_and_arcs(model):
  start, end = UINT8[:3], UINT8[3:]
  a, b = (np.asarray(model.encode(x), np.float64) for x in (start, end))
  angle = np.arccos(np.sum(a * b, 1) / np.linalg.norm(a, axis=1)
                    / np.linalg.norm(b, axis=1))[:, None]
  for spherical in (False, True):
    found = model.interpolate(start, end, 5, spherical).numpy().astype(int)
    assert found.shape == (3, 5, *tiny_models.IMAGE_SHAPE)
    for i, t in enumerate(np.linspace(0., 1., 5)):
      latents = (1. - t) * a + t * b
      if spherical:
        latents = (np.sin((1. - t) * angle) * a
                   + np.sin(t * angle) * b) / np.sin(angle)
      expected = model.decode(latents.astype(np.float32)).numpy().astype(int)
      assert np.abs(found[:, i] - expected).max() <= 1
  assert np.any(model.interpolate(start, end, 5, True)
                != model.interpolate(start, end, 5))
  # From a point to itself, and from 0, there is no arc.
  same = model.interpolate(start, start, 3, True).numpy().astype(int)
  assert np.abs(same - model.reconstruct(start).numpy()[:, None]).max() <= 1


def test_what_cannot_be_interpolated(model):
  with pytest.raises(errors.UserError, match='as many starts as ends'):
    model.interpolate(UINT8[:3], UINT8[:2], 4)


# === Numbers, and batches of nothing ===


@pytest.fixture(name='any_model', params=['images', 'convolutions', 'vectors'])
def _any_model(request):
  if request.param == 'vectors':
    return tiny_models.of_vectors()
  if request.param == 'images':
    return tiny_models.compiled('VAE')
  images, latents = keras.Input((8, 8, 1)), keras.Input((3,))
  encoded = keras.layers.Conv2D(2, 3, strides=4)(images)
  encoded = keras.layers.Dense(3)(keras.layers.Flatten()(encoded))
  decoded = keras.layers.Reshape((8, 8, 2))(keras.layers.Dense(128)(latents))
  decoded = keras.layers.Conv2D(1, 3, padding='same', activation='tanh')(
      decoded)
  return models.AE(keras.Model(images, encoded), keras.Model(latents, decoded))


def dtype_of(model):
  return np.dtype(model.kind.dtype)


@pytest.mark.parametrize('n, sentence', [
    (-1, r'`n` must be 0 to {most}, but is -1\.$'),
    (2**40, r'`n` must be 0 to {most}, but is 1099511627776\.$'),
    (np.int64(-7), r'`n` must be 0 to {most}, but is -7\.$'),
    (1.5, r'`n` must be a whole number, not 1\.5\.$'),
    (2., r'`n` must be a whole number, not 2\.0\.$'),
    (True, r'`n` must be a whole number, not True\.$'),
    ('3', r"`n` must be a whole number, not '3'\.$"),
    (None, r'`n` must be a whole number, not None\.$'),
    ([3], r'`n` must be a whole number, not \[3\]\.$')])
def test_a_number_of_samples_that_is_none(any_model, n, sentence):
  # 2^31 / (8 x 8) numbers; the smaller ones are bounded by themselves.
  most = 33554431 if any_model.image_shape == (8, 8, 1) else 10**8
  with pytest.raises(errors.UserError, match=sentence.format(most=most)):
    any_model.sample(n)


def test_any_integer_is_a_number_of_samples(model):
  expected = model.sample(3)
  for n in (np.int32(3), np.array(3), tf.constant(3), tf.constant(3, tf.int64)):
    np.testing.assert_array_equal(model.sample(n), expected)


@pytest.mark.parametrize('steps, sentence', [
    (0, '`steps` must be 2 to .*, but is 0.$'), (1, 'but is 1.$'),
    (-4, 'but is -4.$'), (10**9, 'but is 1000000000.$'),
    (2.5, '`steps` must be a whole number, not 2.5.$')])
@pytest.mark.parametrize('number', [0, 2])
def test_a_number_of_steps_that_is_none(any_model, number, steps, sentence):
  ends = np.zeros([number, *any_model.image_shape], dtype_of(any_model))
  with pytest.raises(errors.UserError, match=sentence):
    any_model.interpolate(ends, ends, steps)


def test_nothing_gives_nothing(any_model):
  shape, dtype = any_model.image_shape, dtype_of(any_model)
  none = np.zeros([0, *shape], dtype)
  latents = any_model.encode(none)
  assert latents.shape == (0, any_model.latent_dim)
  assert latents.dtype == tf.float32
  for made in (any_model.decode(latents), any_model.decode(latents.numpy()),
               any_model.reconstruct(none), any_model.sample(0)):
    assert made.shape == (0, *shape) and made.dtype == dtype
  for spherical in (False, True):
    lines = any_model.interpolate(none, none, 4, spherical)
    assert lines.shape == (0, 4, *shape) and lines.dtype == dtype


def test_no_floats_give_nothing(model):
  none = np.zeros([0, *tiny_models.IMAGE_SHAPE], np.float32)
  assert model.encode(none, (0, 1)).shape == (0, 3)


@pytest.mark.parametrize('value', [np.nan, np.inf, -np.inf])
def test_what_is_no_number_is_no_picture(any_model, value):
  latents = np.zeros([4, any_model.latent_dim], np.float32)
  latents[1, 0] = latents[3, 1] = value
  with pytest.raises(errors.UserError, match='`latents` must be finite, but '
                     'so many rows hold NaN or infinity: 2.$'):
    any_model.decode(latents)


def test_what_is_no_number_is_no_vector():
  model = tiny_models.of_vectors()
  points = np.zeros([3, 2], np.float32)
  points[1, 1] = np.nan
  for verb in (model.encode, model.reconstruct,
               lambda x: model.interpolate(x, x, 3)):
    with pytest.raises(errors.UserError, match='`examples` must be finite'):
      verb(points)


@pytest.mark.parametrize('shape', [[3], [2, 2], [2, 4], [2, 3, 1], []])
def test_latents_of_another_shape(model, shape):
  with pytest.raises(errors.UserError, match=re.escape(
      f'of the shape [B, 3], and these have {shape}.')):
    model.decode(np.zeros(shape, np.float32))


def test_pairs_of_nothing_and_of_unequal_numbers():
  model = tiny_pairs.compiled('VUNet')
  some = np.zeros([2, 8, 8, 1], np.uint8)
  none, latents = some[:0], np.zeros([2, model.latent_dim], np.float32)
  assert model.encode(none, none).shape == (0, model.latent_dim)
  for made in (model.reconstruct(none, none), model.sample(none),
               model.decode(latents[:0], none)):
    assert made.shape == (0, 8, 8, 1) and made.dtype == tf.uint8
  for call in (lambda: model.encode(some, some[:1]),
               lambda: model.reconstruct(some, some[:1]),
               lambda: model.decode(latents, some[:1])):
    with pytest.raises(errors.UserError, match='must be equally many, but are '
                       '2 and 1.$'):
      call()
  with pytest.raises(errors.UserError, match='`latents` must be finite'):
    model.decode(latents * np.nan, some)
  for number in (4, -1, 1.5, True):
    with pytest.raises(errors.UserError, match='here are none'):
      model.sample(number)


def test_pairs_are_taken_likewise():
  model = tiny_pairs.compiled('VUNetFlow')
  images = np.random.default_rng(1).integers(0, 256, (2, 8, 8, 1), np.uint8)
  expected = model.encode(images, images)
  np.testing.assert_allclose(
      model.encode(images / 255., images / 255., (0, 1)), expected, atol=1e-4)
  for given in ((images / 255., images), (images, images / 255.)):
    with pytest.raises(errors.UserError, match='takes uint8 images'):
      model.encode(*given)
  with pytest.raises(errors.UserError, match='makes images given conditions'):
    model.interpolate(images, images, 3)


# === Labels that the prior is given ===


class Labelled:
  """A prior whose draws are their labels."""

  name = label = 'labelled'
  can = {'condition'}

  def sample(self, n, seed=0, given=None):
    del seed
    return tf.zeros([n, 3]) if given is None else tf.cast(
        tf.stack([given] * 3, 1), tf.float32)


def test_a_prior_that_knows_labels_is_given_them():
  model = tiny_models.make('AE')
  with pytest.raises(errors.UserError, match='--prior=flow_matching'):
    model.sample(2, given=[1, 2])
  model.prior = Labelled()
  np.testing.assert_array_equal(
      model.sample(None, given=[1, 2]),
      model.decode(np.array([[1., 1., 1.], [2., 2., 2.]], np.float32)))
  assert model.sample(2).shape == (2, *tiny_models.IMAGE_SHAPE)
  # The decoder takes none.
  with pytest.raises(errors.UserError, match='`decode` with conditions'):
    model.decode(np.zeros([2, 3], np.float32), [1, 2])
  with pytest.raises(errors.UserError, match='`n` must be 0 to'):
    model.sample(-1)


# === Keras's verbs ===


def weights_after(x, **settings):
  model = tiny_models.compiled('VAE', learning_rate=0.1)
  model.fit(x, epochs=2, shuffle=False, verbose=0, **settings)
  return tiny_models.values(model.decoder)


def batched(x):
  return tf.data.Dataset.from_tensor_slices(x).batch(3)


def test_fit_takes_uint8_and_floats_of_the_model_s_range():
  expected = weights_after(SIGNED, batch_size=3)
  for found in (weights_after(UINT8, batch_size=3),
                weights_after(batched(UINT8)), weights_after(batched(SIGNED))):
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_validation_and_evaluate_take_both(model):
  model.fit(UINT8, validation_data=SIGNED, verbose=0)
  losses = [model.evaluate(x, verbose=0, batch_size=3, return_dict=True)
            for x in (UINT8, SIGNED)]
  losses += [model.evaluate(batched(x), verbose=0, return_dict=True)
             for x in (UINT8, SIGNED)]
  for found in losses:
    assert found['loss'] == pytest.approx(losses[0]['loss'], rel=1e-5)


@pytest.mark.parametrize('make', [lambda x: x, batched, lambda x: batched(
    tf.constant(x)).repeat()], ids=['array', 'dataset', 'endless'])
def test_floats_outside_the_range_are_refused_by_keras_s_verbs(model, make):
  before = tiny_models.values(model.decoder)
  wrong = make(UINT8.astype(np.float32))
  with pytest.raises(errors.UserError) as error:
    model.fit(wrong, verbose=0, steps_per_epoch=2)
  assert str(error.value).startswith(
      '`fit` takes uint8 images, or floats in [-1, 1]')
  np.testing.assert_array_equal(tiny_models.values(model.decoder), before)
  with pytest.raises(errors.UserError, match='`evaluate` takes'):
    model.evaluate(wrong, verbose=0, steps=2)
  with pytest.raises(errors.UserError, match='`fit` takes'):
    model.fit(UINT8, validation_data=wrong, verbose=0, validation_steps=1)


def test_nan_is_outside_every_range(model):
  with pytest.raises(errors.UserError):
    model.fit(SIGNED * np.nan, verbose=0)


@pytest.mark.parametrize('make', [lambda x: x, batched])
def test_floats_that_are_never_negative_are_warned_about_once(model, make):
  with pytest.warns(UserWarning, match='No float given to `fit` is negative'):
    model.fit(make(UNIT), verbose=0)
  with warnings.catch_warnings():
    warnings.filterwarnings('error', message='No float')
    model.fit(make(UNIT), verbose=0)
    tiny_models.compiled('VAE').fit(make(SIGNED), verbose=0)


def test_another_error_than_a_check_s_stays_itself(model):
  def fails(x):
    return tf.debugging.check_numerics(x * np.nan, 'here')
  with pytest.raises(tf.errors.InvalidArgumentError):
    model.fit(batched(SIGNED).map(fails), verbose=0)


def test_datasets_have_no_thread_of_their_own(model):
  for dataset in (batched(SIGNED), batched(UINT8)):
    checked = keras_data.checked(dataset, model, 'fit')
    assert checked.options().autotune.enabled is False
  options = tf.data.Options()
  options.autotune.enabled = True  # Whoever wants it has it.
  wanted = keras_data.checked(batched(SIGNED).with_options(options), model,
                              'fit')
  assert wanted.options().autotune.enabled is True


# === Arrays of any size ===


def test_a_split_s_latents_are_those_of_its_examples(model):
  array = data.synthetic(image_shape=model.image_shape).split('test')
  chosen = np.array([5, 0, 7])
  np.testing.assert_allclose(
      model.encode_split(array, chosen), model.encode(array.read(chosen)),
      atol=1e-6)
  assert len(model.encode_split(array)) == len(array)

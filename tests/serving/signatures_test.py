"""Tests of the functions behind an export's signatures."""
import io
import types

import numpy as np
from PIL import Image
import pytest
import tensorflow as tf

from pgak import errors
from pgak import priors
from pgak.data import decoding
from pgak.data import kinds
from pgak.models import verbs
from pgak.serving import signatures

SHAPE = (4, 6, 3)


class LinearModel(verbs.Encoding, verbs.Generation):
  """Three latents, the mean of each channel, and the images that have them."""

  name = 'linear'
  image_shape = SHAPE
  latent_dim = 3
  prior = priors.StandardNormal(3)
  kind = kinds.Images(SHAPE, (0., 1.))

  def encode_mean(self, floats, training=False):
    return tf.reduce_mean(floats, [1, 2])

  def render(self, latents, given=None, training=False):
    return tf.tile(latents[:, tf.newaxis, tf.newaxis], [1, *SHAPE[:2], 1])


def traced(**settings):
  """Every endpoint as the graph that is exported."""
  served = signatures.Endpoints(LinearModel(), **settings)
  return types.SimpleNamespace(**{
      name: tf.function(function, specs, autograph=False)
      for name, (function, specs) in served.signatures().items()})


@pytest.fixture(scope='module')
def served():
  return traced(max_batch=8)


def refused(sentence):
  return pytest.raises(tf.errors.InvalidArgumentError, match=sentence)


def picture(height, width, channels=3, seed=0):
  shape = (height, width, channels) if channels > 1 else (height, width)
  levels = np.random.default_rng(seed).integers(0, 256, shape)
  return levels.astype(np.uint8)


def encoded(image, form='PNG', **settings):
  stream = io.BytesIO()
  Image.fromarray(image).save(stream, form, **settings)
  return stream.getvalue()


def seeds(*numbers):
  return np.array(numbers, np.int64)


def test_generate_is_first_and_so_the_default():
  served = signatures.Endpoints(LinearModel())
  assert next(iter(served.signatures())) == 'generate'


def test_generate_is_what_the_model_samples_by_each_seed(served):
  some = seeds(5, 2**40 + 5, -1, 5)
  images = served.generate(some)['images']
  assert images.shape == (4, *SHAPE) and images.dtype == tf.uint8
  for image, seed in zip(images, some):
    expected = LinearModel().sample(1, int(seed))[0]
    assert np.abs(np.int32(image) - np.int32(expected)).max() <= 1
  # Version 0.4 drew the first two alike.
  assert np.any(images[0] != images[1])
  assert served.generate(seeds())['images'].shape == (0, *SHAPE)


def test_generate_decodes_the_draws_of_sample_latents(served):
  latents = served.sample_latents(seeds(5, 6, 7))['latents']
  np.testing.assert_array_equal(served.decode(latents)['images'],
                                served.generate(seeds(5, 6, 7))['images'])


def test_log_prob_is_the_priors(served):
  latents = np.random.default_rng(0).normal(size=(4, 3)).astype('f')
  found = served.log_prob(latents)['log_prob']
  np.testing.assert_allclose(found, LinearModel.prior.log_prob(latents))
  assert served.log_prob(latents[:0])['log_prob'].shape == (0,)


def test_what_has_no_density_has_no_such_signature():
  model = LinearModel()
  model.prior = priors.TwoStageVAE(3)
  served = signatures.Endpoints(model)
  assert 'log_prob' not in served.signatures()
  assert 'no density' in served.left_out['log_prob']
  assert 'log_prob' not in served.missed


@pytest.mark.parametrize('shape, most', [
    (SHAPE, 1024), ((256, 256, 3), 341), ((8192, 8192, 1), 1)])
def test_an_answer_is_of_at_most_64_mebibytes(shape, most):
  model = LinearModel()
  model.image_shape, model.kind = shape, kinds.Images(shape, (0., 1.))
  served = signatures.Endpoints(model)
  assert served.max_batch == most
  assert served.bounds('generate')['batch'] == (0, most)


def test_a_picture_of_two_channels_has_no_file():
  model = LinearModel()
  model.image_shape, model.kind = (4, 6, 2), kinds.Images((4, 6, 2), (0., 1.))
  left_out = signatures.Endpoints(model).left_out
  assert {'generate_png', 'encode_image'} <= set(left_out)


def test_generate_png_gives_files_of_the_same_images(served):
  files = served.generate_png(seeds(5, 6))['image_bytes'].numpy()
  images = [np.asarray(Image.open(io.BytesIO(data))) for data in files]
  np.testing.assert_array_equal(
      images, served.generate(seeds(5, 6))['images'])


def test_interpolate_is_linear_in_the_latents(served):
  start = np.zeros((4, *SHAPE), np.uint8)
  end = np.full((4, *SHAPE), 90, np.uint8)
  weight = np.float32([0., 1 / 3, 2 / 3, 1.])
  line = served.interpolate(start, end, weight)['images']
  assert line.shape == (4, *SHAPE)
  np.testing.assert_array_equal(line[:, 0, 0, 0], [0, 30, 60, 90])


def test_interpolate_spherical_goes_along_the_arc(served):
  start, end = np.zeros((2, 1, *SHAPE), np.uint8)
  start[..., 0], end[..., 1] = 200, 200
  image = served.interpolate_spherical(
      start, end, np.float32([0.5]))['images'][0]
  # Between orthogonal latents, 200 sin(45 degrees).
  np.testing.assert_array_equal(image[0, 0], [141, 141, 0])


@pytest.mark.parametrize('weight', [-0.1, 1.1, np.nan])
def test_a_weight_is_checked_in_the_graph(served, weight):
  images = np.zeros((2, *SHAPE), np.uint8)
  with refused('`weight` must be 0 to 1, but is'):
    served.interpolate(images, images, np.float32([0.5, weight]))


def test_a_pair_needs_two_images(served):
  images = np.zeros((2, *SHAPE), np.uint8)
  with refused('`start` and `end` and `weight` must be equally many, but are'):
    served.interpolate(images, images[:1], np.float32([0., 1.]))


@pytest.mark.parametrize('name, row', [
    ('generate', np.int64(0)), ('generate_png', np.int64(0)),
    ('sample_latents', np.int64(0)),
    ('decode', np.zeros(3, 'f')), ('encode', np.zeros(SHAPE, np.uint8)),
    ('encode_image', np.array(b'no picture', object)),
    ('reconstruct', np.zeros(SHAPE, np.uint8)),
    ('log_prob', np.zeros(3, 'f'))])
def test_a_batch_is_bounded(served, name, row):
  with refused('`batch` must be 0 to 8, but is. .9'):
    getattr(served, name)(np.stack([row] * 9))


@pytest.mark.parametrize('name', ['decode', 'log_prob'])
@pytest.mark.parametrize('value', [np.nan, np.inf, -np.inf])
def test_what_is_no_number_is_no_latent(served, name, value):
  latents = np.zeros([5, 3], 'f')
  latents[2, 1] = latents[4, 0] = value
  with refused('`latents` must be finite, .* hold NaN or infinity:. .2'):
    getattr(served, name)(latents)


@pytest.mark.parametrize('name', ['encode', 'reconstruct'])
def test_what_is_no_number_is_no_vector(name):
  model = types.SimpleNamespace(
      image_shape=(2,), latent_dim=2, prior=priors.StandardNormal(2),
      kind=kinds.Vectors((2,)), can={'encode'}, encode=lambda x: x,
      decode=lambda z: z)
  function, (spec,) = signatures.Endpoints(model).signatures()[name]
  assert spec.name == 'vectors'
  assert len(function(tf.zeros([3, 2]))) == 1
  with refused('`vectors` must be finite'):
    function(tf.constant([[0., np.nan]]))


# === Priors ===


class Drawn:
  """A prior of a user's, that says nothing of its noise."""

  name, latent_dim = 'drawn', 3

  def sample(self, n, seed=0):
    return tf.random.stateless_uniform([n, 3], [tf.cast(seed, tf.int64), 0])


class Replaced(priors.StandardNormal):
  """One that draws otherwise than its parent, of which it has the map."""

  def sample(self, n, seed=0):
    return 0.1 * super().sample(n, seed)


@pytest.mark.parametrize('make', [Drawn, lambda: Replaced(3)])
def test_a_prior_that_states_no_noise_is_drawn_one_by_one(make):
  model = LinearModel()
  model.prior = make()
  endpoints = signatures.Endpoints(model)
  assert not endpoints.states_noise
  function, specs = endpoints.signatures()['sample_latents']
  latents = tf.function(function, specs)(seeds(3, -4))['latents']
  for row, seed in zip(latents, (3, -4)):
    np.testing.assert_allclose(row, model.prior.sample(1, seed)[0], rtol=1e-6)


class OfLabels(Drawn):
  """One that is given labels, and does not state its noise."""

  can, classes = {'condition'}, (4, 7)

  def sample(self, n, seed=0, given=None):
    shift = 0. if given is None else tf.cast(given, tf.float32)[:, tf.newaxis]
    return super().sample(n, seed) / 10. + 0.1 * shift


def test_labels_reach_a_prior_that_states_no_noise():
  model = LinearModel()
  model.prior = OfLabels()
  endpoints = signatures.Endpoints(model)
  function, specs = endpoints.signatures()['generate_class']
  images = tf.function(function, specs)(seeds(3, 3), tf.constant([0, 1]))
  expected = [model.sample(1, 3, tf.constant([label])) for label in (4, 7)]
  np.testing.assert_allclose(images['images'], np.concatenate(expected), atol=1)
  assert np.ptp(images['images'], 0).min() > 50


def test_a_prior_that_takes_no_tensor_is_refused_in_a_sentence():
  class Numbers(Drawn):
    def sample(self, n, seed=0):
      return np.random.default_rng(int(seed)).normal(size=(n, 3))

  model = LinearModel()
  model.prior = Numbers()
  function, specs = signatures.Endpoints(model).signatures()['generate']
  with pytest.raises(errors.UserError, match='cannot be exported.*from_noise'):
    tf.function(function, specs, autograph=False).get_concrete_function()


@pytest.fixture(name='labelled', scope='module')
def _labelled():
  """Its density has learned the labels 4 and 7, and three attributes."""
  model = LinearModel()
  labels = np.arange(60) % 2 * 3 + 4
  latents = np.random.default_rng(0).normal(size=(60, 3)) + labels[:, None]
  model.prior = priors.FlowMatching(3, 8, 1, steps=5, density_steps=64).fit(
      latents, labels, {name: latents[:, i] > 5.5 for i, name in enumerate(
          ('Red', 'Green', 'Blue'))})
  return model


def test_a_labelled_density_answers_by_class(labelled):
  endpoints = signatures.Endpoints(labelled)
  served = {name: tf.function(function, specs, autograph=False) for name, (
      function, specs) in endpoints.signatures().items() if 'class' in name}
  assert endpoints.bounds('generate_class')['label'] == (0, 1)
  label = np.array([1, 0], np.int32)
  images = served['generate_class'](seeds(8, 9), label)['images']
  for image, seed, given in zip(images, (8, 9), (7, 4)):
    expected = labelled.sample(None, seed, given=[given])[0]
    assert np.abs(np.int32(image) - np.int32(expected)).max() <= 1
  latents = np.zeros([2, 3], 'f') + 4.
  np.testing.assert_allclose(
      served['log_prob_class'](latents, label)['log_prob'],
      labelled.prior.log_prob(tf.constant(latents), [7, 4]), rtol=1e-5)
  with refused('`label` must be 0 to 1, but is'):
    served['generate_class'](seeds(8, 9), np.array([0, 2], np.int32))


def test_a_density_answers_by_attributes(labelled):
  endpoints = signatures.Endpoints(labelled)
  function, specs = endpoints.signatures()['generate_attributes']
  assert endpoints.attributes == ('Red', 'Green', 'Blue')
  assert specs[1].shape.as_list() == [None, 3]
  assert endpoints.bounds('generate_attributes')['attributes'] == (-1, 1)
  served = tf.function(function, specs, autograph=False)
  given = np.int32([[1, 0, -1], [0, 0, 0]])
  images = served(seeds(8, 9), given)['images']
  for image, seed, named in zip(images, (8, 9), ({'Red': 1, 'Blue': 0}, None)):
    expected = labelled.sample(1, seed, given=named)[0]
    assert np.abs(np.int32(image) - np.int32(expected)).max() <= 1
  with refused('`attributes` must be -1 to 1, but is'):
    served(seeds(8, 9), given * 2)
  assert 'generate_attributes' in signatures.Endpoints(LinearModel()).left_out


# === Files ===


def test_an_image_of_the_models_size_is_not_changed(served):
  images = np.stack([picture(*SHAPE[:2], seed=seed) for seed in range(3)])
  files = np.array([encoded(image) for image in images], object)
  np.testing.assert_allclose(
      served.encode_image(files)['latents'],
      served.encode(images)['latents'], atol=1e-6)


@pytest.mark.parametrize('height, width, crop, antialias', [
    (20, 31, None, True), (41, 9, 8, False), *(
        pytest.param(*case, marks=pytest.mark.slow) for case in (
            (3, 2, None, True), (4, 6, 8, False), (41, 9, None, True),
            (20, 31, 8, False)))])
def test_pictures_are_prepared_as_the_data_set_was(height, width, crop,
                                                   antialias):
  data = encoded(picture(height, width), 'JPEG')
  prepared = decoding.to_shape(
      decoding.decode(data, 3), SHAPE,
      crop if crop and min(height, width) >= crop else None, antialias)
  served = traced(crop=crop, antialias=antialias)
  np.testing.assert_allclose(
      served.encode_image(np.array([data], object))['latents'][0],
      served.encode(prepared[tf.newaxis])['latents'][0], atol=1e-6)


def test_any_kind_of_picture_is_brought_to_the_channels(served):
  grey = picture(4, 6, 1)
  alpha = np.dstack([grey] * 3 + [np.full_like(grey, 255)])
  files = np.array([encoded(grey), encoded(alpha)], object)
  colour = np.dstack([grey] * 3)[np.newaxis]
  expected = served.encode(colour)['latents'][0]
  for latents in served.encode_image(files)['latents']:
    np.testing.assert_allclose(latents, expected, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize('settings', [
    dict(background=(0, 200, 9), antialias=False), *(
        pytest.param(settings, marks=pytest.mark.exhaustive) for settings in (
            dict(background=0), dict(background=None),
            dict(antialias=False, resize='bicubic_tf1')))])
def test_transparency_and_kernel_are_those_of_the_data(settings):
  image = picture(9, 12, 4)
  prepared = decoding.to_shape(
      decoding.decode(encoded(image), 3, settings.get('background', 255)),
      SHAPE, None, settings.get('antialias', True),
      settings.get('resize', 'bicubic'))
  latents = traced(**settings).encode_image(
      np.array([encoded(image)], object))['latents']
  model = LinearModel()
  np.testing.assert_allclose(
      latents, model.encode(prepared[tf.newaxis]), atol=1e-6)
  otherwise = traced().encode_image(np.array([encoded(image)], object))
  assert np.abs(latents - otherwise['latents']).max() > 1e-4


def test_no_images_give_nothing(served):
  assert served.encode_image(np.array([], object))['latents'].shape == (0, 3)
  none = np.zeros((0, *SHAPE), np.uint8)
  assert served.encode(none)['latents'].shape == (0, 3)
  assert served.reconstruct(none)['images'].shape == (0, *SHAPE)
  points = served.interpolate(none, none, np.zeros([0], 'f'))['images']
  assert points.shape == (0, *SHAPE)


@pytest.mark.parametrize('data', [
    b'', b'no picture', encoded(picture(4, 6), 'TIFF')])
def test_what_is_no_picture_is_refused(served, data):
  with pytest.raises(tf.errors.InvalidArgumentError,
                     match='`image_bytes` must hold PNG, JPEG, GIF, BMP or W'):
    served.encode_image(np.array([data], object))


@pytest.mark.parametrize('form', ['PNG', 'JPEG'])
@pytest.mark.parametrize('length', [9, 60])
def test_half_a_file_is_refused(served, form, length):
  data = encoded(picture(40, 60), form)[:length]
  with pytest.raises(tf.errors.InvalidArgumentError):
    served.encode_image(np.array([data], object))


def test_a_small_file_that_unpacks_to_too_much_is_refused(served):
  data = encoded(picture(4, 6))
  sides = (8192).to_bytes(4, 'big') + (4097).to_bytes(4, 'big')
  data = data[:16] + sides + data[24:]
  with pytest.raises(tf.errors.InvalidArgumentError,
                     match='at most 33554432'):
    served.encode_image(np.array([data], object))

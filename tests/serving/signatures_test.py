"""Tests of the functions behind an export's signatures."""
import io
import types

import numpy as np
from PIL import Image
import pytest
import tensorflow as tf

from pgak import priors
from pgak.data import decoding
from pgak.data import kinds
from pgak.models import verbs
from pgak.serving import signatures

SHAPE = (4, 6, 3)
GREATEST = np.iinfo(np.int32).max


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
  return traced(max_count=8)


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


def test_decode_is_first_and_so_the_default():
  served = signatures.Endpoints(LinearModel())
  assert next(iter(served.signatures())) == 'decode'


def test_generate_is_a_function_of_the_seed_alone(served):
  images = served.generate(np.int64(5), np.int32(6))['images']
  assert images.shape == (6, *SHAPE) and images.dtype == tf.uint8
  again = served.generate(np.int64(5), np.int32(6))['images']
  np.testing.assert_array_equal(images, again)
  fewer = served.generate(np.int64(5), np.int32(2))['images']
  np.testing.assert_array_equal(images[:2], fewer)
  other = served.generate(np.int64(6), np.int32(6))['images']
  assert np.any(images != other)
  assert served.generate(np.int64(5), np.int32(0))['images'].shape[0] == 0


def test_generate_decodes_the_draws_of_sample_latents(served):
  latents = served.sample_latents(np.int64(5), np.int32(6))['latents']
  np.testing.assert_array_equal(
      served.decode(latents)['images'],
      served.generate(np.int64(5), np.int32(6))['images'])


def test_log_prob_is_the_priors(served):
  latents = np.random.default_rng(0).normal(size=(4, 3)).astype('f')
  found = served.log_prob(latents)['log_prob']
  np.testing.assert_allclose(found, LinearModel.prior.log_prob(latents))
  assert served.log_prob(latents[:0])['log_prob'].shape == (0,)


def test_what_has_no_density_has_no_such_signature():
  model = LinearModel()
  model.prior = priors.TwoStageVAE(3)
  assert 'log_prob' not in signatures.Endpoints(model).signatures()


def test_as_many_may_be_asked_for_as_are_allowed(served):
  draw = np.int64(0), np.int32(8)
  assert len(served.generate(*draw)['images']) == 8
  assert len(served.generate_png(*draw)['image_bytes']) == 8
  latents = served.sample_latents(np.int64(0), np.int32(800))['latents']
  assert len(latents) == 800
  with pytest.raises(tf.errors.InvalidArgumentError, match='0 to 800'):
    served.sample_latents(np.int64(0), np.int32(801))
  ends = np.zeros([2, *SHAPE], np.uint8)
  lines = served.interpolate(ends, ends, np.int32(4))['images']
  assert lines.shape == (2, 4, *SHAPE)
  with refused('`steps` must be 2 to 8, but is. .9'):
    served.interpolate(ends[:1], ends[:1], np.int32(9))


@pytest.mark.parametrize('name', ['generate', 'generate_png'])
@pytest.mark.parametrize('count', [-1, 9, GREATEST])
def test_count_is_checked_in_the_graph(served, name, count):
  with pytest.raises(tf.errors.InvalidArgumentError,
                     match='`count` must be 0 to 8, but is. .' + str(count)):
    getattr(served, name)(np.int64(0), np.int32(count))


def test_more_latents_than_images_may_be_drawn(served):
  latents = served.sample_latents(np.int64(0), np.int32(9))['latents']
  assert latents.shape == (9, 3)
  with pytest.raises(tf.errors.InvalidArgumentError, match='0 to 800'):
    served.sample_latents(np.int64(0), np.int32(801))


def test_generate_png_gives_files_of_the_same_images(served):
  files = served.generate_png(np.int64(5), np.int32(3))['image_bytes'].numpy()
  images = [np.asarray(Image.open(io.BytesIO(data))) for data in files]
  np.testing.assert_array_equal(
      images, served.generate(np.int64(5), np.int32(3))['images'])


def test_interpolate_is_linear_in_the_latents(served):
  start = np.zeros((2, *SHAPE), np.uint8)
  end = np.stack([np.full(SHAPE, 90, np.uint8), np.full(SHAPE, 30, np.uint8)])
  lines = served.interpolate(start, end, np.int32(4))['images']
  assert lines.shape == (2, 4, *SHAPE)
  np.testing.assert_array_equal(lines[0, :, 0, 0, 0], [0, 30, 60, 90])
  np.testing.assert_array_equal(lines[1, :, 0, 0, 0], [0, 10, 20, 30])


@pytest.mark.parametrize('number, steps, sentence', [
    (1, 1, '`steps` must be 2 to 8, but is. .1'),
    (1, -3, '`steps` must be 2 to 8, but is. .-3'),
    (0, GREATEST, '`steps` must be 2 to 8, but is. .2147483647'),
    (0, 0, '`steps` must be 2 to 8, but is. .0'),
    (8, GREATEST, '`steps` must be 2 to 8, but is. .2147483647'),
    (9, 2, '`batch` must be 0 to 8, but is. .9'),
    (3, 4, '`batch . steps` must be 0 to 8, but is. .12')])
def test_steps_are_checked_in_the_graph(served, number, steps, sentence):
  images = np.zeros((number, *SHAPE), np.uint8)
  with refused(sentence):
    served.interpolate(images, images, np.int32(steps))


def test_a_pair_needs_two_images(served):
  images = np.zeros((2, *SHAPE), np.uint8)
  with refused('`start` and `end` must be equally many, but are. .2. .1'):
    served.interpolate(images, images[:1], np.int32(2))


def test_every_signature_has_a_bound_of_what_it_makes_and_takes():
  served = signatures.Endpoints(LinearModel(), max_count=8)
  for name, (_, specs) in served.signatures().items():
    bounds = served.bounds(name)
    assert {n for n in bounds if '*' not in n} == {
        'batch' if spec.shape.rank else spec.name for spec in specs
        if spec.name != 'seed'}
    most = 800 if name in ('sample_latents', 'log_prob') else 8
    assert all(most == m for _, m in bounds.values())


@pytest.mark.parametrize('name, row', [
    ('decode', np.zeros(3, 'f')), ('encode', np.zeros(SHAPE, np.uint8)),
    ('encode_image', np.array(b'no picture', object)),
    ('reconstruct', np.zeros(SHAPE, np.uint8)),
    ('log_prob', np.zeros(3, 'f'))])
def test_a_batch_is_bounded(served, name, row):
  most = 800 if name == 'log_prob' else 8
  with refused(f'`batch` must be 0 to {most}, but is. .{most + 1}'):
    getattr(served, name)(np.stack([row] * (most + 1)))


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
  function, _ = signatures.Endpoints(model).signatures()[name]
  assert len(function(tf.zeros([3, 2]))) == 1
  with refused('`images` must be finite'):
    function(tf.constant([[0., np.nan]]))


def test_an_image_of_the_models_size_is_not_changed(served):
  images = np.stack([picture(*SHAPE[:2], seed=seed) for seed in range(3)])
  files = np.array([encoded(image) for image in images], object)
  np.testing.assert_allclose(
      served.encode_image(files)['latents'],
      served.encode(images)['latents'], atol=1e-6)


@pytest.mark.parametrize('height, width', [(20, 31), (41, 9), (3, 2), (4, 6)])
@pytest.mark.parametrize('crop, antialias', [(None, True), (8, False)])
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
    dict(background=0), dict(background=(0, 200, 9), antialias=False),
    dict(background=None), dict(antialias=False, resize='bicubic_tf1')])
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
  lines = served.interpolate(none, none, np.int32(4))['images']
  assert lines.shape == (0, 4, *SHAPE)


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

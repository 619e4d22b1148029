"""Tests of the perceptual error."""
import gin
import keras
import made_weights
import numpy as np
import pytest
import tensorflow as tf

from pgak import errors
from pgak import losses
from pgak.networks import perceptual


@pytest.fixture(name='path', scope='module')
def _path(tmp_path_factory):
  return made_weights.npz(
      tmp_path_factory.mktemp('vgg') / 'vgg19.npz',
      made_weights.torch_vgg([64, 64, 128], 'features.'))


def _error(path, layers=('relu1_1', 'relu2_1'), **settings):
  return perceptual.PerceptualError(
      layers, weights=path, **{'value_range': (-1., 1.), **settings})


def _pair(channels=3, size=6):
  return np.random.default_rng(2).uniform(
      -1., 1., (2, 3, size, size, channels)).astype(np.float32)


def test_is_the_weighted_sum_of_the_layers_means(path):
  images, others = _pair()
  error = _error(path, layer_weights=(2., 0.5), perceptual=3., pixel=7.)
  features = [np.asarray(f, np.float64) for f in error.features(images)]
  changed = [np.asarray(f, np.float64) for f in error.features(others)]
  means = [np.square(a - b).mean((1, 2, 3)) for a, b in zip(features, changed)]
  expected = (3. * (2. * means[0] + 0.5 * means[1])
              + 7. * np.square(images - others).mean((1, 2, 3)))
  np.testing.assert_allclose(error(images, others), expected, rtol=1e-4)
  np.testing.assert_array_equal(error(images, images), 0.)


@pytest.mark.parametrize('distance, relative', [
    ('l2', False), ('l1', False), ('l2', True)])
def test_is_numpys_from_images_to_the_error(path, distance, relative):
  """Its net and its sum are written here once more."""
  layers = ('input', 'relu1_1', 'relu2_1')
  images, others = _pair(size=8)
  state = np.load(path)
  between = {'l2': lambda a, b: np.square(a - b),
             'l1': lambda a, b: np.abs(a - b)}[distance]

  def features(pictures):
    x = (pictures / 2. + 0.5 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    yield x
    for i in range(3):
      if i == 2:
        x = made_weights.pool(x, 2, 2)
      kernel = state[f'features.{2 * i}.weight'].transpose(2, 3, 1, 0)
      x = made_weights.relu(made_weights.convolve(
          x, kernel, state[f'features.{2 * i}.bias'], padding=1))
      if i != 1:
        yield x

  expected = 3. * np.square(images - others).mean((1, 2, 3))
  for weight, a, b in zip((0.5, 1., 2.), features(images), features(others)):
    scale = between(a, 0.).mean((1, 2, 3)) if relative else 1.
    expected += 0.2 * weight * between(a, b).mean((1, 2, 3)) / scale
  error = _error(path, layers, layer_weights=(0.5, 1., 2.), perceptual=0.2,
                 pixel=3., distance=distance, relative=relative)
  np.testing.assert_allclose(error(images, others), expected, rtol=1e-4)


def test_vectors_are_refused(path):
  with pytest.raises(errors.UserError, match='vectors of 3 numbers'):
    _error(path, value_range=None)(np.zeros((2, 3)), np.zeros((2, 3)))


def test_the_error_of_the_variational_u_net(path):
  # Absolute differences, and the prepared images as a layer of their own:
  # a step of 0.2 on [-1, 1] is one of 0.1 / deviation on torchvision's input.
  images = np.zeros((1, 4, 4, 3), np.float32)
  error = _error(path, ('input',), distance='l1', perceptual=5.)
  expected = 5. * np.mean(0.1 / np.array([0.229, 0.224, 0.225]))
  np.testing.assert_allclose(error(images, images + 0.2), [expected], rtol=1e-5)
  deeper = _error(path, ('input', 'relu1_2'), distance='l1', perceptual=5.)
  assert float(deeper(images, images + 0.2)[0]) > expected


def test_relative_error_does_not_depend_on_the_scale_of_the_weights(tmp_path):
  images, others = _pair()
  found = []
  for scale in (1., 100.):
    state = {k: scale * v for k, v in made_weights.torch_vgg(
        [64], 'features.').items()}
    path = made_weights.npz(tmp_path / f'{scale}.npz', state)
    error = _error(path, ('relu1_1',), relative=True)
    found.append(error(images, others).numpy())
    a, b = (np.asarray(error.features(x)[0]) for x in (images, others))
    np.testing.assert_allclose(
        found[-1], np.square(a - b).mean((1, 2, 3)) / np.square(a).mean(
            (1, 2, 3)), rtol=1e-4)
  np.testing.assert_allclose(*found, rtol=1e-4)


def test_gradient_is_that_of_differences(path):
  images, others = _pair(size=4)
  error = _error(path, pixel=1.)
  point, direction = tf.constant(others), np.sign(_pair(size=4)[0])
  with tf.GradientTape(persistent=True) as tape:
    tape.watch(point)
    value = tf.reduce_sum(error(images, point))
  slope = np.sum(tape.gradient(value, point) * direction)
  # Nothing else is trained through it.
  assert not tape.watched_variables()
  step = 1e-2
  rise = [float(tf.reduce_sum(error(images, others + k * step * direction)))
          for k in (-1, 1)]
  assert (rise[1] - rise[0]) / (2. * step) == pytest.approx(slope, rel=2e-2)


def test_xla_and_mixed_precision_give_the_same(path):
  images, others = _pair()
  expected = _error(path)(images, others)
  keras.config.set_dtype_policy('mixed_bfloat16')
  mixed = _error(path)
  assert all(v.dtype == 'float32' for v in mixed._network.variables)
  found = tf.function(mixed, jit_compile=True)(images, others)
  np.testing.assert_allclose(found, expected, rtol=1e-4)
  half = mixed(tf.cast(images, tf.bfloat16), tf.cast(others, tf.bfloat16))
  assert half.dtype == tf.bfloat16


def test_grey_and_small_images(path):
  images, others = _pair(channels=1, size=2)
  assert _error(path)(images, others).shape == 3
  with pytest.raises(errors.UserError, match='1x1 do not reach.*2 pixels'):
    _error(path)(images[:, :1, :1], others[:, :1, :1])
  resized = _error(path, resize=4)
  assert resized.features(images[:, :1, :1])[1].shape == (3, 2, 2, 128)
  np.testing.assert_allclose(
      resized(images, others), _error(path)(
          tf.image.resize(images, [4, 4]), tf.image.resize(others, [4, 4])),
      rtol=1e-3)


@pytest.mark.parametrize('settings, sentence', [
    (dict(layer_weights=(1.,)), '2 layers but 1 layer_weights'),
    (dict(distance='l3'), "distance = 'l3'` must be 'l1' or 'l2'")])
def test_settings_that_do_not_fit_are_named(path, settings, sentence):
  with pytest.raises(errors.UserError, match=sentence):
    _error(path, **settings)


def test_the_value_range_must_be_known(path):
  error = _error(path, value_range=None)
  with pytest.raises(ValueError, match='value_range'):
    error(*_pair())


def test_gin_makes_it(path):
  gin.parse_config([f'PerceptualError.weights = {path!r}',
                    "PerceptualError.layers = ('relu1_1',)"])
  assert gin.get_configurable('PerceptualError')().layers == ('relu1_1',)


@made_weights.needs_real
def test_blur_looks_worse_than_a_shift_of_brightness_of_equal_error():
  # What the error is for: pixels cannot tell the two.
  path = made_weights.REAL / 'vgg_normalised_conv3_1.npz'
  rows, columns = np.mgrid[:32, :32]
  images = np.where((rows // 2 + columns // 2) % 2, 0.5, -0.5)
  images = np.repeat(images[None, ..., None], 3, -1).astype(np.float32)
  blurred = 0.6 * images
  brighter = images + 0.2
  np.testing.assert_allclose(losses.reconstruction(images, blurred),
                             losses.reconstruction(images, brighter), rtol=1e-5)
  error = _error(path, ('relu2_1', 'relu3_1'))
  assert float(error(images, blurred)[0]) > 1.5 * float(
      error(images, brighter)[0])

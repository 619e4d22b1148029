"""Features of a net of one's own, by its path."""
import keras
import numpy as np
import pytest
import tensorflow as tf

from pgak import errors
from pgak.metrics import own_net


def _net(shape=(8, 6, 3), *more):
  keras.utils.set_random_seed(0)
  return keras.Sequential([keras.Input(shape), *(more or [
      keras.layers.Rescaling(1. / 255.),
      keras.layers.Conv2D(4, 3, 2, activation='relu')])])


def _images(*shape):
  return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def test_features_are_the_nets_flat(tmp_path):
  model = _net()
  model.save(tmp_path / 'my net.keras')
  net = own_net.own_net(str(tmp_path / 'my net.keras'))
  images = _images(5, 8, 6, 3)
  found, = net([images])
  np.testing.assert_allclose(
      found, model(images.astype(np.float32)).numpy().reshape(5, -1), atol=1e-5)
  assert net.size == found.shape[1] == 3 * 2 * 4 and net.head is None
  assert net.name == f'my_net-{net.fingerprint[:6]}'
  assert net.metric == f'frechet_{net.name}'
  assert net.resize == 'bilinear_antialias_8x6'


def test_images_get_the_nets_size_channels_and_range(tmp_path):
  path = str(tmp_path / 'net.keras')
  _net((4, 4, 3), keras.layers.Identity()).save(path)
  net = own_net.own_net(path, value_range=(-1., 1.))
  assert net.fingerprint != own_net.own_net(path).fingerprint
  grey = _images(2, 8, 8, 1)
  found, = net([grey])
  resized = tf.image.resize(tf.repeat(grey, 3, -1), (4, 4), antialias=True)
  np.testing.assert_allclose(
      found, np.reshape(resized / 127.5 - 1., [2, -1]), atol=1e-5)
  _net((4, 4, 1), keras.layers.Identity()).save(path)
  found, = own_net.own_net(path)([_images(2, 4, 4, 3)])
  np.testing.assert_allclose(found, np.reshape(tf.image.rgb_to_grayscale(
      _images(2, 4, 4, 3).astype(np.float32)), [2, -1]), atol=1e-3)


def test_the_fingerprint_is_of_structure_and_weights(tmp_path):
  def fingerprint(model):
    model.save(tmp_path / 'net.keras')
    return own_net.own_net(str(tmp_path / 'net.keras')).fingerprint
  model = _net()
  first = fingerprint(model)
  assert fingerprint(model) == first
  model.layers[-1].bias.assign_add(tf.ones([4]))
  assert fingerprint(model) != first
  other = _net((8, 6, 3), keras.layers.Rescaling(1. / 255.),
               keras.layers.Conv2D(4, 3, 2, activation='tanh'))
  assert fingerprint(other) != first


@pytest.mark.slow
def test_a_saved_model_has_the_same_features(tmp_path):
  model = _net((None, None, 1), keras.layers.Conv2D(4, 3),
               keras.layers.GlobalAveragePooling2D())
  model.save(tmp_path / 'net.keras')
  model.export(str(tmp_path / 'saved'), verbose=False)
  images = _images(5, 9, 7, 1)
  nets = [own_net.own_net(str(tmp_path / name))
          for name in ('net.keras', 'saved')]
  one, other = (next(iter(net([images]))) for net in nets)
  np.testing.assert_allclose(one, other, atol=1e-3)
  assert nets[1].name.startswith('saved-') and nets[1].resize == 'none'
  assert own_net.is_path(str(tmp_path / 'saved'))


def test_code_in_a_file_is_not_run(tmp_path):
  path = str(tmp_path / 'net.keras')
  _net((4, 4, 1), keras.layers.Lambda(lambda x: x * 2.)).save(path)
  with pytest.raises(errors.UserError, match='holds code, in a Lambda layer'):
    own_net.own_net(path)


@pytest.mark.parametrize('shape, layers, named', [
    ((5,), [keras.layers.Dense(2)], r'an input of shape \[None, 5\]'),
    ((4, 4, 2), [keras.layers.Identity()], 'an input of shape'),
    ((None, None, 1), [keras.layers.Identity()], 'an output of shape'),
    ((40, 40, 3), [keras.layers.Identity()], '4800 features of an image'),
])
def test_other_shapes_are_told(tmp_path, shape, layers, named):
  path = str(tmp_path / 'net.keras')
  _net(shape, *layers).save(path)
  with pytest.raises(errors.UserError, match=named):
    own_net.own_net(path)


def test_what_is_no_net_is_told(tmp_path):
  with pytest.raises(errors.UserError, match='There is no net at'):
    own_net.own_net(str(tmp_path / 'none.keras'))
  (tmp_path / 'net.keras').write_text('no zip')
  with pytest.raises(errors.UserError, match='is no Keras model, or a damaged'):
    own_net.own_net(str(tmp_path / 'net.keras'))
  assert not own_net.is_path('768') and own_net.is_path('nets/a')

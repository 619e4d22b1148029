"""Tests of VGG19's features."""
import made_weights
import numpy as np
import pytest
import tensorflow as tf

from pgak import errors
from pgak.networks import vgg19

FILE = 'vgg_normalised_conv3_1.npz'
WIDTHS = [64, 64, 128, 128, 256]


@pytest.fixture(name='path', scope='module')
def _path(tmp_path_factory):
  """Made weights to conv3_1."""
  return made_weights.npz(tmp_path_factory.mktemp('vgg') / 'vgg19.npz',
                          made_weights.torch_vgg(WIDTHS, 'features.'))


def _images(channels=3, size=9):
  return np.random.default_rng(1).uniform(
      size=(2, size, size + 2, channels)).astype(np.float32)


def _oracle(arrays, x):
  """relu1_1, relu2_1 and relu3_1 of prepared images, in NumPy."""
  found = []
  for i, (kernel, bias) in enumerate(arrays):
    if i in (2, 4):
      x = made_weights.pool(x, 2, 2)
    x = made_weights.relu(made_weights.convolve(x, kernel, bias, padding=1))
    if i in (0, 2, 4):
      found.append(x)
  return found


def _assert_is_the_oracle(found, arrays, prepared):
  for tap, expected in zip(found, _oracle(arrays, prepared)):
    assert tap.shape == expected.shape
    np.testing.assert_allclose(
        tap, expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize('value_range', [(-1., 1.), (0., 1.)])
def test_features_are_numpys_on_made_weights(path, value_range):
  low, high = value_range
  net = vgg19.vgg19(('relu1_1', 'relu2_1', 'relu3_1'), path, value_range)
  state = np.load(path)
  arrays = [(state[f'features.{2 * i}.weight'].transpose(2, 3, 1, 0),
             state[f'features.{2 * i}.bias']) for i in range(5)]
  rgb = _images()
  prepared = (rgb - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
  _assert_is_the_oracle(net(rgb * (high - low) + low), arrays, prepared)


@made_weights.needs_real
def test_features_are_numpys_on_the_real_file():
  path = made_weights.REAL / FILE
  state = np.load(path)
  arrays = [(state[f'{n}.weight'].transpose(2, 3, 1, 0), state[f'{n}.bias'])
            for n in (2, 5, 9, 12, 16)]
  net = vgg19.vgg19(('relu1_1', 'relu2_1', 'relu3_1'), path)
  rgb = _images()
  _assert_is_the_oracle(net(2. * rgb - 1.), arrays, made_weights.caffe(rgb))


def test_layers_come_in_the_order_that_is_asked_for(path):
  images = _images()
  net = vgg19.vgg19(('relu2_1', 'input', 'conv2_1', 'conv1_2'), path, (0., 1.))
  after, inputs, before, early = net(images)
  np.testing.assert_array_equal(after, np.maximum(before, 0.))
  assert np.min(before) < 0. and early.shape == (2, 9, 11, 64)
  np.testing.assert_allclose(
      inputs, (images - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225],
      rtol=1e-4, atol=1e-5)
  # Nothing deeper than what is asked for is computed.
  assert not any(layer.name == 'conv2_2' for layer in net.layers)


def test_grey_is_repeated_and_nothing_is_trained(path):
  grey = _images(1)
  net = vgg19.vgg19(('relu1_1',), path)
  np.testing.assert_allclose(net(grey), net(np.repeat(grey, 3, -1)),
                             rtol=1e-4, atol=1e-4)
  assert not net.trainable_variables and len(net.variables) == 2


def test_keras_names_are_understood(tmp_path):
  kernel = np.random.default_rng(0).normal(size=(3, 3, 3, 64)).astype('f4')
  path = made_weights.write_h5(
      tmp_path / 'vgg19.h5', {'block1_conv1': (kernel, np.zeros(64, 'f4'))})
  rgb = _images()
  found = vgg19.vgg19(('conv1_1',), path, (0., 1.))(rgb)
  expected = made_weights.convolve(made_weights.caffe(rgb), kernel, 0.,
                                   padding=1)
  np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-2)


@pytest.mark.parametrize('layers, sentence', [
    (('relu4_1',), r'vgg19.npz stops after conv3_1, so there is no relu4_1'),
    (('relu1_3',), "no layer 'relu1_3'"),
    (('relu_1_1',), 'choose out of input, conv1_1'),
    ((), 'not empty')])
def test_layers_that_cannot_be_had_are_named(path, layers, sentence):
  with pytest.raises(errors.UserError, match=sentence):
    vgg19.vgg19(layers, path)


def test_weights_of_another_net_are_refused(tmp_path):
  path = made_weights.npz(tmp_path / 'a.npz',
                          made_weights.torch_vgg([32], 'features.'))
  with pytest.raises(errors.UserError, match='is not of vgg19: conv1_1'):
    vgg19.vgg19(('relu1_1',), path)


def test_smallest_image_is_what_the_pools_leave(path):
  assert vgg19.smallest_image(['input', 'relu3_1']) == 4
  assert vgg19.smallest_image(['conv5_4', 'relu1_1']) == 16
  net = vgg19.vgg19(('relu3_1',), path)
  assert net(tf.zeros([1, 4, 7, 3])).shape == (1, 1, 1, 256)

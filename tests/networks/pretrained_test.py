"""Tests of the weights of published nets."""
import keras
import made_weights
import numpy as np
import pytest
import tensorflow as tf

from pgak import errors
from pgak.networks import pretrained


def test_torch_states_are_transposed_and_in_the_order_of_their_numbers(
    tmp_path):
  # Eleven convolutions: as text, features.10 would come before features.2.
  state = made_weights.torch_vgg([2] * 11, 'features.')
  state |= {'classifier.0.weight': np.zeros((4, 4)),
            'classifier.0.bias': np.zeros(4)}
  found = pretrained.read(made_weights.npz(tmp_path / 'a.npz', state))
  assert list(found.weights) == [f'features.{2 * i}' for i in range(11)]
  kernel, bias = found.weights['features.2']
  assert kernel[0, 1, 0, 1] == state['features.2.weight'][1, 0, 0, 1]
  np.testing.assert_array_equal(bias, state['features.2.bias'])
  assert found.colors is pretrained.TORCHVISION


def test_a_first_1x1_convolution_prepares_the_images(tmp_path):
  # It makes of RGB on [0, 1] what Keras's preprocessing does.
  state = made_weights.torch_vgg([2], '2.')
  first = np.zeros((3, 3, 1, 1), np.float32)
  first[0, 2] = first[1, 1] = first[2, 0] = 255.
  state |= {'0.weight': first, '0.bias': pretrained.CAFFE[1]}
  found = pretrained.read(made_weights.npz(tmp_path / 'a.npz', state))
  assert list(found.weights) == ['2.0']
  for array, expected in zip(found.colors, pretrained.CAFFE):
    np.testing.assert_array_equal(array, expected)


@pytest.mark.parametrize('suffix', ['_W_1:0', '/kernel:0'])
def test_keras_files_of_any_age(tmp_path, suffix):
  kernel, bias = np.ones((3, 3, 1, 2), np.float32), np.zeros(2, np.float32)
  path = made_weights.write_h5(
      tmp_path / 'a.h5', {'block1_conv1': (kernel, bias)}, suffix)
  found = pretrained.read(path)
  assert found.weights['block1_conv1'][0].shape == (3, 3, 1, 2)
  assert found.colors is pretrained.CAFFE


def test_a_file_that_keras_writes_today(tmp_path):
  # Eleven convolutions: as text, the tenth would come before the second.
  network = keras.Sequential([keras.Input((30, 30, 3)), *(
      keras.layers.Conv2D(2, 1) for _ in range(11)), keras.layers.ReLU()])
  network.save_weights(tmp_path / 'a.weights.h5')
  found = pretrained.vgg_weights(
      pretrained.read(tmp_path / 'a.weights.h5'), 19)
  assert list(found) == pretrained.vgg_layers(19)[:11]
  for layer, (kernel, bias) in zip(network.layers, found.values()):
    np.testing.assert_array_equal(kernel, layer.kernel.numpy())
    assert bias.shape == (2,)


@pytest.mark.parametrize('name, content, sentence', [
    ('absent.npz', None, 'There are no weights at .*absent.npz'),
    ('a.npz', b'no archive', 'a.npz cannot be read.*get the file again'),
    ('a.h5', b'no archive', 'a.h5 cannot be read.*get the file again'),
    ('a.pth', b'', 'neither an .npz nor an .h5'),
    ('a.npz', {'x': np.zeros(3)}, 'hold no convolutions'),
    ('a.npz', {'0.weight': np.zeros((1, 1, 3, 3))}, 'cannot be read .KeyError'),
    ('a.npz', made_weights.torch_vgg([2]), 'do not say which images')])
def test_a_bad_file_is_one_sentence(tmp_path, name, content, sentence):
  if isinstance(content, dict):
    made_weights.npz(tmp_path / name, content)
  elif content is not None:
    (tmp_path / name).write_bytes(content)
  with pytest.raises(errors.UserError, match=sentence):
    pretrained.read(tmp_path / name)


def test_a_name_is_looked_for_in_the_folder(tmp_path, monkeypatch):
  made_weights.npz(tmp_path / 'vgg.npz',
                   made_weights.torch_vgg([2], 'features.'))
  monkeypatch.setenv('PGAK_PERCEPTUAL', str(tmp_path))
  assert pretrained.read('vgg.npz').source == str(tmp_path / 'vgg.npz')
  monkeypatch.delenv('PGAK_PERCEPTUAL')
  monkeypatch.setenv('PGAK_CACHE', str(tmp_path / 'cache'))
  assert pretrained.folder() == tmp_path / 'cache' / 'perceptual'


def test_without_a_network_the_sentence_names_the_file(monkeypatch):
  def fail(include_top, weights):
    assert (include_top, weights) == (False, 'imagenet')
    raise Exception('URL fetch failure')
  monkeypatch.setattr(keras.applications, 'VGG19', fail)
  with pytest.raises(errors.UserError, match='vgg19_weights.*notop.h5 into'):
    pretrained.imagenet('VGG19')


def test_keras_loader_gives_the_weights_by_their_names(monkeypatch):
  original = keras.applications.VGG16
  monkeypatch.setattr(
      keras.applications, 'VGG16',
      lambda include_top, weights: original(include_top=False, weights=None))
  found = pretrained.imagenet('VGG16')
  names = pretrained.vgg_weights(found, 16)
  assert list(names) == pretrained.vgg_layers(16)
  assert names['conv5_3'][0].shape == (3, 3, 512, 512)


def test_vgg_has_16_and_19_layers_less_three_dense_ones():
  assert len(pretrained.vgg_layers(16)) == 13
  assert len(pretrained.vgg_layers(19)) == 16
  assert pretrained.vgg_layers(19)[-1] == 'conv5_4'


@pytest.mark.parametrize('value_range', [(-1., 1.), (0., 1.), (0., 255.)])
def test_colors(value_range):
  # White: 255 less each mean, blue first; (1 - mean) / deviation of red.
  low, high = value_range
  white, black = tf.fill([1, 1, 1, 1], high), tf.fill([1, 1, 1, 3], low)
  caffe = pretrained.Colors(pretrained.CAFFE, value_range)
  np.testing.assert_allclose(
      caffe(white)[0, 0, 0], [151.061, 138.221, 131.32], rtol=1e-6)
  np.testing.assert_allclose(
      caffe(black)[0, 0, 0], [-103.939, -116.779, -123.68], rtol=1e-6)
  torch = pretrained.Colors(pretrained.TORCHVISION, value_range)
  assert float(torch(white)[0, 0, 0, 0]) == pytest.approx(0.515 / 0.229)
  blue = tf.reshape([low, low, high], [1, 1, 1, 3])
  np.testing.assert_allclose(
      caffe(blue)[0, 0, 0], [151.061, -116.779, -123.68], rtol=1e-6)


def test_assign_refuses_what_does_not_fit():
  images = pretrained.input_images()
  x = pretrained.Colors(pretrained.CAFFE, (0., 1.))(images)
  x = pretrained.convolution(x, 'conv1', 2)
  with pytest.raises(errors.UserError, match='made has no weights of conv1'):
    pretrained.frozen_net(images, [x], 'net', {}, 'made')
  with pytest.raises(errors.UserError, match=r'conv1 should.*\(3, 3, 3, 2\)'):
    pretrained.frozen_net(images, [x], 'net', {'conv1': (
        np.zeros((3, 3, 2, 3)), np.zeros(3))}, 'made')


def test_the_fingerprint_is_of_the_numbers():
  def of(value):
    arrays = np.full((1, 1, 1, 1), value), np.zeros(1)
    return pretrained.Convolutions({'a': arrays}, None, '').fingerprint
  assert of(1.) == of(1.) != of(2.) and len(of(1.)) == 8


def test_building_draws_no_random_number():
  # Else the first weights of a model would depend on whether there is a net.
  def draw(build):
    keras.utils.set_random_seed(3)
    if build:
      pretrained.convolution(keras.Input((4, 4, 3)), 'c', 2)
    return keras.initializers.GlorotUniform()((2, 2)).numpy()
  np.testing.assert_array_equal(draw(False), draw(True))

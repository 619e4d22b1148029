"""Tests of Inception-2015 in Keras."""
import json
import os
import pathlib

import gin
import keras
import numpy as np
import pytest
import tensorflow as tf

from pgak import errors
from pgak.metrics import inception
from pgak.metrics import inception_fingerprints
from pgak.metrics import inception_weights

FOLDER = os.environ.get('PGAK_TEST_DATA') and pathlib.Path(
    os.environ['PGAK_TEST_DATA'], 'inception_2015')
REAL = FOLDER and FOLDER / 'inception_2015_through_mixed_8.npz'
needs_real = pytest.mark.skipif(
    not (REAL and REAL.is_file()), reason='needs the data of PGAK_TEST_DATA')


def _weights_of(network):
  return {f'{layer.name}/{part}': getattr(layer, part).numpy()
          for layer in network.layers
          if isinstance(layer, keras.layers.Conv2D)
          for part in ('kernel', 'bias')}


@pytest.fixture(name='stem', scope='module')
def _stem():
  keras.utils.set_random_seed(0)
  return inception.build('64')


@pytest.fixture(name='stem_file')
def _stem_file(stem, tmp_path, monkeypatch):
  """Weights of a random stem that pass for Inception-2015."""
  weights = _weights_of(stem)
  monkeypatch.setattr(
      inception_fingerprints, 'FINGERPRINTS',
      {k: inception_weights.fingerprint(v) for k, v in weights.items()})
  np.savez(tmp_path / 'stem.npz', **weights)
  return tmp_path / 'stem.npz'


def _images(channels=3, number=3):
  return np.random.default_rng(1).integers(
      0, 256, (number, 9, 12, channels), np.uint8)


def test_the_whole_net_has_the_shapes_of_the_paper():
  network = inception.build('pool_3')
  assert network.output_shape == (None, 2048)
  convolutions = [layer for layer in network.layers
                  if isinstance(layer, keras.layers.Conv2D)]
  assert len(convolutions) == 94
  # keras.applications' Inception-v3 without its classifier has 21,802,784: with
  # 17,216 channels in all, a beta, a mean and a variance of each, where folded
  # convolutions have a bias.
  assert network.count_params() == 21_802_784 - 2 * 17_216
  assert not network.trainable_variables
  pools = [layer for layer in network.layers
           if isinstance(layer, keras.layers.MaxPooling2D)]
  # The stem's two, mixed_3, mixed_8 and, unlike Inception-v3's, mixed_10.
  assert [pool.strides[0] for pool in pools] == [2, 2, 2, 2, 1]
  averages = [layer for layer in network.layers
              if isinstance(layer, keras.layers.AveragePooling2D)]
  assert len(averages) == 8


def test_a_lower_level_stops_early():
  names = {layer.name for layer in inception.build('768').layers}
  assert 'mixed_7_tower_2_conv' in names
  assert not any(name.startswith('mixed_8') for name in names)


def test_averages_leave_out_the_padding():
  ones = tf.ones([1, 4, 4, 2])
  np.testing.assert_allclose(inception.average_pool(ones), ones)


def test_an_unknown_level_is_named():
  with pytest.raises(errors.UserError, match='2048'):
    inception.build('2048')


def test_weights_go_where_their_names_say(stem, stem_file):
  net = inception.inception('64', weights=stem_file)
  inputs = np.random.default_rng(2).normal(size=(1, 299, 299, 3)).astype('f4')
  np.testing.assert_array_equal(net.network(inputs), stem(inputs))
  assert net.metric == 'frechet_inception_2015_64'
  assert net.size == 64


def test_gin_names_the_weights(stem_file):
  gin.bind_parameter('inception.weights', str(stem_file))
  gin.bind_parameter('inception.batch_size', 2)
  net = gin.get_configurable(inception.inception)('64')
  assert [len(rows) for rows in net([_images()])] == [2, 1]


def test_grey_is_repeated(stem_file):
  net = inception.inception('64', weights=stem_file, batch_size=3)
  grey = _images(channels=1)
  found = np.concatenate(list(net([grey])))
  expected = np.concatenate(list(net([np.repeat(grey, 3, -1)])))
  np.testing.assert_allclose(found, expected, rtol=1e-5)


def _tf1_bilinear(image, size):
  """Position i of the output is position i * n / size of the n inputs."""
  for axis in (0, 1):
    n = image.shape[axis]
    position = np.arange(size) * (n / size)
    low = np.floor(position).astype(int)
    high = np.minimum(low + 1, n - 1)
    share = np.expand_dims(position - low, [1, 2] if axis == 0 else [0, 2])
    image = (np.take(image, low, axis) * (1. - share)
             + np.take(image, high, axis) * share)
  return image


def test_preprocessing_is_tf1_bilinear_and_scales():
  images = _images()
  found = inception.preprocess(tf.constant(images))
  expected = (_tf1_bilinear(images[0].astype(float), 299) - 128.) / 128.
  np.testing.assert_allclose(found[0], expected, atol=1e-5)
  # Half-pixel centres would give another image.
  other = (tf.image.resize(images, [299, 299])[0] - 128.) / 128.
  assert np.abs(other - expected).max() > 0.1


def test_only_pool_3_is_an_fid():
  names = {level: inception.metric_name(level) for level in inception.LEVELS}
  assert names['pool_3'] == 'fid' and names['768'] == 'fid_768'
  assert not any('fid' in names[level] for level in ('64', '192', '1280'))


def test_only_the_whole_graph_has_classes():
  kernel = np.ones((2048, 1008), np.float32)
  found, bias = inception._head('pool_3', {'softmax/kernel': kernel})
  assert found is kernel and bias.shape == (1008,) and not bias.any()
  assert inception._head('768', {'softmax/kernel': kernel}) is None
  assert inception._head('pool_3', {}) is None


def test_weights_that_stop_at_mixed_8_give_no_pool_3():
  weights = _weights_of(inception.build('1280'))
  with pytest.raises(errors.UserError, match='no pool_3 features.*fid768_test'):
    inception.set_weights(inception.build('pool_3'), weights, 'this.npz')


def test_weights_of_another_shape_are_refused(stem):
  weights = _weights_of(stem)
  weights['conv_1/bias'] = np.zeros(7, np.float32)
  with pytest.raises(errors.UserError, match=r'conv_1/bias.*\(32,\).*\(7,\)'):
    inception.set_weights(stem, weights)
  del weights['conv_1/bias']
  with pytest.raises(errors.UserError, match='nothing was found'):
    inception.set_weights(stem, weights)


def test_another_net_cannot_pass(stem, tmp_path):
  np.savez(tmp_path / 'other.npz', **_weights_of(stem))
  with pytest.raises(errors.UserError, match='is not Inception-2015'):
    inception.inception('64', weights=tmp_path / 'other.npz')


@needs_real
def test_layers_have_the_shapes_strides_and_padding_of_the_graph():
  layers = json.loads((FOLDER / 'layers.json').read_text())
  network = inception.build('1280')
  found = {
      layer.name: {'kernel': list(layer.kernel.shape),
                   'stride': layer.strides[0],
                   'padding': layer.padding.upper()}
      for layer in network.layers if isinstance(layer, keras.layers.Conv2D)}
  for layer in (*found.values(), *layers.values()):
    # For a kernel of one pixel both paddings are the same.
    if layer['kernel'][:2] == [1, 1]:
      layer['padding'] = 'SAME'
  assert found == layers


@needs_real
@pytest.mark.parametrize('level', ['64', '192', '768', '1280'])
def test_reproduces_the_golden_features(level):
  golden = np.load(FOLDER / 'golden.npz')
  images = np.random.RandomState(int(golden['seed'])).uniform(
      -1, 1, (2, 299, 299, 3)).astype(np.float32)
  net = inception.inception(level, weights=REAL)
  expected = golden[f'f{level}']
  found = net.network(images).numpy()
  np.testing.assert_allclose(
      found, expected, rtol=1e-3, atol=1e-6 * np.abs(expected).max())


@needs_real
def test_the_real_weights_have_no_pool_3():
  with pytest.raises(errors.UserError, match='no pool_3 features'):
    inception.inception('pool_3', weights=REAL)

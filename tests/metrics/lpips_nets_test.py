"""Tests of the nets behind LPIPS."""
import keras
import made_weights
import numpy as np
import pytest
import tensorflow as tf

from pgak import errors
from pgak.metrics import lpips_nets
from pgak.networks import pretrained

KERAS = 'squeezenet_weights_tf_dim_ordering_tf_kernels_notop.h5'
ALEX = ((64, 3, 11), (192, 64, 5), (384, 192, 3), (256, 384, 3), (256, 256, 3))


def _squeeze_taps(weights, x):
  """Its first three taps of prepared images, in NumPy, with PyTorch's pools."""
  def fire(x, name):
    x = made_weights.relu(
        made_weights.convolve(x, *weights[f'{name}_squeeze1x1']))
    return made_weights.relu(np.concatenate([
        made_weights.convolve(x, *weights[f'{name}_expand1x1']),
        made_weights.convolve(x, *weights[f'{name}_expand3x3'], padding=1)],
                                            -1))
  x = made_weights.relu(made_weights.convolve(x, *weights['conv1'], stride=2))
  taps = [x]
  for first, second in (('fire2', 'fire3'), ('fire4', 'fire5')):
    x = fire(fire(made_weights.pool(x, 3, 2, up=True), first), second)
    taps.append(x)
  return taps


def _assert_squeeze(convolutions, prepared, rgb):
  weights = lpips_nets.squeeze_weights(convolutions)
  found = lpips_nets.backbone('squeeze', convolutions)(rgb)
  for tap, expected in zip(found, _squeeze_taps(weights, prepared)):
    assert tap.shape == expected.shape
    np.testing.assert_allclose(tap, expected, rtol=1e-3,
                               atol=1e-4 * np.abs(expected).max())


# Sides of conv1 of both kinds: with 18 pixels 8, whose pool reaches over the
# end, and with 19 pixels 9, whose pool does not.
@pytest.mark.parametrize('side', [18, 19])
def test_squeezenet_is_numpys_on_made_torch_weights(tmp_path, side):
  found = pretrained.read(made_weights.npz(
      tmp_path / 'a.npz', made_weights.torch_squeeze()))
  rgb = np.random.default_rng(3).uniform(size=(1, side, 18, 3)).astype('f4')
  # LPIPS's own constants: on [-1, 1], shifted and scaled.
  prepared = ((2. * rgb - 1. - [-.030, -.088, -.188])
              / np.array([.458, .448, .450]))
  _assert_squeeze(found, prepared, rgb)


@made_weights.needs_real
def test_squeezenet_is_numpys_on_the_real_keras_file():
  found = pretrained.read(made_weights.REAL / KERAS)
  rgb = np.random.default_rng(3).uniform(size=(1, 18, 21, 3)).astype('f4')
  _assert_squeeze(found, made_weights.caffe(rgb), rgb)


def test_alexnet_is_numpys(tmp_path):
  draw, state = np.random.default_rng(4), {}
  for number, (out, inputs, size) in zip((0, 3, 6, 8, 10), ALEX):
    state[f'features.{number}.weight'] = made_weights._kernel(
        draw, out, inputs, size)
    state[f'features.{number}.bias'] = draw.normal(size=out).astype('f4')
  found = pretrained.read(made_weights.npz(tmp_path / 'a.npz', state))
  rgb = draw.uniform(size=(1, 35, 31, 3)).astype('f4')
  x = (rgb - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
  arrays = list(found.weights.values())
  for i, tap in enumerate(lpips_nets.backbone('alex', found)(rgb)):
    stride, padding = [(4, 2), (1, 2), (1, 1), (1, 1), (1, 1)][i]
    x = x if i in (0, 3, 4) else made_weights.pool(x, 3, 2)
    x = made_weights.relu(
        made_weights.convolve(x, *arrays[i], stride, padding))
    assert tap.shape == x.shape
    np.testing.assert_allclose(tap, x, rtol=1e-3, atol=1e-3 * np.abs(x).max())


def test_vgg_taps_are_the_last_activations_of_the_blocks(monkeypatch):
  net = keras.applications.VGG16(include_top=False, weights=None)
  monkeypatch.setattr(keras.applications, 'VGG16', lambda **_: net)
  ours = lpips_nets.backbone('vgg', pretrained.imagenet('VGG16'))
  names = ['block1_conv2', 'block2_conv2', 'block3_conv3', 'block4_conv3',
           'block5_conv3']
  theirs = keras.Model(net.inputs, [net.get_layer(n).output for n in names])
  rgb = np.random.default_rng(3).uniform(size=(1, 32, 32, 3)).astype('f4')
  expected = theirs(keras.applications.vgg16.preprocess_input(255. * rgb))
  for tap, other in zip(ours(rgb), expected):
    np.testing.assert_allclose(tap, other, rtol=1e-3,
                               atol=1e-4 * np.abs(other).max())


@pytest.mark.parametrize('net', lpips_nets.CHANNELS)
def test_taps_have_their_channels_and_the_smallest_image_reaches_all(
    net, monkeypatch):
  monkeypatch.setattr(pretrained, 'assign', lambda network, *_: network)
  empty = pretrained.Convolutions({}, pretrained.CAFFE, 'nothing')
  network = lpips_nets.backbone(net, empty)
  assert tuple(t.shape[-1] for t in network.outputs) == (
      lpips_nets.CHANNELS[net])
  side = lpips_nets.SMALLEST[net]
  assert network.compute_output_shape((1, side, side, 3))[-1][1:3] == (1, 1)
  assert network(tf.zeros([1, side, side, 3]))[-1].shape[1:3] == (1, 1)
  with pytest.raises(ValueError, match='zero or negative'):
    network.compute_output_shape((1, side - 1, side - 1, 3))


def test_weights_of_another_net_are_refused(tmp_path):
  path = made_weights.npz(tmp_path / 'vgg.npz',
                          made_weights.torch_vgg([64], 'features.'))
  with pytest.raises(errors.UserError, match='has no weights of|is not of'):
    lpips_nets.backbone('squeeze', pretrained.read(path))

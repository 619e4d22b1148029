"""The authors' nets: shapes, numbers of parameters, where batch norm stands.

The numbers are worked out in the comments from the authors' layers, not from
the code: `k*k*in*out (+ out)` for a conv layer, `in*out + out` for a dense
one, 2 trainable and 2 moving numbers a channel for batch norm.
"""
import functools

import keras
from keras import layers
import numpy as np
import pytest
import tensorflow as tf

from pgak import networks

CONVS = (layers.Conv2D, layers.Conv2DTranspose)
PAIRS = {
    'conv_digits': (networks.conv_digits_encoder, networks.conv_digits_decoder,
                    (8, 8, 1), {}),
    'conv_mnist': (networks.conv_mnist_encoder, networks.conv_mnist_decoder,
                   (28, 28, 1), {}),
    'conv_32': (networks.dcgan_encoder, networks.dcgan_decoder, (32, 32, 3),
                dict(num_layers=3)),
    'conv_64': (networks.dcgan_encoder, networks.dcgan_decoder, (64, 64, 3),
                dict(num_layers=4)),
    'resnet_32': (networks.resnet_32_encoder, networks.resnet_32_decoder,
                  (32, 32, 3), {}),
}


def _nets(name, latent_dim, log_variance=False, **settings):
  encode, decode, image_shape, fixed = PAIRS[name]
  return (networks.encoder(functools.partial(encode, **fixed, **settings),
                           image_shape, latent_dim, log_variance),
          networks.decoder(functools.partial(decode, **fixed, **settings),
                           image_shape, latent_dim))


def _small(name, **settings):
  filters = 'filters' if name == 'resnet_32' else 'base_filters'
  return _nets(name, 3, **{filters: 4}, **settings)


def _count(variables):
  return sum(int(np.prod(v.shape)) for v in variables)


def _counts(model):
  return _count(model.trainable_variables), _count(
      model.non_trainable_variables)


def _layout(model):
  """The layers with weights, and the numbers of their channels."""
  named = []
  for layer in model.layers:
    if isinstance(layer, layers.BatchNormalization):
      named.append('bn')
    elif layer.weights:
      kind = {layers.Conv2D: 'conv', layers.Conv2DTranspose: 'deconv',
              layers.Dense: 'fc'}[type(layer)]
      units = layer.units if kind == 'fc' else layer.filters
      named.append(f'{kind}{units}' + ('' if layer.use_bias else '-nobias'))
  return ' '.join(named)


@pytest.mark.parametrize('latent_dim, log_variance, encoder, decoder', [
    # Encoder: conv 25*1*64+64 = 1,664; conv 25*64*128+128 = 204,928; dense
    # 7*7*128*1024+1024 = 6,423,552; head 1024*12+12 = 12,300. Decoder: dense
    # 12*1024+1024 = 13,312; dense 1024*6272+6272 = 6,428,800; deconv
    # 25*128*64+64 = 204,864; deconv 25*64*1+1 = 1,601.
    (12, False, 6_642_444, 6_648_577),
    # Two heads of 1024*32+32 = 32,800; the decoder's dense 32*1024+1024 =
    # 33,792.
    (32, True, 6_695_744, 6_669_057),
])
def test_parameters_of_conv_mnist(latent_dim, log_variance, encoder, decoder):
  nets = _nets('conv_mnist', latent_dim, log_variance)
  assert [_counts(n) for n in nets] == [(encoder, 0), (decoder, 0)]


def test_the_mnist_encoder_of_2019_is_linear_after_its_dense_layer():
  images = keras.Input((28, 28, 1))
  nets = [keras.Model(images, networks.conv_mnist_encoder(
      images, base_filters=2, dense_units=5, dense_activation=on))
          for on in (True, False)]
  nets[1].set_weights(nets[0].get_weights())
  x = np.random.default_rng(0).normal(size=(4, 28, 28, 1)).astype('f4')
  activated, linear = (net(x).numpy() for net in nets)
  assert linear.min() < 0.
  np.testing.assert_allclose(
      activated, np.maximum(linear, 0.2 * linear), rtol=1e-5)


@pytest.mark.parametrize('name, encoder, decoder', [
    # Encoder: conv 25*3*64+64 = 4,864; conv 25*64*128 = 204,800, BN 256; conv
    # 25*128*256 = 819,200, BN 512; head 4*4*256*128+128 = 524,416. Decoder:
    # dense 128*4096+4096 = 528,384; deconv 25*256*128 = 819,200, BN 256;
    # deconv 25*128*64+64 = 204,864; deconv 25*64*3+3 = 4,803.
    ('conv_32', (1_554_048, 768), (1_557_507, 256)),
    # Encoder: conv 4,864; conv with bias 204,928; conv 819,200, BN 512; conv
    # 25*256*512 = 3,276,800, BN 1,024; head 8192*128+128 = 1,048,704. Decoder:
    # dense 128*8192+8192 = 1,056,768; deconv 3,276,800, BN 512; deconv
    # 819,200, BN 256; deconv 204,864; deconv 4,803.
    ('conv_64', (5_356_032, 1_536), (5_363_203, 768)),
])
def test_parameters_of_dcgan(name, encoder, decoder):
  nets = _nets(name, 128, batch_norm=True)
  assert [_counts(n) for n in nets] == [encoder, decoder]


def test_parameters_of_resnet_32():
  # A block of 512 to 512 is 2 * (BN 1,024 + conv 9*512*512+512 = 2,359,808) =
  # 4,721,664, with 2,048 moving numbers. Encoder: first block shortcut
  # 3*512+512 = 2,048, BN 6, conv 9*3*512+512 = 14,336, BN 1,024, conv
  # 2,359,808, sum 2,377,222, moving 6+1,024; three more; head
  # 8*8*512*128+128 = 4,194,432. Decoder: dense 128*32768+32768 = 4,227,072;
  # first block shortcut 2048*512+512 = 1,049,088, BN 4,096, conv
  # 9*2048*512+512 = 9,437,696, BN 1,024, conv 2,359,808, sum 12,851,712,
  # moving 4,096+1,024; two more; conv 9*512*3+3 = 13,827.
  encoder, decoder = _nets('resnet_32', 128, batch_norm=True)
  assert _counts(encoder) == (
      2_377_222 + 3 * 4_721_664 + 4_194_432, 1_030 + 3 * 2_048)
  assert _counts(decoder) == (
      4_227_072 + 12_851_712 + 2 * 4_721_664 + 13_827, 5_120 + 2 * 2_048)


def test_parameters_of_conv_digits():
  # Encoder: conv 9*1*32+32 = 320; conv 9*32*64+64 = 18,496; dense
  # 2*2*64*256+256 = 65,792; head 256*8+8 = 2,056. Decoder: dense 8*256+256 =
  # 2,304; dense 256*256+256 = 65,792; deconv 9*64*32+32 = 18,464; deconv
  # 9*32*1+1 = 289.
  nets = _nets('conv_digits', 8)
  assert [_counts(n) for n in nets] == [(86_664, 0), (86_849, 0)]


@pytest.mark.parametrize('name, batch_norm, encoder, decoder', [
    ('conv_mnist', False, 'conv4 conv8 fc16 fc3', 'fc16 fc392 deconv4 deconv1'),
    ('conv_mnist', True, 'conv4 conv8-nobias bn fc16-nobias bn fc3',
     'fc16 fc392-nobias bn deconv4 deconv1'),
    ('conv_32', False, 'conv4 conv8 conv16 fc3',
     'fc256 deconv8 deconv4 deconv3'),
    ('conv_32', True, 'conv4 conv8-nobias bn conv16-nobias bn fc3',
     'fc256 deconv8-nobias bn deconv4 deconv3'),
    ('conv_64', True, 'conv4 conv8 conv16-nobias bn conv32-nobias bn fc3',
     'fc512 deconv16-nobias bn deconv8-nobias bn deconv4 deconv3'),
    ('conv_digits', True, 'conv4 conv8-nobias bn fc16-nobias bn fc3',
     'fc16 fc32-nobias bn deconv4 deconv1'),
])
def test_where_batch_norm_stands(name, batch_norm, encoder, decoder):
  dense = {} if name in ('conv_32', 'conv_64') else dict(dense_units=16)
  nets = _small(name, batch_norm=batch_norm, **dense)
  assert [_layout(n) for n in nets] == [encoder, decoder]


@pytest.mark.parametrize('name, encoder, decoder', [
    ('conv_mnist', 'conv4 conv8 fc3', 'fc392 deconv4 deconv1'),
    ('conv_digits', 'conv4 conv8 fc3', 'fc32 deconv4 deconv1')])
def test_without_hidden_dense_layers(name, encoder, decoder):
  nets = _small(name, dense_units=None)
  assert [_layout(n) for n in nets] == [encoder, decoder]


@pytest.mark.parametrize('batch_norm', [False, True])
def test_where_batch_norm_stands_in_resnet_32(batch_norm):
  for net, blocks in zip(_small('resnet_32', batch_norm=batch_norm), (4, 3)):
    layout = _layout(net).split()
    assert layout.count('bn') == (2 * blocks if batch_norm else 0)
    # Two convs a block, the shortcut of the first, and the decoder's last.
    convs = [layer for layer in layout if layer.startswith('conv')]
    assert len(convs) == 2 * blocks + 1 + (blocks == 3)


@pytest.mark.parametrize('name', PAIRS)
def test_kernels_strides_and_batch_norm_are_the_authors(name):
  for net in _small(name, batch_norm=True):
    for layer in net.layers:
      if isinstance(layer, layers.BatchNormalization):
        assert (layer.momentum, layer.epsilon) == (0.999, 1e-3)
        assert layer.scale and layer.center
      elif isinstance(layer, CONVS) and name != 'resnet_32':
        size = 3 if name == 'conv_digits' else 5
        assert layer.kernel_size == (size, size)
        assert (layer.strides, layer.padding) == ((2, 2), 'same')
      if getattr(layer, 'kernel', None) is not None:
        assert isinstance(layer.kernel_initializer,
                          keras.initializers.GlorotUniform)


@pytest.mark.parametrize('name', PAIRS)
def test_shapes_and_ranges(name):
  image_shape = PAIRS[name][2]
  encoder, decoder = _small(name)
  images = 3. * tf.random.stateless_normal([2, *image_shape], [0, 1])
  assert encoder(images).shape == (2, 3)
  made = decoder(5. * tf.random.stateless_normal([2, 3], [0, 2]))
  assert made.shape == (2, *image_shape)
  assert made.dtype == tf.float32
  assert float(tf.reduce_max(tf.abs(made))) <= 1.
  assert float(tf.reduce_min(made)) < 0.


@pytest.mark.parametrize('name', ['conv_digits', 'conv_mnist', 'conv_32'])
def test_the_activations_are_leaky_in_the_encoder_and_relu_in_the_decoder(name):
  encoder, decoder = _small(name)
  for net, slope in ((encoder, 0.2), (decoder, 0.)):
    first = next(layer for layer in net.layers if layer.weights)

    activation = next(n.operation for n in first._outbound_nodes)
    values = activation(tf.constant([-1., 2.]))
    np.testing.assert_allclose(values, [-slope, 2.], rtol=1e-6)


@pytest.mark.parametrize('name', PAIRS)
def test_base_filters_scale_every_conv_layer_but_the_last(name):
  filters = 'filters' if name == 'resnet_32' else 'base_filters'
  narrow, wide = ([[layer.filters for layer in net.layers
                    if isinstance(layer, CONVS)]
                   for net in _nets(name, 3, **{filters: n})] for n in (2, 6))
  channels = PAIRS[name][2][-1]
  assert wide[0] == [3 * n for n in narrow[0]]
  assert wide[1] == [3 * n for n in narrow[1][:-1]] + [channels]
  assert narrow[1][-1] == channels


@pytest.mark.parametrize('name', PAIRS)
def test_a_net_survives_serialization(name):
  for net in _small(name, batch_norm=True):
    again = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(net))
    again.set_weights(net.get_weights())
    inputs = tf.random.stateless_normal([2, *net.input_shape[1:]], [3, 4])
    np.testing.assert_allclose(again(inputs), net(inputs), rtol=1e-5, atol=1e-6)

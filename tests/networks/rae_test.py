"""The RAE authors' nets; the numbers of parameters are worked out by hand."""
import functools

import keras
from keras import layers
import numpy as np
import pytest
import tensorflow as tf

from pgak import networks

UNIT = (0., 1.)


def _nets(side=32, channels=1, latent_dim=16, encoder=None, **settings):
  shape = (side, side, channels)
  both = dict(kernel_size=4 if side == 32 else 5)
  return (
      networks.encoder(functools.partial(
          networks.rae_encoder, **both, **{
              k: v for k, v in settings.items() if k != 'stem'},
          **(encoder or {})), shape, latent_dim),
      networks.decoder(functools.partial(
          networks.rae_decoder, **both, num_layers=2 if side == 32 else 3,
          **settings), shape, latent_dim, UNIT))


def _count(variables):
  return sum(int(np.prod(v.shape)) for v in variables)


@pytest.mark.parametrize('arguments, encoder, decoder', [
    # MNIST. Encoder: convs 16*1*128 = 2,048, 16*128*256 = 524,288, 16*256*512 =
    # 2,097,152, 16*512*1024 = 8,388,608 without biases; batch norm 2 * 1,920 =
    # 3,840; head 2*2*1024*16+16 = 65,552. Decoder: dense 16*65536+65536 =
    # 1,114,112; deconvs 16*1024*512 = 8,388,608, 16*512*256 = 2,097,152; batch
    # norm 2 * 768 = 1,536; deconv 16*256*1+1 = 4,097.
    ((32, 1, 16), 11_081_488, 11_605_505),
    # CelebA. Encoder: convs 25*3*128 = 9,600, 25*128*256 = 819,200, 25*256*512
    # = 3,276,800, 25*512*1024 = 13,107,200; batch norm 3,840; head
    # 4*4*1024*64+64 = 1,048,640. Decoder: dense 64*65536+65536 = 4,259,840;
    # deconvs 13,107,200, 3,276,800, 819,200; batch norm 2 * 896 = 1,792;
    # deconv 25*128*3+3 = 9,603.
    ((64, 3, 64), 18_265_280, 21_474_435),
])
def test_parameters(arguments, encoder, decoder):
  nets = _nets(*arguments)
  assert [_count(n.trainable_variables) for n in nets] == [encoder, decoder]


def _kinds(net):
  return [type(layer).__name__ for layer in net.layers]


def test_the_stem_of_the_code_and_of_the_paper():
  _, code = _nets(base_filters=2)
  _, paper = _nets(base_filters=2, stem='batch_norm_relu')
  assert _kinds(code)[1:3] == ['Dense', 'Reshape']
  # ReLU is a function, which Keras does not list among the layers.
  assert _kinds(paper) == ['InputLayer', 'Dense', 'BatchNormalization',
                           *_kinds(code)[2:]]
  assert code.layers[1].use_bias and not paper.layers[1].use_bias
  with pytest.raises(ValueError, match="'linear' or 'batch_norm_relu'"):
    _nets(base_filters=2, stem='relu')


@pytest.mark.parametrize('batch_norm', [False, True])
@pytest.mark.parametrize('side, channels', [(32, 3), (64, 3)])
def test_shapes_and_range(side, channels, batch_norm):
  encoder, decoder = _nets(side, channels, 5, base_filters=2,
                           batch_norm=batch_norm)
  images = tf.random.stateless_uniform([2, side, side, channels], [0, 1])
  assert encoder(images).shape == (2, 5)
  made = decoder(9. * tf.random.stateless_normal([2, 5], [0, 2]))
  assert made.shape == images.shape
  assert 0. <= float(tf.reduce_min(made)) < float(tf.reduce_max(made)) <= 1.
  normalised = [layer for net in (encoder, decoder) for layer in net.layers
                if isinstance(layer, layers.BatchNormalization)]
  assert bool(normalised) == batch_norm
  for layer in normalised:
    assert (layer.momentum, layer.epsilon) == (0.99, 1e-3)


def test_pixels_are_centred_before_the_first_layer_or_not():
  encoder, _ = _nets(base_filters=2)
  plain, _ = _nets(base_filters=2, encoder={'centred': False})
  plain.set_weights(encoder.get_weights())
  images = tf.random.stateless_uniform([3, 32, 32, 1], [1, 1])
  np.testing.assert_allclose(encoder(images), plain(2. * images - 1.),
                             rtol=1e-4, atol=1e-5)


def test_every_kernel_but_the_head_is_normalised():
  for net, number in zip(_nets(base_filters=2, spectral_norm=True), (4, 4)):
    normalised = [layer for layer in net.layers if isinstance(
        layer, networks.SpectralNormalization)]
    assert len(normalised) == number
    bare = [layer for layer in net.layers
            if isinstance(layer, (layers.Conv2D, layers.Conv2DTranspose,
                                  layers.Dense))]
    assert [layer.name for layer in bare] in ([], ['latents'])


def test_the_nets_survive_serialization():
  for net in _nets(base_filters=2, spectral_norm=True):
    again = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(net))
    again.set_weights(net.get_weights())
    inputs = tf.random.stateless_normal([2, *net.input_shape[1:]], [3, 4])
    np.testing.assert_allclose(again(inputs), net(inputs), rtol=1e-5, atol=1e-6)

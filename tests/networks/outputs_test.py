"""The last layer of a decoder of images."""
import keras
from keras import layers
import numpy as np
import pytest
import tensorflow as tf

from pgak import networks
from pgak import settings
from pgak.data import kinds
from pgak.networks import outputs

INPUTS = tf.constant([[-3., -1., -0.5, 0., 0.25, 1., 5.]])


def _scaled(x, channels):
  return layers.Reshape((2, 2, channels))(x)


def decoder(value_range=(-1., 1.), shape=(2, 2, 1), **options):
  return networks.decoder(_scaled, shape, 4 * shape[-1], value_range,
                          output='clipped', **options)


def test_it_is_linear_inside_and_clipped_outside():
  layer = outputs.ClippedOutput((-1., 1.))
  np.testing.assert_array_equal(
      layer(INPUTS), [[-1., -1., -0.5, 0., 0.25, 1., 1.]])
  # In training -1 - 0.01 * 2 and 1 + 0.01 * 4.
  np.testing.assert_allclose(
      layer(INPUTS, training=True), [[-1.02, -1., -0.5, 0., 0.25, 1., 1.04]])


@pytest.mark.parametrize('training, outside', [(True, 0.25), (False, 0.)])
def test_a_gradient_leaks_in_training_alone(training, outside):
  model = decoder(leak=0.25)
  latents = tf.Variable([[-3., -0.5, 0.5, 3.]])
  with tf.GradientTape() as tape:
    made = tf.reduce_sum(model(latents, training=training))
  np.testing.assert_allclose(tape.gradient(made, latents),
                             [[outside, 1., 1., outside]])


@pytest.mark.parametrize('value_range', [(-1., 1.), (0., 1.)])
def test_black_and_white_are_exact(value_range):
  model = decoder(value_range)
  assert kinds.value_range_of(model) == value_range
  kind = kinds.Images((2, 2, 1), value_range)
  low, high = value_range
  made = model(tf.constant([[low, low - 0.1, high, high + 0.1]]))
  np.testing.assert_array_equal(
      np.ravel(kind.to_users(made)), [0, 0, 255, 255])
  middle = model(tf.fill([1, 4], 0.75 * low + 0.25 * high))
  np.testing.assert_array_equal(np.ravel(kind.to_users(middle)), [64] * 4)


def test_it_is_the_usual_one_unless_chosen():
  usual = networks.decoder(_scaled, (2, 2, 1), 4)
  assert usual.layers[-1].activation is keras.activations.tanh
  assert decoder().layers[-1].leak == 0.01
  again = keras.Model.from_config(decoder(leak=0.3).get_config())
  assert again.layers[-1].leak == 0.3
  assert kinds.value_range_of(again) == (-1., 1.)


def test_vectors_have_no_range():
  with pytest.raises(settings.SettingError, match='no range to be clipped to'):
    networks.decoder(lambda x, n: x, (4,), 4, None, output='clipped')
  with pytest.raises(settings.SettingError, match=r'\(-1, 1\) \(tanh\) or'):
    decoder((0., 255.))


def test_the_u_net_has_it_too():
  model = networks.vunet_decoder((32, 32, 1), (32, 32, 1), base_filters=2,
                                 output='clipped')
  assert kinds.value_range_of(model) == (-1., 1.)
  assert isinstance(model.get_layer('images'), outputs.ClippedOutput)

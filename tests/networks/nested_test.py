"""The layers of a net are found wherever they are in it."""
import keras
from keras import layers
import numpy as np
import pytest

from pgak import networks


class Block(layers.Layer):
  """A layer of one's own around another."""

  def __init__(self, inner):
    super().__init__()
    self.inner = inner

  def call(self, inputs):
    return self.inner(inputs)


WAYS = {'itself': lambda layer: layer, 'a layer': Block,
        'a net': lambda layer: keras.Sequential([layer]),
        'both': lambda layer: Block(keras.Sequential([layer]))}


def net_around(way, layer, shape=(3,)):
  return keras.Sequential([keras.Input(shape), WAYS[way](layer)])


@pytest.mark.parametrize('way', WAYS)
def test_a_layer_is_found_once_in_a_net(way):
  layer = layers.Dense(2)
  net = net_around(way, layer)
  assert [x for x in networks.layers_of(net) if x is layer] == [layer]
  assert networks.layers_of(net)[0] is net
  assert networks.layers_of(None) == []


def test_a_layer_that_is_called_twice_is_found_once():
  inputs, layer = keras.Input((2,)), layers.Dense(2)
  net = keras.Model(inputs, layer(layer(inputs)))
  assert networks.layers_of(net).count(layer) == 1


@pytest.mark.parametrize('way', WAYS)
def test_norms_are_followed_wherever_the_layer_is(way):
  keras.utils.clear_session()  # As in a process that has made nothing yet.
  layer = networks.SpectralNormalization(layers.Dense(2))
  net = net_around(way, layer)
  before = layer.u.numpy()
  networks.update_spectral_norms(net)
  assert np.any(before != layer.u.numpy())


def test_a_level_is_set_in_a_nested_net():
  inputs, fade = keras.Input((2,)), networks.FadeIn(2)
  inner = keras.Model(inputs, fade([inputs, inputs]))
  networks.set_level(keras.Model(inputs, inner(inputs)), 1.5)
  assert float(fade.share) == 0.5


@pytest.mark.parametrize('way', WAYS)
def test_float32_reaches_wherever_the_layer_is(way):
  layer = layers.Dense(2, dtype='mixed_bfloat16')
  net = net_around(way, layer)
  with networks.full_precision(net):
    assert layer.compute_dtype == 'float32'
  assert layer.compute_dtype == 'bfloat16'


@pytest.mark.parametrize('way', WAYS)
def test_the_last_layer_keeps_its_precision_with_all_in_it(way):
  first, last = layers.Dense(2), layers.Dense(2)
  inputs = keras.Input((3,))
  net = keras.Model(inputs, WAYS[way](last)(WAYS[way](first)(inputs)))
  with networks.lower_precision('bfloat16', net):
    assert first.compute_dtype == 'bfloat16'
    assert last.compute_dtype == 'float32'

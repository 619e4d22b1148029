"""Nets in full precision, for as long as they are asked to be."""
import keras
from keras import layers
import numpy as np
import pytest

from pgak import networks
from pgak.networks import precision


def policies(net):
  """Returns the types that a net's dense layers compute in."""
  return [layer.compute_dtype for layer in net._flatten_layers()
          if isinstance(layer, layers.Dense)]


@pytest.fixture(name='net')
def _net():
  """A dense layer, one in a net of its own, and one in a wrapper."""
  keras.config.set_dtype_policy('mixed_bfloat16')
  return keras.Sequential([
      keras.Input((3,)), layers.Dense(2),
      keras.Sequential([layers.Dense(2)]),
      networks.SpectralNormalization(layers.Dense(2)),
      layers.Dense(2, dtype='float32')])


def test_all_layers_compute_in_float32_within_and_as_before_after(net):
  before = policies(net)
  assert before == ['bfloat16'] * 3 + ['float32']
  x = keras.ops.ones((1, 3))
  with precision.full_precision(net):
    assert policies(net) == ['float32'] * 4
    assert net(x).dtype == net.layers[0](x).dtype == 'float32'
  assert policies(net) == before
  assert net.layers[0](x).dtype == 'bfloat16'


def test_an_error_within_leaves_them_as_they_were(net):
  before = policies(net)
  with pytest.raises(KeyError):
    with precision.full_precision(net):
      raise KeyError
  assert policies(net) == before


def test_several_nets_at_once(net):
  other = layers.Dense(2)
  with precision.full_precision(net, other):
    assert other.compute_dtype == 'float32' == net.layers[0].compute_dtype
  assert other.compute_dtype == 'bfloat16'


def test_a_net_in_lower_precision_keeps_its_outputs_and_its_weights():
  inputs = keras.Input((3,))
  hidden = layers.Dense(4, dtype='float32')(inputs)
  net = keras.Model(inputs, layers.Dense(2, dtype='float32')(hidden))
  with precision.lower_precision('float16', net):
    assert net.layers[1].compute_dtype == 'float16'
    assert net.layers[2].compute_dtype == 'float32'
    assert net(np.ones([1, 3], 'f')).dtype == 'float32'
    assert {w.dtype for w in net.weights} == {'float32'}
  assert net.layers[1].compute_dtype == 'float32'


def test_a_head_stays_that_is_flattened_or_scaled():
  inputs = keras.Input((4, 4, 2))
  hidden = layers.Conv2D(2, 1)(inputs)
  flat = layers.Flatten()(layers.Conv2D(2, 1, name='mean')(hidden))
  scaled = 2. * keras.ops.tanh(layers.Conv2D(2, 1, name='sigma')(hidden))
  net = keras.Model(inputs, [flat, scaled])
  with precision.lower_precision('bfloat16', net):
    assert hidden._keras_history.operation.compute_dtype == 'bfloat16'
    assert {net.get_layer(n).compute_dtype
            for n in ('mean', 'sigma')} == {'float32'}
    assert {t.dtype.name for t in net(np.ones([1, 4, 4, 2], 'f'))} == {
        'float32'}


def test_of_a_nested_net_at_the_end_its_last_layer_alone_stays():
  keras.config.set_dtype_policy('float32')
  core = keras.Sequential([keras.Input((3,)), layers.Dense(4), layers.Dense(2)])
  inputs = keras.Input((3,))
  net = keras.Model(inputs, core(inputs))
  with precision.lower_precision('bfloat16', net):
    assert [layer.compute_dtype for layer in core.layers] == [
        'bfloat16', 'float32']

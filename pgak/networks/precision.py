"""Calls of a net in another precision than the one that it was made in."""
import contextlib

import keras

from pgak.networks import nested

__all__ = ['full_precision', 'lower_precision']

_LOW = ('bfloat16', 'float16')


@contextlib.contextmanager
def full_precision(*nets):
  """Within it, nets compute in float32, whatever their layers' policies.

  For terms that low precision loses, such as eq. 7 of the PGA paper, a
  difference of nearly equal numbers. A function that is traced within keeps
  what it traced.

  Args:
    *nets: `keras.Model`s or layers.
  """
  low = [layer for net in nets for layer in nested.layers_of(net)
         if layer.compute_dtype in _LOW]
  with _computed_in('float32', low):
    yield


@contextlib.contextmanager
def lower_precision(dtype, *nets):
  """Within it, nets compute in 16 bits; their outputs stay in float32.

  The weights stay as they are, and are rounded where they are used. A function
  that is traced within keeps what it traced.

  Args:
    dtype: 'bfloat16' or 'float16'.
    *nets: functional `keras.Model`s.
  """
  last = {layer for net in nets for layer in _last_layers(net)}
  inner = [layer for net in nets for layer in nested.layers_of(net)
           if layer not in (*nets, *last)
           and layer.compute_dtype == 'float32'
           and not isinstance(layer, keras.layers.InputLayer)]
  with _computed_in(f'mixed_{dtype}', inner):
    yield


def _last_layers(net):
  """Returns the layers that make a net's outputs, with those inside of them."""
  found = []
  for tensor in net.outputs:
    last = tensor._keras_history.operation
    # What flattens a map or scales a head is not what makes it.
    while (isinstance(last, keras.layers.Flatten)
           or not isinstance(last, keras.layers.Layer)):
      found += nested.layers_of(last)
      last = keras.tree.flatten(last.input)[0]._keras_history.operation
    # A nested net has a last layer of its own; a wrapper or a block is one.
    found += (_last_layers(last) if hasattr(last, 'outputs')
              else nested.layers_of(last))
  return found


@contextlib.contextmanager
def _computed_in(policy, layers):
  before = {layer: layer.dtype_policy for layer in layers}
  for layer in before:
    layer.dtype_policy = keras.DTypePolicy(policy)
  try:
    yield
  finally:
    for layer, policy in before.items():
      layer.dtype_policy = policy

"""Calls of a net in full precision, inside a step of lower precision."""
import contextlib

import keras

__all__ = ['full_precision']


@contextlib.contextmanager
def full_precision(*nets):
  """Within it, nets compute in float32, whatever their layers' policies.

  For terms that low precision loses, such as eq. 7 of the PGA paper, a
  difference of nearly equal numbers. A function that is traced within keeps
  what it traced.

  Args:
    *nets: `keras.Model`s or layers.
  """
  low = {layer: layer.dtype_policy for net in nets for layer in _layers(net)
         if layer.compute_dtype in ('bfloat16', 'float16')}
  full = keras.DTypePolicy('float32')
  for layer in low:
    layer.dtype_policy = full
  try:
    yield
  finally:
    for layer, policy in low.items():
      layer.dtype_policy = policy


def _layers(net):
  """Yields a net and all layers in it, also those that others wrap."""
  yield net
  for layer in (*getattr(net, 'layers', ()), getattr(net, 'layer', None)):
    if layer is not None:
      yield from _layers(layer)

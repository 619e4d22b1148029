"""Whether XLA is to compile a train step where nobody has said.

On a CPU it computes a transposed convolution, and so the gradient of a strided
one by its input, slowly where the smaller of the two maps has 4 x 4 places or
fewer and the channels are many: the whole step then takes 2 to 10 times as long
as without XLA (docs/speed.md).
"""
import keras
import tensorflow as tf

__all__ = ['pays']

# The largest side of the smaller map, and the fewest pairs of channels.
_SIDE = 4
_PAIRS = 4096


def pays(model):
  """Returns whether XLA makes the steps of a model faster on this machine.

  Args:
    model: a built `GenerativeModel`.
  """
  if tf.config.list_logical_devices('GPU'):
    return True
  return not any(_is_slow(layer) for part in model.parts.values()
                 for layer in _layers(part))


def _layers(layer):
  yield layer
  for inner in getattr(layer, 'layers', ()):
    yield from _layers(inner)


def _is_slow(layer):
  # A wrapper, such as spectral normalisation, has the maps of what it wraps.
  convolution = getattr(layer, 'layer', layer)
  if not isinstance(convolution, (keras.layers.Conv2D,
                                  keras.layers.Conv2DTranspose)):
    return False
  if max(convolution.strides) == 1:
    return False
  try:
    smaller = (layer.input if isinstance(
        convolution, keras.layers.Conv2DTranspose) else layer.output)
  except AttributeError:
    return False  # Called from a layer of one's own, which shows no maps.
  _, height, width, _ = smaller.shape
  if None in (height, width):
    return False  # Of images of any size.
  channels, others = convolution.kernel.shape[2:]
  return max(height, width) <= _SIDE and channels * others >= _PAIRS

"""The last layer of a decoder of images, which keeps pixels in their range."""
from typing import Literal

import keras
from keras import layers
import tensorflow as tf

from pgak import settings

__all__ = ['ACTIVATIONS', 'ClippedOutput', 'Output', 'output_layer']

# The ranges that an activation has; a model reads its own from the last layer.
ACTIVATIONS = {(-1., 1.): 'tanh', (0., 1.): 'sigmoid'}
Output = Literal['squashed', 'clipped']


@keras.saving.register_keras_serializable('pgak')
class ClippedOutput(layers.Layer):
  """Linear inside a range and clipped outside, with a leak in training.

  ```none
  y = min(max(x, low), high) + leak * (x - min(max(x, low), high))
  ```

  in training, so that a gradient passes outside the range; without the second
  term otherwise. So black and white are reached exactly, which tanh and sigmoid
  only approach.

  Args:
    value_range: `(low, high)`.
    leak: slope outside the range in training, at least 0. Small: what lies
      outside costs `leak^2` of what the same error inside does, and only so
      does the net move black so far out that its errors are clipped. With 0.1
      grey specks remain in flat black (docs/recipes.md).
  """

  def __init__(self, value_range, leak=0.01, **kwargs):
    super().__init__(**kwargs)
    self.value_range = tuple(float(v) for v in value_range)
    self.leak = leak

  def call(self, inputs, training=False):
    clipped = tf.clip_by_value(inputs, *self.value_range)
    return clipped + self.leak * (inputs - clipped) if training else clipped

  def compute_output_shape(self, input_shape):
    return input_shape

  def get_config(self):
    return super().get_config() | {'value_range': self.value_range,
                                   'leak': self.leak}


def output_layer(value_range, output='squashed', leak=0.01):
  """Returns the last layer of a decoder of images, named `images`.

  Args:
    value_range: `(-1, 1)` or `(0, 1)`.
    output: 'squashed' for tanh or sigmoid, 'clipped' for `ClippedOutput`.
    leak: of `ClippedOutput`.

  Raises:
    settings.SettingError: if the range is another.
  """
  value_range = tuple(float(v) for v in value_range)
  activation = ACTIVATIONS.get(value_range)
  if activation is None:
    raise settings.SettingError(
        '`value_range` must be (-1, 1) (tanh) or (0, 1) (sigmoid), not '
        f'{value_range}.')
  dtype = keras.config.floatx()
  if output == 'clipped':
    return ClippedOutput(value_range, leak, dtype=dtype, name='images')
  return layers.Activation(activation, dtype=dtype, name='images')

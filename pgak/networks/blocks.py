"""Building blocks that several architectures share."""
import keras
from keras import layers

__all__ = ['ZeroUnpooling', 'activated', 'batch_norm', 'with_kernel']


def batch_norm():
  """Returns batch norm as in the PGA authors' code: decay 0.999, eps 1e-3."""
  return layers.BatchNormalization(momentum=0.999, epsilon=1e-3)


def activated(layer, x, activation, normalised):
  """Applies a layer, batch norm if asked, and an activation.

  Args:
    layer: a conv or dense layer; build it without a bias where batch norm
      follows.
    x: Keras tensor.
    activation: function of a Keras tensor.
    normalised: whether batch norm stands between the two.
  """
  x = layer(x)
  if normalised:
    x = batch_norm()(x)
  return activation(x)


def with_kernel(layer, change, inputs):
  """Calls a layer with a function of its kernel in the kernel's place.

  Args:
    layer: a layer with a `kernel`, frozen or not.
    change: function of the kernel's value to another of its shape.
    inputs: Keras tensor.

  Returns:
    The layer's outputs, whose gradient goes through `change` to the kernel.
  """

  def values(variables):
    return [change(v.value) if v is layer.kernel else v.value
            for v in variables]

  # Stateless, since to assign another kernel would stop the gradient.
  outputs, _ = layer.stateless_call(
      values(layer.trainable_variables), values(layer.non_trainable_variables),
      inputs)
  return outputs


@keras.saving.register_keras_serializable('pgak')
class ZeroUnpooling(layers.Layer):
  """Doubles height and width; all but the upper left of four pixels are 0."""
  # The un-pooling of the authors' `resnet_32`.

  def call(self, x):
    _, height, width, channels = x.shape
    x = keras.ops.reshape(x, (-1, height, 1, width, 1, channels))  # A 2x2 cell.
    x = keras.ops.pad(x, ((0, 0), (0, 0), (0, 1), (0, 0), (0, 1), (0, 0)))
    return keras.ops.reshape(x, (-1, 2 * height, 2 * width, channels))

  def compute_output_shape(self, input_shape):
    batch, height, width, channels = input_shape
    return (batch, 2 * height, 2 * width, channels)

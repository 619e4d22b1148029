"""Nets of dense layers for data sets of vectors."""
from typing import Annotated

import keras
from keras import layers

from pgak import settings

__all__ = ['mlp_decoder', 'mlp_encoder']


class _IsActivation:
  """The name of one of Keras's activations."""

  def holds(self, value):
    try:
      return callable(keras.activations.get(value))
    except ValueError:
      return False

  def text(self, base):
    return f"{base} that names a Keras activation, such as 'relu'"


Activation = Annotated[str, _IsActivation()]


def _dense(x, units, activation):
  for number in units:
    x = layers.Dense(number, activation)(x)
  return x


@settings.register(denylist=['points'])
def mlp_encoder(points, units: tuple[settings.Count, ...] = (256, 256, 256),
                activation: Activation = 'relu'):
  """Vectors `[B, D]` to features `[B, units[-1]]`.

  Args:
    points: Keras tensor; images `[B, h, w, C]` are flattened first.
    units: units of each layer.
    activation: name of Keras's activation after each of them.
  """
  if len(points.shape) > 2:
    points = layers.Flatten()(points)
  return _dense(points, units, activation)


@settings.register(denylist=['latents', 'channels'])
def mlp_decoder(latents, channels: settings.Count,
                units: tuple[settings.Count, ...] = (256, 256, 256),
                activation: Activation = 'relu'):
  """Latents `[B, H]` to vectors `[B, channels]`.

  Args:
    latents: Keras tensor.
    channels: D, the dimensions of a vector.
    units: units of each hidden layer.
    activation: as for `mlp_encoder`.
  """
  # Linear: vectors are not bounded.
  return layers.Dense(channels)(_dense(latents, units, activation))

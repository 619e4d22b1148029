"""Small nets that are trained once, for a metric, and kept in the cache."""
import hashlib
import json

import keras
import tensorflow as tf

from pgak import files

__all__ = ['Kept', 'descend', 'initializer', 'preprocess']


def preprocess(images):
  """Maps uint8 images to the input of such a net, float32 in [-1, 1]."""
  return tf.cast(images, tf.float32) / 127.5 - 1.


def initializer(seed, layer):
  """Returns the initializer of a layer's kernel, another for each layer."""
  # A seed for each layer: two of one shape must not start alike.
  return keras.initializers.GlorotUniform(seed=1000 * seed + layer)


def descend(network, optimizer, loss, batches):
  """Trains a net.

  Args:
    network: `keras.Model` of what `preprocess` returns.
    optimizer: `keras.optimizers.Optimizer`.
    loss: function `(targets, outputs) -> scalar tensor`.
    batches: iterable of `(uint8 images, targets)`, all of one shape.
  """
  variables = network.trainable_variables
  # Here, because a graph must not make variables: its moments.
  optimizer.build(variables)

  # With XLA two processes on one machine get the same weights.
  @tf.function(jit_compile=True)
  def step(images, targets):
    with tf.GradientTape() as tape:
      value = loss(targets, network(preprocess(images), training=True))
    # `.value`, because `tape.gradient` needs tensors or tf.Variables, not those
    # of Keras.
    optimizer.apply(tape.gradient(value, [v.value for v in variables]),
                    variables)

  for images, targets in batches:
    step(images, targets)


class Kept:
  """The file of a trained net in the cache.

  Args:
    name: string, the data set.
    choices: dictionary of all that decides the weights.

  Attributes:
    key: 16 hexadecimal digits, a hash of the choices.
  """

  def __init__(self, name, choices):
    self._choices = choices
    # Not sorted: the order of the choices is part of the names that earlier
    # versions gave their files.
    self.key = hashlib.sha256(json.dumps(choices).encode()).hexdigest()[:16]
    self._path = files.cache_directory() / 'classifiers' / (
        f'{name}_{self.key}.npz')

  def restore(self, network):
    """Reads the weights; returns the file's arrays, or None without such."""
    arrays = files.load_npz(self._path)
    try:
      network.set_weights(
          [arrays[f'w{i}'] for i in range(len(network.weights))])
    except (KeyError, TypeError, ValueError):  # Not there, or of another net.
      return None
    return arrays

  def save(self, network, arrays=(), **measured):
    """Writes the weights and further arrays; `measured` joins the choices."""
    weights = {f'w{i}': w for i, w in enumerate(network.get_weights())}
    files.keep_npz(self._path, {
        'choices': json.dumps(self._choices | measured), **dict(arrays),
        **weights})

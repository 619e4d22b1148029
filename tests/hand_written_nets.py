"""Whole nets written a second time, as functions of a list of weights.

What the tests of whole steps compare pgak's nets with: layers are TensorFlow's
own ops, and nothing here is pgak's or Keras's. Weights are taken from a `Pile`
in the order in which the papers' tables list the layers.
"""
import re

import tensorflow as tf

__all__ = ['Pile', 'normalised', 'pg_gan_critic', 'pg_gan_generator',
           'rae_decoder', 'rae_encoder', 'sngan_critic', 'weighted_layers']


def weighted_layers(net):
  """The layers of a net that have trainable weights, in the order of making.

  Keras numbers the layers of a kind; a functional model lists them by depth.
  """
  def number(layer):
    found = re.search(r'_(\d+)$', layer.name)
    return int(found.group(1)) if found else 0
  kinds = {}
  for layer in net.layers:
    if layer.trainable_weights:
      kinds.setdefault(type(layer), []).append(layer)
  return {kind.__name__: sorted(layers, key=number)
          for kind, layers in kinds.items()}


class Pile:
  """Hands out the weights of layers one after the other."""

  def __init__(self, layers, values):
    """layers: list of Keras layers; values: `{id of a variable: tensor}`."""
    self._left = [[values[id(v)] for v in layer.trainable_weights]
                  for layer in layers]

  def take(self):
    return self._left.pop(0)

  def is_empty(self):
    return not self._left


# === PG-GAN, [Karras et al., table 2] ===


def _leaky(x):
  return tf.maximum(x, 0.2 * x)


def _equalised(pile, x, gain=2.**0.5, padding='SAME'):
  kernel, bias = pile.take()
  kernel = kernel * (gain / float(kernel.shape[:-1].num_elements())**0.5)
  if kernel.shape.rank == 2:
    return x @ kernel + bias
  return tf.nn.conv2d(x, kernel, 1, padding) + bias


def _pixel_norm(x):
  return x / tf.sqrt(tf.reduce_mean(x**2, -1, keepdims=True) + 1e-8)


def _enlarged(x):
  return tf.repeat(tf.repeat(x, 2, 1), 2, 2)


def _halved(x):
  return tf.nn.avg_pool2d(x, 2, 2, 'VALID')


def pg_gan_generator(pile, z, shares):
  """Images of latents; `shares` of the blocks in the mix, the first first."""
  # The dense layer has a quarter of the gain: it stands for a 4x4 conv.
  x = _equalised(pile, _pixel_norm(z), 2.**0.5 / 4.)
  x = _pixel_norm(_leaky(tf.reshape(x, [len(z), 4, 4, -1])))
  x = _pixel_norm(_leaky(_equalised(pile, x)))
  images = _equalised(pile, x, 1.)
  for share in shares:
    x = _enlarged(x)
    for _ in range(2):
      x = _pixel_norm(_leaky(_equalised(pile, x)))
    images = ((1. - share) * _enlarged(images)
              + share * _equalised(pile, x, 1.))
  return tf.tanh(images)


def pg_gan_critic(pile, images, shares):
  """What the critic says of each image, `[B]`."""
  x = _leaky(_equalised(pile, images))
  for share in reversed(shares):
    for _ in range(2):
      x = _leaky(_equalised(pile, x))
    images = _halved(images)
    x = (share * _halved(x)
         + (1. - share) * _leaky(_equalised(pile, images)))
  spread = tf.reduce_mean(tf.sqrt(tf.math.reduce_variance(x, 0) + 1e-8))
  x = tf.concat([x, tf.zeros_like(x[..., :1]) + spread], -1)
  x = _leaky(_equalised(pile, x))
  x = _leaky(_equalised(pile, x, padding='VALID'))
  return _equalised(pile, x[:, 0, 0], 1.)[:, 0]


# === Spectral normalisation, [Miyato et al., algorithm 1] ===


def normalised(kernel, u, steps=1):
  """The kernel divided by its norm after steps of the power method on u."""
  matrix = tf.reshape(kernel, [-1, kernel.shape[-1]])
  fixed = tf.stop_gradient(matrix)
  for _ in range(steps):
    v = tf.linalg.matvec(fixed, u)
    u = tf.linalg.matvec(fixed, v, transpose_a=True)
    u /= tf.norm(u)
  return kernel / tf.norm(tf.linalg.matvec(matrix, u)), u


def sngan_critic(pile, images):
  """Mimicry's discriminator for two blocks, one of which halves the side.

  The paper's order: a shortcut is first pooled, then convolved in the first
  block, and first convolved, then pooled in the others.
  """
  def conv(x):
    kernel, bias = pile.take()
    return tf.nn.conv2d(x, kernel, 1, 'SAME') + bias
  residual = conv(tf.nn.relu(conv(images)))
  x = _halved(residual) + conv(_halved(images))
  residual = conv(tf.nn.relu(conv(tf.nn.relu(x))))
  x = conv(x) + residual
  features = tf.reduce_sum(tf.nn.relu(x), (1, 2))
  kernel, bias = pile.take()
  return (features @ kernel + bias)[:, 0]


# === RAE, [Ghosh et al., appendix A] ===


def _batch_norm(x, gamma, beta):
  mean, variance = tf.nn.moments(x, [0, 1, 2])
  return gamma * (x - mean) / tf.sqrt(variance + 1e-3) + beta


def rae_encoder(pile, norms, images):
  """Latents; batch norm by the batch's own statistics."""
  x = 2. * images - 1.
  for _ in range(4):
    kernel, = pile.take()
    x = tf.nn.relu(_batch_norm(
        tf.nn.conv2d(x, kernel, 2, 'SAME'), *norms.take()))
  kernel, bias = pile.take()
  return tf.reshape(x, [len(x), -1]) @ kernel + bias


def rae_decoder(pile, norms, z):
  """Images of latents in [0, 1], of the code's linear stem."""
  kernel, bias = pile.take()
  x = tf.reshape(z @ kernel + bias, [len(z), 8, 8, -1])
  for _ in range(2):
    kernel, = pile.take()
    side = 2 * x.shape[1]
    x = tf.nn.conv2d_transpose(
        x, kernel, [len(z), side, side, kernel.shape[2]], 2, 'SAME')
    x = tf.nn.relu(_batch_norm(x, *norms.take()))
  kernel, bias = pile.take()
  x = tf.nn.conv2d_transpose(
      x, kernel, [*x.shape[:3], kernel.shape[2]], 1, 'SAME')
  return tf.sigmoid(x + bias)

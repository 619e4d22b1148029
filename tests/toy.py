"""An autoencoder of vectors, and what tests of the base class do with it."""
import keras
from keras import layers
import numpy as np
import tensorflow as tf
import tiny_models

from pgak import losses
from pgak import models

__all__ = ['RATE', 'Toy', 'assert_same_weights', 'changes', 'compiled',
           'descend', 'net', 'values', 'vectors']

RATE = 0.5


def net(inputs, outputs, name):
  """Returns one dense layer with tanh, from vectors to vectors."""
  x = keras.Input((inputs,))
  return keras.Model(x, layers.Dense(outputs, 'tanh')(x), name=name)


class Toy(models.GenerativeAutoencoder):
  """An autoencoder of vectors `[B, 3]` with 2 latent dimensions."""

  updates = {'reconstruction': ('encoder', 'decoder'),
             'latent_l2': ('encoder',)}

  def __init__(self, **settings):
    super().__init__(net(3, 2, 'encoder'), net(2, 3, 'decoder'), **settings)
    tiny_models.scatter(self)

  def terms(self, batch, noise, training=True):
    latents = self.encoder(batch, training=training)
    return {'reconstruction': losses.reconstruction(
                batch, self.decoder(latents, training=training)),
            'latent_l2': tf.reduce_mean(tf.square(latents), -1)}


def vectors(number=6, seed=2):
  """Returns a batch `[number, 3]` in [-1, 1)."""
  return tf.random.stateless_uniform([number, 3], [seed, 0], -1., 1.)


def compiled(model, learning_rate=RATE, **options):
  """Returns the model after `compile` with plain SGD."""
  model.compile(tiny_models.sgd(model, learning_rate), **options)
  return model


def values(model):
  """Returns `{part: all its trainable weights as one vector}`."""
  return {part: tiny_models.values(model.parts[part]) for part in model.parts}


def changes(model, batch):
  """Takes a step; returns `{part: how its weights changed}` and the logs."""
  before = values(model)
  logs = model.train_step(batch)
  return {p: v - before[p] for p, v in values(model).items()}, logs


def descend(model, loss, *parts):
  """A step of SGD by hand, with one tape of its own."""
  variables = [v for p in parts for v in model.parts[p].trainable_variables]
  with tf.GradientTape() as tape:
    value = loss()
  for v, g in zip(variables, tape.gradient(value, variables)):
    v.assign_sub(RATE * g)


def assert_same_weights(model, other, rtol=1e-6):
  expected = values(other)
  for part, found in values(model).items():
    np.testing.assert_allclose(found, expected[part], rtol, rtol, part)

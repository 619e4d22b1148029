"""Nets, models and runs of which a test of the evaluation knows all."""
import gin
import keras
import numpy as np
import tensorflow as tf

from pgak import data
from pgak import registry
from pgak.data import kinds
from pgak.metrics import features
from pgak.models import verbs
from pgak.runs import checkpoints
from pgak.runs import run_directory

__all__ = ['CONFIG', 'Model', 'Prior', 'flat_net', 'generator', 'make_run']

registry.register()

CONFIG = """
train.dataset = @digits
train.model = @AE
train.optimizer = @sgd
sgd.learning_rate = 0.1
AE.encoder = @encoder()
AE.decoder = @decoder()
encoder.network = @conv_digits_encoder
decoder.network = @conv_digits_decoder
encoder.image_shape = (8, 8, 1)
decoder.image_shape = (8, 8, 1)
encoder.latent_dim = 3
decoder.latent_dim = 3
conv_digits_encoder.base_filters = 2
conv_digits_decoder.base_filters = 2
conv_digits_encoder.dense_units = 4
conv_digits_decoder.dense_units = 4
"""


def flat_net(level, dataset):
  """A feature net without weights: means of pixels; it tells two classes."""
  del dataset
  inputs = keras.Input((8, 8, 1))
  x = keras.layers.AveragePooling2D(4 if level == '64' else 2)(inputs)
  x = keras.layers.Flatten()(x)
  size = x.shape[-1]
  return features.FeatureNet(
      keras.Model(inputs, x), lambda images: tf.cast(images, tf.float32) / 255.,
      f'flat_{level}', f'frechet_flat_{level}', 'none', 100,
      head=(np.eye(size)[:, :2], np.zeros(2)))


class Prior:
  """Constant latents."""

  name = 'counting'

  def sample(self, n, seed=0):
    return tf.fill([n, 3], float(seed))


class Model(verbs.Encoding, verbs.Generation):
  """Encodes to the first three pixels, and decodes to black."""

  name = 'counter'
  latent_dim = 3
  image_shape = (8, 8, 1)
  value_range = (0., 1.)
  kind = kinds.Images(image_shape, value_range)
  optimizers = {}

  def __init__(self, high=256):
    self.prior = Prior()
    self.high = high

  def encode_mean(self, images, training=False):
    return tf.reshape(images, [-1, 64])[:, :3]

  def decoder(self, latents, training=False):
    return tf.zeros([len(latents), 8, 8, 1])


class WithoutEncoder(verbs.Generation):
  """Has no latents of images."""

  name = 'counter'
  kind = Model.kind
  optimizers = {}
  prior = Prior()


def generator(calls):
  """Returns a stand-in for `sampling.generate`: noise; it notes its calls."""
  def generate(model, num_samples, seed=0, **settings):
    calls.append(dict(num_samples=num_samples, seed=seed, **settings))
    draw = np.random.default_rng(seed)
    for start in range(0, num_samples, settings['batch_size']):
      size = min(settings['batch_size'], num_samples - start)
      yield draw.integers(0, model.high, (size, 8, 8, 1), np.uint8)
  return generate


def make_run(path):
  """Makes a run with two checkpoints, 10 and 20, of untrained models."""
  gin.parse_config(CONFIG)
  run = run_directory.RunDirectory(path, create=True)
  train = data.digits().split('train')
  run.write_config(CONFIG, {'imports': [], 'data': {
      'split': 'train', 'fingerprint': train.fingerprint}})
  model = checkpoints.build(**checkpoints.build_settings())
  checkpoints.save(model, run, 10)
  for variable in model.decoder.trainable_variables:
    variable.assign(3. * variable)
  checkpoints.save(model, run, 20)
  run.write_best(10, 'frechet_flat_64', 1.)
  return run

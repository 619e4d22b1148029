"""Pairs of digits, and tiny conditional models, for tests."""
import gin
import keras
import numpy as np
import tensorflow as tf

from pgak import data
from pgak import models
from pgak import networks
from pgak import priors

__all__ = ['CONFIG', 'batch', 'compiled', 'dataset', 'make']

SHAPE = (8, 8, 1)
NET = dict(image_shape=SHAPE, condition_shape=SHAPE, base_filters=2,
           num_scales=2, latent_channels=1)

CONFIG = """
image_shape = (8, 8, 1)
train.dataset = @pairs
pairs.source = @digits
pairs.condition = 'edges'
train.model = @VUNetFlow
train.optimizer = @sgd
sgd.learning_rate = 0.1
VUNetFlow.encoder = @vunet_encoder()
VUNetFlow.decoder = @vunet_decoder()
VUNetFlow.prior = @ConditionalFlow
vunet_decoder.prior_means = False
ConditionalFlow.condition_network = @condition_network()
ConditionalFlow.num_couplings = 2
ConditionalFlow.hidden_units = (8,)
condition_network.condition_shape = %image_shape
condition_network.filters = (2,)
condition_network.features = 4
vunet_encoder.image_shape = %image_shape
vunet_decoder.image_shape = %image_shape
vunet_encoder.condition_shape = %image_shape
vunet_decoder.condition_shape = %image_shape
vunet_encoder.base_filters = 2
vunet_decoder.base_filters = 2
vunet_encoder.num_scales = 2
vunet_decoder.num_scales = 2
vunet_encoder.latent_channels = 1
vunet_decoder.latent_channels = 1
"""


def dataset(condition='edges'):
  """Digits given what is made of them."""
  return data.pairs(data.digits, condition)


def make(name, seed=0, groups=1, dropout=0., finer_sees_coarser=False,
         **settings):
  """Builds a VUNet or VUNetFlow whose weights are all far from 0."""
  gin.clear_config()
  options = NET | dict(groups=groups, dropout=dropout)
  encoder = networks.vunet_encoder(finer_sees_coarser=finer_sees_coarser,
                                   **options)
  decoder = networks.vunet_decoder(prior_means=name == 'VUNet', **options)
  if name == 'VUNetFlow':
    network = networks.condition_network(SHAPE, (2,), 4)
    settings['prior'] = lambda size: priors.ConditionalFlow(
        size, network, num_couplings=2, hidden_units=(8,), seed=seed)
  model = getattr(models, name)(encoder, decoder, **settings)
  generator = np.random.default_rng(seed)
  for part in model.parts.values():
    for variable in part.trainable_variables:
      variable.assign(generator.normal(0., 0.3, variable.shape))
  return model


def compiled(name, learning_rate=0.1, compile_options=None, **settings):
  """`make`, then `compile` with plain SGD."""
  model = make(name, **settings)
  model.compile({part: keras.optimizers.SGD(learning_rate)
                 for part in model.parts}, **(compile_options or {}))
  return model


def batch(number=4, seed=1):
  """Float images and conditions in the range of tanh."""
  generator = np.random.default_rng(seed)
  return {name: tf.constant(generator.uniform(-0.9, 0.9, (number, *SHAPE)),
                            tf.float32) for name in ('images', 'conditions')}

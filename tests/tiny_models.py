"""Tiny nets and models, for tests: smooth, dense, quick in eager mode."""
import keras
from keras import layers
import numpy as np

from pgak import models
from pgak import networks
from pgak import priors

__all__ = ['FURTHER', 'IMAGE_SHAPE', 'LATENT_DIM', 'STOCHASTIC', 'compiled',
           'decoder', 'encoder', 'image_critic', 'images', 'make', 'of_vectors',
           'scatter', 'sgd', 'values']

IMAGE_SHAPE = (3, 2, 1)
LATENT_DIM = 3
HIDDEN = 5
# Whether the encoder is; None for a model that has none.
STOCHASTIC = {'AAE': False, 'ACAI': False, 'AE': False, 'AGE': False,
              'ALAE': False, 'BetaVAE': True, 'CVVAE': False, 'FPVAE': True,
              'GMMN': False, 'InfoVAE': True, 'IntroVAE': True, 'LPGA': False,
              'LVPGA': True, 'NoPriorMatching': False, 'PGGAN': None,
              'PriorAAE': False, 'RAE': False, 'RAEGP': False, 'RAEL2': False,
              'SNGAN': None, 'SoftIntroVAE': True, 'VAE': True, 'VPGA': True,
              'WAEGAN': False, 'WAEMMD': False}


def encoder(log_variance=False, batch_norm=False, batch_norm_latents=False):
  """Images to tanh of 5 units to latents (and their log-variance)."""
  def network(x):
    x = layers.Dense(HIDDEN)(layers.Flatten()(x))
    x = layers.BatchNormalization()(x) if batch_norm else x
    return layers.Activation('tanh')(x)
  return networks.encoder(network, IMAGE_SHAPE, LATENT_DIM, log_variance,
                          batch_norm_latents=batch_norm_latents)


def decoder(batch_norm=False):
  """Latents to softplus of 5 units to tanh of the images' numbers."""
  def network(x, channels):
    x = layers.Dense(HIDDEN)(x)
    x = layers.BatchNormalization()(x) if batch_norm else x
    x = layers.Activation('softplus')(x)
    height, width = IMAGE_SHAPE[:2]
    x = layers.Dense(height * width * channels)(x)
    return layers.Reshape((height, width, channels))(x)
  return networks.decoder(network, IMAGE_SHAPE, LATENT_DIM)


def image_critic(outputs=2):
  """Images to tanh of 4 units to numbers whose mean is the critic's."""
  def network(x):
    return layers.Dense(4, 'tanh')(layers.Flatten()(x))
  return networks.encoder(network, IMAGE_SHAPE, outputs)


def flow(latent_dim, **settings):
  """A small flow prior, seeded."""
  return priors.FlowPrior(latent_dim, num_couplings=2, hidden_units=(4,),
                          seed=0, **settings)


def generator(latent_dim, **settings):
  """A small latent generator of two-dimensional draws."""
  return priors.LatentGenerator(latent_dim, base_dim=2, units=(4,), **settings)


# What a model's constructor takes besides encoder and decoder.
FURTHER = {
    'AAE': lambda: {'critic': networks.latent_critic(LATENT_DIM, 4, 1)},
    'ACAI': lambda: {'image_critic': image_critic()},
    'ALAE': lambda: {'critic': networks.latent_critic(LATENT_DIM, 4, 1),
                     'prior': generator},
    'FPVAE': lambda: {'prior': flow},
    'GMMN': lambda: {'prior': generator},
    'NoPriorMatching': lambda: {
        'image_critic': image_critic(), 'prior': generator,
        'latent_critic': networks.latent_critic(LATENT_DIM, 4, 1)},
    'PGGAN': lambda: {'image_critic': image_critic()},
    'PriorAAE': lambda: {'critic': networks.latent_critic(LATENT_DIM, 4, 1),
                         'prior': generator},
    'SNGAN': lambda: {'image_critic': image_critic()},
    'WAEGAN': lambda: {'critic': networks.latent_critic(LATENT_DIM, 4, 1)},
}


def make(name, batch_norm=False, seed=0, batch_norm_latents=False, **settings):
  """Builds one of pgak's models on tiny nets, no weight of which is 0."""
  if name in ('LPGA', 'LVPGA'):
    settings.setdefault('warm_up_steps', 0)
  if name == 'RAEL2':  # These decoders have no other kernels.
    settings.setdefault('dense_kernels', True)
  if name in FURTHER:
    settings = FURTHER[name]() | settings
  stochastic = STOCHASTIC[name] and settings.get('beta') != 0.
  nets = [] if STOCHASTIC[name] is None else [
      encoder(stochastic, batch_norm, batch_norm_latents)]
  model = getattr(models, name)(*nets, decoder(batch_norm), **settings)
  scatter(model, seed)
  return model


def of_vectors():
  """A VAE of vectors of two numbers, each of which is a latent."""
  examples, latents = keras.Input((2,)), keras.Input((2,))
  return models.VAE(
      keras.Model(examples, [layers.Dense(2)(examples) for _ in range(2)]),
      keras.Model(latents, layers.Dense(2)(latents)))


def scatter(model, seed=0):
  """Gives every trainable weight of a model's parts a value far from 0."""
  generator = np.random.default_rng(seed)
  for part in model.parts.values():
    for variable in part.trainable_variables:
      variable.assign(generator.normal(0., 0.5, variable.shape))


def sgd(model, learning_rate=0.5):
  """Plain SGD for every part."""
  return {part: keras.optimizers.SGD(learning_rate) for part in model.parts}


def compiled(name, learning_rate=0.5, compile_options=None, **settings):
  """`make`, then `compile` with plain SGD."""
  model = make(name, **settings)
  model.compile(sgd(model, learning_rate), **(compile_options or {}))
  return model


def images(number=7, seed=1):
  """Float images in the range of tanh, as numpy."""
  return np.random.default_rng(seed).uniform(
      -0.9, 0.9, (number, *IMAGE_SHAPE)).astype(keras.config.floatx())


def values(layer):
  """All trainable weights of a layer or model as one numpy vector."""
  return np.concatenate(
      [np.ravel(v.numpy()) for v in layer.trainable_variables])

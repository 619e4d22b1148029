"""One step of SN-GAN, against the paper's game.

#### References

[1]: Miyato, Kataoka, Koyama, Yoshida. Spectral normalization for generative
     adversarial networks. ICLR, 2018.
"""
import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

from pgak import errors
from pgak import networks
from pgak import registry
from pgak.runs import checkpoints
from pgak.runs import configuration
import gradient_steps
import numpy_nets
import tiny_models

registry.register()

D = numpy_nets.D
g, moved = numpy_nets.g, gradient_steps.moved


def d(v, x):
  """tiny_models' critic of images: the mean of its two numbers."""
  (w, b), (u, c) = gradient_steps.dense(v, (D, 4, 2))
  return np.mean(np.tanh(x.reshape(-1, D) @ w + b) @ u + c, -1)


def objective(v, real, made):
  """The critic's, [1, eq. 16]."""
  return (np.mean(np.maximum(0., 1. - d(v, real)))
          + np.mean(np.maximum(0., 1. + d(v, made))))


@pytest.mark.parametrize('critic_steps', [1, 3])
def test_sn_gan(critic_steps, float64):
  """The critic's turns, each on its slice; the generator meets the last."""
  model, noise, x, weights = gradient_steps.start(
      'SNGAN', critic_steps=critic_steps)
  model.train_step(tf.constant(x))
  theta, critic = weights['decoder'], weights['image_critic']
  for i in range(critic_steps):
    real = x[i::critic_steps]
    made = g(theta, noise['critic_prior'][i::critic_steps])

    critic = moved(functools.partial(objective, real=real, made=made), critic)
  z = noise['prior'][::critic_steps]
  gradient_steps.check_ends(model, weights, {
      'image_critic': critic,
      'decoder': moved(lambda v: -np.mean(d(critic, g(v, z))), theta)})


def test_what_needs_an_encoder_is_refused_in_one_sentence():
  model = tiny_models.make('SNGAN')
  images = np.zeros([2, *tiny_models.IMAGE_SHAPE], np.uint8)
  for function in (model.encode, model.reconstruct, model.encode_mean):
    with pytest.raises(errors.NoEncoderError, match='sn_gan has no encoder'):
      function(images)
  assert model.sample(2).shape == images.shape
  assert set(model.parts) == {'decoder', 'image_critic'}


NETS = [('digits', 'conv_digits', 4), ('mnist', 'conv_mnist', 4),
        ('mnist', 'infogan_28', 4), ('cifar10', 'infogan_32', 4),
        ('cifar10', 'conv_32', 4), ('celeb_a', 'conv_64', 5),
        ('cifar10', 'sngan_32', 11)]


@pytest.mark.parametrize('dataset, net, number', NETS)
def test_the_critics_kernels_are_normalised(dataset, net, number):
  """`number`: its convs and dense layers, counted in the nets' files."""
  small = ['dense_units = 4'] if 'infogan' in net else []
  configuration.parse(
      ['base.gin', f'datasets/{dataset}.gin', f'networks/{net}.gin',
       'recipes/modern.gin', 'models/sn_gan.gin'],
      ['latent_dim = 3', 'base_filters = 2', 'train.steps = 1', *small])
  model = checkpoints.build(**checkpoints.build_settings())
  kinds = [type(layer) for layer in model.image_critic.layers]
  assert kinds.count(networks.SpectralNormalization) == number
  assert not {keras.layers.Conv2D, keras.layers.Dense,
              keras.layers.BatchNormalization} & set(kinds)
  assert model.image_critic.output_shape == (None, 1)


def test_the_norm_is_followed_at_each_of_the_critics_turns():
  """Against the power method by hand, before the step's three turns."""
  def network(x):
    return networks.SpectralNormalization(
        keras.layers.Dense(4))(keras.layers.Flatten()(x))
  critic = networks.encoder(network, tiny_models.IMAGE_SHAPE, 1)
  model = tiny_models.compiled('SNGAN', learning_rate=0., image_critic=critic,
                               critic_steps=3)
  layer, = (layer for layer in critic.layers
            if isinstance(layer, networks.SpectralNormalization))
  kernel, u = layer.layer.kernel.numpy(), layer.u.numpy()
  model.train_step(tiny_models.images(6))
  for _ in range(3):
    u = kernel.T @ kernel @ u
    u /= np.linalg.norm(u)
  np.testing.assert_allclose(layer.u.numpy(), u, rtol=1e-4, atol=1e-6)

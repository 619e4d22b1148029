"""SN-GAN's residual nets: their sizes, and what they compute.

The numbers are worked out in the comments from the paper's layers: `k*k*in*out
+ out` for a conv layer, `in*out + out` for a dense one, 2 trainable numbers a
channel for batch norm.
"""
import collections

import gin
import keras
from keras import layers
import numpy as np
import pytest
import tensorflow as tf

from pgak import networks
from pgak import registry
from pgak.runs import checkpoints
from pgak.runs import configuration

registry.register()


def built(size, dataset, *bindings):
  """Decoder, image critic and encoder as the gin files have them."""
  configuration.parse(
      ['base.gin', 'models/acai.gin', f'datasets/{dataset}.gin',
       f'networks/sngan_{size}.gin'],
      ['latent_dim = 128', 'image_critic/encoder.latent_dim = 1', *bindings])
  encoder = gin.get_configurable('encoder')
  with gin.config_scope('image_critic'):
    critic = encoder()
  return gin.get_configurable('decoder')(), critic, encoder()


def count(net):
  return sum(int(np.prod(v.shape)) for v in net.trainable_variables)


def number_of(kind, net):
  return sum(isinstance(layer, kind) for layer in net.layers)


@pytest.mark.parametrize('size, dataset, decoder, critic, features', [
    # Decoder: dense 128*4096+4096 = 528,384; three blocks of two convs of
    # 9*256*256+256 = 590,080, a shortcut of 256*256+256 = 65,792 and norms of
    # 2*2*256: 1,246,976 each; last norm 512, conv 9*256*3+3 = 6,915.
    # Critic: 3,584 + 147,584 + 512 = 151,680; 2*147,584 + 16,512 = 311,680; two
    # of 2*147,584 = 295,168; dense 129.
    (32, 'cifar10', 4_276_739, 1_053_825, 8 * 8 * 128),
    # Decoder: dense 128*16384+16384 = 2,113,536; blocks 1024-512 7,606,784
    # (norm 2,048, conv 4,719,104, norm 1,024, conv 2,359,808, shortcut
    # 524,800), 512-256 1,902,848, 256-128 476,288, 128-64 119,360; last 1,859.
    # Critic: 38,976; 64-128 119,104 (inner conv 64-64 36,928, conv 64-128
    # 73,856, shortcut 8,320); 475,776; 1,901,824; 7,604,736; dense 1,025.
    (64, 'celeb_a', 12_220_675, 10_141_441, 2 * 2 * 1024),
])
def test_parameters(size, dataset, decoder, critic, features):
  decode, judge, encode = built(size, dataset)
  assert (count(decode), count(judge)) == (decoder, critic)
  assert encode.get_layer('latents').kernel.shape == (features, 128)
  assert not number_of(networks.SpectralNormalization, encode)
  assert number_of(layers.BatchNormalization, encode) > 0
  # Each of the critic's convs and its dense layer, and nothing else.
  assert not number_of(layers.BatchNormalization, judge)
  assert not number_of((layers.Conv2D, layers.Dense), judge)
  convs = {32: 3 + 3 + 2 + 2, 64: 5 * 3}[size]
  assert number_of(networks.SpectralNormalization, judge) == convs + 1


def test_spectral_normalisation_of_the_critic_is_a_setting():
  _, judge, _ = built(32, 'cifar10', 'base_filters = 2', 'decoder_filters = 2',
                      'spectral_norm = False')
  assert not number_of(networks.SpectralNormalization, judge)
  assert number_of(layers.Conv2D, judge) == 10


def test_a_step_of_the_model_that_has_all_three():
  configuration.parse(
      ['base.gin', 'models/no_prior_matching.gin', 'datasets/cifar10.gin',
       'networks/sngan_32.gin', 'recipes/learned_priors.gin'],
      ['latent_dim = 3', 'base_filters = 2', 'decoder_filters = 2'])
  model = checkpoints.build(**checkpoints.build_settings())
  nets = {part: net.trainable_variables for part, net in model.parts.items()}
  before = {part: [v.numpy() for v in variables]
            for part, variables in nets.items()}
  model.train_step(tf.random.stateless_uniform([4, 32, 32, 3], [0, 1], -1., 1.))
  assert model.fault() is None
  for part, values in before.items():
    assert any(np.any(v.numpy() != o) for v, o in zip(nets[part], values)), part
  # A critic's and its opponent's Adam; the autoencoder's is that of the recipe.
  assert {p: o.beta_1 for p, o in model.optimizers.items()} == {
      'encoder': 0.9, 'decoder': 0.9, 'image_critic': 0.5,
      'latent_critic': 0., 'prior': 0.}


# === What they compute ===


def conv(x, kernel, bias):
  return tf.nn.conv2d(x, kernel, 1, 'SAME') + bias


def scattered(net):
  """`{shape of a kernel: [(kernel, bias), ...]}`, the layers in their order."""
  generator = np.random.default_rng(0)
  found = collections.defaultdict(list)
  for layer in net.layers:
    if layer.weights:
      for v in layer.weights:
        v.assign(generator.normal(0., 0.4, v.shape))
      kernel, bias = (v.value for v in layer.weights)
      found[tuple(kernel.shape)].append((kernel, bias))
  return found


def test_the_encoder_against_its_layers(float64):
  images = keras.Input((6, 6, 1))
  net = keras.Model(images, networks.sngan_encoder(
      images, base_filters=2, growth=2, num_blocks=2, num_down=1,
      sum_pool=True))
  named = scattered(net)
  x = tf.constant(np.random.default_rng(1).normal(size=(3, 6, 6, 1)))
  def pool(y):
    return tf.nn.avg_pool2d(y, 2, 2, 'VALID')
  # The paper's first block pools before the shortcut's conv.
  y = tf.nn.relu(conv(x, *named[3, 3, 1, 2][0]))
  y = (pool(conv(y, *named[3, 3, 2, 2][0]))
       + conv(pool(x), *named[1, 1, 1, 2][0]))
  inner = conv(tf.nn.relu(y), *named[3, 3, 2, 2][1])
  y = (conv(tf.nn.relu(inner), *named[3, 3, 2, 4][0])
       + conv(y, *named[1, 1, 2, 4][0]))
  expected = tf.reduce_sum(tf.nn.relu(y), (1, 2))
  np.testing.assert_allclose(net(x), expected, rtol=1e-9)


def test_the_decoder_against_its_layers(float64):
  latents = keras.Input((3,))
  net = keras.Model(latents, networks.sngan_decoder(
      latents, 1, base_filters=2, growth=2, num_blocks=1, batch_norm=False))
  named = {shape: pairs[0] for shape, pairs in scattered(net).items()}
  z = tf.constant(np.random.default_rng(1).normal(size=(2, 3)))
  kernel, bias = named[3, 64]
  x = tf.reshape(z @ kernel + bias, (2, 4, 4, 4)).numpy()
  y = conv(doubled(np.maximum(x, 0.)), *named[3, 3, 4, 2])
  y = conv(tf.nn.relu(y), *named[3, 3, 2, 2])
  y = y + conv(doubled(x), *named[1, 1, 4, 2])
  expected = conv(tf.nn.relu(y), *named[3, 3, 2, 1])
  # TensorFlow enlarges in float32.
  np.testing.assert_allclose(net(z), expected, rtol=1e-5, atol=1e-6)


def doubled(x):
  """Bilinear: a pixel has 3/4 of its own and 1/4 of the nearest other."""
  for axis in (1, 2):
    x = np.moveaxis(x, axis, 0)
    before = np.concatenate([x[:1], x[:-1]])
    after = np.concatenate([x[1:], x[-1:]])
    x = np.stack([0.75 * x + 0.25 * before, 0.75 * x + 0.25 * after], 1)
    x = np.moveaxis(x.reshape(-1, *x.shape[2:]), 0, axis)
  return x

"""PG-GAN's nets: how blocks fade in, and what their layers compute."""
import math

import keras
from keras import layers
import numpy as np
import pytest
import tensorflow as tf

from pgak import networks
from pgak.networks import pg_gan

BLOCKS, SIDE = 2, 16


def decoder(seed=0):
  keras.utils.set_random_seed(seed)
  latents = keras.Input((3,))
  return keras.Model(latents, networks.pg_gan_decoder(
      latents, 1, BLOCKS, base_filters=2, max_filters=4))


def encoder(seed=0):
  keras.utils.set_random_seed(seed)
  images = keras.Input((SIDE, SIDE, 1))
  return keras.Model(images, networks.pg_gan_encoder(
      images, BLOCKS, base_filters=2, max_filters=4))


def draws(*shape, seed=1):
  return np.random.default_rng(seed).normal(size=shape).astype('f')


def enlarged(x, times):
  return x.repeat(times, 1).repeat(times, 2)


def test_a_level_gives_exactly_the_enlarged_image_of_fewer_blocks():
  net, z = decoder(), draws(4, 3)
  images = {}
  for level in (0., 1., 2.):
    networks.set_level(net, level)
    images[level] = net(z).numpy()
  for level, times in ((0., 4), (1., 2)):
    corners = images[level][:, ::times, ::times]
    np.testing.assert_array_equal(images[level], enlarged(corners, times))
  assert np.any(images[2.][:, ::2] != images[2.][:, 1::2])
  # Between two levels, the two are mixed.
  for low, share in ((0., 0.25), (1., 0.5)):
    networks.set_level(net, low + share)
    np.testing.assert_allclose(
        net(z), (1. - share) * images[low] + share * images[low + 1.],
        rtol=1e-4, atol=1e-5)


def test_the_encoder_sees_no_more_than_its_level():
  net, x = encoder(), draws(4, SIDE, SIDE, 1)
  shrunk = tf.nn.avg_pool2d(x, 4, 4, 'VALID').numpy()
  networks.set_level(net, 0.)
  np.testing.assert_allclose(net(x), net(enlarged(shrunk, 4)), rtol=1e-4,
                             atol=1e-5)
  networks.set_level(net, 0.1)
  assert np.abs(net(x) - net(enlarged(shrunk, 4))).max() > 1e-3


@pytest.mark.parametrize('make, shape', [
    (decoder, (4, 3)), (encoder, (4, SIDE, SIDE, 1))])
def test_nothing_learns_before_its_block_fades_in(make, shape):
  net, x = make(), draws(*shape)
  still = []
  for level in (0., 0.5, 1., 1.5, 2.):
    networks.set_level(net, level)
    with tf.GradientTape() as tape:
      loss = tf.reduce_sum(tf.square(net(x)))
    found = tape.gradient(loss, [v.value for v in net.trainable_variables])
    still.append(sum(not np.any(v) for v in found))
  # Each block has two convs and one to or from images, of two numbers each;
  # what it takes over from is left behind.
  assert still == [12, 6, 8, 2, 4]


def test_grown_nets_are_what_one_begins_with():
  net, z = decoder(), draws(2, 3)
  first = net(z).numpy()
  networks.set_level(net, BLOCKS)
  np.testing.assert_array_equal(net(z), first)
  networks.set_level(net, BLOCKS + 7)
  np.testing.assert_array_equal(net(z), first)
  plain = keras.Sequential([layers.Input((2,)), layers.Dense(1)])
  networks.set_level(plain, 0.)  # Has nothing that grows.


@pytest.mark.parametrize('gain', [math.sqrt(2.), 1.])
def test_the_equalised_layer_scales_its_kernel_by_hes_constant(gain):
  layer = networks.EqualisedLearningRate(layers.Conv2D(3, 5, padding='same'),
                                         gain)
  x = draws(2, 6, 6, 2)
  outputs = layer(x)
  kernel = layer.layer.kernel.numpy()
  # 5 * 5 * 2 inputs of a unit; W itself has variance 1.
  expected = tf.nn.conv2d(x, kernel * gain / math.sqrt(50.), 1, 'SAME')
  np.testing.assert_allclose(outputs, expected, rtol=1e-4, atol=1e-5)
  assert kernel.std() == pytest.approx(1., abs=0.2)
  again = type(layer).from_config(layer.get_config())
  assert again.gain == gain and again.layer.filters == 3


def test_activations_keep_their_size_through_the_layers():
  """He's constant: mean squares stay near 1 before the pixels' norm."""
  keras.utils.set_random_seed(0)
  x = tf.constant(draws(64, 4, 4, 64))
  for _ in range(3):
    x = pg_gan.conv(x, 64, 1)
  # Leaky ReLU keeps (1 + 0.04) / 2 of a mean square, sqrt(2) gives back twice.
  assert float(tf.reduce_mean(tf.square(x))) == pytest.approx(1.04**3, rel=0.4)


def test_the_deviation_of_a_batch_is_one_channel_more():
  x = draws(5, 2, 3, 4)
  found = pg_gan.MinibatchDeviation()(x).numpy()
  np.testing.assert_array_equal(found[..., :4], x)
  np.testing.assert_allclose(found[..., 4], x.std(0).mean(), rtol=1e-5)
  alike = pg_gan.MinibatchDeviation()(np.repeat(x[:1], 3, 0)).numpy()
  np.testing.assert_allclose(alike[..., 4], 0., atol=2e-4)


def test_the_latents_length_does_not_matter():
  net, z = decoder(), draws(4, 3)
  np.testing.assert_allclose(net(3. * z), net(z), rtol=1e-3, atol=1e-5)


def test_sizes():
  """[1, table 2] at 16x16: 4, 4 and 2 filters at 4x4, 8x8 and 16x16."""
  shapes = [tuple(v.shape) for v in decoder().trainable_variables
            if len(v.shape) > 1]
  # Layers of one depth may stand in any order.
  assert sorted(shapes) == sorted([
      (3, 64), (3, 3, 4, 4), (1, 1, 4, 1), (3, 3, 4, 4), (3, 3, 4, 4),
      (1, 1, 4, 1), (3, 3, 4, 2), (3, 3, 2, 2), (1, 1, 2, 1)])
  shapes = [tuple(v.shape) for v in encoder().trainable_variables
            if len(v.shape) > 1]
  assert sorted(shapes) == sorted([
      (1, 1, 1, 2), (3, 3, 2, 2), (3, 3, 2, 4), (1, 1, 1, 4), (3, 3, 4, 4),
      (3, 3, 4, 4), (1, 1, 1, 4), (3, 3, 5, 4), (4, 4, 4, 4)])


def test_a_frozen_equalised_layer_gives_what_it_gave():
  layer = networks.EqualisedLearningRate(keras.layers.Dense(2))
  inputs = np.ones([3, 4], 'f')
  expected = layer(inputs)
  layer.trainable = False
  np.testing.assert_array_equal(layer(inputs), expected)

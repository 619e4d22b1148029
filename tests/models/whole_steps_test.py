"""A step of PG-GAN, SN-GAN and RAE-SN on their own nets, written once more.

The nets are those of `hand_written_nets`, the objectives are the papers'; a
part's change is compared with that of its objective's gradient.

#### References

[1]: Karras, Aila, Laine, Lehtinen. Progressive Growing of GANs for Improved
     Quality, Stability, and Variation. ICLR, 2018.
[2]: Miyato, Kataoka, Koyama, Yoshida. Spectral normalization for generative
     adversarial networks. ICLR, 2018.
[3]: Ghosh et al. From Variational to Deterministic Autoencoders. ICLR, 2020.
"""
import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

from pgak import models
from pgak import networks
import hand_written_nets
import tiny_models

RATE = 0.1


def scatter(net, seed):
  """Gives every trainable weight a value; returns `{id of a variable: value}`.
  """
  generator = np.random.default_rng(seed)
  for v in net.trainable_variables:
    v.assign(generator.normal(0.3 * ('gamma' in v.path), 0.7, v.shape))
  return {id(v): tf.constant(v.numpy()) for v in net.trainable_variables}


def descended(objective, values):
  """The values after a step of gradient descent on `objective(values)`."""
  with tf.GradientTape() as tape:
    tape.watch(values)
    loss = objective(values)
  found = tape.gradient(loss, values)
  return {name: v - RATE * found[name] for name, v in values.items()}


def check(net, before, after):
  """Compares what a net has become with what it should have."""
  steps = {name: (after[name] - v).numpy() for name, v in before.items()}
  sizes = [np.abs(step).max() for step in steps.values()]
  assert sum(size > 1e-6 for size in sizes) > 1
  for v in net.trainable_variables:
    np.testing.assert_allclose(
        v.numpy() - before[id(v)], steps[id(v)], rtol=1e-5,
        atol=1e-7 * max(sizes), err_msg=v.path)


def fixed_noise(model, size):
  generator = np.random.default_rng(7)
  noise = {n: tf.constant(generator.uniform(size=(size, *shape))
                          if n == 'mix' else
                          generator.normal(size=(size, *shape)))
           for n, (_, shape) in model.noise_shapes.items()}
  model.draw_noise = lambda batch: dict(noise)
  return noise


def pictures(size, side, channels, low=-1.):
  return tf.constant(np.random.default_rng(3).uniform(
      low, 1., (size, side, side, channels)))


# === PG-GAN ===


def pg_gan(steps=16):
  """From 4 to 16 pixels: two blocks over half of the run."""
  sizes = dict(num_blocks=2, base_filters=2, max_filters=4)
  decoder = networks.decoder(
      functools.partial(networks.pg_gan_decoder, **sizes), (16, 16, 1), 3)
  critic = networks.encoder(
      functools.partial(networks.pg_gan_encoder, **sizes), (16, 16, 1), 1,
      equalised=True)
  model = models.PGGAN(decoder, critic, gradient_penalty=3., drift=0.1)
  model.compile(tiny_models.sgd(model, RATE), run_steps=steps)
  return model


def scaled(net):
  return hand_written_nets.weighted_layers(net)['EqualisedLearningRate']


def at_level(images, shares):
  """The real images as the blocks that have come could make them."""
  means = [images]
  for _ in shares:
    x = means[-1].numpy()
    size, side, channels = len(x), x.shape[1] // 2, x.shape[-1]
    means.append(tf.constant(
        x.reshape(size, side, 2, side, 2, channels).mean((2, 4))))
  grown = means.pop()
  for share in shares:
    grown = ((1. - share) * tf.repeat(tf.repeat(grown, 2, 1), 2, 2)
             + share * means.pop())
  return grown


@pytest.mark.parametrize('step, shares', [
    # 8 of 16 steps grow: 2 settle a level, 2 fade the next block in.
    (7, (1., 0.5)),
    *(pytest.param(*case, marks=pytest.mark.slow) for case in (
        (1, (0., 0.)), (3, (0.5, 0.)), (15, (1., 1.))))])
def test_pg_gan_at_every_stage_of_its_growth(step, shares, float64):
  model = pg_gan()
  theta, v = scatter(model.decoder, 0), scatter(model.image_critic, 1)
  noise, images = fixed_noise(model, 4), pictures(4, 16, 1)
  model.step.assign(step)
  model.train_step(images)

  def generate(values, z):
    pile = hand_written_nets.Pile(scaled(model.decoder), values)
    made = hand_written_nets.pg_gan_generator(pile, z, shares)
    assert pile.is_empty()
    return made

  def judge(values, x):
    pile = hand_written_nets.Pile(scaled(model.image_critic), values)
    said = hand_written_nets.pg_gan_critic(pile, x, shares)
    assert pile.is_empty()
    return said

  real = at_level(images, shares)
  made = generate(theta, noise['critic_prior'])
  between = noise['mix'] * real + (1. - noise['mix']) * made

  def critic(values):
    with tf.GradientTape() as tape:
      tape.watch(between)
      said = judge(values, between)
    square = tf.reduce_sum(tape.gradient(said, between)**2, (1, 2, 3))
    slope = tf.sqrt(square + 1e-12)
    said = judge(values, real)
    return (tf.reduce_mean(judge(values, made)) - tf.reduce_mean(said)
            + 3. * tf.reduce_mean((slope - 1.)**2)
            + 0.1 * tf.reduce_mean(said**2))

  after = descended(critic, v)
  check(model.image_critic, v, after)
  check(model.decoder, theta, descended(
      lambda values: -tf.reduce_mean(judge(
          after, generate(values, noise['prior']))), theta))


# === SN-GAN ===


def test_sn_gan_with_its_residual_discriminator(float64):
  body = functools.partial(
      networks.sngan_encoder, base_filters=2, growth=2, num_blocks=2,
      num_down=1, spectral_norm=True, sum_pool=True)
  critic = networks.encoder(body, (6, 6, 1), 1, spectral_norm=True)
  decoder = networks.decoder(lambda z, channels: keras.layers.Reshape(
      (6, 6, channels))(keras.layers.Dense(36)(z)), (6, 6, 1), 3)
  model = models.SNGAN(decoder, critic, critic_steps=1)
  model.compile(tiny_models.sgd(model, RATE))
  theta, v = scatter(decoder, 0), scatter(critic, 1)
  layers = hand_written_nets.weighted_layers(critic)['SpectralNormalization']
  # One step of the power method before the critic's turn, none before the
  # generator's.
  u = {}
  for layer in layers:
    name = id(layer.layer.kernel)
    first = tf.constant(layer.u.numpy(), tf.float64)
    u[name] = hand_written_nets.normalised(v[name], first)[1]
  noise, images = fixed_noise(model, 5), pictures(5, 6, 1)
  model.train_step(images)

  def judge(values, x):
    divided = {name: hand_written_nets.normalised(w, u[name], 0)[0]
               if name in u else w for name, w in values.items()}
    pile = hand_written_nets.Pile(layers, divided)
    said = hand_written_nets.sngan_critic(pile, x)
    assert pile.is_empty()
    return said

  def generate(values, z):
    kernel, bias = (values[id(w)] for w in decoder.trainable_variables)
    return tf.reshape(tf.tanh(z @ kernel + bias), [-1, 6, 6, 1])

  made = generate(theta, noise['critic_prior'])
  after = descended(lambda values: tf.reduce_mean(
      tf.nn.relu(1. - judge(values, images))) + tf.reduce_mean(
          tf.nn.relu(1. + judge(values, made))), v)
  check(critic, v, after)
  check(decoder, theta, descended(lambda values: -tf.reduce_mean(
      judge(after, generate(values, noise['prior']))), theta))


# === RAE-SN ===


def test_rae_sn_with_its_own_nets(float64):
  sizes = dict(base_filters=1, kernel_size=4, spectral_norm=True)
  encoder = networks.encoder(
      functools.partial(networks.rae_encoder, **sizes), (32, 32, 1), 3,
      spectral_norm=True)
  decoder = networks.decoder(
      functools.partial(networks.rae_decoder, **sizes), (32, 32, 1), 3,
      value_range=(0., 1.))
  model = models.RAESN(encoder, decoder, latent_l2=0.3)
  model.compile(tiny_models.sgd(model, RATE))
  before = {net: scatter(net, i) for i, net in enumerate((encoder, decoder))}
  layers = {net: hand_written_nets.weighted_layers(net) for net in before}
  u = {id(layer.layer.kernel): tf.constant(layer.u.numpy(), tf.float64)
       for found in layers.values()
       for layer in found['SpectralNormalization']}
  assert len(u) == 9  # 4 convs and the head; a stem and 3 transposed convs.
  images = pictures(4, 32, 1, 0.)
  model.train_step(images)

  def run(function, net, values, x):
    divided = {name: hand_written_nets.normalised(w, u[name])[0]
               if name in u else w for name, w in values.items()}
    pile, norms = (hand_written_nets.Pile(layers[net][kind], divided)
                   for kind in ('SpectralNormalization', 'BatchNormalization'))
    found = function(pile, norms, x)
    assert pile.is_empty() and norms.is_empty()
    return found

  def objective(values):
    z = run(hand_written_nets.rae_encoder, encoder, values, images)
    made = run(hand_written_nets.rae_decoder, decoder, values, z)
    return (tf.reduce_mean((made - images)**2)
            + 0.3 * tf.reduce_mean(z**2))

  after = descended(objective, before[encoder] | before[decoder])
  for net, values in before.items():
    check(net, values, {name: after[name] for name in values})

"""One step of PG-GAN, against the paper's game, and how it grows.

#### References

[1]: Karras, Aila, Laine, Lehtinen. Progressive Growing of GANs for Improved
     Quality, Stability, and Variation. ICLR, 2018.
"""
import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

from pgak import models
from pgak import networks
import gradient_steps
import numpy_nets
import tiny_models

D = numpy_nets.D
g, moved = numpy_nets.g, gradient_steps.moved


def d(v, x):
  """tiny_models' critic of images: the mean of its two numbers."""
  (w, b), (u, c) = gradient_steps.dense(v, (D, 4, 2))
  return np.mean(np.tanh(x.reshape(-1, D) @ w + b) @ u + c, -1)


def slope(v, x):
  """|dd/dx|, by the chain rule."""
  (w, b), (u, _) = gradient_steps.dense(v, (D, 4, 2))
  y = np.tanh(x.reshape(-1, D) @ w + b)
  return np.linalg.norm(((1. - y**2) * u.mean(1)) @ w.T, axis=1)


@pytest.mark.parametrize('settings', [
    dict(gradient_penalty=3., drift=0.5), dict(gradient_penalty=0., drift=0.)])
def test_pg_gan(settings, float64):
  model, noise, x, weights = gradient_steps.start('PGGAN', **settings)
  model.train_step(tf.constant(x))
  theta = weights['decoder']
  made = g(theta, noise['critic_prior'])
  x = x.reshape(-1, D)
  between = noise['mix'].reshape(-1, 1) * (x - made) + made

  def critic(v):
    penalty = np.mean((slope(v, between) - 1.)**2)
    return (np.mean(d(v, made)) - np.mean(d(v, x))
            + settings['gradient_penalty'] * penalty
            + settings['drift'] * np.mean(d(v, x)**2))

  after = moved(critic, weights['image_critic'])
  gradient_steps.check_ends(model, weights, {
      'image_critic': after,
      'decoder': moved(
          lambda v: -np.mean(d(after, g(v, noise['prior']))), theta)})


def test_the_critic_of_a_wgan_gp_moves_several_times(float64):
  """[Gulrajani et al., 2017, algorithm 1]: each turn on its own slice."""
  model, noise, x, weights = gradient_steps.start(
      'PGGAN', gradient_penalty=3., drift=0., critic_steps=3)
  model.train_step(tf.constant(x))
  theta, after = weights['decoder'], weights['image_critic']
  for i in range(3):
    real = x[i::3].reshape(-1, D)
    made = g(theta, noise['critic_prior'][i::3])
    between = noise['mix'][i::3].reshape(-1, 1) * (real - made) + made
    after = moved(functools.partial(
        lambda v, real, made, between: np.mean(d(v, made)) - np.mean(d(v, real))
        + 3. * np.mean((slope(v, between) - 1.)**2),
        real=real, made=made, between=between), after)
  z = noise['prior'][::3]
  gradient_steps.check_ends(model, weights, {
      'image_critic': after,
      'decoder': moved(lambda v: -np.mean(d(after, g(v, z))), theta)})


def growing(side=16, steps=40):
  """A model of 16x16 images, L = 2, that has grown after 20 of 40 steps."""
  keras.utils.set_random_seed(0)
  shape, blocks = (side, side, 1), int(np.log2(side // 4))
  sizes = dict(num_blocks=blocks, base_filters=2, max_filters=4)
  model = models.PGGAN(
      networks.decoder(functools.partial(networks.pg_gan_decoder, **sizes),
                       shape, 3),
      networks.encoder(functools.partial(networks.pg_gan_encoder, **sizes),
                       shape, 1, equalised=True), growing=0.5)
  model.compile(tiny_models.sgd(model, 0.1), run_steps=steps)
  return model


def test_it_trains_under_a_mixed_policy():
  keras.config.set_dtype_policy('mixed_bfloat16')
  model = growing()
  images = tf.random.stateless_uniform([4, 16, 16, 1], [0, 1], -1., 1.)
  assert np.isfinite(float(model.train_step(images)['loss']))
  # In 16 bits a grey level would be lost.
  assert model.at_level(images).dtype == tf.float32


def test_levels_settle_and_fade_in_turn():
  """20 steps of growth are 10 a level: 5 settle what is there, 5 fade."""
  model = growing()
  levels = [float(model.level(s)) for s in (0, 5, 6, 10, 15, 17, 20, 39, 80)]
  np.testing.assert_allclose(levels, [0., 0., .2, 1., 1., 1.4, 2., 2., 2.],
                             atol=1e-6)
  model.run_steps = None
  assert float(model.level(0)) == 2.


def test_a_step_sets_the_level_of_both_nets_and_moves_what_has_come():
  model = growing()
  fades = [layer for part in model.parts.values() for layer in part.layers
           if isinstance(layer, networks.FadeIn)]
  images = tf.random.stateless_uniform([4, 16, 16, 1], [0, 1], -1., 1.)
  # Before, while and after the first of two blocks has faded in.
  for step, share in ((0, 0.), (6, 0.2), (11, 1.)):
    model.step.assign(step)
    before = {p: [v.numpy() for v in net.trainable_variables]
              for p, net in model.parts.items()}
    model.train_step(images)
    assert {layer.block: pytest.approx(layer.share.numpy(), abs=1e-6)
            for layer in fades} == {1: share, 2: 0.}
    moved_ones = {p: {v.path for v, old in zip(net.trainable_variables,
                                               before[p])
                      if np.any(v.numpy() != old)}
                  for p, net in model.parts.items()}
    # Two convs a block, one to images, and one from images in the critic; the
    # second block has not come, so that none of its 6 and 6 numbers move.
    decoder, critic = (len(moved_ones[p]) for p in ('decoder', 'image_critic'))
    assert (decoder, critic) == {0.: (6, 8), 0.2: (12, 14), 1.: (10, 12)}[share]
    assert model.fault() is None


def test_images_are_brought_to_the_level():
  """The means of blocks of 4x4 pixels at level 0, of 2x2 at 1, mixed between.
  """
  model = growing()
  images = np.random.default_rng(0).normal(size=(2, 16, 16, 1)).astype('f')

  def means(side):
    small = images.reshape(2, 16 // side, side, 16 // side, side, 1)
    return small.mean((2, 4)).repeat(side, 1).repeat(side, 2)

  for level, expected in (
      (0., means(4)), (1., means(2)), (2., images),
      (0.25, 0.75 * means(4) + 0.25 * means(2)),
      (1.5, 0.5 * means(2) + 0.5 * images)):
    networks.set_level(model.decoder, level)
    np.testing.assert_allclose(model.at_level(tf.constant(images)), expected,
                               rtol=1e-4, atol=1e-5)


def test_the_share_of_the_run_is_checked():
  with pytest.raises(ValueError, match='`PGGAN.growing = 1.5` must be a num'):
    tiny_models.make('PGGAN', growing=1.5)

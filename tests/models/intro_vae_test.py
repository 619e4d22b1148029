"""One step of IntroVAE and Soft-IntroVAE, against their papers' algorithms.

#### References

[1]: Huang et al. IntroVAE. NeurIPS, 2018.
[2]: Daniel, Tamar. Soft-IntroVAE. CVPR, 2021.
"""
import numpy as np
import pytest
import tensorflow as tf

import gradient_steps
import numpy_nets
import tiny_models

D, H = numpy_nets.D, numpy_nets.H
f, g, sigma = numpy_nets.f, numpy_nets.g, numpy_nets.sigma
mse, moved = gradient_steps.mse, gradient_steps.moved


def draw(phi, x, normal):
  return f(phi, x) + sigma(phi, x) * normal


def kls(phi, x):
  """KL of each image's posterior per dimension, `[B]`."""
  mean, s = f(phi, x), sigma(phi, x)
  return 0.5 * np.mean(mean**2 + s**2 - 1. - np.log(s**2), -1)


def parts_of(weights):
  return weights['encoder'], weights['decoder']


@pytest.mark.parametrize('share', [0., 0.5, 2.])
def test_intro_vae(share, float64):
  """[1, alg. 1]: with neither, one and both of the hinges at work."""
  model, noise, x, weights = gradient_steps.start(
      'IntroVAE', kl_real=0.3, kl_fake=0.7, seed=5)
  phi, theta = parts_of(weights)
  z = draw(phi, x, noise['posterior'])
  fakes = [g(theta, z), g(theta, noise['prior'])]
  low, high = sorted(kls(phi, fake).mean() for fake in fakes)
  assert high - low > 0.05  # Far more than central differences move them.
  model.margin = margin = share * (low + high)
  model.train_step(tf.constant(x))

  def encoder(v):
    hinges = sum(max(0., margin - kls(v, fake).mean()) for fake in fakes)
    return (mse(v, theta, x, draw(v, x, noise['posterior']))
            + 0.3 * kls(v, x).mean() + 0.7 * 0.5 * hinges)

  after = moved(encoder, phi)

  def decoder(v):  # z is still that of the encoder before its step.
    made = [g(v, z), g(v, noise['prior'])]
    return (mse(phi, v, x, z)
            + 0.7 * 0.5 * sum(kls(after, fake).mean() for fake in made))

  gradient_steps.check(model, weights, {'encoder': encoder, 'decoder': decoder})


def test_soft_intro_vae(float64):
  """[2, eq. 3], with the exponential of each fake's own bound."""
  model, noise, x, weights = gradient_steps.start(
      'SoftIntroVAE', kl=0.3, negative_kl=0.1, fake_reconstruction=0.2)
  model.train_step(tf.constant(x))
  phi, theta = parts_of(weights)
  z = draw(phi, x, noise['posterior'])
  normals = noise['posterior_of_reconstruction'], noise['posterior_of_sample']
  fakes = [g(theta, z), g(theta, noise['prior'])]

  def errors(v, fake, again):
    return np.mean((g(v, again) - fake)**2, -1)

  def encoder(v):
    bounds = [errors(theta, fake, draw(v, fake, n)) + 0.1 * kls(v, fake)
              for fake, n in zip(fakes, normals)]
    return (mse(v, theta, x, draw(v, x, noise['posterior']))
            + 0.3 * kls(v, x).mean()
            + 0.25 * sum(np.mean(np.exp(-2. * bound)) for bound in bounds))

  after = moved(encoder, phi)
  codes = [draw(after, fake, n) for fake, n in zip(fakes, normals)]

  def decoder(v):
    made = [g(v, z), g(v, noise['prior'])]
    again = sum(np.mean(errors(v, fake, code))
                for fake, code in zip(fakes, codes))
    return (mse(phi, v, x, z)
            + 0.3 * 0.5 * sum(kls(after, fake).mean() for fake in made)
            + 0.2 * 0.5 * again)

  gradient_steps.check(model, weights, {'encoder': encoder, 'decoder': decoder})


def test_the_second_turn_alone_draws_its_own_latents():
  model = tiny_models.compiled('IntroVAE')
  batch = tf.constant(tiny_models.images())
  alone = model.decoder_terms(batch, model.draw_noise(batch))
  noise = model.draw_noise(batch)
  model.encoder_terms(batch, noise)
  for term, value in model.decoder_terms(batch, noise).items():
    np.testing.assert_allclose(alone[term], value, rtol=1e-6)


def test_the_weights_are_those_of_the_code():
  """D = 12,288 and H = 512 of 64x64 images: w = H / D = 1 / 24."""
  model = tiny_models.make('IntroVAE', kl_real=1. / 24., kl_fake=1. / 24.,
                           margin=100. / 512.)
  assert model.term_weights == {
      'kl_real': 1. / 24., 'margin': 1. / 24., 'kl_fake': 1. / 24.}
  soft = tiny_models.make('SoftIntroVAE', kl=0.04)
  assert soft.term_weights == {
      'kl_real': 0.04, 'kl_fake': 0.04, 'fake_reconstruction': 1e-8}

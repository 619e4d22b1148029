"""The second-stage VAE."""
import numpy as np
import tensorflow as tf

from pgak import noise
from pgak import priors


def latents(number=800):
  """A noisy circle, in units far from 1."""
  generator = np.random.default_rng(0)
  angles = generator.uniform(0., 2. * np.pi, number)
  circle = np.stack([np.cos(angles), np.sin(angles)], 1)
  return (circle + 0.05 * generator.normal(size=(number, 2))) * 100. + 30.


def test_samples_lie_on_the_circle():
  prior = priors.TwoStageVAE(2, depth=2, width=64, learning_rate=3e-3,
                             batch_size=64, max_epochs=60, patience=60)
  prior.fit(latents())
  drawn = (prior.sample(2000, 1).numpy() - 30.) / 100.
  radius = np.linalg.norm(drawn, axis=1)
  # A Gaussian of the same moments has 39 % of its mass within 0.7.
  assert np.mean(radius < 0.7) < 0.25
  assert abs(np.median(radius) - 1.) < 0.15


def test_samples_have_the_noise_of_the_decoder():
  # All weights 0: the decoder gives 0, so that z = g eps, here of g = 1 / 2, in
  # units of the latents' standard deviation, around their mean.
  prior = priors.TwoStageVAE(2, depth=1, width=4, max_epochs=1)
  points = latents(200)
  prior.fit(points)
  for variable in prior._variables:
    variable.assign(np.zeros(variable.shape))
  prior.log_gamma.assign(np.log(0.5))
  drawn = prior.sample(20000, 3).numpy()
  # Over 20,000 draws a standard deviation is known to 0.5 %.
  np.testing.assert_allclose(drawn.std(0), 0.5 * points.std(0), rtol=0.02)
  np.testing.assert_allclose(drawn.mean(0), points.mean(0), atol=1.5)


def test_the_loss_by_hand():
  # All weights 0: mean 0, variance 1, no divergence; the decoder gives 0. So
  # sum_d (z_d^2 / 2 + log(2 pi) / 2) = (1 + 4) / 2 + 1.8378770664.
  prior = priors.TwoStageVAE(2, depth=1, width=4)
  for variable in prior._variables:
    variable.assign(np.zeros(variable.shape))
  found = prior._losses(tf.constant([[1., 2.]]), noise.seed(0, 0, 'test'))
  np.testing.assert_allclose(found, [4.3378770664], rtol=1e-6)


def test_the_loss_of_made_weights_in_numpy():
  prior = priors.TwoStageVAE(2, depth=2, width=4)
  generator = np.random.default_rng(1)
  for variable in prior._variables:
    variable.assign(generator.normal(0., 0.6, variable.shape))
  points = generator.normal(size=(5, 2)).astype('f4')
  seed = noise.seed(0, 0, 'test')
  normal = noise.normal([5, 2], seed).numpy()

  def net(weights, x):
    *hidden, last = zip(weights[::2], weights[1::2])
    y = x
    for kernel, bias in hidden:
      y = np.maximum(y @ kernel + bias, 0.)
    return np.concatenate([x, y], 1) @ last[0] + last[1]

  values = [v.numpy().astype('f8') for v in prior._variables]
  encoder, decoder, log_gamma = values[:6], values[6:12], values[12]
  mean, log_variance = np.split(net(encoder, points), 2, 1)
  spread = np.exp(0.5 * log_variance)
  decoded = net(decoder, mean + spread * normal)
  expected = np.sum(
      (points - decoded)**2 / (2. * np.exp(2. * log_gamma)) + log_gamma
      + 0.5 * np.log(2. * np.pi)
      + 0.5 * (mean**2 + spread**2 - 1. - log_variance), -1)
  np.testing.assert_allclose(
      prior._losses(tf.constant(points), seed), expected, rtol=1e-4)


def test_the_input_passes_beside_the_hidden_layers():
  prior = priors.TwoStageVAE(3, depth=2, width=5)
  shapes = [tuple(v.shape) for v in prior.decoder.trainable_variables]
  assert shapes == [(3, 5), (5,), (5, 5), (5,), (8, 3), (3,)]
  assert prior.encoder.output_shape == (None, 6)

"""The variational autoencoder."""
import keras
import numpy as np
import pytest
from scipy import stats
import tensorflow as tf

from pgak import models
from pgak import schedules
from pgak.models import vae
import tiny_models


def test_the_loss_is_the_negative_evidence_lower_bound():
  """`D / (2 s^2)` times pgak's loss, for `w = 2 s^2 H / D`, and a constant."""
  spread, d, h = 0.4, 6, 3
  model = tiny_models.compiled('VAE', kl=2. * spread**2 * h / d)
  x = tf.constant(tiny_models.images())
  noise = model.draw_noise(x)
  mean, log_variance = model.encoder(x)
  z = mean + np.exp(0.5 * log_variance) * noise['posterior']
  likelihood = stats.norm(model.decoder(z), spread).logpdf(x).sum((1, 2, 3))
  # KL(N(m, s^2) || N(0, 1)) = log(1 / s) + (s^2 + m^2) / 2 - 1 / 2.
  kl = np.sum(-0.5 * log_variance + 0.5 * (np.exp(log_variance) + mean**2)
              - 0.5, -1)
  constant = d * np.log(spread * np.sqrt(2. * np.pi))
  loss = float(model.train_step(x)['loss'])
  assert loss * d / (2. * spread**2) + constant == pytest.approx(
      float(np.mean(kl - likelihood)), rel=1e-4)


def test_the_reconstruction_is_of_a_sample():
  model = tiny_models.make('VAE')
  x = tf.constant(tiny_models.images())
  zeros = {'posterior': tf.zeros([7, 3])}
  ones = {'posterior': tf.ones([7, 3])}
  at_mean = model.decoder(model.encode_mean(x))
  np.testing.assert_allclose(
      model.terms(x, zeros)['reconstruction'],
      np.mean((at_mean - x)**2, (1, 2, 3)), rtol=1e-5)
  assert np.abs(model.terms(x, ones)['reconstruction']
                - model.terms(x, zeros)['reconstruction']).max() > 1e-3


def test_the_kl_may_be_annealed():
  model = tiny_models.compiled('VAE', kl=schedules.linear(0., 0.5, 0, 2))
  found = []
  for _ in range(3):
    found.append(float(model.weight('kl')))
    model.train_step(tiny_models.images())
  assert found == [0., 0.25, 0.5]


def test_the_encoder_must_be_stochastic():
  with pytest.raises(ValueError, match='VAE.*log_variance=True'):
    models.VAE(tiny_models.encoder(), tiny_models.decoder())


def test_a_config_builds_the_same_model_again():
  model = tiny_models.make('VAE', kl=0.25)
  again = models.VAE.from_config(model.get_config())
  assert (again.kl, again.table.phases) == (0.25, model.table.phases)


def _beta_vae(**settings):
  return tiny_models.make('BetaVAE', beta=4., **settings)


def test_a_beta_vae_takes_a_weight_in_the_place_of_a_likelihood():
  # 2 s^2 H / D of 3 latents and 6 numbers, and 4 times that.
  bound = _beta_vae(likelihood_sigma=0.5)
  assert float(bound.weight('kl')) == pytest.approx(4. * 0.25)
  assert bound.get_config()['kl'] is None
  given = _beta_vae(likelihood_sigma=0.5, kl=0.01)
  assert float(given.weight('kl')) == pytest.approx(0.04)
  assert (given.kl, given.get_config()['kl']) == (0.01, 0.01)


def test_the_weight_of_a_beta_vae_may_be_annealed():
  model = _beta_vae(kl=schedules.linear(0., 0.01, 0, 10))
  found = []
  for step in (0, 5, 10, 99):
    model.step.assign(step)
    found.append(float(model.weight('kl')))
  np.testing.assert_allclose(found, [0., 0.02, 0.04, 0.04], rtol=1e-6)
  model.compile(tiny_models.sgd(model))
  logs = model.train_step(tf.constant(tiny_models.images()))
  assert float(logs['loss']) == pytest.approx(
      float(logs['reconstruction'] + 0.04 * logs['kl']), rel=1e-5)


@pytest.mark.parametrize('shape, size', [
    ((3,), 3), ((8, 6, 1), 48), ((4, 4, 3), 48)])
def test_the_weight_of_the_bound_counts_all_numbers(shape, size):
  """w = 2 s^2 H / D, here with s = 0.5, H = 2: 1 / D."""
  decoder = keras.Sequential([
      keras.Input((2,)), keras.layers.Dense(size), keras.layers.Reshape(shape)])
  assert vae.kl_weight(0.5, decoder) == pytest.approx(1. / size)

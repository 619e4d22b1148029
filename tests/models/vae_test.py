"""The variational autoencoder."""
import numpy as np
import pytest
from scipy import stats
import tensorflow as tf

from pgak import models
from pgak import schedules
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
  with pytest.raises(ValueError, match='VAE.*log_variance = True'):
    models.VAE(tiny_models.encoder(), tiny_models.decoder())


def test_a_config_builds_the_same_model_again():
  model = tiny_models.make('VAE', kl=0.25)
  again = models.VAE.from_config(model.get_config())
  assert (again.kl, again.table.phases) == (0.25, model.table.phases)

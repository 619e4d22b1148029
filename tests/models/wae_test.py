"""WAE and InfoVAE: what their gradients alone do not show."""
import numpy as np
import pytest
import tensorflow as tf

from pgak import losses
from pgak import models
import tiny_models


def test_a_gaussian_encoder_is_a_setting():
  model = models.WAEMMD(tiny_models.encoder(True), tiny_models.decoder())
  tiny_models.scatter(model)
  x = tf.constant(tiny_models.images())
  zeros, ones = ({'prior': tf.ones([7, 3]), 'posterior': fill([7, 3])}
                 for fill in (tf.zeros, tf.ones))
  for term in ('reconstruction', 'mmd'):
    a, b = (float(tf.reduce_mean(model.terms(x, n)[term]))
            for n in (zeros, ones))
    assert abs(a - b) > 1e-4, term


def test_the_discrepancy_falls_when_it_is_trained():
  model = tiny_models.compiled('WAEMMD', learning_rate=0.05, mmd=1.)
  data = tf.data.Dataset.from_tensors(tiny_models.images(50)).repeat()
  found = model.fit(data, steps_per_epoch=20, epochs=5, verbose=0)
  assert found.history['mmd'][-1] < 0.7 * found.history['mmd'][0]


@pytest.mark.parametrize('name, settings', [
    ('WAEMMD', dict(mmd=0.5, kernel='rbf', scales=(1., 2.))),
    ('InfoVAE', dict(alpha=0.1, lambda_=3.)),
    ('CVVAE', dict(posterior_sigma=0.2)),
    ('BetaVAE', dict(beta=2.)),
    ('VAE', dict(num_posterior_samples=2)),
])
def test_a_config_builds_the_same_model_again(name, settings):
  model = tiny_models.make(name, **settings)
  again = type(model).from_config(model.get_config())
  assert again.term_weights == model.term_weights
  assert again.noise_shapes.keys() == model.noise_shapes.keys()
  for setting, value in settings.items():
    assert np.all(getattr(again, setting) == value)


def test_which_models_match_the_prior():
  matching = {n for n in models.__all__
              if getattr(getattr(models, n), 'matches_prior', False)}
  assert matching == {'AAE', 'AGE', 'ALAE', 'AdversarialInfoVAE', 'BetaVAE',
                      'InfoVAE', 'IntroVAE', 'LPGA', 'LVPGA', 'PGGAN', 'SNGAN',
                      'SoftIntroVAE', 'VAE', 'VPGA', 'WAEGAN', 'WAEMMD'}


def test_the_encoder_sees_noise_and_the_error_does_not(float64):
  model = tiny_models.make('WAEMMD', input_noise=0.4)
  images = tf.constant(tiny_models.images())
  noise = model.draw_noise(images)
  assert noise['input'].shape == images.shape
  seen = np.clip(images + 0.4 * noise['input'], -1., 1.)
  assert np.any(np.abs(seen) == 1.)
  latents = model.encoder(seen)
  terms = model.terms(images, noise)
  np.testing.assert_allclose(
      terms['reconstruction'],
      np.mean((model.decoder(latents) - images)**2, (1, 2, 3)), rtol=1e-9)
  np.testing.assert_allclose(
      terms['mmd'], losses.mmd(latents, noise['prior']), rtol=1e-9)
  # Measured are the images as they are.
  np.testing.assert_allclose(
      model.terms(images, noise, training=False)['reconstruction'],
      tiny_models.make('WAEMMD').terms(
          images, noise, training=False)['reconstruction'])
  assert 'input' not in tiny_models.make('WAEMMD').noise_shapes

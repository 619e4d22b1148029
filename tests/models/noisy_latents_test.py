"""Noise on the latents of deterministic autoencoders."""
import numpy as np
import pytest
import tensorflow as tf

from pgak.models import noisy_latents
import tiny_models


def test_the_noise_is_in_standard_deviations_of_the_batch():
  latents = tf.constant([[0., 5.], [2., 5.], [4., 5.]])
  found = noisy_latents.with_noise(latents, 0.5, tf.ones([3, 2]))
  # Deviations sqrt(8 / 3) and 0.
  step = 0.5 * np.sqrt(8. / 3.)
  np.testing.assert_allclose(
      found, [[step, 5.], [2. + step, 5.], [4. + step, 5.]], rtol=1e-6)


def test_no_gradient_passes_through_the_size_of_the_noise():
  latents = tf.Variable([[0.], [2.], [4.]])
  with tf.GradientTape() as tape:
    found = noisy_latents.with_noise(latents, 0.5, tf.ones([3, 1]))
  np.testing.assert_array_equal(tape.gradient(found, latents), np.ones([3, 1]))


@pytest.mark.parametrize('name', ['AE', 'RAE', 'RAEL2', 'RAEGP'])
def test_a_model_decodes_noisy_latents_in_training_alone(name):
  model = tiny_models.make(name, latent_noise=0.2)
  x = tf.constant(tiny_models.images())
  noise = model.draw_noise(x, 0)
  latents = model.encoder(x)
  moved = noisy_latents.with_noise(latents, 0.2, noise['latents'])
  for training, decoded in ((True, moved), (False, latents)):
    errors = model.terms(x, noise, training)['reconstruction']
    np.testing.assert_allclose(
        errors, model.image_error(x, model.decoder(decoded)), rtol=1e-5)
  if name != 'AE':  # The penalty is of the encoder's own latents.
    np.testing.assert_allclose(
        model.terms(x, noise)['latent_l2'],
        tf.reduce_mean(tf.square(latents), -1), rtol=1e-5)


@pytest.mark.parametrize('name', ['AE', 'RAE', 'RAEL2', 'RAEGP'])
def test_without_noise_nothing_is_drawn_for_it(name):
  assert 'latents' not in tiny_models.make(name).noise_shapes
  model = tiny_models.make(name, latent_noise=0.2)
  assert type(model).from_config(model.get_config()).latent_noise == 0.2

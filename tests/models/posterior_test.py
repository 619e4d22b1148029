"""The posterior that a model says is the one that its training draws from."""
import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny_models
import tiny_pairs

from pgak import batches
from pgak import data
from pgak import noise
from pgak.models import batch_norm
from pgak.priors import ex_post

# model -> settings, the name of its noise, and the standard deviation that its
# paper draws with, from the encoder's own exp(log_variance / 2).
CASES = {
    'VAE': ({}, 'posterior', lambda s: s),
    'BetaVAE': ({}, 'posterior', lambda s: s),
    'InfoVAE': ({}, 'posterior', lambda s: s),
    'FPVAE': ({}, 'posterior', lambda s: s),
    'CVVAE': ({'posterior_sigma': 0.7}, 'posterior',
              lambda s: np.full_like(s, 0.7)),
    'VPGA': ({}, 'perturbation', lambda s: s),
    'VPGA of fixed sigma': ({'posterior_sigma': 1.}, 'perturbation',
                            np.ones_like),
    'LVPGA': ({'sigma_floor': 0.01}, 'perturbation', lambda s: s + 0.01),
}


def made(case):
  settings, name, sigma = CASES[case]
  model = tiny_models.compiled(case.split()[0], **settings)
  outputs = model.encoder(tiny_models.images(), training=False)
  mean, log_variance = (outputs if isinstance(outputs, (list, tuple))
                        else (outputs, np.zeros_like(outputs)))
  return model, name, np.asarray(mean), sigma(np.exp(0.5 * log_variance))


@pytest.mark.parametrize('case', CASES)
def test_training_decodes_what_is_drawn_from_it(case, monkeypatch):
  model, name, mean, sigma = made(case)
  found = model.posterior(tiny_models.images())
  np.testing.assert_allclose(found[0], mean, rtol=1e-5, atol=1e-6)
  np.testing.assert_allclose(found[1], sigma, rtol=1e-5)
  decoded = []
  call = keras.Model.__call__

  def recorded(self, inputs, *args, **kwargs):
    if self is model.decoder:
      decoded.append(np.asarray(inputs))
    return call(self, inputs, *args, **kwargs)

  monkeypatch.setattr(keras.Model, '__call__', recorded)
  given = model.draw_noise(tiny_models.images())
  model.terms(tiny_models.images(), given, training=False)
  expected = mean + sigma * np.asarray(given[name])
  assert any(x.shape == expected.shape and np.allclose(x, expected, atol=1e-5)
             for x in decoded)


@pytest.mark.parametrize('case', CASES)
def test_a_draw_is_the_posterior_s(case):
  model, *_ = made(case)
  examples = np.random.default_rng(2).integers(
      0, 256, (50, *tiny_models.IMAGE_SHAPE), np.uint8)
  mean, sigma = model.posterior(model.to_model(examples))
  seed = noise.seed(7, 0, 'posterior')
  expected = mean + sigma * noise.normal(mean.shape, seed)
  np.testing.assert_allclose(model.draw(examples, 7), expected, rtol=1e-5)
  np.testing.assert_allclose(model.draw(examples, seed), expected, rtol=1e-5)
  assert np.any(model.draw(examples, 8) != expected)


@pytest.mark.parametrize('name', ['AE', 'LPGA', 'WAEMMD', 'NoPriorMatching'])
def test_a_deterministic_encoder_draws_its_latents(name):
  model = tiny_models.compiled(name)
  examples = np.full((2, *tiny_models.IMAGE_SHAPE), 9, np.uint8)
  assert model.posterior(model.to_model(examples))[1] is None
  np.testing.assert_array_equal(model.draw(examples, 3), model.encode(examples))


def test_pairs_have_a_posterior_of_variance_1():
  for name in ('VUNet', 'VUNetFlow'):
    model = tiny_pairs.compiled(name)
    batch = tiny_pairs.batch()
    mean, sigma = model.posterior(batch)
    np.testing.assert_array_equal(mean, model.encoder(
        [batch['images'], batch['conditions']], training=False))
    np.testing.assert_array_equal(sigma, np.ones(mean.shape))
    examples = {k: np.full((2, 8, 8, 1), v, np.uint8)
                for k, v in (('images', 7), ('conditions', 200))}
    drawn = model.draw(examples, 1) - model.encode(**examples)
    np.testing.assert_allclose(drawn, noise.normal(
        drawn.shape, noise.seed(1, 0, 'posterior')), atol=1e-4)


@pytest.mark.parametrize('make', [
    lambda: tiny_models.compiled('VAE'), lambda: tiny_pairs.compiled('VUNet'),
    lambda: tiny_pairs.compiled('VUNetFlow')])
def test_no_verb_passes_all_of_an_array_at_once(make, monkeypatch):
  model, seen = make(), []
  images = np.random.default_rng(0).integers(
      0, 256, (7, *model.image_shape), np.uint8)
  is_of_pairs = 'condition' in model.can
  pair = dict(images=images, conditions=images) if is_of_pairs else images

  def made():
    return [model.draw(pair, 3), model.encode(pair), model.reconstruct(pair),
            *([model.sample(images, 2), model.prior.sample(
                tf.constant(images, tf.float32) / 255., 2)]
              if is_of_pairs else [])]

  expected = made()
  for name in ('encode_mean', 'posterior', 'mean_and_sample', 'render',
               'latents_of'):
    function = getattr(model, name, None)
    if function:
      monkeypatch.setattr(model, name, lambda x, *args, f=function: (
          seen.append(len(tf.nest.flatten(x)[0])), f(x, *args))[1])
  monkeypatch.setattr(batches, '_BATCH', 3)
  for found, value in zip(made(), expected, strict=True):
    np.testing.assert_allclose(
        np.float32(found), np.float32(value),
        atol=1 if value.dtype == tf.uint8 else 1e-3)
  assert max(seen) == 3


def test_densities_and_batch_norm_draw_by_the_model(monkeypatch):
  model = tiny_models.compiled('CVVAE', batch_norm=True)
  images = data.synthetic(tiny_models.IMAGE_SHAPE, 40).split('train')

  def draw(examples, seed):
    assert seed.shape == [2]
    assert tf.as_dtype(examples.dtype) == tf.uint8
    return tf.fill([tf.shape(examples)[0], 3], 5.)

  monkeypatch.setattr(model, 'draw', draw)
  np.testing.assert_array_equal(
      ex_post.encode(model, images, source='samples')[:, 0], 5.)
  assert np.all(ex_post.encode(model, images, source='means') != 5.)
  batch_norm.reestimate(model, images, num_batches=2, batch_size=10)
  layer, = (x for x in model.decoder.layers if hasattr(x, 'moving_mean'))
  dense = model.decoder.layers[model.decoder.layers.index(layer) - 1]
  np.testing.assert_allclose(
      layer.moving_mean, dense(tf.fill([1, 3], 5.))[0], rtol=1e-4)

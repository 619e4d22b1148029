"""How often a train step moves the batch-norm statistics of each part.

A pass moves them once: each forward pass of the paper's or the code's own does,
but no pass that a derivative alone needs, and none that is `frozen`.
"""
from keras import layers
import numpy as np
import pytest
import tensorflow as tf

from pgak import models
from pgak import networks
import tiny_models

# Passes in training mode through encoder and decoder, counted by hand in the
# terms of each model.
PASSES = {
    ('AE', ()): (1, 1),
    ('VAE', ()): (1, 1),
    ('VAE', (('num_posterior_samples', 3),)): (1, 1),
    ('BetaVAE', ()): (1, 1),
    ('CVVAE', ()): (1, 1),
    ('WAEMMD', ()): (1, 1),
    ('InfoVAE', ()): (1, 1),
    ('FPVAE', ()): (1, 1),
    ('RAE', ()): (1, 1),
    ('RAEL2', ()): (1, 1),
    # H derivatives, or one, of the pass that is there.
    ('RAEGP', (('variant', 'probe'),)): (1, 1),
    ('RAEGP', (('variant', 'released'),)): (1, 1),
    ('RAEGP', (('variant', 'exact'),)): (1, 1),
    # The critic's turn encodes, too.
    ('AAE', ()): (2, 1),
    ('WAEGAN', ()): (2, 1),
    ('PriorAAE', ()): (2, 1),
    ('GMMN', ()): (2, 1),
    # F(x), F(G(z)) of eq. 2, h(z) and h(z + delta) of eq. 7, and with beta
    # F(G(F(x))) of eq. 3.
    ('LPGA', ()): (4, 4),
    ('LPGA', (('data_latent_reconstruction', 1.),)): (5, 5),
    # As LPGA, but that the encoder within h is frozen.
    ('VPGA', ()): (2, 4),
    ('LVPGA', ()): (2, 4),
    # Reconstructions and mixtures are decoded; the method's image critic, its
    # autoencoder and its critic of latents each have a turn.
    ('ACAI', ()): (1, 2),
    ('NoPriorMatching', ()): (3, 4),
    ('NoPriorMatching', (('image_critic', None),)): (2, 1),
    # E's turn encodes x and two fakes, G's the two fakes again.
    ('IntroVAE', ()): (5, 4),
    # And each turn decodes both fakes' own latents.
    ('SoftIntroVAE', ()): (5, 8),
    # E's turn: x and a fake, a reconstruction and a fake; G's turn, twice.
    ('AGE', (('decoder_steps', 2),)): (4, 4),
    # A fake, real and a fake; then a fake each in two turns.
    ('ALAE', ()): (4, 3),
    ('SNGAN', (('critic_steps', 5),)): (None, 6),
    ('PGGAN', ()): (None, 2),
}


class Counting(layers.BatchNormalization):
  """Batch norm that counts how often it moves its statistics."""

  def build(self, input_shape):
    super().build(input_shape)
    self.count = self.add_weight(name='count', shape=(), trainable=False,
                                 initializer='zeros')

  def call(self, inputs, training=None):
    if training:
      self.count.assign(self.count + 1.)
    return super().call(inputs, training=training)


@pytest.fixture(name='counted', autouse=True)
def _counted(monkeypatch):
  monkeypatch.setattr(layers, 'BatchNormalization', Counting)


def passes(net):
  """Returns how often each batch norm of a net has moved, as a set."""
  return {float(layer.count) for layer in net.layers
          if isinstance(layer, Counting)}


def step(model):
  model.compile(tiny_models.sgd(model, 1e-3))
  model.train_step(tf.constant(tiny_models.images(2 * model.table.slices)))


@pytest.mark.parametrize('name, settings', PASSES, ids=str)
def test_a_step_moves_the_statistics_once_a_pass(name, settings):
  model = tiny_models.make(name, batch_norm=True, **dict(settings))
  step(model)
  for net, number in zip((getattr(model, 'encoder', None), model.decoder),
                         PASSES[name, settings]):
    assert number is None and net is None or passes(net) == {number}


def test_every_model_is_counted():
  # RAESN is an RAE on other nets; AdversarialInfoVAE stands below.
  assert {name for name, _ in PASSES} == set(tiny_models.STOCHASTIC)


def test_an_adversarial_info_vae():
  critic = networks.latent_critic(tiny_models.LATENT_DIM, 4, 1)
  model = models.AdversarialInfoVAE(
      tiny_models.encoder(True, True), tiny_models.decoder(True), critic)
  step(model)
  assert (passes(model.encoder), passes(model.decoder)) == ({2.}, {1.})


def test_latents_of_inference_move_nothing():
  model = tiny_models.make('NoPriorMatching', batch_norm=True)
  images = tf.constant(tiny_models.images())
  noise = model.draw_noise(images)
  for phase in model.table.phases:
    phase.compute(model, images, noise, {}, training=False)
  assert passes(model.encoder) == passes(model.decoder) == {0.}


def test_the_exact_penalty_moves_the_mean_by_one_hundredth():
  """Keras keeps 0.99 of a moving mean that begins with 0."""
  model = tiny_models.make('RAEGP', batch_norm=True, variant='exact')
  images = tf.constant(tiny_models.images())
  first = next(layer for layer in model.decoder.layers
               if isinstance(layer, layers.Dense))
  expected = np.mean(first(model.encoder(images, training=True)), 0) * 0.01
  model.terms(images, {})
  norm = next(layer for layer in model.decoder.layers
              if isinstance(layer, Counting))
  np.testing.assert_allclose(norm.moving_mean, expected, rtol=1e-4)


def test_the_exact_penalty_still_trains_both_nets():
  model = tiny_models.make('RAEGP', batch_norm=True, variant='exact')
  images = tf.constant(tiny_models.images())
  with tf.GradientTape() as tape:
    penalty = tf.reduce_mean(model.terms(images, {})['gradient_penalty'])
  gradients = tape.gradient(penalty, [
      v.value for part in model.parts.values()
      for v in part.trainable_variables])
  assert float(penalty) > 0.
  assert all(g is not None and np.all(np.isfinite(g)) for g in gradients)

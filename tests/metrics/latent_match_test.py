"""Tests of the match in latent space."""
import numpy as np
import pytest
import tensorflow as tf

from pgak.data import kinds
from pgak.metrics import latent_match
from pgak.models import verbs


class _Model(verbs.Encoding, verbs.Generation):
  """Images of 4 numbers; the encoder is affine, the decoder its inverse."""

  kind = kinds.Images((2, 2, 1), (0., 1.))
  latent_dim = 4

  def __init__(self, shift=0., scale=1., decoded=1.):
    self.shift, self.scale, self.decoded = shift, scale, decoded

  def encode_mean(self, images, training=False):
    assert not training
    flat = tf.reshape(images, [-1, 4])
    # Of uniform numbers: mean 1 / 2 and variance 1 / 12.
    return (flat - 0.5) * (12.**0.5 * self.scale) + self.shift

  def decoder(self, latents, training=False):
    assert not training
    images = latents * (self.decoded / 12.**0.5) + 0.5
    return tf.reshape(images, [-1, 2, 2, 1])


@pytest.fixture(name='images', scope='module')
def _images():
  return np.random.default_rng(0).integers(0, 256, (5000, 2, 2, 1), np.uint8)


def _match(model, images, **settings):
  found = latent_match.latent_match(model, images, **settings)
  return [found[f'latent_match_{name}'] for name in (
      'prior_data', 'prior_generated', 'data_generated')]


def test_is_zero_where_all_three_meet(images):
  assert max(_match(_Model(), images)) < 0.01


def test_golden_value_of_a_shifted_encoder(images):
  # Both laws of latents are N(3, I) in 4 dimensions: 4 * 3^2 from N(0, I).
  np.testing.assert_allclose(
      _match(_Model(shift=3.), images), [36., 36., 0.], atol=1.)


def test_golden_value_of_a_decoder_of_half_the_spread(images):
  # F(G(z)) is N(0, I / 4): 4 (1 - 1/2)^2 = 1 from the two others.
  np.testing.assert_allclose(
      _match(_Model(decoded=0.5), images), [0., 1., 1.], atol=0.06)


def test_latents_are_decoded_as_the_model_decodes_them(images):

  class Halved(_Model):

    def render(self, latents, given=None, training=False):
      return super().render(0.5 * latents, given, training)

  few = images[:700]
  assert _match(Halved(), few) == _match(_Model(decoded=0.5), few)


def test_repeats_by_seed_and_in_parts(images):
  few = images[:700]
  first = _match(_Model(), few, seed=1)
  assert first == _match(_Model(), few, seed=1)
  assert first != _match(_Model(), few, seed=2)

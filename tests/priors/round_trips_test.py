"""Draws that pass through the decoder and the encoder again."""
import functools

import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny_models

from pgak import errors
from pgak import noise as noise_lib
from pgak import priors
from pgak.models import seeds as seeds_lib


@functools.cache
def model(name='AE'):
  return tiny_models.make(name)


def by_hand(made, latents, trips, seed=None):
  """The chain, from NumPy arrays, a net at a time."""
  for k in range(trips):
    outputs = made.encoder(made.decoder(latents, training=False),
                           training=False)
    if isinstance(outputs, (list, tuple)):
      mean, log_variance = map(np.asarray, outputs)
      normal = noise_lib.normal(
          mean.shape, noise_lib.seed(seed, 0, f'trip_{k + 1}'))
      latents = mean + np.exp(0.5 * log_variance) * normal.numpy()
    else:
      latents = np.asarray(outputs)
  return latents


@pytest.mark.parametrize('name', ['AE', 'VAE'])
def test_draws_follow_the_chain(name):
  own = model(name).prior
  moved = priors.RoundTrips(own, model(name), 3)
  expected = by_hand(model(name), own.sample(5, 9), 3, 9)
  np.testing.assert_allclose(moved.sample(5, 9), expected, atol=1e-5)
  # Many are cut into batches.
  expected = by_hand(model(name), own.sample(1200, 2), 3, 2)
  np.testing.assert_allclose(moved.sample(1200, 2), expected, atol=1e-5)


def test_two_trips_are_a_trip_of_a_trip():
  once = priors.RoundTrips(model().prior, model())
  twice = priors.RoundTrips(model().prior, model(), 2)
  np.testing.assert_allclose(twice.sample(6, 1),
                             by_hand(model(), once.sample(6, 1), 1), atol=1e-6)


@pytest.mark.parametrize('name', ['AE', 'VAE'])
def test_each_seed_has_the_latent_that_sample_gives_it(name):
  made = model(name)
  moved = priors.RoundTrips(made.prior, made, 2)
  seeds = tf.constant([4, 0, 7], tf.int64)
  one = moved.from_noise(noise_lib.of_seeds(moved.noise_shapes, seeds))
  for row, seed in zip(one, seeds.numpy(), strict=True):
    np.testing.assert_allclose(row, moved.sample(1, int(seed))[0], atol=1e-6)
  assert len(moved.sample(0)) == 0


def test_it_draws_in_an_export_by_its_noise():
  made = tiny_models.make('AE')
  made.prior = priors.RoundTrips(made.prior, made)
  shapes, function = seeds_lib.mapping(made)
  assert set(shapes) == {'prior', 'trip_1'}
  traced = tf.function(function, input_signature=[
      {name: tf.TensorSpec([None, 3]) for name in shapes}])
  noise = noise_lib.of_seed(shapes, 4, 5)
  np.testing.assert_allclose(traced(noise), made.prior.sample(4, 5), atol=1e-6)


def test_labels_reach_the_other_prior():
  latents = np.random.default_rng(0).normal(size=(60, 3))
  flow = priors.FlowMatching(3, width=8, blocks=1, steps=4).fit(
      latents, np.arange(60) % 2)
  moved = priors.RoundTrips(flow, model())
  assert moved.can == {'fit', 'condition'}
  assert moved.classes.tolist() == [0, 1]
  expected = by_hand(model(), flow.sample(None, 3, given=[1, 0, 1]), 1)
  np.testing.assert_allclose(
      moved.sample(None, 3, given=[1, 0, 1]), expected, atol=1e-6)


def test_what_it_is():
  gaussian = priors.Gaussian(3).fit(np.eye(3))
  moved = priors.RoundTrips(gaussian, model(), 2)
  assert moved.label == 'gaussian_round_trips_2'
  assert moved.name == 'gaussian' and moved.latent_dim == 3
  assert moved.can == {'fit'}
  assert moved.is_fitted and set(moved.state()) == {'mean', 'cholesky'}


def test_a_file_keeps_it(tmp_path):
  made = tiny_models.make('AE')
  fitted = priors.Gaussian(3).fit(np.eye(3) + 1.)
  for prior in (made.prior, fitted):
    made.prior = priors.RoundTrips(prior, made, 2)
    made.save(tmp_path / 'model.keras')
    again = keras.models.load_model(tmp_path / 'model.keras')
    assert again.prior.label == made.prior.label
    np.testing.assert_allclose(
        again.prior.sample(3, 1), made.prior.sample(3, 1), atol=1e-6)


class Silent:
  """A prior that does not state its noise."""
  name = 'silent'

  def sample(self, n, seed=0):
    del seed
    return tf.zeros([n, 3])


class Replaced(priors.StandardNormal):
  """One that draws otherwise than its parent, of which it has the map."""

  def sample(self, n, seed=0):
    return 0.1 * super().sample(n, seed)


def test_what_can_make_no_round_trips():
  with pytest.raises(errors.UserError, match='standard_normal .*from_noise'):
    priors.RoundTrips(Replaced(3), model())
  with pytest.raises(errors.UserError, match='silent .*from_noise'):
    priors.RoundTrips(Silent(), model())
  with pytest.raises(errors.UserError, match='trips = 0'):
    priors.RoundTrips(model().prior, model(), 0)
  gan = tiny_models.make('SNGAN')
  with pytest.raises(errors.UserError, match='has no encoder'):
    priors.RoundTrips(gan.prior, gan)


def test_what_is_of_the_first_latents_it_has_not():
  flow = priors.RealNVP(3, num_couplings=2, hidden_units=(4,), max_epochs=1)
  moved = priors.RoundTrips(flow.fit(np.eye(3)), model())
  for name in ('log_prob', 'distribution', 'latent_to_base', 'base_to_latent'):
    assert hasattr(flow, name) and not hasattr(moved, name)
  velocity = priors.FlowMatching(3)
  for name in ('near', 'log_prob_with_error'):
    assert hasattr(velocity, name)
    assert not hasattr(priors.RoundTrips(velocity, model()), name)


def test_a_fit_is_the_other_prior_s():
  latents = np.random.default_rng(0).normal(size=(60, 3))
  moved = priors.RoundTrips(
      priors.FlowMatching(3, width=8, blocks=1, steps=1), model())
  assert moved.can == {'fit'}
  assert moved.fit(latents, np.arange(60) % 2) is moved
  assert moved.can == {'fit', 'condition'}
  assert moved.load_state(moved.state()) is moved

"""Tests of the two latent spaces."""
import numpy as np
import pytest
import tiny_models

from pgak import errors
from pgak import generation
from pgak import priors
from pgak.generation import spaces


@pytest.mark.parametrize('name, has', [
    ('standard_normal', True), ('real_nvp', True), ('gaussian', False),
    ('gmm', False), ('kde', False), ('two_stage', False),
    ('flow_matching', True)])
def test_a_flow_has_a_z_0_and_n_0_i_is_its_own(name, has):
  assert generation.has_base(priors.prior_class(name)(4)) == has


def test_a_prior_without_z_0_is_an_error_with_the_way_out():
  for function in (generation.latent_to_base, generation.base_to_latent):
    with pytest.raises(errors.UserError, match='gmm_10 has no z_0.*real_nvp'):
      function(priors.GaussianMixture(4), np.zeros([2, 4]))


@pytest.mark.parametrize('make', [
    priors.StandardNormal, lambda h: priors.FlowPrior(h, num_couplings=2)])
def test_round_trips_of_samples_leave_the_spaces(make):
  prior = make(3)
  moved = priors.RoundTrips(prior, tiny_models.make('AE'))
  latents = np.random.default_rng(0).normal(size=(4, 3)).astype('f')
  assert spaces.every(moved) == spaces.every(prior)
  for name in ('latent_to_base', 'base_to_latent'):
    function = getattr(generation, name)
    np.testing.assert_array_equal(
        function(moved, latents), function(prior, latents))


@pytest.mark.parametrize('number', [0, 1, 3, 7])
def test_batches_are_put_together(number):
  seen = []
  def double(points):
    seen.append(len(points))
    return 2. * points
  points = np.arange(2. * number).reshape(number, 2)
  found = spaces.in_batches(double, points, 3)
  np.testing.assert_array_equal(found, 2. * points)
  assert max(seen) <= 3 and found.dtype == np.float32

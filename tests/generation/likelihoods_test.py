"""Tests of latents ranked by their density."""
import numpy as np
import pytest
from scipy import stats
import tensorflow as tf
import tiny_models

from pgak import errors
from pgak import generation
from pgak import priors
from pgak.generation import latent_figures


def test_the_density_is_the_priors():
  latents = np.random.default_rng(0).normal(size=(2100, 3))
  found = generation.log_density(priors.StandardNormal(3), latents)
  np.testing.assert_allclose(found, stats.norm.logpdf(latents).sum(1),
                             rtol=1e-5)
  assert found.dtype == np.float64


def test_a_prior_without_a_density_is_an_error_with_the_way_out():
  prior = priors.TwoStageVAE(3)
  if hasattr(prior, 'log_prob'):
    pytest.skip('It has a density.')
  with pytest.raises(errors.UserError, match='--prior, such as real_nvp'):
    generation.log_density(prior, np.zeros([2, 3]))


class Bare:
  """A prior of one's own, which has a name alone."""

  name = 'bare'

  def log_prob(self, latents):
    return -tf.reduce_sum(latents, -1)


def test_a_prior_of_one_s_own_needs_no_label():
  latents = np.eye(3)
  np.testing.assert_array_equal(generation.log_density(Bare(), latents), -1.)
  with pytest.raises(errors.UserError, match='The prior bare has no z_0'):
    generation.latent_to_base(Bare(), latents)
  found = latent_figures.out_of_distribution(
      Bare(), latents, 2. * latents, ['ones', 'twos'])
  assert 'under bare of their latents' in found.text
  images = np.zeros([3, 4, 4, 1], np.uint8)
  found = latent_figures.log_densities(
      Bare(), latents, lambda shown: images[shown], 2)
  assert 'under bare:' in found.text


def test_round_trips_of_samples_leave_the_density_of_latents():
  model = tiny_models.make('AE')
  latents = np.random.default_rng(0).normal(size=(9, 3)).astype('f')
  prior = priors.Gaussian(3).fit(latents)
  moved = priors.RoundTrips(prior, model)
  np.testing.assert_array_equal(generation.log_density(moved, latents),
                                generation.log_density(prior, latents))
  # It is none of the samples, so the density before is what is named.
  found = latent_figures.out_of_distribution(
      moved, latents, 2. * latents, ['ones', 'twos'])
  assert 'under gaussian of their latents' in found.text
  images = np.zeros([9, 4, 4, 1], np.uint8)
  found = latent_figures.log_densities(
      moved, latents, lambda shown: images[shown], 2)
  assert 'under gaussian:' in found.text


def test_the_area_is_a_share_of_pairs():
  # Pairs (inside, outside): 3 > 1, 3 > 2, 2 > 1, and 2 = 2 counts a half:
  # 3.5 of 4.
  assert generation.auroc([3., 2.], [1., 2.]) == pytest.approx(3.5 / 4.)
  generator = np.random.default_rng(0)
  inside, outside = generator.normal(1., 1., 40), generator.normal(0., 2., 30)
  assert generation.auroc(inside, outside) == pytest.approx(
      np.mean(inside[:, None] > outside))
  assert generation.auroc(outside, inside) == pytest.approx(
      1. - generation.auroc(inside, outside))


def test_what_has_no_density_at_all_ranks_lowest():
  assert generation.auroc([-5., -1e30], [-np.inf, np.nan]) == 1.

"""A mixture fitted by gradient, against expectation maximisation and by hand.
"""
import numpy as np
import pytest

from pgak import errors
from pgak import priors


def latents(number=600, seed=0):
  generator = np.random.default_rng(seed)
  groups = generator.integers(0, 2, (number, 1))
  return (np.array([5., -2.]) + 6. * groups
          + generator.normal(size=(number, 2)) * [1., .3])


@pytest.mark.parametrize('covariance', ['full', 'diagonal'])
def test_it_finds_what_expectation_maximisation_finds(covariance):
  points = latents()
  em = priors.GaussianMixture(2, 2, covariance).fit(points)
  found = priors.GradientMixture(2, 2, covariance, steps=200).fit(points)
  likelihoods = [np.mean(p.log_prob(points)) for p in (em, found)]
  assert likelihoods[1] == pytest.approx(likelihoods[0], abs=0.01)
  assert found.log_likelihood == pytest.approx(likelihoods[1], abs=0.01)
  for name in ('weights', 'means'):
    ours, theirs = (np.sort(p.state()[name], 0) for p in (found, em))
    np.testing.assert_allclose(ours, theirs, rtol=0.05, atol=0.03)


def test_scales_stay_above_the_floor():
  """Half of the latents are one point: without a floor its scale goes to 0."""
  others = np.random.default_rng(0).normal([5., -2.], [1., .3], (50, 2))
  points = np.concatenate([np.zeros([50, 2]), others])
  found = priors.GradientMixture(2, 2, 'diagonal', steps=200,
                                 learning_rate=0.1, smallest_scale=0.05)
  found.fit(points)
  scales = found.state()['factors'] / points.std(0)
  assert scales.min() >= 0.05 - 1e-6
  assert scales.min() < 0.06  # It is reached.


def test_more_steps_are_a_better_fit():
  points = latents(200)
  few, many = (priors.GradientMixture(2, 3, steps=n).fit(points).log_likelihood
               for n in (2, 100))
  assert many > few + 0.05


def test_what_it_refuses():
  with pytest.raises(errors.UserError, match='too few for 10 components'):
    priors.GradientMixture(2).fit(latents(5))
  with pytest.raises(errors.UserError, match='learning_rate = 1e\\+200'):
    priors.GradientMixture(2, 2, steps=5, learning_rate=1e200).fit(latents(50))


def test_of_more_latents_random_ones_are_fitted():
  """Those of a folder come class by class."""
  points = np.sort(latents(), axis=0)
  found = priors.GradientMixture(2, 1, max_latents=100, steps=50).fit(points)
  np.testing.assert_allclose(found.state()['means'][0], points.mean(0), atol=1.)

"""The Bayesian mixture that scikit-learn fits."""
import numpy as np
import pytest
from scipy import stats
import tensorflow as tf

from pgak import priors


def latents():
  generator = np.random.default_rng(0)
  return np.concatenate([generator.normal(0., 1., (150, 2)),
                         generator.normal(8., .5, (150, 2))]) + 100.


@pytest.mark.parametrize('covariance', ['full', 'diagonal'])
def test_it_uses_no_more_components_than_it_needs(covariance):
  prior = priors.BayesianGaussianMixture(2, 8, covariance, concentration=1e-3)
  weights = np.sort(prior.fit(latents()).state()['weights'])[::-1]
  np.testing.assert_allclose(weights[:2], 0.5, atol=0.02)
  assert weights[2:].max() < 0.01 and weights.sum() == pytest.approx(1.)


def test_its_density_is_near_the_law_that_was_drawn_from():
  prior = priors.BayesianGaussianMixture(
      2, 2, weights='dirichlet_distribution').fit(latents())
  points = latents()
  law = 0.5 * (
      stats.multivariate_normal([100., 100.], np.eye(2)).pdf(points)
      + stats.multivariate_normal([108., 108.], .25 * np.eye(2)).pdf(points))
  difference = np.mean(np.log(law) - prior.log_prob(tf.constant(points)))
  assert abs(difference) < 0.2

"""The Gaussian with the latents' own moments."""
import numpy as np
from scipy import stats
import tensorflow as tf

from pgak import priors


def test_moments_by_hand():
  # Mean (1, 2); centred (-1, -2), (1, 2), (0, 0): sums of squares 2, 4, 8, over
  # N = 3. The regularisation is 1e-6 of the mean variance (2/3 + 8/3) / 2.
  prior = priors.Gaussian(2).fit([[0., 0.], [2., 4.], [1., 2.]])
  state = prior.state()
  np.testing.assert_allclose(state['mean'], [1., 2.])
  covariance = state['cholesky'] @ state['cholesky'].T
  np.testing.assert_allclose(
      covariance - 1e-6 * 5. / 3. * np.eye(2),
      [[2. / 3., 4. / 3.], [4. / 3., 8. / 3.]], atol=1e-11)


def test_log_prob_is_scipys():
  generator = np.random.default_rng(0)
  latents = generator.normal(size=(50, 4)) @ generator.normal(size=(4, 4)) + 3.
  prior = priors.Gaussian(4, regularisation=0.).fit(latents)
  law = stats.multivariate_normal(latents.mean(0), np.cov(latents.T, ddof=0))
  np.testing.assert_allclose(prior.log_prob(tf.constant(latents)),
                             law.logpdf(latents), rtol=1e-9)


def test_the_unit_of_the_latents_does_not_matter():
  latents = np.random.default_rng(1).normal(size=(50, 3))
  small = priors.Gaussian(3).fit(latents * 1e-5).sample(9)
  np.testing.assert_allclose(small * 1e5, priors.Gaussian(3).fit(
      latents).sample(9), rtol=1e-2, atol=1e-3)

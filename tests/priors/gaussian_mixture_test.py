"""The mixture by EM, held against scikit-learn's."""
import warnings

import numpy as np
import pytest
from scipy import special
from scipy import stats
from sklearn import mixture
import tensorflow as tf

from pgak import errors
from pgak import priors
from pgak.priors import fitted
from pgak.priors import mixtures


def latents(number=600, size=4, seed=0):
  generator = np.random.default_rng(seed)
  groups = generator.integers(0, 3, number)
  shapes = generator.normal(size=(3, size, size))
  places = 3. * generator.normal(size=(3, size))
  drawn = generator.normal(size=(number, size))
  return np.einsum('ni,nij->nj', drawn, shapes[groups]) + places[groups] + 10.


def scikit_learn(points, responsibilities, kind, iterations, smallest):
  """Its mixture from given responsibilities, which it does not offer."""
  class Started(mixture.GaussianMixture):

    def _initialize_parameters(self, X, *unused, **also_unused):
      self._initialize(X, responsibilities)

  model = Started(responsibilities.shape[1], covariance_type=kind, tol=0.,
                  max_iter=iterations, reg_covar=smallest)
  with warnings.catch_warnings():
    warnings.simplefilter('ignore')
    return model.fit(points)


@pytest.mark.parametrize('covariance, kind', [
    ('full', 'full'), ('diagonal', 'diag')])
@pytest.mark.parametrize('iterations', [1, 12])
def test_it_takes_scikit_learns_steps(covariance, kind, iterations):
  points = latents()
  start = np.random.default_rng(5).dirichlet(np.ones(4), len(points))
  ours = priors.GaussianMixture(4, 4, covariance, iterations, 0.)
  ours.fit(points, start)
  theirs = scikit_learn(points, start, kind, iterations,
                        1e-6 * points.var(0).mean())
  assert ours.iterations == iterations
  found = ours.log_prob(tf.constant(points)).numpy()
  np.testing.assert_allclose(found, theirs.score_samples(points), atol=1e-4)
  np.testing.assert_allclose(ours.state()['weights'], theirs.weights_,
                             atol=1e-6)
  # A last E step: the likelihood is that before the last M step.
  assert ours.log_likelihood <= found.mean() + 1e-9


def test_batches_of_rows_change_nothing(monkeypatch):
  points = latents(100)
  whole = priors.GaussianMixture(4, 3).fit(points)
  monkeypatch.setattr(mixtures, 'MAX_NUMBERS', 12 * 7)
  parts = priors.GaussianMixture(4, 3).fit(points)
  for name, array in whole.state().items():
    np.testing.assert_allclose(parts.state()[name], array, atol=1e-8)
  points = tf.constant(points)
  np.testing.assert_allclose(parts.log_prob(points), whole.log_prob(points),
                             atol=1e-8)
  np.testing.assert_allclose(parts.sample(50), whole.sample(50), atol=1e-5)


def test_its_start_is_as_good_as_scikit_learns():
  points = latents()
  ours = priors.GaussianMixture(4, 3).fit(points)
  theirs = mixture.GaussianMixture(3, random_state=0).fit(points)
  assert np.mean(ours.log_prob(tf.constant(points))) == pytest.approx(
      theirs.score(points), abs=0.02)


@pytest.mark.parametrize('factors', ['full', 'diagonal'])
def test_log_prob_is_the_published_formula(factors):
  means = np.array([[0., 1.], [2., -1.]])
  full = np.array([[[1., 0.], [.5, 2.]], [[.3, 0.], [0., .4]]])
  given = full if factors == 'full' else np.array([[1., 2.], [.3, .4]])
  covariances = [f @ f.T if factors == 'full' else np.diag(f**2) for f in given]
  weights = np.array([0.3, 0.7])
  prior = priors.GaussianMixture(2, 2).load_state(
      {'weights': weights, 'means': means, 'factors': given})
  points = np.random.default_rng(0).normal(size=(9, 2))
  expected = special.logsumexp(
      [np.log(w) + stats.multivariate_normal(m, c).logpdf(points)
       for w, m, c in zip(weights, means, covariances)], axis=0)
  np.testing.assert_allclose(prior.log_prob(tf.constant(points)), expected)
  drawn = prior.sample(20000, 3).numpy()
  near = stats.multivariate_normal(means[1], covariances[1]).pdf(drawn) * .7 > (
      stats.multivariate_normal(means[0], covariances[0]).pdf(drawn) * .3)
  assert abs(near.mean() - 0.7) < 0.05
  np.testing.assert_allclose(drawn.mean(0), weights @ means, atol=0.05)


def test_the_unit_and_the_place_of_the_latents_do_not_matter():
  points = latents(200)
  one = priors.GaussianMixture(4, 3).fit(points)
  for scale, place in ((1e-4, 0.), (1e3, 1e6)):
    other = priors.GaussianMixture(4, 3).fit(points * scale + place)
    np.testing.assert_allclose(
        other.log_prob(tf.constant(points * scale + place)),
        one.log_prob(tf.constant(points)) - 4 * np.log(scale), atol=1e-3)


@pytest.mark.parametrize('covariance', ['full', 'diagonal'])
def test_duplicates_leave_components_without_latents(covariance):
  points = np.repeat([[0., 0.], [1., 1.]], 20, 0)
  prior = priors.GaussianMixture(2, 5, covariance).fit(points)
  for array in prior.state().values():
    assert np.isfinite(array).all()
  drawn = prior.sample(200).numpy()
  distance = np.abs(drawn[:, np.newaxis] - [[0., 0.], [1., 1.]]).max(-1).min(1)
  assert distance.max() < 0.02


def test_a_component_that_dies_is_no_nan():
  points = latents(50, 2)
  start = np.zeros([50, 3])
  start[:, 0] = 1.
  prior = priors.GaussianMixture(2, 3).fit(points, start)
  assert np.isfinite(prior.sample(100)).all()
  one = priors.Gaussian(2).fit(points)
  assert np.mean(prior.log_prob(tf.constant(points))) >= np.mean(
      one.log_prob(tf.constant(points))) - 1e-3


def test_a_covariance_that_is_none_is_named(monkeypatch):
  monkeypatch.setattr(fitted, 'smallest_variance', lambda *unused: -1e3)
  with pytest.raises(errors.UserError,
                     match='raise GaussianMixture.regularisation = 1e-06'):
    priors.GaussianMixture(4, 2).fit(latents(50))


def test_it_ends_where_the_likelihood_stands():
  points = latents(200)
  few = priors.GaussianMixture(4, 3, tolerance=1.).fit(points)
  many = priors.GaussianMixture(4, 3, tolerance=1e-9, max_iterations=30)
  many.fit(points)
  assert few.iterations < many.iterations <= 30
  assert few.log_likelihood <= many.log_likelihood

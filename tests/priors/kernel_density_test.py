"""The kernel density estimate, held against scikit-learn's."""
import numpy as np
import pytest
from sklearn import neighbors
import tensorflow as tf

from pgak import priors
from pgak.priors import kernel_density


@pytest.mark.parametrize('place', [0., 1e4])
def test_log_prob_is_scikit_learns(place, monkeypatch):
  monkeypatch.setattr(kernel_density, 'MAX_NUMBERS', 80 * 7)
  latents = np.random.default_rng(0).normal(size=(80, 3)) + place
  points = (np.random.default_rng(1).normal(size=(20, 3)) + place).astype('f')
  found = priors.KernelDensity(3).fit(latents).log_prob(tf.constant(points))
  theirs = neighbors.KernelDensity(bandwidth=0.425).fit(latents.astype('f'))
  np.testing.assert_allclose(found, theirs.score_samples(points), atol=1e-3)


def test_scotts_rule_by_hand():
  # Mean variance 4 of -2, 2; N = 2, H = 1: h = 2 * 2^(-1/5) = 1.7411.
  prior = priors.KernelDensity(1, 'scott').fit([[-2.], [2.]])
  assert prior.state()['bandwidth'] == pytest.approx(1.7411011, rel=1e-6)
  assert prior.label == 'kde_scott'


def test_samples_lie_around_latents():
  prior = priors.KernelDensity(2, 0.1).fit([[0., 0.], [5., 5.], [9., 0.]])
  drawn = prior.sample(3000, 1).numpy()
  nearest = np.abs(drawn[:, None] - prior.state()['latents']).max(-1)
  assert nearest.min(1).max() < 0.6
  np.testing.assert_allclose(np.bincount(nearest.argmin(1)) / 3000, 1. / 3.,
                             atol=0.03)
  assert (drawn - prior.state()['latents'][nearest.argmin(1)]).std() == (
      pytest.approx(0.1, rel=0.03))


def test_it_shows_that_it_memorises():
  generator = np.random.default_rng(0)
  train, held_out = generator.normal(size=(2, 100, 8))
  prior = priors.KernelDensity(8, 0.05).fit(train)
  seen, unseen = (np.mean(prior.log_prob(tf.constant(x)))
                  for x in (train, held_out))
  assert seen > unseen + 100.

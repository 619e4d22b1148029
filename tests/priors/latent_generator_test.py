"""The net that maps noise to latents."""
import numpy as np
import pytest
import tensorflow as tf

from pgak import noise
from pgak import priors


def test_samples_are_the_net_of_draws_of_the_base():
  prior = priors.LatentGenerator(3, base_dim=2, units=(4,))
  first, bias, last, offset = prior.get_weights()
  bias[:] = 0.1
  prior.set_weights([first, bias, last, offset])
  base = noise.normal([6, 2], noise.seed(5, 0, 'prior')).numpy()
  expected = np.maximum(base @ first + bias, 0.) @ last + offset
  np.testing.assert_allclose(prior.sample(6, 5), expected, rtol=1e-5,
                             atol=1e-6)
  assert prior.sample(6, 5).dtype == tf.float32


def test_the_uniform_base_fills_the_cube():
  prior = priors.LatentGenerator(3, 'uniform', base_dim=10)
  draws = prior.draw([20000, 10], noise.seed(0, 0, 'x')).numpy()
  assert draws.min() >= -1. and draws.max() < 1.
  # Of a uniform law on [-1, 1): mean 0, variance 1 / 3; 4 standard errors.
  assert np.abs(draws.mean(0)).max() < 4. * np.sqrt(1 / 3 / 20000)
  np.testing.assert_allclose(draws.var(0), 1 / 3, rtol=0.03)


def test_it_has_no_density():
  prior = priors.LatentGenerator(3)
  assert not hasattr(prior, 'log_prob') and not hasattr(prior, 'fit')
  assert prior.label == 'latent_generator' and prior.base_dim == 3


def test_an_unknown_base_is_named():
  with pytest.raises(ValueError, match="'cauchy'` must be 'normal' or 'unif"):
    priors.LatentGenerator(3, 'cauchy')

"""The net that maps noise to latents."""
import numpy as np
import pytest
import tensorflow as tf

from pgak import errors
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


def test_a_residual_generator_with_batch_norm():
  net = priors.LatentGenerator(2, units=(4, 4), residual=True, batch_norm=True)
  # 2*4+4 = 12; two blocks of 2 (4*4+4) = 40 and 2 (4+4) = 16 of batch norm; 8
  # of the last batch norm; 4*2+2 = 10.
  assert sum(int(np.prod(v.shape)) for v in net.trainable_variables) == 142
  base = np.random.default_rng(0).normal(size=(64, 2)).astype(np.float32)
  block = net.net.layers[1]
  x = net.net.layers[0](base)
  zero = [v for v in block.trainable_variables if len(v.shape) == 2]
  for kernel in zero:
    kernel.assign(np.zeros(kernel.shape))
  np.testing.assert_allclose(block(x), x)  # The shortcut is the identity.
  train, inference = net(base, training=True), net(base)
  assert np.abs(train - inference).max() > 1e-3
  again = priors.LatentGenerator(**net.get_config())
  again.set_weights(net.get_weights())
  np.testing.assert_array_equal(again(base), net(base))


def test_residual_blocks_have_one_width():
  with pytest.raises(errors.UserError, match='must be one number'):
    priors.LatentGenerator(2, units=(4, 8), residual=True)

"""The standard normal prior."""
import gin
import numpy as np
import pytest
from scipy import stats
import tensorflow as tf

from pgak import priors


@pytest.mark.parametrize('dtype', ['float32', 'float64'])
def test_log_prob_is_scipys(dtype):
  latents = np.random.default_rng(0).normal(size=(20, 4)).astype(dtype)
  found = priors.StandardNormal(4).log_prob(tf.constant(latents))
  assert found.shape == (20,)
  np.testing.assert_allclose(
      found, stats.multivariate_normal(np.zeros(4)).logpdf(latents), rtol=1e-5)


def test_log_prob_of_the_origin():
  # -H/2 log(2 pi) = -2 * 0.9189385332 for two dimensions.
  found = priors.StandardNormal(2).log_prob(tf.zeros([1, 2], tf.float64))
  np.testing.assert_allclose(found, [-1.8378770664])


def test_samples_are_standard_normal():
  samples = priors.StandardNormal(5).sample(20000, seed=3).numpy()
  assert samples.shape == (20000, 5) and samples.dtype == np.float32
  np.testing.assert_allclose(samples.mean(0), np.zeros(5), atol=0.03)
  np.testing.assert_allclose(np.cov(samples.T), np.eye(5), atol=0.05)
  assert stats.kstest(samples.ravel(), 'norm').pvalue > 1e-3


def test_a_sample_is_repeatable_by_seed():
  prior = priors.StandardNormal(3)
  np.testing.assert_array_equal(prior.sample(9, 4), prior.sample(9, seed=4))
  assert np.abs(prior.sample(9, 4) - prior.sample(9, 5)).min() > 0.
  np.testing.assert_array_equal(
      prior.sample(9), priors.StandardNormal(3).sample(9, 0))


@pytest.mark.parametrize('jit_compile', [False, True])
def test_a_sample_takes_tensors_and_does_not_depend_on_their_number(
    jit_compile):
  prior = priors.StandardNormal(3)
  def sample(n, seed):
    return prior.sample(n, seed)
  if not jit_compile:  # XLA wants to know the number of samples.
    sample = tf.function(sample, input_signature=[
        tf.TensorSpec([], tf.int32), tf.TensorSpec([], tf.int64)])
    few, many = (sample(tf.constant(n), tf.constant(8, tf.int64))
                 for n in (5, 50))
  else:
    compiled = tf.function(sample, jit_compile=True)
    few, many = (compiled(n, tf.constant(8, tf.int64)) for n in (5, 50))
  np.testing.assert_allclose(few, many[:5], rtol=1e-6, atol=1e-6)
  np.testing.assert_allclose(few, prior.sample(5, 8), rtol=1e-6, atol=1e-6)


def test_gin_knows_it():
  prior = gin.get_configurable('StandardNormal')(6)
  assert prior.sample(2).shape == (2, 6)
  assert (prior.name, prior.label) == ('standard_normal', 'standard_normal')

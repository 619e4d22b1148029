"""The uniform distribution on the unit sphere."""
import gin
import numpy as np
import pytest
from scipy import stats
import tensorflow as tf

from pgak import noise
from pgak import priors


def log_area(size):
  """From two points and the circle, by A(n) = 2 pi A(n - 2) / (n - 2)."""
  if size < 3:
    return np.log([2., 2. * np.pi][size - 1])
  return np.log(2. * np.pi / (size - 2)) + log_area(size - 2)


@pytest.mark.parametrize('size', [1, 2, 3, 4, 64, 129])
def test_log_prob_is_that_of_the_area(size):
  prior = priors.UniformSphere(size)
  latents = prior.sample(6)
  found = prior.log_prob(latents)
  assert found.shape == (6,) and found.dtype == tf.float32
  np.testing.assert_allclose(found, -log_area(size), rtol=1e-6)
  assert prior.log_prob(latents[:0]).shape == (0,)


def test_the_area_of_a_ball():
  assert log_area(3) == pytest.approx(np.log(4. * np.pi))


def test_samples_are_on_the_sphere_and_nowhere_more_than_elsewhere():
  samples = priors.UniformSphere(3).sample(20000, seed=3).numpy()
  assert samples.shape == (20000, 3) and samples.dtype == np.float32
  np.testing.assert_allclose(np.linalg.norm(samples, axis=1), 1., rtol=1e-5)
  # On the surface of a ball each coordinate is uniform on [-1, 1]
  # (Archimedes), also along a direction that is no axis.
  oblique = samples @ (np.array([1., 2., -2.]) / 3.)
  for coordinate in (*samples.T, oblique):
    assert stats.kstest(coordinate, stats.uniform(-1., 2.).cdf).pvalue > 1e-3
  np.testing.assert_allclose(np.cov(samples.T), np.eye(3) / 3., atol=0.01)


def test_with_one_dimension_it_is_a_sign():
  samples = priors.UniformSphere(1).sample(1000).numpy()
  np.testing.assert_allclose(np.abs(samples), 1., rtol=1e-6)
  assert 400 < (samples > 0.).sum() < 600


def test_a_sample_is_repeatable_by_seed_in_graphs_too():
  prior = priors.UniformSphere(3)
  np.testing.assert_array_equal(prior.sample(9, 4), prior.sample(9, seed=4))
  assert np.abs(prior.sample(9, 4) - prior.sample(9, 5)).max() > 0.1
  sample = tf.function(prior.sample, input_signature=[
      tf.TensorSpec([], tf.int32), tf.TensorSpec([], tf.int64)])
  for number in (0, 1, 5):
    np.testing.assert_allclose(sample(number, 4), prior.sample(9, 4)[:number],
                               rtol=1e-6, atol=1e-6)
  compiled = tf.function(prior.sample, jit_compile=True)
  np.testing.assert_allclose(compiled(9, tf.constant(4, tf.int64)),
                             prior.sample(9, 4), rtol=1e-6, atol=1e-6)


def test_its_draws_are_those_of_a_models_noise():
  drawn = priors.UniformSphere.draw([6, 3], noise.seed(0, 0, 'prior'),
                                    tf.float64)
  assert drawn.dtype == tf.float64
  np.testing.assert_allclose(np.linalg.norm(drawn, axis=1), 1., rtol=1e-12)


def test_gin_knows_it():
  prior = gin.get_configurable('UniformSphere')(6)
  assert prior.sample(2).shape == (2, 6)
  assert (prior.name, prior.label) == ('uniform_sphere', 'uniform_sphere')
  assert priors.prior_class('UniformSphere').name == 'uniform_sphere'

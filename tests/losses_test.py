"""The losses, against values worked out by hand."""
import math

import numpy as np
import pytest
from scipy import stats
import tensorflow as tf

from pgak import losses


def _constant(*rows):
  return tf.constant(rows, tf.float64)


def test_reconstruction():
  # Two images of 2 x 1 x 2 numbers. The first differs by 1, 0, 2, 1 in its
  # four numbers: (1 + 0 + 4 + 1) / 4 = 1.5; the second nowhere.
  images = _constant([[[0., 1.]], [[2., 3.]]], [[[5., 5.]], [[5., 5.]]])
  reconstructed = _constant([[[1., 1.]], [[0., 4.]]],
                            [[[5., 5.]], [[5., 5.]]])
  np.testing.assert_allclose(
      losses.reconstruction(images, reconstructed), [1.5, 0.])


def test_reconstruction_is_2_over_d_of_the_papers_equation():
  generator = np.random.default_rng(0)
  x, y = generator.normal(size=(2, 5, 4, 3, 2))
  eq_1 = 0.5 * np.sum((y - x)**2, (1, 2, 3))
  np.testing.assert_allclose(losses.reconstruction(x, y),
                             eq_1 * 2 / (4 * 3 * 2))


def test_absolute_error_by_hand():
  images = tf.constant([[[1.], [2.]], [[0.], [0.]]])
  made = tf.constant([[[0.], [5.]], [[0.], [-1.]]])
  np.testing.assert_allclose(losses.absolute_error(images, made), [2., 0.5])


def test_latent_reconstruction():
  # ((3 - 1)^2 + (0 - 1)^2) / 2 = 2.5 and ((-1)^2 + 0) / 2 = 0.5.
  np.testing.assert_allclose(
      losses.latent_reconstruction(_constant([1., 1.], [0., 2.]),
                                   _constant([3., 0.], [-1., 2.])), [2.5, 0.5])


def test_latent_nll():
  # At (3, 1): (9 / 2 + 1 / 2) / 2 = 2.5, and log(2 pi) / 2 = 0.9189385332.
  np.testing.assert_allclose(
      losses.latent_nll(_constant([3., 1.], [0., 0.])),
      [3.4189385332, 0.9189385332])


def test_latent_nll_is_scipys_negative_log_density_per_dimension():
  z = np.random.default_rng(0).normal(size=(5, 4))
  density = stats.multivariate_normal(np.zeros(4)).logpdf(z)
  np.testing.assert_allclose(losses.latent_nll(z), -density / 4)


def test_expansion():
  # h moved by (3, 4), |.|^2 = 25, for a step with |d|^2 = 0.01:
  # log(2500) / 2 = 3.9120230054. By (0.1, 0): log(1) / 2 = 0.
  np.testing.assert_allclose(
      losses.expansion(_constant([1., 1.], [0., 0.]),
                       _constant([4., 5.], [0.1, 0.]),
                       tf.constant([0.01, 0.01], tf.float64)),
      [3.9120230054, 0.], atol=1e-9)


@pytest.mark.parametrize('dtype', [tf.float32, tf.float64])
def test_expansion_and_its_gradient_are_finite_where_h_does_not_move(dtype):
  h = tf.zeros([1, 3], dtype)
  with tf.GradientTape() as tape:
    tape.watch(h)
    value = losses.expansion(h, tf.zeros_like(h), tf.constant([1e-4], dtype))
  assert np.isfinite(value)
  assert np.all(np.isfinite(tape.gradient(value, h)))


def test_relative_error():
  # (2 / 1)^2 = 4 and (3 / 6)^2 = 0.25, their mean 2.125; with one scale of 2:
  # (1 + 2.25) / 2 = 1.625.
  h, moved = _constant([0., 1.]), _constant([2., 4.])
  np.testing.assert_allclose(
      losses.relative_error(h, moved, tf.constant([1., 6.], tf.float64)),
      [2.125])
  np.testing.assert_allclose(
      losses.relative_error(h, moved, tf.constant(2., tf.float64)), [1.625])


def test_kl():
  # N(1, e) in one of two dimensions: (1 + e - 1 - 1) / 2 = 0.8591409142, and
  # half of it as the mean of the two; N(0, I) has 0.
  np.testing.assert_allclose(
      losses.kl(_constant([1., 0.], [0., 0.]), _constant([1., 0.], [0., 0.])),
      [0.4295704571, 0.], atol=1e-10)


def test_kl_is_the_integral():
  mean, sigma = 0.7, 0.4
  z = np.linspace(-10., 10., 200001)
  q = stats.norm(mean, sigma)
  integrand = q.pdf(z) * (q.logpdf(z) - stats.norm.logpdf(z))
  np.testing.assert_allclose(
      losses.kl(_constant([mean]), _constant([2. * math.log(sigma)])),
      [np.trapezoid(integrand, z)], rtol=1e-8)


def test_kl_is_nll_and_what_sigma_adds():
  """[1, eq. 14], with the constants that the paper leaves out.

  Per dimension KL = nll + (sigma^2 - log sigma^2)/2 - (1 + log 2 pi)/2.
  """
  generator = np.random.default_rng(3)
  mean, log_variance = generator.normal(size=(2, 50, 6))
  spread = 0.5 * np.mean(np.exp(log_variance) - log_variance, -1)
  constant = 0.5 * (1. + math.log(2. * math.pi))
  np.testing.assert_allclose(
      losses.kl(mean, log_variance),
      losses.latent_nll(mean).numpy() + spread - constant, rtol=1e-12)


@pytest.mark.parametrize('loss, arguments', [
    (losses.reconstruction, 2), (losses.absolute_error, 2),
    (losses.latent_reconstruction, 2),
    (losses.latent_nll, 1), (losses.kl, 2)])
@pytest.mark.parametrize('dtype', ['float32', 'float64'])
def test_a_loss_is_one_number_an_example_in_its_own_dtype(
    loss, arguments, dtype):
  values = loss(*[tf.ones([4, 3], dtype)] * arguments)
  assert values.shape == (4,)
  assert values.dtype == dtype


# === RAE, WAE ===


def test_latent_l2_is_a_mean_and_the_decay_a_sum():
  latents = tf.constant([[1., 2.], [3., 0.]])
  # (1 + 4) / 2 and (9 + 0) / 2; the sum of all squares is 14.
  np.testing.assert_allclose(losses.latent_l2(latents), [2.5, 4.5])
  assert float(losses.sum_of_squares([latents, tf.ones([3])])) == 17.


def test_mmd_by_hand():
  """Two latents 0 and 2, two draws 1 and 1, H = 1, one scale 1/2: C = 1.

  IMQ: k = 1 / (1 + d^2). k(0, 2) = 1/5, k(1, 1) = 1, each cross one 1/2.
  (1/5 + 1/5 + 1 + 1) / (2 * 1) - 2 * (4 * 1/2) / 4 = 1.2 - 1 = 0.2.
  RBF: k = exp(-d^2). (2 e^-4 + 2) / 2 - 2 e^-1.
  """
  z, p = tf.constant([[0.], [2.]]), tf.constant([[1.], [1.]])
  assert float(losses.mmd(z, p, scales=(0.5,))) == pytest.approx(0.2, rel=1e-5)
  assert float(losses.mmd(z, p, 'rbf', (0.5,))) == pytest.approx(
      np.exp(-4.) + 1. - 2. * np.exp(-1.), rel=1e-5)


@pytest.mark.parametrize('kernel', ['imq', 'rbf'])
def test_mmd_is_unbiased_and_sees_a_shift(kernel):
  generator = np.random.default_rng(0)
  def found(shift):
    z, p = generator.normal(size=(2, 200, 20, 3)).astype('float32')
    return np.array([float(losses.mmd(tf.constant(a + shift), tf.constant(b),
                                      kernel)) for a, b in zip(z, p)])
  same, shifted = found(0.), found(1.)
  assert abs(same.mean()) < 4. * same.std() / 200**0.5
  assert same.min() < 0. < shifted.mean() - 4. * shifted.std() / 200**0.5


def test_an_unknown_kernel_is_named():
  with pytest.raises(ValueError, match="imq or rbf, not 'linear'"):
    losses.mmd(tf.ones([2, 1]), tf.ones([2, 1]), 'linear')


def test_jacobian_norm2_of_a_linear_map():
  """images = z A: J^T v = A v; with A [2, 3] and v = (1, -1, 1)."""
  a = np.array([[1., 2., 3.], [0., 1., 1.]], 'float32')
  z, probe = tf.ones([1, 2]), tf.constant([[1., -1., 1.]])
  with tf.GradientTape() as tape:
    tape.watch(z)
    images = z @ a
  # A v = (1 - 2 + 3, -1 + 1) = (2, 0); mean square 2; divided by D = 3.
  found = losses.jacobian_norm2(tape, z, images, probe)
  np.testing.assert_allclose(found, [2. / 3.], rtol=1e-6)


# === Learned priors ===


def test_discrimination():
  """Undecided, 2 log 2; right by log 3 on both sides, 2 log(4 / 3)."""
  logits = _constant([0.], [math.log(3.)])
  found = losses.discrimination(logits, -logits)
  np.testing.assert_allclose(
      found, [[2. * math.log(2.)], [2. * math.log(4. / 3.)]], rtol=1e-12)


def test_gaussian_log_density_is_scipys():
  generator = np.random.default_rng(0)
  mean, log_variance, normal = generator.normal(size=(3, 5, 4))
  sigma = np.exp(0.5 * log_variance)
  expected = stats.norm.logpdf(mean + sigma * normal, mean, sigma).sum(1)
  np.testing.assert_allclose(
      losses.gaussian_log_density(log_variance, normal), expected, rtol=1e-6)


@pytest.mark.parametrize('loss', [
    losses.mmd, lambda z, p: losses.moment_matching(p, z, (0.5, 1.))])
def test_a_batch_of_one_example_has_a_finite_loss_and_gradient(loss):
  z, p = tf.constant([[0.5, 1.]]), tf.constant([[-1., 2.]])
  with tf.GradientTape() as tape:
    tape.watch(z)
    value = loss(z, p)
  assert np.all(np.isfinite(value))
  assert np.all(np.isfinite(tape.gradient(value, z)))


def test_moment_matching_of_two_points():
  """Latents 0 and 2 (variance 1), generated 1 and 1; one bandwidth, 1/2.

  s = 1/2 * 1 * 1, so k = exp(-d^2): within the latents (1 + e^-4) / 2, within
  the generated 1, across e^-1.
  """
  found = losses.moment_matching(tf.constant([[0.], [2.]]),
                                 tf.constant([[1.], [1.]]), [0.5])
  expected = (1. + np.exp(-4.)) / 2. + 1. - 2. * np.exp(-1.)
  assert float(found) == pytest.approx(np.sqrt(expected), rel=1e-6)


def test_moment_matching_by_the_kernel_as_it_is_written():
  """As above with sigma = 1/2 and 2: k = exp(-2 d^2) + exp(-d^2 / 8)."""
  found = losses.moment_matching(
      tf.constant([[0.], [2.]]), tf.constant([[1.], [1.]]), [.5, 2.], False)
  within = (2. + np.exp(-8.) + np.exp(-.5)) / 2.
  across = np.exp(-2.) + np.exp(-.125)
  assert float(found) == pytest.approx(np.sqrt(within + 2. - 2. * across),
                                       rel=1e-6)


def test_moment_matching_of_a_set_with_itself_has_a_gradient():
  latents = tf.constant(np.random.default_rng(0).normal(size=(6, 3)))
  generated = tf.Variable(latents)
  with tf.GradientTape() as tape:
    loss = losses.moment_matching(latents, generated, [0.5, 1.])
  assert float(loss) == pytest.approx(1e-5, rel=1e-2)
  assert np.all(np.isfinite(tape.gradient(loss, generated)))


def test_feature_error():
  # Two layers of 2 x 1 x 1 and 1 x 1 x 2 activations, differences 1, 3 and
  # 2, 0. Squared: (1 + 9) / 2 = 5 and (4 + 0) / 2 = 2; absolute: 2 and 1.
  # Relative to (0 + 16) / 2 = 8 and (1 + 9) / 2 = 5; absolute to 2 and 2.
  features = [_constant([[[0.]], [[4.]]]), _constant([[[1., 3.]]])]
  others = [_constant([[[1.]], [[1.]]]), _constant([[[3., 3.]]])]
  for settings, expected in (
      (('l2', False), 10. * 5. + 2.), (('l1', False), 10. * 2. + 1.),
      (('l2', True), 10. * 5. / 8. + 2. / 5.),
      (('l1', True), 10. * 2. / 2. + 1. / 2.)):
    np.testing.assert_allclose(
        losses.feature_error(features, others, (10., 1.), *settings),
        [expected])


def test_relative_feature_error_of_nothing_is_finite():
  nothing = [_constant([[[0., 0.]]])]
  np.testing.assert_array_equal(
      losses.feature_error(nothing, nothing, (1.,), relative=True), [0.])

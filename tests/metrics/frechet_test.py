"""Tests of the Frechet distance."""
import warnings

import numpy as np
import pytest
import scipy.linalg

from pgak import errors
from pgak.metrics import frechet


def _gaussian(seed, size=12):
  generator = np.random.default_rng(seed)
  factor = generator.normal(size=(size, size + 3))
  return generator.normal(size=size), factor @ factor.T / size


def test_golden_value_of_diagonal_covariances():
  # |m_a - m_b|^2 = 3^2 + 4^2 = 25. Diagonal covariances commute, so the rest is
  # the sum of (sqrt(a) - sqrt(b))^2 = (1 - 2)^2 + (3 - 5)^2 = 1 + 4.
  found = frechet.frechet_distance(
      [3., 0.], np.diag([1., 9.]), [0., 4.], np.diag([4., 25.]))
  assert found == pytest.approx(30., abs=1e-12)


def test_golden_value_of_covariances_that_do_not_commute():
  # A = [[2, 1], [1, 2]], B = diag(1, 4), AB = [[2, 4], [1, 8]]:
  # trace(AB) = 10, det(AB) = 12. With eigenvalues p, q of AB,
  # (sqrt p + sqrt q)^2 = p + q + 2 sqrt(pq) = 10 + 2 sqrt 12, so the distance
  # is 4 + 5 - 2 sqrt(10 + 2 sqrt 12) = 0.7700767...
  expected = 9. - 2. * np.sqrt(10. + 2. * np.sqrt(12.))
  found = frechet.frechet_distance(
      np.zeros(2), [[2., 1.], [1., 2.]], np.zeros(2), np.diag([1., 4.]))
  assert found == pytest.approx(expected, abs=1e-12)


def test_golden_value_from_samples_with_an_unbiased_covariance():
  # 0, 2 has mean 1 and variance 2; 4, 12 has mean 8 and variance 32:
  # 49 + 2 + 32 - 2 sqrt(64) = 67. Divided by n: 49 + 1 + 16 - 2 sqrt(16) = 58.
  near = frechet.moments([np.array([[0.], [2.]])])
  far = frechet.moments([np.array([[4.], [12.]])])
  assert frechet.distance(near, far) == pytest.approx(67., abs=1e-12)


def test_agrees_with_scipy():
  (mean_a, cov_a), (mean_b, cov_b) = _gaussian(0), _gaussian(1)
  root = scipy.linalg.sqrtm(cov_a @ cov_b).real
  expected = (np.sum((mean_a - mean_b)**2)
              + np.trace(cov_a + cov_b - 2. * root))
  found = frechet.frechet_distance(mean_a, cov_a, mean_b, cov_b)
  assert found == pytest.approx(expected, rel=1e-9)


def test_is_symmetric_and_zero_for_equals():
  a, b = _gaussian(2), _gaussian(3)
  assert frechet.frechet_distance(*a, *b) == pytest.approx(
      frechet.frechet_distance(*b, *a), rel=1e-9)
  assert frechet.frechet_distance(*a, *a) == pytest.approx(0., abs=1e-6)


def test_singular_covariances_stay_real():
  mean, cov = np.zeros(3), np.diag([1., 0., 0.])
  assert frechet.frechet_distance(
      mean, cov, mean, np.diag([0., 1., 0.])) == pytest.approx(2.)


def test_grows_with_the_shift_and_with_the_scale():
  mean, cov = _gaussian(4)
  shifts = [frechet.frechet_distance(mean, cov, mean + s, cov)
            for s in (0., 1., 2., 3.)]
  scales = [frechet.frechet_distance(mean, cov, mean, s * cov)
            for s in (1., 1.5, 2., 3.)]
  assert np.all(np.diff(shifts) > 0.) and np.all(np.diff(scales) > 0.)


def test_is_invariant_under_rotation():
  a, b = _gaussian(5), _gaussian(6)
  turn = np.linalg.qr(np.random.default_rng(7).normal(size=(12, 12)))[0]
  turned = [(turn @ m, turn @ c @ turn.T) for m, c in (a, b)]
  assert frechet.frechet_distance(*turned[0], *turned[1]) == pytest.approx(
      frechet.frechet_distance(*a, *b), rel=1e-9)


@pytest.mark.parametrize('offset', [0., 1e6])
def test_streaming_is_batch(offset):
  rows = offset + np.random.default_rng(8).normal(size=(1003, 5))
  found = frechet.moments(np.split(rows, [1, 2, 100, 640]))
  assert found.count == 1003
  np.testing.assert_allclose(found.mean, rows.mean(0), rtol=1e-12)
  # A sum of squares about 0 would be wrong by 1e-4 at the offset 1e6.
  np.testing.assert_allclose(found.covariance, np.cov(rows, rowvar=False),
                             rtol=1e-8, atol=1e-9)


def test_merge_is_one_stream():
  rows = np.random.default_rng(9).normal(size=(300, 4)) + 7.
  parts = [frechet.moments([part]) for part in np.split(rows, [20, 150])]
  merged = frechet.Moments(4)
  for part in parts:
    merged.merge(part)
  merged.merge(frechet.Moments(4))
  whole = frechet.moments([rows])
  assert merged.count == 300
  np.testing.assert_allclose(merged.mean, whole.mean, rtol=1e-12)
  np.testing.assert_allclose(merged.scatter, whole.scatter, rtol=1e-10)


def test_float32_rows_are_added_up_in_float64():
  rows = (1e4 + np.random.default_rng(10).normal(size=(4000, 2))).astype('f4')
  np.testing.assert_allclose(
      frechet.moments(np.split(rows, 40)).covariance,
      np.cov(rows.astype(float), rowvar=False), rtol=1e-8, atol=1e-9)


def test_bias_shrinks_with_the_number_of_samples():
  generator = np.random.default_rng(11)

  def bias(number):
    rows = generator.normal(size=(2, number, 16))
    return frechet.distance(*[frechet.moments([r]) for r in rows])

  assert bias(100) > 3. * bias(1000)


def test_one_sample_is_an_error():
  one = frechet.moments([np.zeros([1, 3])])
  with pytest.raises(errors.UserError, match='at least 2 samples'):
    frechet.distance(one, one)
  with pytest.raises(errors.UserError, match='no images'):
    frechet.moments([])


def test_fewer_samples_than_features_are_warned_of():
  few = frechet.moments([np.random.default_rng(12).normal(size=(5, 8))])
  with pytest.warns(UserWarning, match='more samples than features'):
    frechet.distance(few, few)
  many = frechet.moments([np.random.default_rng(12).normal(size=(50, 8))])
  with warnings.catch_warnings():
    warnings.simplefilter('error')
    frechet.distance(many, many)


def test_what_is_not_finite_is_an_error():
  with pytest.raises(errors.UserError, match='finite'):
    frechet.Moments(2).update([[1., np.nan]])
  with pytest.raises(errors.UserError, match='finite'):
    frechet.frechet_distance([np.inf], [[1.]], [0.], [[1.]])


def test_shapes_that_do_not_match_are_an_error():
  with pytest.raises(ValueError, match='D, D'):
    frechet.frechet_distance([0.], [[1.]], [0., 0.], np.eye(2))

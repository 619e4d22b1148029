"""Tests of the kernel distance."""
import numpy as np
import pytest

from pgak import errors
from pgak.metrics import kernel_distance


def test_golden_value():
  # With D = 1 the kernel is (x y + 1)^3. Within real (0, 2) the one pair has 1,
  # within fake (1, 1) 8; across, (0, 1) has 1 and (2, 1) 27, mean 14:
  # 1 + 8 - 2 * 14 = -19.
  real, fake = np.array([[0.], [2.]]), np.array([[1.], [1.]])
  assert kernel_distance.mmd2(real, fake) == pytest.approx(-19.)
  mean, deviation = kernel_distance.kernel_distance(real, fake)
  assert (mean, deviation) == (pytest.approx(-19.), None)


def _oracle(real, fake):
  size = real.shape[1]
  def kernel(a, b):
    return (sum(x * y for x, y in zip(a, b)) / size + 1.)**3
  n, m = len(real), len(fake)
  within_real = sum(kernel(real[i], real[j]) for i in range(n)
                    for j in range(n) if i != j) / (n * (n - 1))
  within_fake = sum(kernel(fake[i], fake[j]) for i in range(m)
                    for j in range(m) if i != j) / (m * (m - 1))
  across = sum(kernel(a, b) for a in real for b in fake) / (n * m)
  return within_real + within_fake - 2. * across


def test_it_is_the_formula_in_loops():
  generator = np.random.default_rng(0)
  real = generator.normal(size=(9, 3)).astype(np.float32)
  fake = generator.normal(0.5, 2., (7, 3)).astype(np.float32)
  assert kernel_distance.mmd2(real, fake) == pytest.approx(
      _oracle(real.astype(float), fake.astype(float)), rel=1e-9)


def test_subsets_are_without_bias_and_repeatable():
  generator = np.random.default_rng(0)
  real, same = generator.normal(size=(2, 300, 4))
  other = generator.normal(1., 1., (300, 4))
  found = kernel_distance.kernel_distance(real, same, 50, 40)
  mean, deviation = found
  # Without bias: 0 but for the noise of 300 images.
  assert abs(mean) < 0.05 and deviation > 0.
  assert kernel_distance.kernel_distance(real, other, 50, 40)[0] > 1.
  assert kernel_distance.kernel_distance(real, same, 50, 40) == found
  assert kernel_distance.kernel_distance(real, same, 50, 40, seed=1) != found


def test_identical_features_are_at_0():
  rows = np.ones((5, 2))
  assert kernel_distance.kernel_distance(rows, rows) == (
      pytest.approx(0., abs=1e-12), None)


def test_what_cannot_be_measured_is_an_error():
  with pytest.raises(errors.UserError, match='at least 2 images.*is|are 1'):
    kernel_distance.kernel_distance(np.ones((5, 2)), np.ones((1, 2)))
  with pytest.raises(errors.UserError, match='finite'):
    kernel_distance.kernel_distance(np.ones((5, 2)), np.full((5, 2), np.nan))

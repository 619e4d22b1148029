"""Tests of the errors of reconstructions."""
import numpy as np
import pytest
import tensorflow as tf

from pgak.data import kinds
from pgak.metrics import reconstruction
from pgak.models import verbs


class _Array:

  def __init__(self, images):
    self.images = images

  def __len__(self):
    return len(self.images)

  def read(self, indices):
    return self.images[indices]


class _Model(verbs.Encoding, verbs.Generation):
  """Gives back black images, or those that it was given, darker."""

  def __init__(self, value_range, factor):
    self.value_range, self.factor = value_range, factor
    self.kind = kinds.Images((2, 2, 1), value_range)

  def encode_mean(self, images, training=False):
    return tf.cast(images, tf.float32)

  def decoder(self, latents, training=False):
    low = self.value_range[0]
    return (latents - low) * self.factor + low


@pytest.mark.parametrize('value_range', [(-1., 1.), (0., 1.)])
def test_golden_values_on_0_1(value_range):
  # 500 white images and 250 of grey 51 = 0.2 * 255, given back half as bright:
  # (500 * 0.5^2 + 250 * 0.1^2) / 750 = 127.5 / 750 = 0.17.
  images = np.full([750, 2, 2, 1], 255, np.uint8)
  images[500:] = 51
  model = _Model(value_range, 0.5)
  assert reconstruction.reconstruction_mse(
      model, _Array(images)) == pytest.approx(0.17, rel=1e-5)
  assert reconstruction.reconstruction_mse(
      model, _Array(images), limit=100) == pytest.approx(0.25, rel=1e-5)


def test_is_zero_for_the_identity():
  images = np.random.default_rng(0).integers(0, 256, (9, 2, 2, 3), np.uint8)
  assert reconstruction.reconstruction_mse(
      _Model((-1., 1.), 1.), _Array(images)) < 1e-12


def test_psnr_golden_values():
  # Errors of 0.1 and 0.01 everywhere: -10 log10 of 1e-2 and of 1e-4.
  images = np.zeros([3, 2, 2, 1], np.float32)
  others = images + np.float32([0.1, 0.01, 0.])[:, None, None, None]
  np.testing.assert_allclose(
      reconstruction.psnr(images, others), [20., 40., 100.], rtol=1e-5)


def _oracle(a, b, size):
  """Equation 13 in loops over windows, Gaussian weights of deviation 1.5."""
  weights = np.exp(-(np.arange(size) - size // 2)**2 / (2. * 1.5**2))
  weights = np.outer(weights, weights) / weights.sum()**2
  values = []
  for i in range(a.shape[0] - size + 1):
    for j in range(a.shape[1] - size + 1):
      x, y = (t[i:i + size, j:j + size].astype(float) for t in (a, b))
      mean_x, mean_y = (weights * x).sum(), (weights * y).sum()
      variance_x = (weights * (x - mean_x)**2).sum()
      variance_y = (weights * (y - mean_y)**2).sum()
      covariance = (weights * (x - mean_x) * (y - mean_y)).sum()
      values.append(
          (2. * mean_x * mean_y + 1e-4) * (2. * covariance + 9e-4)
          / ((mean_x**2 + mean_y**2 + 1e-4)
             * (variance_x + variance_y + 9e-4)))
  return np.mean(values)


@pytest.mark.parametrize('shape, window', [
    ((14, 13), 11), ((8, 8), 7), ((12, 5), 5), ((2, 3), 1)])
def test_ssim_is_the_published_formula(shape, window):
  images, others = np.random.default_rng(0).uniform(
      size=(2, 3, *shape, 1)).astype(np.float32)
  expected = [_oracle(a[..., 0], b[..., 0], window)
              for a, b in zip(images, others)]
  np.testing.assert_allclose(
      reconstruction.ssim(images, others), expected, rtol=1e-3, atol=1e-4)
  np.testing.assert_allclose(reconstruction.ssim(images, images), 1., rtol=1e-5)


def test_ssim_of_one_pixel_compares_brightness():
  # Without variance (2 a b + C) / (a^2 + b^2 + C), C = 1e-4, at 0.5 and 0.25:
  # 0.2501 / 0.3126 = 0.80006.
  images = np.full([2, 1, 1, 1], 0.5, np.float32)
  np.testing.assert_allclose(
      reconstruction.ssim(images, images / 2.), 0.80006, rtol=1e-4)


def test_all_errors_come_from_one_pass_and_are_means_over_images():
  images = np.random.default_rng(0).integers(0, 256, (750, 4, 4, 1), np.uint8)
  array, model = _Array(images), _Model((-1., 1.), 0.5)
  reads = []
  read = array.read
  array.read = lambda indices: reads.append(1) or read(indices)
  found = reconstruction.reconstruction(model, array, 700)
  assert len(reads) == 2
  assert set(found) == {'reconstruction_mse', 'psnr', 'ssim'}
  pixels = images[:700] / 255.
  errors2 = np.square(pixels / 2.).mean((1, 2, 3))
  assert found['reconstruction_mse'] == pytest.approx(errors2.mean(), rel=1e-5)
  assert found['psnr'] == pytest.approx(
      (-10. * np.log10(errors2)).mean(), rel=1e-5)
  assert found['reconstruction_mse'] == pytest.approx(
      reconstruction.reconstruction_mse(model, array, 700))


def test_a_perfect_model_is_perfect():
  images = np.random.default_rng(0).integers(0, 256, (9, 8, 8, 3), np.uint8)
  found = reconstruction.reconstruction(_Model((-1., 1.), 1.), _Array(images))
  assert found['psnr'] > 99. and found['ssim'] == pytest.approx(1., rel=1e-5)


def test_perceptual_distance_is_the_mean_on_minus_1_to_1():
  images = np.full([750, 2, 2, 1], 255, np.uint8)
  images[500:] = 51
  seen = []

  def distance(a, b):
    seen.append((float(tf.reduce_max(a)), float(tf.reduce_min(b))))
    return tf.reduce_mean(tf.abs(a - b), [1, 2, 3])

  # 500 images from 1 to 0.5 and 250 from 0.2 to 0.1, twice on [-1, 1]:
  # 2 (500 * 0.5 + 250 * 0.1) / 750.
  found = reconstruction.perceptual_distance(
      distance, _Model((-1., 1.), 0.5), _Array(images))
  assert found == pytest.approx(2. * 275. / 750., rel=1e-5)
  assert seen[0] == pytest.approx((1., 0.), abs=1e-5)
  assert seen[1] == pytest.approx((-0.6, -0.8), abs=1e-5)

"""Tests of the reconstruction error."""
import numpy as np
import pytest
import tensorflow as tf

from pgak.metrics import reconstruction


class _Array:

  def __init__(self, images):
    self.images = images

  def __len__(self):
    return len(self.images)

  def read(self, indices):
    return self.images[indices]


class _Model:
  """Gives back black images, or those that it was given, darker."""

  def __init__(self, value_range, factor):
    self.value_range, self.factor = value_range, factor

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

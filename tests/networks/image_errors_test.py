"""Errors of reconstructions: by hand, by SciPy, and through Keras's files."""
import keras
import numpy as np
import pytest
from scipy import optimize
import tensorflow as tf

from pgak import errors
from pgak import networks

generator = np.random.default_rng(0)
A, B = generator.uniform(-1., 1., (2, 3, 8, 8, 2)).astype(np.float32)


def made(error, value_range=(-1., 1.)):
  error.value_range = value_range
  return error


ALL = {
    'squared': networks.SquaredError, 'absolute': networks.AbsoluteError,
    'huber': networks.HuberError, 'ssim': networks.SSIMError,
    'patches': networks.PatchError,
    'mixed': lambda: networks.MixedError(
        (networks.SSIMError(), networks.PatchError(size=3)), (2., .5))}


@pytest.mark.parametrize('name', ALL)
def test_an_error_is_one_number_an_image_and_0_of_the_same(name):
  error = made(ALL[name]())
  found = error(tf.constant(A), tf.constant(B))
  assert found.shape == (3,) and np.all(found > 0.)
  np.testing.assert_allclose(error(tf.constant(A), tf.constant(A)), 0.,
                             atol=1e-6)
  # Each image by itself.
  np.testing.assert_allclose(
      error(tf.constant(A[1:2]), tf.constant(B[1:2])), found[1:2], rtol=1e-4)


@pytest.mark.parametrize('name', ALL)
def test_an_error_has_a_gradient_and_comes_back_from_a_file(name):
  error, x = made(ALL[name]()), tf.constant(B)
  with tf.GradientTape() as tape:
    tape.watch(x)
    found = error(tf.constant(A), x)
  slope = tape.gradient(found, x).numpy()
  assert np.isfinite(slope).all() and np.abs(slope).max() > 0.
  again = keras.saving.deserialize_keras_object(
      keras.saving.serialize_keras_object(error))
  assert again.value_range == (-1., 1.)
  np.testing.assert_array_equal(again(tf.constant(A), x), found)


def test_huber_by_hand():
  """Range [0, 1], delta 0.1: 0.05^2, and 0.1^2 + 2 * 0.1 * (0.4 - 0.1)."""
  error = made(networks.HuberError(0.1), (0., 1.))
  images = tf.zeros([1, 1, 2, 1])
  found = error(images, tf.reshape(tf.constant([0.05, -0.4]), [1, 1, 2, 1]))
  np.testing.assert_allclose(found, [(0.0025 + 0.07) / 2.], rtol=1e-6)
  # On [-1, 1] the same pictures differ by twice as much: four times the square.
  wide = made(networks.HuberError(0.1))
  found2 = wide(images, tf.reshape(tf.constant([0.1, -0.8]), [1, 1, 2, 1]))
  np.testing.assert_allclose(found2, 4. * found, rtol=1e-6)


def test_patches_are_matched_as_scipy_matches_them():
  """Along a direction, the best pairing of all patches, not of neighbours."""
  error = networks.PatchError(size=3, directions=4, seed=5)
  kernel = error._kernel(2).numpy()
  np.testing.assert_allclose(np.square(kernel).sum((0, 1, 2)), 1., rtol=1e-6)

  def projected(image):
    windows = np.lib.stride_tricks.sliding_window_view(image, (3, 3), (0, 1))
    return np.einsum('ijcab,abck->ijk', windows, kernel).reshape(-1, 4)

  first, second = projected(A[0]), projected(B[0])
  costs = []
  for k in range(4):
    matrix = np.square(first[:, None, k] - second[None, :, k])
    rows, columns = optimize.linear_sum_assignment(matrix)
    costs.append(matrix[rows, columns].mean())
  np.testing.assert_allclose(
      error(tf.constant(A[:1]), tf.constant(B[:1])), [np.mean(costs)],
      rtol=1e-4)


def test_patches_may_stand_elsewhere():
  """An image that is moved round a torus keeps most of its patches."""
  image = np.zeros([1, 12, 12, 1], np.float32)
  image[0, 3:6, 3:6] = 1.
  moved = np.roll(image, 4, 2)
  patches = networks.PatchError(size=3)(tf.constant(image), tf.constant(moved))
  np.testing.assert_allclose(patches, 0., atol=1e-6)
  assert float(networks.SquaredError()(image, moved)[0]) > 0.05


def test_what_they_refuse():
  small = tf.zeros([2, 4, 4, 1])
  with pytest.raises(errors.UserError, match='lower its window'):
    made(networks.SSIMError())(small, small)
  with pytest.raises(errors.UserError, match='lower its size'):
    networks.PatchError()(small, small)
  with pytest.raises(errors.UserError, match='vectors of 3 numbers'):
    networks.PatchError()(tf.zeros([2, 3]), tf.zeros([2, 3]))
  with pytest.raises(errors.UserError, match='2 terms but 1 weights'):
    networks.MixedError(
        (networks.SquaredError(), networks.PatchError()), (1.,))

"""What bounds a decoder's differences: eqs. 17, 18 and 20 of the RAE paper.

Eq. 20 is printed with an equality of the mean value theorem, which holds for
one output alone. Of vectors it is an inequality: |D(a) - D(b)| is at most
|a - b| times the largest spectral norm of D's Jacobian between a and b.

#### References

[1]: Partha Ghosh, Mehdi S. M. Sajjadi, Antonio Vergari, Michael Black,
     Bernhard Schoelkopf. From Variational to Deterministic Autoencoders.
     ICLR, 2020.
"""
import math

import keras
from keras import layers
import numpy as np
import pytest
import tensorflow as tf

from pgak import losses
from pgak import networks
import numpy_nets
import tiny_models

D, H = numpy_nets.D, numpy_nets.H


def broken_by(change):
  return pytest.mark.xfail(strict=True, reason=change)


# === Eq. 20 ===


def largest(jacobians):
  """The largest spectral norm of Jacobians `[..., D, H]`."""
  return np.linalg.norm(jacobians, 2, (-2, -1)).max()


def at_the_ends(jacobians):
  return largest(jacobians[[0, -1]])


def mean_of_the_ends(jacobians):
  """Eq. 17 at latents of data, the ends, as the root of its mean."""
  return math.sqrt(np.mean(np.sum(jacobians[[0, -1]]**2, (-2, -1))))


def smallest(jacobians):
  """What the printed equality would need, if any point would do."""
  return np.linalg.norm(jacobians, 2, (-2, -1)).min()


@pytest.mark.parametrize('bound', [
    largest,
    pytest.param(at_the_ends, marks=broken_by('the ends alone')),
    pytest.param(mean_of_the_ends, marks=broken_by('eq. 17: a mean')),
    pytest.param(smallest, marks=broken_by('some point between')),
])
def test_eq_20_bounds_how_far_images_are_apart(bound):
  """tiny_models' decoder in NumPy: flat at the ends, steep between them."""
  generator = np.random.default_rng(2)
  along = np.linspace(0., 1., 301)[:, np.newaxis]
  for _ in range(20):
    theta = generator.normal(0., 0.8, H * 5 + 5 + 5 * D + D)
    a, b = generator.normal(0., 4., (2, H))
    line = (1. - along) * a + along * b
    apart = np.linalg.norm(numpy_nets.g(theta, a[np.newaxis])
                           - numpy_nets.g(theta, b[np.newaxis]))
    jacobians = numpy_nets.decoder_jacobian(theta, line)
    assert apart <= bound(jacobians) * np.linalg.norm(a - b) * (1. + 1e-6)


@pytest.mark.parametrize('relation', [
    np.less_equal,
    pytest.param(np.equal, marks=broken_by('the equality of eq. 20')),
])
def test_the_equality_of_eq_20_is_false_of_vectors(relation):
  """D(t) = (cos t, sin t) is as fast everywhere and ends where it began."""
  t = np.linspace(0., 2. * math.pi, 101)
  images = np.stack([np.cos(t), np.sin(t)], -1)
  speed = np.stack([-np.sin(t), np.cos(t)], -1)[..., np.newaxis]
  apart = np.linalg.norm(images[-1] - images[0])
  for jacobian in speed:
    assert relation(apart.round(9),
                    (largest(jacobian) * 2. * math.pi).round(9))


# === Eq. 18 ===


def dense(activation, batch_norm=False):
  """A decoder of dense layers whose kernels have spectral norm 1."""
  latents = x = keras.Input((H,))
  for units in (16, 16, D):
    x = networks.SpectralNormalization(layers.Dense(units))(x)
    if batch_norm:
      x = layers.BatchNormalization()(x)
    x = layers.Activation(activation)(x)
  net = keras.Model(latents, x)
  for layer in net.layers:
    if isinstance(layer, networks.SpectralNormalization):
      _, _, right = np.linalg.svd(layer.layer.kernel)
      layer.u.assign(right[0])
    if isinstance(layer, layers.BatchNormalization):
      layer.moving_variance.assign(0.01 * tf.ones_like(layer.moving_variance))
  return net


@pytest.mark.parametrize('activation, settings', [
    ('relu', {}),
    ('tanh', {}),
    ('softplus', {}),
    pytest.param('relu', {'batch_norm': True}, marks=broken_by('batch norm')),
    pytest.param(lambda x: 8. * keras.ops.relu(x), {},
                 marks=broken_by('an activation of slope 8')),
])
def test_normalised_dense_nets_never_move_images_apart(activation, settings):
  """The product of the norms, 1, bounds D where activations do, too."""
  keras.utils.set_random_seed(0)
  net = dense(activation, **settings)
  a, b = np.random.default_rng(0).normal(size=(2, 500, H))
  images = np.linalg.norm(net(a) - net(b), axis=-1)
  latents = np.linalg.norm(a - b, axis=-1)
  assert np.all(images <= latents * (1. + 1e-5))
  assert images.max() > 0.02 * latents.max()


def operator_norm(kernel, side=24):
  """Largest singular value of a convolution on images, by the power method."""
  shape = (1, side, side, kernel.shape[-2])
  x = tf.constant(np.random.default_rng(0).normal(size=shape))
  norm = 0.
  for _ in range(60):
    x /= tf.norm(x)
    y = tf.nn.conv2d(x, kernel, 1, 'SAME')
    norm = float(tf.norm(y))
    x = tf.nn.conv2d_transpose(y, kernel, shape, 1, 'SAME')
  return norm


@pytest.mark.parametrize('most', [
    3.,  # sqrt(kh kw) of 3x3
    pytest.param(1., marks=broken_by('the matrix\'s norm as the layer\'s')),
    pytest.param(1.5, marks=broken_by('less than sqrt(kh kw)')),
])
def test_a_kernel_normalised_as_a_matrix_is_off_by_root_kh_kw(most):
  generator = np.random.default_rng(1)
  # A constant kernel, which adds up its window, is the worst.
  for kernel in (np.ones((3, 3, 1, 1)), generator.normal(size=(3, 3, 2, 4))):
    matrix = kernel.reshape(-1, kernel.shape[-1])
    ratio = operator_norm(tf.constant(kernel)) / np.linalg.norm(matrix, 2)
    assert ratio <= most * (1. + 1e-6)


# === Eq. 17 ===


@pytest.mark.parametrize('share', [
    1.,
    pytest.param(0.5, marks=broken_by('half of the penalty')),
])
def test_eq_17_is_a_mean_over_latents_and_directions(share, float64):
  """E over probes is |J|_F^2 / (D H): of the largest norm it says little."""
  model = tiny_models.make('RAEGP')
  z = tf.constant(np.random.default_rng(3).normal(size=(4, H)))
  jacobian = numpy_nets.decoder_jacobian(
      tiny_models.values(model.decoder), z.numpy())
  found = []
  # All sign vectors but for the sign of the whole: the mean is exact.
  for bits in range(2**(D - 1)):
    signs = [1. if bits >> i & 1 else -1. for i in range(D)]
    probe = tf.zeros([4, *model.image_shape], z.dtype) + tf.reshape(
        tf.constant(signs, z.dtype), model.image_shape)
    with tf.GradientTape() as tape:
      tape.watch(z)
      images = model.decoder(z)
    found.append(losses.jacobian_norm2(tape, z, images, probe))
  penalty = np.mean(found, 0)
  np.testing.assert_allclose(
      share * penalty, np.mean(jacobian**2, (1, 2)), rtol=1e-9)
  assert np.all(np.sqrt(D * H * penalty) >= np.linalg.norm(
      jacobian, 2, (1, 2)) * (1. - 1e-9))
  assert np.all(np.sqrt(penalty) < np.linalg.norm(jacobian, 2, (1, 2)))

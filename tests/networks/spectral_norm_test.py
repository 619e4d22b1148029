"""Spectral normalisation: the norm, its gradient, and what never changes."""
import keras
from keras import layers
import numpy as np
import pytest
import tensorflow as tf

from pgak import networks

LAYERS = {
    'dense': (lambda: layers.Dense(4), (3,)),
    'conv': (lambda: layers.Conv2D(4, 3, 2, 'same'), (5, 5, 2)),
    'deconv': (lambda: layers.Conv2DTranspose(4, 3, 2, 'same'), (3, 3, 2)),
}


def _made(name, seed=0, **settings):
  make, shape = LAYERS[name]
  keras.utils.set_random_seed(seed)
  layer = networks.SpectralNormalization(make(), **settings)
  layer.build((None, *shape))
  layer.layer.bias.assign(np.arange(4.))
  inputs = np.random.default_rng(seed).normal(size=(2, *shape))
  return layer, tf.constant(inputs, 'float32')


def _matrix(layer):
  kernel = layer.layer.kernel.numpy()
  return kernel.reshape(-1, kernel.shape[-1])


@pytest.mark.parametrize('name', LAYERS)
def test_updates_lead_to_the_largest_singular_value(name):
  layer, _ = _made(name)
  largest = np.linalg.svd(_matrix(layer), compute_uv=False)[0]
  assert float(layer.norm()) < largest
  for _ in range(200):
    layer.update()
  assert float(layer.norm()) == pytest.approx(largest, rel=1e-4)
  assert np.linalg.norm(layer.u.numpy()) == pytest.approx(1., rel=1e-5)


@pytest.mark.parametrize('name', LAYERS)
def test_it_is_the_layer_with_the_divided_kernel(name):
  layer, inputs = _made(name)
  kernel = layer.layer.kernel.numpy()
  found = layer(inputs, training=True).numpy()
  np.testing.assert_array_equal(layer.layer.kernel.numpy(), kernel)
  layer.layer.kernel.assign(kernel / float(layer.norm()))
  np.testing.assert_allclose(found, layer.layer(inputs), rtol=1e-4, atol=1e-6)


def test_one_update_is_one_step_of_the_power_method():
  layer, _ = _made('dense')
  matrix, u = _matrix(layer).astype(float), layer.u.numpy().astype(float)
  layer.update()
  moved = matrix.T @ (matrix @ u)
  np.testing.assert_allclose(layer.u.numpy(), moved / np.linalg.norm(moved),
                             rtol=1e-5)


def test_gradients_pass_through_the_norm():
  """d / dW of sum(a * (x W / |W u|)), by central differences in NumPy."""
  layer, inputs = _made('dense')
  x, u = inputs.numpy().astype(float), layer.u.numpy().astype(float)
  w, a = _matrix(layer).astype(float), np.arange(8.).reshape(2, 4)

  def loss(w):
    return np.sum(a * (x @ w / np.linalg.norm(w @ u)))

  expected = np.zeros_like(w)
  for i in np.ndindex(w.shape):
    step = np.zeros_like(w)
    step[i] = 1e-5
    expected[i] = (loss(w + step) - loss(w - step)) / 2e-5
  with tf.GradientTape() as tape:
    value = tf.reduce_sum(a.astype('float32') * (
        layer(inputs) - layer.layer.bias.value))
  found = tape.gradient(value, layer.layer.kernel.value)
  np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)
  # A loss that is a function of W / s(W) does not change along W.
  assert abs(np.sum(found * w)) < 1e-3 * np.abs(found).max()


@pytest.mark.parametrize('training', [False, True])
def test_calls_leave_everything_as_it_is(training):
  layer, inputs = _made('conv')
  before = [v.numpy() for v in layer.weights]
  layer(inputs, training=training)
  for variable, value in zip(layer.weights, before):
    np.testing.assert_array_equal(variable.numpy(), value)


def test_u_is_no_trainable_weight_and_the_kernel_is():
  layer, _ = _made('deconv')
  assert {v.name for v in layer.trainable_variables} == {'kernel', 'bias'}
  assert [v.name for v in layer.non_trainable_variables] == ['u']


def test_a_frozen_one_gives_what_it_gave_and_stays():
  layer, inputs = _made('conv')
  expected, u = layer(inputs), layer.u.numpy()
  layer.trainable = False
  np.testing.assert_array_equal(layer(inputs), expected)
  networks.update_spectral_norms(keras.Sequential([layer]))
  np.testing.assert_array_equal(layer.u.numpy(), u)


def test_a_kernel_of_zeros_gives_no_nan():
  layer, _ = _made('dense')
  layer.layer.kernel.assign(np.zeros((3, 4)))
  layer.update()
  assert np.all(np.isfinite(layer.u.numpy()))


def test_it_survives_serialization():
  layer, inputs = _made('conv')
  model = keras.Sequential([keras.Input((5, 5, 2)), layer])
  again = keras.saving.deserialize_keras_object(
      keras.saving.serialize_keras_object(model))
  again.set_weights(model.get_weights())
  np.testing.assert_allclose(again(inputs), model(inputs), rtol=1e-6)

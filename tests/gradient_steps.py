"""What tests of gradients share: a model's start, and nets of its critics.

As in numpy_nets, the nets stand here once more, in NumPy.
"""
import keras
import numpy as np
import tensorflow as tf

import numpy_nets
import tiny_models

__all__ = ['RATE', 'UNITS', 'check', 'check_ends', 'critic', 'generator', 'mlp',
           'moved', 'mse', 'softplus', 'start']

B, D, H = numpy_nets.B, numpy_nets.D, numpy_nets.H
RATE = 0.5
UNITS = 4  # of tiny_models' flows, generators and critics


def dense(vector, sizes):
  """Splits a vector into `[(kernel, bias), ...]` of dense layers."""
  shapes = [s for a, b in zip(sizes, sizes[1:]) for s in ((a, b), (b,))]
  pieces = numpy_nets.unpack(vector, shapes)
  return list(zip(pieces[::2], pieces[1::2]))


def mlp(vector, sizes, x, slope=0.):
  """Dense layers with (leaky) ReLU between them."""
  *hidden, (w, b) = dense(vector, sizes)
  for v, c in hidden:
    x = x @ v + c
    x = np.where(x > 0., x, slope * x)
  return x @ w + b


def generator(psi, base):
  """tiny_models' latent generator."""
  return mlp(psi, (2, UNITS, H), base)


def critic(v, z):
  """tiny_models' critic of latents."""
  return mlp(v, (H, UNITS, 1), z, slope=0.2)[:, 0]


def softplus(t):
  return np.logaddexp(0., t)


def mse(phi, theta, x, z=None):
  """Mean squared error of the reconstructions, or of what z is decoded to."""
  z = numpy_nets.f(phi, x) if z is None else z
  return np.mean((numpy_nets.g(theta, z) - x.reshape(-1, D))**2)


def start(name, **settings):
  """A compiled model, its noise by name, the images and the parts' weights."""
  model = tiny_models.compiled(name, RATE, **settings)
  rng = np.random.default_rng(5)
  noise = {n: rng.normal(size=(B, *shape))
           for n, (_, shape) in model.noise_shapes.items()}
  handed = {n: tf.constant(v, keras.config.floatx()) for n, v in noise.items()}
  model.draw_noise = lambda batch: dict(handed)
  weights = {p: tiny_models.values(net) for p, net in model.parts.items()}
  return model, noise, tiny_models.images(B), weights


def moved(objective, vector):
  """A weight vector after a step of gradient descent on an objective."""
  return vector - RATE * numpy_nets.difference(objective, vector)


def check(model, weights, objectives):
  """Holds each part against a step of gradient descent on its objective."""
  assert set(objectives) == set(model.parts)
  check_ends(model, weights, {
      part: moved(objective, weights[part])
      for part, objective in objectives.items()})


def check_ends(model, weights, ends):
  """Holds each part against the weights that it should have in the end."""
  assert set(ends) == set(model.parts)
  for part, end in ends.items():
    step = end - weights[part]
    assert np.abs(step).max() > 1e-5, part
    np.testing.assert_allclose(
        tiny_models.values(model.parts[part]) - weights[part], step,
        rtol=1e-5, atol=1e-7 * np.abs(step).max(), err_msg=part)

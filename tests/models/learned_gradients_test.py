"""One step of FP-VAE, Prior-AAE, AAE and GMMN, against the papers' equations.

As in gradients_test.py: flow, critic, generator and losses stand here a second
time, in NumPy, and a part's gradient is a central difference of the terms that
update it.

#### References

[1]: Empirical observations pertaining to learned priors for deep latent
     variable models. Under review at ICLR, 2020.
[2]: Makhzani et al. Adversarial autoencoders. 2016.
[3]: Li, Swersky, Zemel. Generative moment matching networks. ICML, 2015.
"""
import keras
import numpy as np
import pytest
from scipy import stats
import tensorflow as tf

import numpy_nets
import tiny_models

B, D, H = numpy_nets.B, numpy_nets.D, numpy_nets.H
f, g, sigma = numpy_nets.f, numpy_nets.g, numpy_nets.sigma
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


def mse(phi, theta, x, z=None):
  z = f(phi, x) if z is None else z
  return np.mean((g(theta, z) - x.reshape(-1, D))**2)


def flow_log_density(psi, z, mean, scale):
  """Real NVP of two couplings: [Dinh et al., eqs. 7 and 8], inverted.

  Each keeps the first dimension and moves the two others; after the first the
  order is reversed, after the second it is a random one.
  """
  x, log_det = (z - mean) / scale, -np.log(scale).sum()
  orders = [[2, 1, 0], np.random.default_rng(0).permutation(H)]
  for net, order in zip(np.split(psi, 2)[::-1], orders[::-1]):
    x = x[:, np.argsort(order)]
    shift, log_scale = np.split(mlp(net, (1, UNITS, 4), x[:, :1]), 2, 1)
    log_scale = 3. * np.tanh(log_scale / 3.)
    x = np.concatenate(
        [x[:, :1], (x[:, 1:] - shift) * np.exp(-log_scale)], 1)
    log_det = log_det - log_scale.sum(1)
  return stats.norm.logpdf(x).sum(1) + log_det


def softplus(t):
  return np.logaddexp(0., t)


def critic(v, z):
  return mlp(v, (H, UNITS, 1), z, slope=0.2)[:, 0]


def start(name, **settings):
  """A compiled model, its noise by name, the images and the parts' weights."""
  model = tiny_models.compiled(name, RATE, **settings)
  generator = np.random.default_rng(5)
  noise = {n: generator.normal(size=(B, *shape))
           for n, (_, shape) in model.noise_shapes.items()}
  handed = {n: tf.constant(v, keras.config.floatx()) for n, v in noise.items()}
  model.draw_noise = lambda batch: handed
  weights = {p: tiny_models.values(net) for p, net in model.parts.items()}
  return model, noise, tiny_models.images(B), weights


def check(model, weights, objectives):
  """Holds each part against a step of gradient descent on its objective."""
  assert set(objectives) == set(model.parts)
  for part, objective in objectives.items():
    step = -RATE * numpy_nets.difference(objective, weights[part])
    assert np.abs(step).max() > 1e-5, part
    np.testing.assert_allclose(
        tiny_models.values(model.parts[part]) - weights[part], step,
        rtol=1e-5, atol=1e-7 * np.abs(step).max(), err_msg=part)


@pytest.mark.parametrize('beta', [0., 0.3])
def test_fp_vae(beta, float64):
  """[1, eqs. 6 and 7]: beta weighs the encoder's share, never the prior's."""
  model, noise, x, weights = start('FPVAE', beta=beta, gamma=0.7,
                                   annealing_steps=4)
  model.step.assign(2)  # Half of the annealing.
  model.train_step(tf.constant(x))
  phi, theta, psi = (weights[p] for p in ('encoder', 'decoder', 'prior'))
  normal = noise.get('posterior', np.zeros((B, H)))

  def latents(phi):
    spread = sigma(phi, x) if beta else 0.
    return f(phi, x) + spread * normal

  z = latents(phi)
  # After one batch the running moments are the batch's own.
  mean, scale = z.mean(0), np.sqrt(z.var(0) + 1e-8)
  np.testing.assert_allclose(model.flow.mean, mean, rtol=1e-9)

  def nll(phi, psi):
    return -np.mean(flow_log_density(psi, latents(phi), mean, scale)) / H

  def encoder(phi):
    error = mse(phi, theta, x, latents(phi))
    if not beta:
      return error
    log_q = stats.norm.logpdf(latents(phi), f(phi, x), sigma(phi, x)).sum(1)
    return error + 0.5 * beta * 0.7 * (np.mean(log_q) / H + nll(phi, psi))

  check(model, weights, {
      'encoder': encoder,
      'decoder': lambda v: mse(phi, v, x, z),
      'prior': lambda v: nll(phi, v)})


@pytest.mark.parametrize('beta', [0., 0.4])
def test_prior_aae(beta, float64):
  """[1, sec. 2.1]: the critic first; then two terms of opposite labels."""
  model, noise, x, weights = start('PriorAAE', beta=beta, adversarial=0.2)
  model.train_step(tf.constant(x))
  phi, theta, psi, crit = (weights[p] for p in (
      'encoder', 'decoder', 'prior', 'critic'))

  def h(psi, base):
    return mlp(psi, (2, UNITS, H), base)

  def critic_loss(v):
    return (np.mean(softplus(-critic(v, h(psi, noise['critic_base']))))
            + np.mean(softplus(critic(v, f(phi, x)))))

  moved = crit - RATE * numpy_nets.difference(critic_loss, crit)
  check(model, weights, {
      'critic': critic_loss,
      'encoder': lambda v: mse(v, theta, x) + beta * 0.2 * np.mean(
          softplus(-critic(moved, f(v, x)))),
      'decoder': lambda v: mse(phi, v, x),
      'prior': lambda v: np.mean(softplus(critic(moved, h(v, noise['base']))))})


def test_aae(float64):
  """[2], with N(0, I) on the critic's other side."""
  model, noise, x, weights = start('AAE', adversarial=0.2)
  model.train_step(tf.constant(x))
  phi, theta, crit = (weights[p] for p in ('encoder', 'decoder', 'critic'))

  def critic_loss(v):
    return (np.mean(softplus(-critic(v, noise['prior'])))
            + np.mean(softplus(critic(v, f(phi, x)))))

  moved = crit - RATE * numpy_nets.difference(critic_loss, crit)
  check(model, weights, {
      'critic': critic_loss,
      'encoder': lambda v: mse(v, theta, x) + 0.2 * np.mean(
          softplus(-critic(moved, f(v, x)))),
      'decoder': lambda v: mse(phi, v, x)})


def test_gmmn(float64):
  """[3, eqs. 3 and 6], written as sums over pairs."""
  model, noise, x, weights = start('GMMN', bandwidths=(0.3, 2.))
  model.train_step(tf.constant(x))
  phi, theta, psi = (weights[p] for p in ('encoder', 'decoder', 'prior'))
  # The second phase sees the encoder that the first has left.
  z = f(phi - RATE * numpy_nets.difference(
      lambda v: mse(v, theta, x), phi), x)

  def kernel(a, b):
    s = H * z.var(0).mean()
    return sum(np.exp(-np.sum((a - b)**2) / (2. * w * s)) for w in (0.3, 2.))

  def mmd(psi):
    made = mlp(psi, (2, UNITS, H), noise['base'])
    total = sum(kernel(z[i], z[j]) + kernel(made[i], made[j])
                - 2. * kernel(z[i], made[j])
                for i in range(B) for j in range(B))
    return np.sqrt(total / B**2 + 1e-10)

  check(model, weights, {
      'encoder': lambda v: mse(v, theta, x),
      'decoder': lambda v: mse(phi, v, x),
      'prior': mmd})

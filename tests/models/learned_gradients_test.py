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
import numpy as np
import pytest
from scipy import stats
import tensorflow as tf

import gradient_steps
import numpy_nets

B, H = numpy_nets.B, numpy_nets.H
f, sigma = numpy_nets.f, numpy_nets.sigma
RATE, UNITS = gradient_steps.RATE, gradient_steps.UNITS
check, critic, mlp = (gradient_steps.check, gradient_steps.critic,
                      gradient_steps.mlp)
mse, softplus, start = (gradient_steps.mse, gradient_steps.softplus,
                        gradient_steps.start)


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


def test_gmmn_in_two_stages(float64):
  """Two steps of the autoencoder, then one of the generator towards it."""
  model, noise, x, weights = start(
      'GMMN', bandwidths=(0.3, 2.), autoencoder_steps=2)
  phi, theta, psi = (weights[p] for p in ('encoder', 'decoder', 'prior'))
  for stage in (0, 0, 1):
    model.enter_stage(stage)
    model.train_step(tf.constant(x))
  for _ in range(2):
    phi, theta = (
        phi - RATE * numpy_nets.difference(lambda v: mse(v, theta, x), phi),
        theta - RATE * numpy_nets.difference(lambda v: mse(phi, v, x), theta))
  z = f(phi, x)
  psi = psi - RATE * numpy_nets.difference(
      lambda v: discrepancy(z, mlp(v, (2, UNITS, H), noise['base'])), psi)
  gradient_steps.check_ends(
      model, weights, {'encoder': phi, 'decoder': theta, 'prior': psi})


def discrepancy(z, made):
  """[3, eqs. 3 and 6], as matrices of pairs."""
  scale = 2. * H * z.var(0).mean()

  def total(a, b):
    squares = np.sum((a[:, np.newaxis] - b)**2, -1)
    return sum(np.exp(-squares / (w * scale)).mean() for w in (0.3, 2.))

  return np.sqrt(total(z, z) + total(made, made) - 2. * total(z, made) + 1e-10)

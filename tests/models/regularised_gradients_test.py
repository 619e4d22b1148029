"""One step of RAE, VAE, WAE and InfoVAE, against the papers' equations.

As in gradients_test.py: the equations stand here a second time, in NumPy and in
the sum form of the paper, and a part's gradient is the central difference of
the terms that update it. pgak's weights are computed from the paper's by the
factors that its docstrings state; the sum form is D times pgak's.

#### References

[1]: Ghosh et al. From Variational to Deterministic Autoencoders. ICLR, 2020.
[2]: Tolstikhin et al. Wasserstein Auto-Encoders. ICLR, 2018.
[3]: Zhao, Song, Ermon. InfoVAE. AAAI, 2019.
"""
import keras
import numpy as np
import pytest
import tensorflow as tf

from pgak import models
import numpy_nets
import tiny_models

B, D, H, K = numpy_nets.B, numpy_nets.D, numpy_nets.H, numpy_nets.K
f, g, sigma = numpy_nets.f, numpy_nets.g, numpy_nets.sigma
LEARNING_RATE = 0.5
BETA, LAMBDA, SPREAD = 0.3, 0.2, 0.6
PHI, THETA = 'encoder', 'decoder'
BOTH = (PHI, THETA)


def squares(a):
  """E |a|^2 over the batch: [1, eq. 10] has no half."""
  return np.mean(np.sum(a.reshape(len(a), -1)**2, -1))


def rec(x, encode):
  flat = x.reshape(-1, D)
  return [1., BOTH, lambda phi, theta: squares(g(theta, encode(phi)) - flat)]


def rae(x, noise):
  """[1, eq. 15], with no regulariser."""
  return {
      'reconstruction': rec(x, lambda phi: f(phi, x)),
      'latent_l2': [BETA, (PHI,), lambda phi, theta: 0.5 * squares(f(phi, x))],
  }


def rae_l2(x, noise):
  """[1, eq. 16], of the two kernels."""
  def decay(phi, theta):
    w, _, v, _ = numpy_nets.unpack(theta, [(H, K), (K,), (K, D), (D,)])
    return np.sum(w**2) + np.sum(v**2)
  return rae(x, noise) | {'decoder_l2': [LAMBDA, (THETA,), decay]}


def rae_gp(x, noise, variant):
  """[1, eq. 17]: the squared Frobenius norm of the Jacobian."""
  def penalty(phi, theta):
    z = f(phi, x)
    jacobian = numpy_nets.decoder_jacobian(theta, z)
    if variant == 'probe':
      probe = noise['probe'].reshape(-1, D)
      return squares(np.einsum('bdh,bd->bh', jacobian, probe))
    if variant == 'released':  # d (sum of squares of the image) / d z
      return squares(2. * np.einsum('bdh,bd->bh', jacobian, g(theta, z)))
    return squares(jacobian)
  return rae(x, noise) | {'gradient_penalty': [LAMBDA, BOTH, penalty]}


def vae(x, noise, k=1):
  """[1, eqs. 6 and 7] with a likelihood of spread SPREAD: 2 SPREAD^2 ELBO."""
  flat, normal = x.reshape(-1, D), noise['posterior'].reshape(B, k, H)
  def likelihood(phi, theta):
    return np.mean([squares(g(theta, f(phi, x) + sigma(phi, x) * normal[:, i])
                            - flat) for i in range(k)])
  return {
      'reconstruction': [1., BOTH, likelihood],
      'kl': [2. * SPREAD**2, (PHI,), lambda phi, theta: numpy_nets.kl(
          f(phi, x), sigma(phi, x))],
  }


def beta_vae(x, noise):
  table = vae(x, noise)
  table['kl'][0] *= 3.
  return table


def cv_vae(x, noise):
  """[1, eqs. 13 and 14]."""
  return {
      'reconstruction': rec(
          x, lambda phi: f(phi, x) + 0.4 * noise['posterior']),
      'latent_l2': [BETA, (PHI,), lambda phi, theta: 0.5 * squares(f(phi, x))],
  }


def kernel_of(name, a, b):
  distance2 = np.sum((a[:, None] - b[None])**2, -1)
  c = [2. * H * s for s in (.1, .2, .5, 1., 2., 5., 10.)]
  if name == 'imq':
    return sum(v / (v + distance2) for v in c)
  return sum(np.exp(-distance2 / v) for v in c)


def mmd(name, z, p):
  """[2, algorithm 2], sums over pairs written out."""
  n = len(z)
  within = sum(kernel_of(name, a, a)[i, j] for a in (z, p)
               for i in range(n) for j in range(n) if i != j)
  return within / (n * (n - 1)) - 2. * np.mean(kernel_of(name, z, p))


def wae(x, noise, kernel):
  return {
      'reconstruction': rec(x, lambda phi: f(phi, x)),
      'mmd': [LAMBDA, (PHI,), lambda phi, theta: mmd(
          kernel, f(phi, x), noise['prior'])],
  }


def info_vae(x, noise, alpha=0.25, lambda_=2.):
  """[3, eq. 6], times 2 SPREAD^2, the same spread of the likelihood."""
  def z(phi):
    return f(phi, x) + sigma(phi, x) * noise['posterior']
  return {
      'reconstruction': rec(x, z),
      'kl': [(1. - alpha) * 2. * SPREAD**2, (PHI,), lambda phi, theta:
             numpy_nets.kl(f(phi, x), sigma(phi, x))],
      'mmd': [(alpha + lambda_ - 1.) * 2. * SPREAD**2, (PHI,),
              lambda phi, theta: mmd('imq', z(phi), noise['prior'])],
  }


L2 = dict(latent_l2=BETA * H / (2 * D))
GP = dict(gradient_penalty=LAMBDA * H, **L2)
CASES = {
    'rae': ('RAE', L2, rae),
    'rae_l2': ('RAEL2', dict(decoder_l2=LAMBDA / D, dense_kernels=True, **L2),
               rae_l2),
    # On the norm itself lambda / D; its mean square is 1 / (D H) of it.
    'rae_gp_probe': ('RAEGP', GP, lambda *a: rae_gp(*a, 'probe')),
    'rae_gp_exact': ('RAEGP', dict(variant='exact', **GP),
                     lambda *a: rae_gp(*a, 'exact')),
    'rae_gp_released': ('RAEGP', dict(
        variant='released', gradient_penalty=LAMBDA * H / D, **L2),
        lambda *a: rae_gp(*a, 'released')),
    'vae': ('VAE', dict(kl=2. * SPREAD**2 * H / D), vae),
    'vae_3_samples': ('VAE', dict(kl=2. * SPREAD**2 * H / D,
                                  num_posterior_samples=3),
                      lambda *a: vae(*a, 3)),
    'beta_vae': ('BetaVAE', dict(beta=3., likelihood_sigma=SPREAD), beta_vae),
    'cv_vae': ('CVVAE', dict(posterior_sigma=0.4, **L2), cv_vae),
    'wae_imq': ('WAEMMD', dict(mmd=LAMBDA / D),
                lambda *a: wae(*a, 'imq')),
    'wae_rbf': ('WAEMMD', dict(mmd=LAMBDA / D, kernel='rbf'),
                lambda *a: wae(*a, 'rbf')),
    'info_vae': ('InfoVAE', dict(alpha=0.25, lambda_=2.,
                                 likelihood_sigma=SPREAD), info_vae),
}


def draws(model):
  generator = np.random.default_rng(5)
  return {name: (np.sign(generator.normal(size=(B, *shape)))
                 if name == 'probe' else generator.normal(size=(B, *shape)))
          for name, (_, shape) in model.noise_shapes.items()}


def one_step(case, jit_compile=None):
  name, settings, equations = CASES[case]
  model = tiny_models.compiled(
      name, LEARNING_RATE, dict(jit_compile=bool(jit_compile)), **settings)
  x, noise = tiny_models.images(B), draws(model)
  handed = {k: tf.constant(v, keras.config.floatx()) for k, v in noise.items()}
  model.draw_noise = lambda batch: handed
  before = {p: tiny_models.values(net) for p, net in model.parts.items()}
  if jit_compile is None:
    model.train_step(tf.constant(x))
  else:
    model.fit(tf.data.Dataset.from_tensors(x), verbose=0)
  changes = {p: tiny_models.values(net) - before[p]
             for p, net in model.parts.items()}
  phi0, theta0 = (before[p].astype('float64') for p in BOTH)
  table = equations(x.astype('float64'), noise)
  assert set(table) == set(model.term_names)
  return changes, numpy_nets.changes(
      table, phi0, theta0, LEARNING_RATE / D)


@pytest.mark.parametrize('case', CASES)
def test_a_step_is_that_of_the_papers_in_float64(case, float64):
  numpy_nets.assert_close(*one_step(case), rtol=1e-5, share=1e-7)


@pytest.mark.parametrize('case', ['rae_gp_probe', 'wae_imq', 'vae_3_samples'])
def test_a_compiled_step_is_that_of_the_papers_in_float64(case, float64):
  numpy_nets.assert_close(*one_step(case, jit_compile=True), rtol=1e-5,
                          share=1e-7)


@pytest.mark.parametrize('case', CASES)
def test_a_step_is_that_of_the_papers_in_float32(case):
  numpy_nets.assert_close(*one_step(case), rtol=0., share=1e-3)


# === The ends of InfoVAE ===


def losses_after(model, steps=3):
  """The logs of some steps: equal only if losses and updates are."""
  return [{k: float(v) for k, v in model.train_step(
      tf.constant(tiny_models.images())).items()} for _ in range(steps)]


@pytest.mark.parametrize('lambda_, name, settings', [
    (1., 'VAE', dict(kl=2. * SPREAD**2 * H / D)),
    (4., 'BetaVAE', dict(beta=4., likelihood_sigma=SPREAD)),
], ids=['vae', 'beta_vae'])
def test_vae_and_beta_vae_are_ends_of_info_vae(lambda_, name, settings):
  end = tiny_models.compiled('InfoVAE', alpha=1. - lambda_, lambda_=lambda_,
                             likelihood_sigma=SPREAD)
  other = tiny_models.compiled(name, **settings)
  assert end.term_names == other.term_names == ('reconstruction', 'kl')
  for found, expected in zip(losses_after(end), losses_after(other)):
    assert found == pytest.approx(expected, rel=1e-5)


def test_wae_is_an_end_of_info_vae():
  settings = dict(likelihood_sigma=SPREAD)
  end = models.InfoVAE(tiny_models.encoder(), tiny_models.decoder(), alpha=1.,
                       lambda_=5., **settings)
  tiny_models.scatter(end)
  end.compile(tiny_models.sgd(end))
  other = tiny_models.compiled('WAEMMD', mmd=5. * 2. * SPREAD**2 / D)
  for found, expected in zip(losses_after(end), losses_after(other)):
    assert found == pytest.approx(expected, rel=1e-5)


def softplus(t):
  return np.logaddexp(0., t)


def test_the_adversarial_autoencoder_is_an_end_of_adversarial_info_vae(float64):
  """The critic's step, and then the encoder's against the moved critic."""
  keras.utils.set_random_seed(3)
  critic = keras.Sequential([keras.Input((H,)), keras.layers.Dense(1)])
  model = models.AdversarialInfoVAE(
      tiny_models.encoder(), tiny_models.decoder(), critic, alpha=1.,
      lambda_=5., likelihood_sigma=SPREAD)
  tiny_models.scatter(model)
  model.compile(tiny_models.sgd(model))
  assert model.term_names == ('discrimination', 'reconstruction', 'adversarial')
  x = tiny_models.images(B)
  p = np.random.default_rng(1).normal(size=(B, H))
  model.draw_noise = lambda batch: {'prior': tf.constant(p)}
  start = {n: tiny_models.values(net) for n, net in model.parts.items()}
  model.train_step(tf.constant(x))
  phi, theta, psi = (start[n] for n in (PHI, THETA, 'critic'))

  def critic_loss(v):
    return np.mean(softplus(-(p @ v[:H] + v[H])) + softplus(
        f(phi, x) @ v[:H] + v[H]))

  moved = psi - 0.5 * numpy_nets.difference(critic_loss, psi)

  def encoder_loss(v):
    z = f(v, x)
    error = squares(g(theta, z) - x.reshape(-1, D)) / D
    # [3]'s lambda of the sum form: 2 s^2 / D of the mean's.
    return error + 5. * 2. * SPREAD**2 / D * np.mean(
        softplus(-(z @ moved[:H] + moved[H])))

  for part, expected in (
      ('critic', moved),
      (PHI, phi - 0.5 * numpy_nets.difference(encoder_loss, phi))):
    np.testing.assert_allclose(tiny_models.values(model.parts[part]), expected,
                               rtol=1e-6, atol=1e-8, err_msg=part)


def test_info_vae_needs_a_stochastic_encoder_below_alpha_1():
  with pytest.raises(ValueError, match='alpha below 1.*log_variance=True'):
    models.InfoVAE(tiny_models.encoder(), tiny_models.decoder(), alpha=0.5)

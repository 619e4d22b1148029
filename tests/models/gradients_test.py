"""One step of every model, against the papers' equations and nothing else.

The equations are written here a second time, in NumPy and in the sum form that
the paper prints, together with the table of what each one updates. Every
equation is a function of two weight vectors, phi (encoder) and theta (decoder);
a part's gradient is the central difference of the equations that update it,
taken in that part's weights alone, with everything else held at the point where
the step starts. `stop_gradient` is nowhere: what is constant is a number.

Sum form to pgak's means (D numbers an image, H latent dimensions): the sum
form is D / 2 times pgak's, and its weights are alpha D/H, beta D/H,
gamma D/(2H), eta D/(2H); VPGA's weight on half a squared norm is w D/H.
"""
import keras
import numpy as np
import pytest
import tensorflow as tf

import numpy_nets
import tiny_models

B, D, H = numpy_nets.B, numpy_nets.D, numpy_nets.H
f, g, sigma = numpy_nets.f, numpy_nets.g, numpy_nets.sigma
half_square, kl = numpy_nets.half_square, numpy_nets.kl
LEARNING_RATE = 0.5
ALPHA, BETA, GAMMA, GAMMA_PRIME, ETA, W_VR = 0.3, 0.2, 0.15, 0.25, 0.12, 0.35
EPSILON = 1e-2
PHI, THETA = 'encoder', 'decoder'


# === The papers' equations and their tables ===


def eq_7(moved, delta):
  """H/2 E[log |h(z + delta) - h(z)|^2 / |delta|^2]."""
  return 0.5 * H * np.mean(
      np.log(np.sum(moved**2, -1) / np.sum(delta**2, -1)))


def basic(x, noise, phi0, theta0):
  """Eqs. 1, 2 and 3: [weight, parts, function of (phi, theta)]."""
  z0, zn = f(phi0, x), noise['prior']
  flat = x.reshape(-1, D)
  return {
      'reconstruction': [1., (PHI, THETA), lambda phi, theta: half_square(
          g(theta, f(phi, x)) - flat)],
      'latent_reconstruction': [ALPHA * D / H, (PHI,), lambda phi, theta:
                                half_square(f(phi, g(theta, zn)) - zn)],
      'data_latent_reconstruction': [BETA * D / H, (PHI,), lambda phi, theta:
                                     half_square(f(phi, g(theta, z0)) - z0)],
  }


def nll_encoder(x):
  """Eq. 6."""
  return [GAMMA * D / (2 * H), (PHI,), lambda phi, theta: half_square(
      f(phi, x))]


def lpga(x, noise, phi0, theta0, perturbation):
  z0, n = f(phi0, x), noise['perturbation']
  delta = EPSILON * n
  if perturbation == 'sphere':
    delta = EPSILON * np.sqrt(H) * n / np.linalg.norm(
        n, axis=-1, keepdims=True)
  def h(phi, theta, z):
    return f(phi, g(theta, z))
  return basic(x, noise, phi0, theta0) | {
      'nll_encoder': nll_encoder(x),
      'nll_decoder': [GAMMA * D / (2 * H), (THETA,), lambda phi, theta: eq_7(
          h(phi, theta, z0 + delta) - h(phi, theta, z0), delta)],
  }


def vpga(x, noise, phi0, theta0, likelihood_sigma=None):
  z0, n = f(phi0, x), noise['perturbation']
  if likelihood_sigma == 'norm':  # The paper: proportional to |z|.
    scale = np.linalg.norm(z0, axis=-1, keepdims=True) / np.sqrt(H)
  else:  # The authors' code: the root mean square over the batch.
    scale = likelihood_sigma or np.sqrt(np.mean(z0**2, 0))
  def h(theta, z):  # The encoder inside h never moves.
    return f(phi0, g(theta, z))
  def eta_kl(phi, theta):
    return kl(f(phi, x), sigma(phi, x))
  return basic(x, noise, phi0, theta0) | {
      'variational_reconstruction': [
          W_VR * D / H, (PHI, THETA), lambda phi, theta: half_square(
              (h(theta, z0) - h(theta, z0 + sigma(phi, x) * n)) / scale)],
      'kl': [ETA * D / (2 * H), (PHI,), eta_kl],
  }


def one_eta(x, noise, phi0, theta0, factor):
  """Eq. 13: one weight over both sums of eq. 12, sigma in proportion."""
  table = vpga(x, noise, phi0, theta0)
  table['variational_reconstruction'][0] = ETA * D / (2 * H) / factor**2
  return table


def workshop(x, noise, phi0, theta0, likelihood_sigma):
  """Eqs. 10 and 11 of the workshop paper: every part descends all of L_vae."""
  n = noise['perturbation']
  def error(phi, theta):
    z = f(phi, x)
    def h(at):
      return f(phi, g(theta, at))
    return half_square((h(z) - h(z + sigma(phi, x) * n)) / likelihood_sigma)
  return one_eta(x, noise, phi0, theta0, 1.) | {
      'variational_reconstruction': [ETA * D / (2 * H), (PHI, THETA), error]}


def absolute(x, noise, phi0, theta0):
  """LPGA with absolute differences in eqs. 2 and 3."""
  z0, zn = f(phi0, x), noise['prior']
  def error(phi, theta, z):
    return np.mean(np.sum(np.abs(f(phi, g(theta, z)) - z), -1))
  return lpga(x, noise, phi0, theta0, 'sphere') | {
      'latent_reconstruction': [
          ALPHA * D / (2 * H), (PHI,),
          lambda phi, theta: error(phi, theta, zn)],
      'data_latent_reconstruction': [
          BETA * D / (2 * H), (PHI,),
          lambda phi, theta: error(phi, theta, z0)]}


def lvpga(x, noise, phi0, theta0):
  z0, n = f(phi0, x), noise['perturbation']
  delta0 = (sigma(phi0, x) + EPSILON) * n
  def h(theta, z):
    return f(phi0, g(theta, z))
  def moved(phi, theta):
    return h(theta, z0 + (sigma(phi, x) + EPSILON) * n) - h(theta, z0)
  return basic(x, noise, phi0, theta0) | {
      'nll_encoder': nll_encoder(x),
      'variational_nll': [GAMMA_PRIME * D / (2 * H), (PHI, THETA),
                          lambda phi, theta: eq_7(moved(phi, theta), delta0)],
      'kl': [ETA * D / (2 * H), (PHI,), lambda phi, theta: kl(
          f(phi, x), sigma(phi, x))],
  }


SPREAD = 0.6


def vae(x, noise, phi0, theta0):
  """The negative evidence lower bound, likelihood N(x_hat, SPREAD^2 I).

  pgak's form is 2 SPREAD^2 / D times it, and half of D times that is the sum
  form of the others: a common factor SPREAD^2.
  """
  flat = x.reshape(-1, D)
  def likelihood(phi, theta):
    z = f(phi, x) + sigma(phi, x) * noise['posterior']
    return half_square(g(theta, z) - flat) / SPREAD**2
  return {
      'reconstruction': [SPREAD**2, (PHI, THETA), likelihood],
      'kl': [SPREAD**2, (PHI,), lambda phi, theta: kl(
          f(phi, x), sigma(phi, x))],
  }


def ae(x, noise, phi0, theta0):
  return {'reconstruction': basic(x, {'prior': np.zeros((B, H))}, phi0,
                                  theta0)['reconstruction']}


PGA = dict(latent_reconstruction=ALPHA, data_latent_reconstruction=BETA)
LPGA = dict(nll_encoder=GAMMA, nll_decoder=GAMMA, epsilon=EPSILON, **PGA)
VPGA = dict(variational_reconstruction=W_VR, kl=ETA, **PGA)
LVPGA = dict(nll_encoder=GAMMA, variational_nll=GAMMA_PRIME, kl=ETA,
             sigma_floor=EPSILON, **PGA)


def row(term, parts):
  """The same equations with one row of the table replaced."""
  def changed(equations):
    equations[term][1] = parts
    return equations
  return changed


BOTH = (PHI, THETA)
CASES = {
    'ae': ('AE', {}, ae),
    'vae': ('VAE', dict(kl=2. * SPREAD**2 * H / D), vae),
    'lpga_sphere': ('LPGA', dict(perturbation='sphere', **LPGA),
                    lambda *a: lpga(*a, 'sphere')),
    'lpga_gaussian': ('LPGA', dict(perturbation='gaussian', **LPGA),
                      lambda *a: lpga(*a, 'gaussian')),
    'vpga': ('VPGA', VPGA, vpga),
    'vpga_fixed_likelihood': ('VPGA', dict(likelihood_sigma=0.7, **VPGA),
                              lambda *a: vpga(*a, 0.7)),
    'vpga_norm_likelihood': ('VPGA', dict(likelihood_sigma='norm', **VPGA),
                             lambda *a: vpga(*a, 'norm')),
    'vpga_one_eta': ('VPGA', dict(eta=ETA, sigma_factor=0.8, **PGA),
                     lambda *a: one_eta(*a, 0.8)),
    'vpga_workshop': (
        'VPGA', dict(eta=ETA, likelihood_sigma=0.7, direct_gradient=True,
                     **PGA), lambda *a: workshop(*a, 0.7)),
    'lpga_absolute': ('LPGA', dict(latent_distance='l1', **LPGA), absolute),
    'lvpga': ('LVPGA', LVPGA, lvpga),
    # What the paper says hurts: theta descends eq. 2, phi eq. 7.
    'lpga_eq_2_to_both': (
        'LPGA', dict(updates={'latent_reconstruction': BOTH}, **LPGA),
        lambda *a: row('latent_reconstruction', BOTH)(lpga(*a, 'sphere'))),
    'lpga_eq_3_to_both': (
        'LPGA', dict(updates={'data_latent_reconstruction': BOTH}, **LPGA),
        lambda *a: row('data_latent_reconstruction', BOTH)(
            lpga(*a, 'sphere'))),
    'lpga_eq_7_to_both': (
        'LPGA', dict(updates={'nll_decoder': BOTH}, **LPGA),
        lambda *a: row('nll_decoder', BOTH)(lpga(*a, 'sphere'))),
}


def draws():
  generator = np.random.default_rng(5)
  return {name: generator.normal(size=(B, H))
          for name in ('prior', 'perturbation', 'posterior')}


def one_step(case, jit_compile=None):
  """Returns (changes of the model's parts, what they should be)."""
  name, settings, equations = CASES[case]
  model = tiny_models.compiled(
      name, LEARNING_RATE, dict(jit_compile=bool(jit_compile)), **settings)
  x, noise = tiny_models.images(B), draws()
  handed = {k: tf.constant(v, keras.config.floatx()) for k, v in noise.items()}
  model.draw_noise = lambda batch: {k: handed[k] for k in model.noise_shapes}
  before = {p: tiny_models.values(net) for p, net in model.parts.items()}
  if jit_compile is None:
    model.train_step(tf.constant(x))
  else:
    model.fit(tf.data.Dataset.from_tensors(x), verbose=0)
  changes = {p: tiny_models.values(net) - before[p]
             for p, net in model.parts.items()}
  phi0, theta0 = (before[p].astype('float64') for p in (PHI, THETA))
  table = equations(x.astype('float64'), noise, phi0, theta0)
  assert set(table) == set(model.term_names)
  # The sum form is D / 2 times pgak's.
  return changes, numpy_nets.changes(
      table, phi0, theta0, 2. * LEARNING_RATE / D)


@pytest.mark.parametrize('case', CASES)
def test_a_step_is_that_of_the_papers_in_float64(case, float64):
  changes, expected = one_step(case)
  assert changes[PHI].dtype == np.float64
  numpy_nets.assert_close(changes, expected, rtol=1e-5, share=1e-7)


@pytest.mark.parametrize('case', ['lpga_sphere', 'vpga', 'lvpga'])
def test_a_compiled_step_is_that_of_the_papers_in_float64(case, float64):
  changes, expected = one_step(case, jit_compile=True)
  numpy_nets.assert_close(changes, expected, rtol=1e-5, share=1e-7)


@pytest.mark.parametrize('case', CASES)
def test_a_step_is_that_of_the_papers_in_float32(case):
  changes, expected = one_step(case)
  assert changes[PHI].dtype == np.float32
  numpy_nets.assert_close(changes, expected, rtol=0., share=1e-3)


@pytest.mark.parametrize('case', ['vpga', 'vpga_fixed_likelihood',
                                  'vpga_norm_likelihood', 'lvpga'])
def test_eq_12_moves_only_what_makes_sigma(case, float64):
  """Alone, it leaves the mean's head alone: no gradient into F inside h."""
  name, settings, _ = CASES[case]
  term = 'variational_nll' if name == 'LVPGA' else 'variational_reconstruction'
  off = {t: 0. for t in settings
         if t in ('latent_reconstruction', 'data_latent_reconstruction',
                  'nll_encoder', 'kl')}
  model = tiny_models.compiled(
      name, updates={'reconstruction': (THETA,)}, **settings | off)
  assert set(model.term_names) == {'reconstruction', term}
  before = {v.path: v.numpy() for v in model.encoder.trainable_variables}
  model.train_step(tf.constant(tiny_models.images(B)))
  for variable in model.encoder.trainable_variables:
    moved = np.abs(variable.numpy() - before[variable.path]).max()
    assert (moved == 0.) == ('latents' in variable.path), variable.path

"""What the PGA paper says of its likelihood losses: eqs. 8 and 15, and 3.5.

#### References

[1]: Zijun Zhang, Ruixiang Zhang, Zongpeng Li, Yoshua Bengio, Liam Paull.
     Perceptual Generative Autoencoders. ICML, 2020.
"""
import math

import numpy as np
import pytest
from scipy import integrate
from scipy import special
from scipy import stats
import tensorflow as tf

from pgak import losses
import tiny_models

H = tiny_models.LATENT_DIM


def broken_by(change):
  return pytest.mark.xfail(strict=True, reason=change)


# === Eq. 8 ===


def log_stretch(matrix, directions):
  """log |J u| for unit vectors u `[B, H]`, by eq. 7 of the linear map J."""
  u = tf.constant(directions)
  mapped = tf.linalg.matmul(u, tf.constant(matrix.T))
  return losses.expansion(
      tf.zeros_like(mapped), mapped, tf.reduce_sum(u**2, -1)).numpy()


def sphere_of_two():
  """Unit vectors and weights that integrate over the circle."""
  angle = 2. * np.pi * np.arange(400) / 400
  return np.stack([np.cos(angle), np.sin(angle)], -1), np.full(400, 1. / 400)


def sphere_of_three():
  """Unit vectors and weights that integrate over the sphere."""
  height, weight = np.polynomial.legendre.leggauss(60)
  angle = 2. * np.pi * np.arange(120) / 120
  z, a = (t.ravel() for t in np.meshgrid(height, angle, indexing='ij'))
  radius = np.sqrt(1. - z**2)
  return (np.stack([radius * np.cos(a), radius * np.sin(a), z], -1),
          np.repeat(weight / 2., 120) / 120)


SPHERES = {2: sphere_of_two, 3: sphere_of_three}


@pytest.mark.parametrize('kind', [
    'orthogonal',
    pytest.param('sheared', marks=broken_by('not a multiple of one')),
])
@pytest.mark.parametrize('dims', [2, 5, 16])
@pytest.mark.parametrize('scale', [0.3, 1., -2.5])
def test_eq_8_is_an_equality_for_multiples_of_orthogonal_maps(
    scale, dims, kind):
  """For each direction and not only for their mean."""
  generator = np.random.default_rng(dims)
  matrix = scale * stats.ortho_group.rvs(dims, random_state=generator)
  if kind == 'sheared':
    matrix = matrix @ np.diag(np.linspace(0.5, 1.5, dims))
  u = generator.normal(size=(50, dims))
  u /= np.linalg.norm(u, axis=-1, keepdims=True)
  np.testing.assert_allclose(
      dims * log_stretch(matrix, u), np.linalg.slogdet(matrix)[1], atol=1e-10)


@pytest.mark.parametrize('power', [
    0,
    pytest.param(-1, marks=broken_by('|Ju|^(1 - H)')),
    pytest.param(1, marks=broken_by('|Ju|^-(1 + H)')),
])
@pytest.mark.parametrize('dims', SPHERES)
def test_what_eq_8_follows_from(dims, power):
  """E |Ju|^-H = 1 / |det J| over directions u; Jensen gives eq. 8."""
  u, weights = SPHERES[dims]()
  for seed in range(3):
    generator = np.random.default_rng(seed)
    left, right = stats.ortho_group.rvs(dims, 2, random_state=generator)
    # Singular values near each other, for the quadrature.
    matrix = left @ np.diag(generator.uniform(0.7, 1.5, dims)) @ right
    stretch = log_stretch(matrix, u)
    mean = weights @ np.exp(-(dims + power) * stretch)
    assert mean == pytest.approx(1. / abs(np.linalg.det(matrix)), rel=1e-9)
    assert np.linalg.slogdet(matrix)[1] < dims * weights @ stretch


# === Eq. 11 ===


SLOPE, OFFSET, SIGMA = 0.8, 0.3, 0.5  # h(z') = SLOPE z' + OFFSET.


def bound(z_hat, mean, spread, kl_weight=1., error_weight=1.):
  """The right-hand side of eq. 11 by pgak's losses, H = 1, `[B]`."""
  points, weights = np.polynomial.hermite_e.hermegauss(40)
  mean, spread = (tf.fill([len(z_hat), 1], tf.constant(v, tf.float64))
                  for v in (mean, spread))
  error = 0.
  for point, weight in zip(points, weights / weights.sum()):
    mapped = SLOPE * (mean + spread * point) + OFFSET
    error += weight * losses.relative_error(
        tf.constant(z_hat[:, np.newaxis]), mapped,
        tf.constant(SIGMA, tf.float64)).numpy()
  log_likelihood = (-0.5 * error_weight * error - math.log(SIGMA)
                    - 0.5 * math.log(2. * math.pi))
  kl = losses.kl(mean, 2. * tf.math.log(spread)).numpy()
  return log_likelihood - kl_weight * kl


EVIDENCE = stats.norm(OFFSET, math.hypot(SLOPE, SIGMA))


@pytest.mark.parametrize('weights', [
    {},
    pytest.param({'kl_weight': 0.5}, marks=broken_by('half of the KL')),
    pytest.param({'error_weight': 2.}, marks=broken_by('no half of eq. 12')),
])
def test_eq_11_bounds_the_density_and_is_tight_at_the_posterior(weights):
  precision = 1. + (SLOPE / SIGMA)**2
  for z_hat in (-1., 0.2, 2.):
    log_density = EVIDENCE.logpdf(z_hat)
    mean = SLOPE * (z_hat - OFFSET) / SIGMA**2 / precision
    point = np.array([z_hat])
    for other in (0., 0.7, -1.5):
      assert bound(point, mean + other, 1., **weights) < log_density
    assert bound(point, mean, precision**-0.5, **weights) == pytest.approx(
        log_density, rel=1e-9)


# === Eq. 15 ===


A, B = 0.3, 2.5  # Of d^H.


def reciprocal(distance, dims):
  """Density of the number d^H, [1, eq. 15]."""
  return 1. / (distance**dims * math.log(B / A))


def isotropic(distance, dims):
  """Density of the vector z^ on the annulus a <= d^H <= b."""
  area = 2. * math.pi**(dims / 2.) / special.gamma(dims / 2.)
  return dims / (area * math.log(B / A)) * distance**-float(dims)


def of_the_distance(distance, dims):
  """Density of the number d itself, where d^H has that of eq. 15."""
  return dims / (distance * math.log(B / A))


DENSITIES = [
    reciprocal, isotropic,
    pytest.param(of_the_distance, marks=broken_by('a density of d')),
]


def eq_7(mapped, perturbed):
  """H times the loss, for perturbations of length 1: `[B]`."""
  ones = tf.ones(len(mapped), mapped.dtype)
  return mapped.shape[-1] * losses.expansion(mapped, perturbed, ones)


@pytest.mark.parametrize('density', DENSITIES)
@pytest.mark.parametrize('dims', [2, 3, 8])
def test_eq_15_is_eq_7_but_for_a_constant(dims, density):
  z_hat = tf.constant(np.random.default_rng(dims).normal(size=(6, dims)))
  mean = tf.Variable(tf.zeros_like(z_hat))
  with tf.GradientTape(persistent=True) as tape:
    loss = eq_7(z_hat, mean)
    distance = tf.sqrt(tf.reduce_sum((z_hat - mean)**2, -1))
    nll = -tf.math.log(density(distance, dims))
  constant = (nll - loss).numpy()
  np.testing.assert_allclose(constant, constant[0], rtol=1e-10)
  np.testing.assert_allclose(
      tape.gradient(nll, mean), tape.gradient(loss, mean), rtol=1e-10)


@pytest.mark.parametrize('density', [
    reciprocal, of_the_distance,
    pytest.param(isotropic, marks=broken_by('a density of the vector')),
])
@pytest.mark.parametrize('dims', [2, 3, 8])
def test_the_densities_of_numbers_integrate_to_one(dims, density):
  """Over d^H for eq. 15, over d for the other."""
  low, high = ((A, B) if density is not of_the_distance else
               (A**(1. / dims), B**(1. / dims)))
  to_distance = 1. / dims if density is not of_the_distance else 1.
  mass, _ = integrate.quad(lambda t: density(t**to_distance, dims), low, high)
  assert mass == pytest.approx(1., rel=1e-9)


@pytest.mark.parametrize('density', [
    isotropic,
    pytest.param(reciprocal, marks=broken_by('a density of a number')),
])
def test_the_density_of_the_annulus_integrates_to_one(density):
  """In polar coordinates, H = 2: the area of a ring is 2 pi d."""
  mass, _ = integrate.quad(lambda d: 2. * math.pi * d * density(d, 2),
                           math.sqrt(A), math.sqrt(B))
  assert mass == pytest.approx(1., rel=1e-9)


def stop_all_but_lengths(tensor, stop=tf.stop_gradient):
  """`tf.stop_gradient` but for `[B]`, which |delta|^2 is in LVPGA."""
  return tensor if tensor.shape.rank == 1 else stop(tensor)


def gradients(model, tensor_of, part):
  """Gradient of a scalar in a part's trainable weights, one vector."""
  variables = [v.value for v in model.parts[part].trainable_variables]
  with tf.GradientTape() as tape:
    value = tensor_of()
  found = tape.gradient(value, variables)
  return np.concatenate([
      np.ravel(tf.zeros_like(v) if g is None else g)
      for g, v in zip(found, variables)])


@pytest.mark.parametrize('stop', [
    tf.stop_gradient,
    pytest.param(stop_all_but_lengths, marks=broken_by('|delta| not stopped')),
])
def test_the_length_of_the_perturbation_has_no_gradient(
    stop, float64, monkeypatch):
  """Eq. 7 is eq. 15 in LVPGA, too, since its epsilon is a constant."""
  model = tiny_models.make('LVPGA')
  images = tf.constant(tiny_models.images())
  noise = model.draw_noise(images)
  def distance():
    mean, log_variance = model.gaussian(images, True)
    z = tf.stop_gradient(mean)
    delta = (tf.exp(0.5 * log_variance) + model.sigma_floor) * noise[
        'perturbation']
    return tf.norm(model.h(z, True) - model.h(z + delta, True), axis=-1)
  expected = gradients(model, lambda: tf.reduce_sum(
      -tf.math.log(reciprocal(distance(), H))), 'encoder')
  with monkeypatch.context() as patch:
    patch.setattr(tf, 'stop_gradient', stop)
    found = gradients(model, lambda: H * tf.reduce_sum(
        model.terms(images, noise)['variational_nll']), 'encoder')
  assert np.abs(expected).max() > 1e-2
  np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-12)


# === LVPGA with gamma = 0 against VPGA, section 3.5 ===


RADIUS = 0.4  # VPGA's r, where it is one number.


@pytest.mark.parametrize('size, likelihood_sigma', [
    (1, RADIUS),
    pytest.param(4, RADIUS, marks=broken_by('several examples')),
    pytest.param(1, None, marks=broken_by('an r_j for each dimension')),
])
@pytest.mark.parametrize('part', ['encoder', 'decoder'])
def test_lvpga_without_gamma_points_where_vpga_does(
    part, size, likelihood_sigma, float64):
  """Per example (H / 2) grad d^2 / d^2 against grad d^2 / r^2: parallel."""
  lvpga = tiny_models.make('LVPGA', sigma_floor=0., nll_encoder=0.)
  vpga = tiny_models.make('VPGA', likelihood_sigma=likelihood_sigma)
  images = tf.constant(tiny_models.images(size))
  noise = lvpga.draw_noise(images)
  for net in lvpga.parts:
    vpga.parts[net].set_weights(lvpga.parts[net].get_weights())
  # In the paper's sums: H times the means of pgak.
  ours = gradients(lvpga, lambda: H * tf.reduce_sum(
      lvpga.terms(images, noise)['variational_nll']), part)
  theirs = gradients(vpga, lambda: H * tf.reduce_sum(
      vpga.terms(images, noise)['variational_reconstruction']), part)
  # VPGA's term is d^2 / (H r^2).
  d2 = H * RADIUS**2 * np.mean(vpga.terms(images, noise)[
      'variational_reconstruction'])
  assert np.abs(theirs).max() > 1e-3
  np.testing.assert_allclose(
      ours, 0.5 * H * RADIUS**2 / d2 * theirs, rtol=1e-8, atol=1e-12)

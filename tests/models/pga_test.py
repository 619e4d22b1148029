"""LPGA, VPGA and LVPGA: what the paper says of them."""
import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from pgak import losses
from pgak import models
import tiny_models

H = tiny_models.LATENT_DIM
PGA = ('LPGA', 'VPGA', 'LVPGA')


def _images(number=7, seed=1):
  return tf.constant(tiny_models.images(number, seed))


def _terms(model, images=None, **noise):
  images = _images() if images is None else images
  drawn = model.draw_noise(images)
  return {t: float(tf.reduce_mean(v)) for t, v in model.terms(
      images, drawn | noise).items()}


def _changes(model, images=None):
  before = {p: tiny_models.values(net) for p, net in model.parts.items()}
  model.train_step(_images() if images is None else images)
  return {p: tiny_models.values(net) - before[p]
          for p, net in model.parts.items()}


# === Eq. 8: H times the mean of eq. 7 bounds log|det dh/dz| from above ===


def _bound(h, z, perturbation, epsilon=1e-4, draws=20000, seed=0):
  """H times `losses.expansion` for each of many small perturbations of z."""
  model = tiny_models.make('LPGA', perturbation=perturbation, epsilon=epsilon)
  dims = z.shape[-1]
  model.latent_dim = dims
  normal = np.random.default_rng(seed).normal(size=(draws, dims))
  delta = model.perturb(tf.constant(normal))
  at_z = tf.repeat(tf.constant(z[np.newaxis]), draws, 0)
  return dims * losses.expansion(
      h(at_z), h(at_z + delta), tf.reduce_sum(delta**2, -1)).numpy()


@pytest.mark.parametrize('perturbation', ['sphere', 'gaussian'])
@pytest.mark.parametrize('dims', [2, 3, 8])
def test_eq_8_bounds_the_determinant_of_linear_maps(dims, perturbation):
  generator = np.random.default_rng(dims)
  for _ in range(3):
    matrix = generator.normal(size=(dims, dims))
    bound = _bound(lambda z, m=matrix: tf.linalg.matmul(z, m.T),
                   generator.normal(size=dims), perturbation)
    log_det = np.linalg.slogdet(matrix)[1]
    error = bound.std() / math.sqrt(bound.size)
    assert log_det < bound.mean() - 4. * error


@pytest.mark.parametrize('perturbation', ['sphere', 'gaussian'])
def test_eq_8_bounds_the_determinant_of_a_models_h(perturbation, float64):
  for seed in range(3):
    model = tiny_models.make('LPGA', seed=seed)
    z = np.random.default_rng(seed).normal(size=H)
    with tf.GradientTape() as tape:
      at = tf.constant(z[np.newaxis])
      tape.watch(at)
      mapped = model.h(at, training=False)
    jacobian = tape.jacobian(mapped, at)[0, :, 0]
    bound = _bound(lambda x, m=model: m.h(x, training=False), z, perturbation)
    log_det = np.linalg.slogdet(jacobian)[1]
    error = bound.std() / math.sqrt(bound.size)
    assert log_det < bound.mean() - 4. * error


@pytest.mark.parametrize('scale', [0.2, 1., -3.])
def test_eq_8_is_tight_for_multiples_of_the_identity(scale):
  z = np.array([0.3, -1., 0.7])
  bound = _bound(lambda x: scale * x + 0.5, z, 'sphere')
  # log|det(scale I)| = 3 log|scale|, for each perturbation and not only for
  # their mean.
  np.testing.assert_allclose(bound, 3. * math.log(abs(scale)), atol=1e-8)


# === The perturbation of eq. 7 ===


def test_the_sphere_has_radius_epsilon_root_h_and_no_preferred_direction():
  model = tiny_models.make('LPGA', epsilon=0.2, perturbation='sphere')
  normal = np.random.default_rng(0).normal(size=(50000, H))
  delta = model.perturb(tf.constant(normal)).numpy()
  np.testing.assert_allclose(np.linalg.norm(delta, axis=-1),
                             0.2 * math.sqrt(H), rtol=1e-9)
  np.testing.assert_allclose(delta.mean(0), np.zeros(H), atol=0.004)
  np.testing.assert_allclose(np.cov(delta.T), 0.04 * np.eye(H), atol=0.001)


def test_the_gaussian_has_epsilon_as_its_spread():
  model = tiny_models.make('LPGA', epsilon=0.2, perturbation='gaussian')
  normal = np.random.default_rng(0).normal(size=(5, H))
  np.testing.assert_allclose(model.perturb(tf.constant(normal)), 0.2 * normal)


def test_another_perturbation_is_an_error():
  with pytest.raises(ValueError, match='LPGA.perturbation.*cube'):
    tiny_models.make('LPGA', perturbation='cube')


def test_one_perturbation_an_example():
  model = tiny_models.make('LPGA')
  noise = model.draw_noise(_images())
  assert {n: tuple(v.shape) for n, v in noise.items()} == {
      'prior': (7, H), 'perturbation': (7, H)}
  assert len(np.unique(noise['perturbation'].numpy().round(6))) == 7 * H


# === Terms ===


def test_terms_are_the_equations():
  """Each from public parts: the equation and the nets, nothing between."""
  model = tiny_models.make('LPGA', data_latent_reconstruction=0.1)
  x, noise = _images(), model.draw_noise(_images())
  z = model.encoder(x)
  delta = model.perturb(noise['perturbation'])
  def h(at):
    return model.encoder(model.decoder(at))
  expected = {
      'reconstruction': np.mean((model.decoder(z) - x)**2),
      'latent_reconstruction': np.mean(
          (h(noise['prior']) - noise['prior'])**2),
      'data_latent_reconstruction': np.mean((h(z) - z)**2),
      'nll_encoder': np.mean(0.5 * z**2) + 0.5 * math.log(2. * math.pi),
      'nll_decoder': np.mean(0.5 * np.log(
          np.sum((h(z + delta) - h(z))**2, -1) / np.sum(delta**2, -1))),
  }
  assert _terms(model) == pytest.approx(expected, rel=1e-4)


def test_vpga_measures_in_units_of_the_latents_spread():
  model = tiny_models.make('VPGA')
  z = tf.constant([[1., 2., 0.5], [3., -4., 0.5]])
  # Per dimension: sqrt((1 + 9) / 2), sqrt((4 + 16) / 2), 0.5.
  np.testing.assert_allclose(
      model.scale(z), [math.sqrt(5.), math.sqrt(10.), 0.5], rtol=1e-6)
  # Per latent: |z| / sqrt(3) of (1, 2, 0.5) and (3, -4, 0.5).
  norm = tiny_models.make('VPGA', likelihood_sigma='norm')
  np.testing.assert_allclose(
      norm.scale(z), [[math.sqrt(5.25 / 3.)], [math.sqrt(25.25 / 3.)]],
      rtol=1e-6)
  fixed = tiny_models.make('VPGA', likelihood_sigma=0.3)
  np.testing.assert_allclose(fixed.scale(z), 0.3)


def test_vpga_does_not_see_the_scale_of_the_latents():
  """What the paper wants of it: nothing is gained by shrinking them."""
  def error(factor, **settings):
    model = tiny_models.make('VPGA', **settings)
    mean = model.encoder.get_layer('latents')
    first = model.decoder.layers[1]
    mean.set_weights([factor * w for w in mean.get_weights()])
    kernel, bias = first.get_weights()
    first.set_weights([kernel / factor, bias])
    # sigma in the same proportion: h(z) and h(z') shrink together.
    head = model.encoder.get_layer('log_variance')
    kernel, bias = head.get_weights()
    head.set_weights([kernel, bias + 2. * math.log(factor)])
    return _terms(model)['variational_reconstruction']
  assert error(0.1) == pytest.approx(error(1.), rel=1e-4)
  assert error(0.1, likelihood_sigma=0.5) == pytest.approx(
      0.01 * error(1., likelihood_sigma=0.5), rel=1e-4)


def test_vpga_with_a_fixed_posterior():
  model = tiny_models.compiled('VPGA', posterior_sigma=0.2)
  mean, _ = model.encoder(_images())
  # Per dimension (m^2 + s^2 - 1 - log s^2) / 2 at s = 0.2.
  expected = 0.5 * (np.mean(mean**2) + 0.04 - 1. - 2. * math.log(0.2))
  assert _terms(model)['kl'] == pytest.approx(expected, rel=1e-5)
  head = model.encoder.get_layer('log_variance')
  before = head.get_weights()
  changes = _changes(model)
  assert np.abs(changes['encoder']).max() > 1e-3
  for a, b in zip(before, head.get_weights()):
    np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize('name', ['VPGA', 'LVPGA'])
def test_frozen_gives_the_value_and_leaves_the_part_as_it_is(name):
  model = tiny_models.make(name, batch_norm=True)
  before = [v.numpy() for v in model.encoder.variables]
  with tf.GradientTape() as tape:
    x = _images()
    tape.watch(x)
    frozen = model.frozen('encoder', x)
    loss = tf.reduce_sum(frozen[0])
  to_x, *to_weights = tape.gradient(
      loss, [x] + [v.value for v in model.encoder.trainable_variables])
  assert all(g is None for g in to_weights)
  assert np.abs(to_x).max() > 0.
  for v, value in zip(model.encoder.variables, before):
    np.testing.assert_array_equal(v, value)
  np.testing.assert_allclose(frozen[0], model.encoder(x, training=True)[0],
                             1e-5, 1e-6)


# === LVPGA is LPGA where the paper says so ===


@pytest.mark.parametrize('floor', [1e-2, 0.1])
def test_lvpga_with_sigma_at_its_floor_is_lpga(floor, float64):
  """gamma' = gamma, eta = 0, [1, below eq. 16]."""
  basic = dict(latent_reconstruction=0.3, data_latent_reconstruction=0.2,
               nll_encoder=0.15)
  lvpga = tiny_models.compiled('LVPGA', variational_nll=0.15, kl=0.,
                               sigma_floor=floor, **basic)
  lpga = tiny_models.compiled('LPGA', nll_decoder=0.15, epsilon=floor,
                              perturbation='gaussian', **basic)
  kernel, bias = lvpga.encoder.get_layer('log_variance').get_weights()
  lvpga.encoder.get_layer('log_variance').set_weights(
      [0. * kernel, 0. * bias - 200.])
  lpga.encoder.set_weights(lvpga.encoder.get_weights()[:4])
  lpga.decoder.set_weights(lvpga.decoder.get_weights())
  terms, expected = _terms(lvpga), _terms(lpga)
  terms['nll_decoder'] = terms.pop('variational_nll')
  assert terms.pop('kl') > 10.  # Computed, but of weight 0 in no row.
  assert terms == pytest.approx(expected, rel=1e-12)
  changes, expected = _changes(lvpga), _changes(lpga)
  np.testing.assert_allclose(changes['decoder'], expected['decoder'], 1e-9,
                             1e-15)
  size = expected['encoder'].size
  np.testing.assert_allclose(changes['encoder'][:size], expected['encoder'],
                             1e-9, 1e-15)
  assert np.abs(changes['encoder'][size:]).max() < 1e-30


# === Warm-up ===


@pytest.mark.parametrize('name', PGA)
def test_the_authors_warm_up_is_the_default(name):
  model = getattr(models, name)(
      tiny_models.encoder(tiny_models.STOCHASTIC[name]), tiny_models.decoder())
  terms = set(model.term_names) - {'reconstruction'}
  assert 'data_latent_reconstruction' not in terms and len(terms) == 3
  at = {}
  for step in (0, 3000, 3001):
    model.step.assign(step)
    assert float(model.weight('reconstruction')) == 1.
    at[step] = {t: float(model.weight(t)) for t in terms}
  off = 0 if name == 'VPGA' else len(terms)
  for step in (0, 3000):
    assert sum(w == 0. for w in at[step].values()) == off
  assert all(w > 0. for w in at[3001].values())
  for term, weight in at[3001].items():
    assert weight == pytest.approx(getattr(model, term))


@pytest.mark.parametrize('name', PGA)
def test_a_step_within_the_warm_up_is_an_autoencoders(name):
  model = tiny_models.compiled(name, warm_up_steps=5)
  reference = tiny_models.compiled('AE')
  reference.encoder.set_weights(
      model.encoder.get_weights()[:len(reference.encoder.weights)])
  reference.decoder.set_weights(model.decoder.get_weights())
  model.step.assign(5)
  changes, expected = _changes(model), _changes(reference)
  np.testing.assert_allclose(changes['decoder'], expected['decoder'], 1e-5,
                             1e-7)
  size = expected['encoder'].size
  np.testing.assert_allclose(changes['encoder'][:size], expected['encoder'],
                             1e-5, 1e-7)
  np.testing.assert_array_equal(changes['encoder'][size:], 0.)
  assert int(model.step) == 6
  later, expected = _changes(model), _changes(reference)
  assert np.abs(later['encoder'][:size] - expected['encoder']).max() > 1e-4


# === Batch norm and precision ===


@pytest.mark.parametrize('name', PGA)
def test_each_law_has_its_own_forward_call(name):
  """A law's batch statistics do not depend on who else is in the step."""
  model = tiny_models.make(name, batch_norm=True,
                           data_latent_reconstruction=0.1)
  kept = model.draw_noise(_images())
  first = _terms(model, _images(), **kept)
  other_images = _terms(model, _images(seed=4), **kept)
  other_prior = _terms(model, _images(), prior=-2. * kept['prior'],
                       perturbation=kept['perturbation'])
  other_delta = _terms(model, _images(), prior=kept['prior'],
                       perturbation=kept['perturbation'][::-1])
  def same(a, b):
    return {t for t in a if a[t] == pytest.approx(b[t], rel=1e-5)}
  assert same(first, other_images) == {'latent_reconstruction'}
  assert same(first, other_prior) == set(first) - {'latent_reconstruction'}
  last = {'LPGA': 'nll_decoder', 'LVPGA': 'variational_nll',
          'VPGA': 'variational_reconstruction'}[name]
  assert same(first, other_delta) == set(first) - {last}


@pytest.mark.parametrize('name, term, settings', [
    ('LPGA', 'nll_decoder', dict(epsilon=0.5)),
    ('LVPGA', 'variational_nll', dict(sigma_floor=0.5)),
    ('VPGA', 'variational_reconstruction', dict(posterior_sigma=0.5))])
def test_h_of_z_and_of_z_perturbed_are_two_calls(name, term, settings):
  model = tiny_models.make(name, batch_norm=True, **settings)
  noise = model.draw_noise(_images())
  z = model.encode_mean(_images(), training=True)
  def h(latents):
    return model.encode_mean(model.decoder(latents, training=True), True)
  if name == 'LPGA':
    delta = model.perturb(noise['perturbation'])
  else:
    sigma = np.exp(0.5 * model.encoder(_images(), training=True)[1])
    sigma = 0.5 if name == 'VPGA' else sigma + 0.5
    delta = sigma * noise['perturbation']
  if name == 'VPGA':
    expected = losses.relative_error(h(z), h(z + delta), model.scale(z))
  else:
    expected = losses.expansion(h(z), h(z + delta),
                                tf.reduce_sum(delta**2, -1))
  np.testing.assert_allclose(model.terms(_images(), noise)[term], expected,
                             1e-4, 1e-5)


@pytest.mark.parametrize('name', PGA)
def test_inference_mode_takes_one_example_at_a_time(name):
  model = tiny_models.compiled(name, batch_norm=True)
  model.train_step(_images())
  noise = model.draw_noise(_images())
  whole = model.terms(_images(), noise, training=False)
  alone = model.terms(_images()[:1], {n: v[:1] for n, v in noise.items()},
                      training=False)
  # VPGA's unit is the spread of the batch: that term has company by nature.
  for term in set(whole) - {'variational_reconstruction'}:
    np.testing.assert_allclose(whole[term][0], alone[term][0], 1e-3, 1e-5)


@pytest.mark.parametrize('name', PGA)
def test_who_needs_full_precision(name):
  assert getattr(models, name).needs_full_precision == (name != 'VPGA')


def _in_mixed_precision(name):
  keras.config.set_dtype_policy('mixed_bfloat16')
  model = tiny_models.compiled(name)
  keras.config.set_dtype_policy('float32')
  return model


@pytest.mark.parametrize('name', PGA)
def test_trains_in_mixed_precision(name):
  model, reference = _in_mixed_precision(name), tiny_models.compiled(name)
  assert {v.dtype for v in model.trainable_variables} == {'float32'}
  changes, expected = _changes(model), _changes(reference)
  for part, change in expected.items():
    assert np.all(np.isfinite(changes[part]))
    gap = np.linalg.norm(changes[part] - change)
    assert 0. < gap < 0.1 * np.linalg.norm(change)
  assert model.fault() is None


@pytest.mark.parametrize('name', ['LPGA', 'LVPGA'])
def test_eq_7_is_computed_in_float32_in_a_mixed_step(name):
  model, reference = _in_mixed_precision(name), tiny_models.compiled(name)
  z = tf.constant(np.random.default_rng(0).normal(size=(7, H)), tf.float32)

  def gradient(m):
    variables = [v.value for v in m.decoder.trainable_variables]
    with tf.GradientTape() as tape:
      loss = tf.reduce_mean(losses.expansion(
          m.h(z, True), m.h(z + 1e-2, True), tf.fill([7], H * 1e-4)))
    return np.concatenate([np.ravel(g) for g in tape.gradient(loss, variables)])

  expected = gradient(reference)
  gap = np.linalg.norm(gradient(model) - expected)
  assert gap < 1e-4 * np.linalg.norm(expected)
  # What is outside of it keeps its precision.
  dense = [layer for layer in model.encoder.layers if layer.weights][0]
  assert dense.compute_dtype == 'bfloat16'

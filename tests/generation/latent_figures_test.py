"""Tests of what the tools show of a model."""
import io

import numpy as np
from PIL import Image
import pytest
import tensorflow as tf
import tiny_models

from pgak import errors
from pgak import generation
from pgak import priors
from pgak.generation import latent_figures
from pgak.generation import paths
from pgak.generation import spaces

IMAGES = np.random.default_rng(0).integers(
    0, 255, (6, *tiny_models.IMAGE_SHAPE), np.uint8)


class Cubes(priors.StandardNormal):
  """A flow with f(z) = z^3, on each dimension alone."""
  label = 'cubes'

  def latent_to_base(self, latents):
    return np.asarray(latents)**3

  def base_to_latent(self, base):
    return np.cbrt(np.asarray(base))


@pytest.fixture(name='model', scope='module')
def _model():
  model = tiny_models.make('AE')
  model.prior = Cubes(tiny_models.LATENT_DIM)
  return model


def picture(png):
  return np.asarray(Image.open(io.BytesIO(png)).convert('RGB'))


@pytest.mark.parametrize('space, expected', [
    (None, ('z0', 'zT')), ('both', ('z0', 'zT')), ('zT', ('zT',)),
    ('z0', ('z0',))])
def test_spaces_of_a_flow(model, space, expected):
  assert latent_figures.spaces_of(space, model.prior) == expected


def test_spaces_of_a_mixture():
  mixture = priors.GaussianMixture(3)
  assert latent_figures.spaces_of(None, mixture) == ('zT',)
  with pytest.raises(errors.UserError, match="no space 'z2'"):
    latent_figures.spaces_of('z2', mixture)


def test_a_path_behind_each_coupling():
  prior = priors.FlowPrior(3, num_couplings=3, seed=1)
  for weight in prior.trainable_variables:
    weight.assign(weight + .02)
  assert latent_figures.spaces_of('all', prior) == ('z0', 'z1', 'z2', 'zT')
  generator = np.random.default_rng(5)
  start, end = generator.normal(size=(2, 4, 3)).astype(np.float32)
  found = {space: paths.path(prior, start, end, 5, space)
           for space in latent_figures.spaces_of('all', prior)}
  for latents in found.values():
    np.testing.assert_allclose(latents[:, 0], start, atol=1e-4)
    np.testing.assert_allclose(latents[:, -1], end, atol=1e-4)
  between = found['z1'].reshape(-1, 3)
  # By the couplings' own maps: z_1 is straight there.
  inner = spaces.latent_to_base(prior, between, 'z1').reshape(4, 5, 3)
  np.testing.assert_allclose(inner[:, 2], (inner[:, 0] + inner[:, 4]) / 2.,
                             atol=1e-4)
  assert np.abs(found['z1'] - found['zT']).max() > 1e-3
  # Three couplings after z_0, one after another, are the whole map.
  base = spaces.latent_to_base(prior, start)
  np.testing.assert_allclose(spaces.base_to_latent(prior, base, 'z0'), start,
                             atol=1e-4)
  first = prior.flow.bijector().bijectors[-2:]
  once = first[0].forward(first[1].forward(tf.constant(base)))
  np.testing.assert_allclose(
      once, spaces.latent_to_base(prior, start, 'z1'), atol=1e-4)
  with pytest.raises(errors.UserError, match="no space 'z3'"):
    paths.path(prior, start, end, 5, 'z3')


def test_an_interpolation_stands_between_its_originals(model):
  view = latent_figures.interpolation(model, IMAGES, ('z0', 'zT'), steps=4)
  rows = view.grid.reshape(3, 2, 6, *tiny_models.IMAGE_SHAPE)
  for row in (0, 1):
    np.testing.assert_array_equal(rows[:, row, 0], IMAGES[:3])
    np.testing.assert_array_equal(rows[:, row, -1], IMAGES[3:])
  made = view.arrays['images'].reshape(3, 2, 4, *tiny_models.IMAGE_SHAPE)
  np.testing.assert_array_equal(rows[:, :, 1:-1], made)
  # Both rows end in the reconstructions; between them they differ.
  ends = model.reconstruct(IMAGES).numpy().astype(int)
  for row in (0, 1):
    np.testing.assert_allclose(made[:, row, 0], ends[:3], atol=1)
    np.testing.assert_allclose(made[:, row, -1], ends[3:], atol=1)
  latents = view.arrays['latents'].reshape(3, 2, 4, -1)
  assert np.abs(latents[:, 0] - latents[:, 1]).max() > 1e-3
  np.testing.assert_array_equal(
      latents[:, 1], generation.path(
          model.prior, *np.split(model.encode(IMAGES).numpy(), 2), 4, 'zT'))
  assert 'z_0' in view.text and view.columns == 6


def test_an_attribute_is_added_by_its_strength(model):
  latents = np.random.default_rng(2).normal(size=(40, 3)).astype(np.float32)
  mask = np.arange(40) < 10
  view = latent_figures.attribute(
      model, latents, mask, IMAGES[:2], 2., ('z0', 'zT'), steps=3)
  vector = latents[:10].mean(0) - latents[10:].mean(0)
  start = model.encode(IMAGES[:2]).numpy()
  found = view.arrays['latents'].reshape(2, 2, 3, 3)
  np.testing.assert_allclose(found[:, 1, 1], start + vector, atol=1e-5)
  for row in (0, 1):
    np.testing.assert_allclose(found[:, row, 0], start, atol=1e-3)
    np.testing.assert_allclose(found[:, row, -1], start + 2. * vector,
                               atol=1e-3)
  grid = view.grid.reshape(2, 2, 4, *tiny_models.IMAGE_SHAPE)
  np.testing.assert_array_equal(grid[:, 1, 0], IMAGES[:2])
  assert '10 images with the attribute and 30 without' in view.text


def test_paths_are_drawn_in_black_and_red(model):
  cloud = np.random.default_rng(2).normal(size=(40, 3))
  view = latent_figures.path_plot(model, cloud, IMAGES)
  pixels = picture(view.chart).astype(int)
  for shade in ((0, 0, 0), (0xd5, 0x5e, 0)):
    assert (np.abs(pixels - shade).max(-1) < 12).sum() > 50
  assert view.arrays['path_zT'].shape == view.arrays['path_z0'].shape == (
      3, 65, 3)
  # N(0, I) by hand: -|z|^2 / 2 - 3 / 2 log(2 pi), over each path.
  means = [(-0.5 * (view.arrays[f'path_{s}'].astype(float)**2).sum(-1)
            - 1.5 * np.log(2. * np.pi)).mean(1) for s in ('zT', 'z0')]
  higher = (means[1] > means[0]).mean()
  assert view.text == (
      f'Mean log-density of the paths: z_T {means[0].mean():.2f}, z_0 '
      f'{means[1].mean():.2f}; higher in z_0 for {higher:.0%} of 3.')


@pytest.mark.parametrize('prior', ['gaussian', 'two_stage'])
def test_a_prior_without_z_0_has_the_straight_path_alone(prior):
  model = tiny_models.make('AE')
  model.prior = priors.prior_class(prior)(3)
  if prior == 'gaussian':
    model.prior.fit(np.random.default_rng(0).normal(size=(40, 3)))
  view = latent_figures.path_plot(model, np.eye(3), IMAGES)
  assert 'path_z0' not in view.arrays and 'path_zT' in view.arrays
  assert bool(view.text) == hasattr(model.prior, 'log_prob')


@pytest.mark.parametrize('dimensions', [2, 3])
@pytest.mark.parametrize('has_base', [False, True])
@pytest.mark.parametrize('classes', [None, 3, 30])
def test_panels_for_whatever_there_is(dimensions, has_base, classes):
  points = np.random.default_rng(0).normal(size=(60, dimensions))
  shown = latent_figures.latent_panels(
      points, points + 1., points if has_base else None,
      None if classes is None else np.arange(60) % classes)
  # Of equal width: two always, one for the flow, one for the classes.
  number = 2 + has_base + (classes is not None)
  assert picture(shown).shape[1] == pytest.approx(3.4 * 160 * number, abs=2)


def test_the_numbers_behind_the_panels(model):
  encoded = model.encode(IMAGES).numpy()
  view = latent_figures.latents(model.prior, encoded, np.arange(6), seed=3)
  np.testing.assert_array_equal(view.arrays['prior'],
                                model.prior.sample(6, 3))
  np.testing.assert_allclose(
      view.arrays['base'], model.prior.latent_to_base(encoded), atol=1e-5)
  moved = latent_figures.latents(
      priors.RoundTrips(model.prior, model), encoded)
  np.testing.assert_array_equal(moved.arrays['base'], view.arrays['base'])
  plain = latent_figures.latents(priors.StandardNormal(3), encoded)
  assert set(plain.arrays) == {'latents', 'prior'}


def test_the_least_likely_come_first():
  # Under N(0, I) the density falls with the norm: 20 is the least likely.
  encoded = np.outer(np.arange(1., 21.), [1., 0., 0.])
  view = latent_figures.log_densities(
      priors.StandardNormal(3), encoded, lambda i: np.asarray(i), 16,
      np.arange(20) % 2)
  np.testing.assert_array_equal(
      view.arrays['shown'],
      [19, 18, 17, 16, 15, 14, 13, 12, 7, 6, 5, 4, 3, 2, 1, 0])
  assert list(view.table) == ['index', 'log_density', 'label']
  np.testing.assert_allclose(
      view.table['log_density'],
      -0.5 * np.arange(1., 21.)**2 - 1.5 * np.log(2. * np.pi), rtol=1e-5)


class Holes(priors.StandardNormal):
  """One that cannot evaluate some latents."""

  def log_prob(self, latents):
    found = super().log_prob(latents)
    return tf.where(latents[:, 0] > 17.5, np.nan, found)


def test_a_log_density_that_is_no_number_is_not_the_most_likely():
  encoded = np.outer(np.arange(1., 21.), [1., 0., 0.])
  view = latent_figures.log_densities(
      Holes(3), encoded, lambda i: np.asarray(i), 16)
  assert view.arrays['shown'].tolist() == [
      17, 18, 19, 16, 15, 14, 13, 12, 7, 6, 5, 4, 3, 2, 1, 0]
  assert 'to -3.26 nats; of 3, shown first, it is no number.' in view.text
  none = latent_figures.log_densities(
      Holes(3), encoded[18:], lambda i: np.asarray(i))
  assert 'none is a number; of 2' in none.text
  both = latent_figures.out_of_distribution(
      Holes(3), encoded[:9], encoded[9:], ['near', 'far'])
  assert both.arrays['auroc'] == 1. and both.chart


def test_few_images_are_all_shown():
  view = latent_figures.log_densities(priors.StandardNormal(3), np.eye(3),
                             lambda i: np.asarray(i))
  assert len(view.arrays['shown']) == 6 and 'label' not in view.table


def test_far_latents_are_separated():
  generator = np.random.default_rng(0)
  near, far = (generator.normal(m, size=(n, 3)) for m, n in ((0, 80), (9, 50)))
  view = latent_figures.out_of_distribution(priors.StandardNormal(3), near, far,
                                   ['a', 'b'])
  assert view.arrays['auroc'] == 1. and 'AUROC 1.0000' in view.text
  assert 'not the density of the images' in view.text
  assert list(view.table['set']) == ['a'] * 80 + ['b'] * 50
  assert picture(view.chart).std() > 0

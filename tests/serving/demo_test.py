"""Tests of what the demo page shows, and of the page where Gradio is found."""
import importlib.util
import pathlib
import tarfile

import gin
import numpy as np
from PIL import Image
import pytest
import tiny_models

from pgak import errors
from pgak import priors
from pgak import registry
from pgak.data import pixels
from pgak.runs import configuration
from pgak.runs import run_directory
from pgak.serving import demo
from pgak.serving import demo_page

FIXTURES = pathlib.Path(__file__).absolute().parent.parent / 'fixtures' / '0.4'
PREPARATION = {'crop': 4, 'antialias': True, 'resize': 'bicubic',
               'background': pixels.WHITE}
# How many times the pixels of a 3x2 image are repeated.
ALONE, AMONG = 86, 22


@pytest.fixture(name='model', scope='module')
def _model():
  return tiny_models.make('VAE')


def shown(model, **settings):
  """A demonstration of two densities: the model's, and one 5 away from it."""
  def draw(density, number, seed):
    latents = np.asarray(model.draw_latents(number, seed))
    return latents * [3., 1., 2.] + 5. if density == 'far' else latents
  return demo.Demonstration(model, PREPARATION | settings, ['own', 'far'], draw)


def small(picture, times):
  return picture[::times, ::times]


def saved(folder, seed=0, size=(6, 5)):
  path = folder / f'{seed}.png'
  Image.fromarray(np.random.default_rng(seed).integers(
      0, 256, (*size, 3)).astype(np.uint8)).save(path)
  return str(path)


def test_samples_are_those_of_the_density(model):
  page = shown(model)
  picture = page.samples('own', 1, 4.)
  np.testing.assert_array_equal(
      small(picture, AMONG), model.sample(1, 4)[0])
  assert np.any(page.samples('far', 1, 4) != picture)
  # A border lies between two.
  assert page.samples('own', 2, 4).shape == (66, 2 * 44 + 1, 1)
  with pytest.raises(errors.UserError, match='choose one of own, far'):
    page.samples('absent', 1, 0)


def test_sliders_go_along_principal_directions(model):
  page = shown(model)
  assert page.number_of_directions() == 3
  mean, axes = page._principal('far')
  np.testing.assert_allclose(mean, 5., atol=0.4)
  # The deviations of the three coordinates, the largest first, upwards.
  np.testing.assert_allclose(np.abs(axes), [[3, 0, 0], [0, 0, 2], [0, 1, 0]],
                             atol=0.4)
  assert (axes.sum(1) > 0).all()
  expected = model.decode(mean[np.newaxis] - 2. * axes[1])
  picture = page.moved('far', [0., -2., 0.])
  np.testing.assert_array_equal(small(picture, ALONE), expected[0])
  assert np.any(page.moved('far', [0., 2., 0.]) != picture)


def test_pictures_of_ones_own(model, tmp_path):
  page = shown(model)
  start, end = (saved(tmp_path, seed) for seed in (1, 2))
  both = page.reconstruction(start)
  image = small(both[:, :2 * ALONE], ALONE)
  made = small(both[:, 2 * ALONE + 1:], ALONE)
  np.testing.assert_array_equal(made, model.reconstruct(image[None])[0])
  line = page.interpolation(start, end)
  assert line.shape[1] == 8 * (2 * AMONG + 1) - 1
  np.testing.assert_array_equal(small(line[:, :2 * AMONG], AMONG), made)


def test_pictures_are_prepared_as_the_data_were(model, tmp_path):
  path = saved(tmp_path)
  whole = shown(model, crop=None).reconstruction(path)
  assert np.any(shown(model).reconstruction(path) != whole)
  # One that does not hold the square is taken as it is.
  np.testing.assert_array_equal(
      shown(model, crop=99).reconstruction(path), whole)


def test_what_is_no_picture(model, tmp_path):
  page = shown(model)
  (tmp_path / 'text.png').write_text('no picture')
  with pytest.raises(errors.UserError, match='cannot be read'):
    page.reconstruction(tmp_path / 'text.png')
  with pytest.raises(errors.UserError, match='Choose a picture first'):
    page.interpolation(saved(tmp_path), None)


def test_models_without_pictures_or_encoder(tmp_path):
  with pytest.raises(errors.UserError, match='makes vectors, of which'):
    shown(tiny_models.of_vectors())
  gan = shown(tiny_models.make('SNGAN'))
  assert not gan.has_encoder
  assert gan.moved('own', [1.]).shape == (258, 172, 1)
  with pytest.raises(errors.UserError, match='has no encoder'):
    gan.reconstruction(saved(tmp_path))


def test_without_gradio_it_is_named(monkeypatch):
  monkeypatch.setattr(importlib.util, 'find_spec', lambda name: None)
  with pytest.raises(errors.UserError, match='pip install gradio'):
    demo_page.require()


@pytest.mark.slow
@pytest.mark.exhaustive
def test_the_page(model, tmp_path):
  pytest.importorskip('gradio')
  gradio_client = pytest.importorskip('gradio_client')
  page = shown(model)
  with demo_page.serve(page, 'made', port=17860, wait=False):
    client = gradio_client.Client(
        'http://127.0.0.1:17860', verbose=False, download_files=str(tmp_path))
    config = client.config
    assert not config['analytics_enabled']
    assert not [font for font in config['stylesheets'] if '://' in font]
    pictures = [gradio_client.handle_file(saved(tmp_path, seed))
                for seed in range(3)]
    answers = {name: client.predict(*arguments, api_name=f'/{name}')
               for name, arguments in (
                   ('samples', ('own', 4, 2)),
                   ('directions', ('far', 1., 0., 0.)),
                   ('reconstruction', pictures[:1]),
                   ('interpolation', pictures[1:]))}
    with pytest.raises(errors.UserError, match='choose another --port'):
      demo_page.serve(page, 'made', port=17860, wait=False)
  first = answers['samples']
  expected = page.samples('own', 4, 2)
  np.testing.assert_array_equal(np.asarray(Image.open(first)),
                                expected[..., 0])
  assert all(Image.open(path).size[0] > 40 for path in answers.values())


@pytest.mark.slow
def test_a_run_and_its_export(tmp_path):
  with tarfile.open(FIXTURES / 'images.tar.xz') as archive:
    archive.extractall(tmp_path, filter='data')
  registry.register()
  run = run_directory.RunDirectory(tmp_path / 'images')
  configuration.parse_run(run, roots=priors.prior_roots('gmm'))
  of_run = demo.of_run(run.path)
  gin.clear_config()
  assert of_run.densities[0] == 'own' and 'kde' in of_run.densities
  own = of_run.samples('own', 4, 1)
  # Kept in the run, so that no data are read.
  assert np.any(of_run.samples('gmm', 4, 1) != own)
  np.testing.assert_array_equal(of_run.samples('own', 4, 1), own)
  of_export = demo.of_export(run.path / 'export')
  assert of_export.densities == ('gmm',)
  served = of_export.reconstruction(saved(tmp_path)).astype(int)
  np.testing.assert_allclose(
      served, of_run.reconstruction(saved(tmp_path)), atol=1)

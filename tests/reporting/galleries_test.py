"""Which galleries a report shows: each once, and with its density."""
import numpy as np
import pytest
import tiny_reports

from pgak.pictures import png
from pgak.reporting import galleries
from pgak.reporting import pages
from pgak.reporting import runs as runs_lib


@pytest.fixture(name='path')
def _path(tmp_path):
  """A run whose galleries of step 600 do not say what they were drawn from."""
  path = tiny_reports.make(tmp_path / 'run', events=False)
  (path / 'grids').mkdir()
  return path


def write(path, name, text=''):
  png.write(path / f'{name}.png', np.zeros((9, 9, 1), np.uint8), text)


def shown(path):
  """Returns the captions of all samples, by the titles of their groups."""
  section = galleries.grids(runs_lib.cells([runs_lib.read(path)]))
  return {b.caption: [p.caption for p in b.pictures] for b in section.blocks
          if isinstance(b, pages.FigureGroup) and 'Samples' in b.caption}


def test_the_model_s_own_prior_is_named_as_such(path):
  assert shown(path) == {"Samples of the model's own prior, mnist": [
      "AE, seed 0, step 600; drawn from the model's own prior"]}


@pytest.mark.parametrize('text, evaluated', [
    ('', 'standard_normal'), ('', 'learned_real_nvp'),
    ('samples of uniform_sphere', 'uniform_sphere'),
    ('samples of a Gaussian fitted to the latents', 'gaussian')])
def test_samples_of_one_density_are_shown_once(path, text, evaluated):
  write(path, 'samples/samples_00000600', text)
  write(path, f'grids/step-00000600_{evaluated}')
  write(path, 'grids/step-00000600_gmm_10')
  assert set(shown(path)) == {'Samples of gmm_10, mnist',
                              f'Samples of {evaluated}, mnist'}
  # An older picture of an evaluation gives way to the one of training.
  (path / f'grids/step-00000600_{evaluated}.png').rename(
      path / f'grids/step-00000300_{evaluated}.png')
  caption, = shown(path)[f'Samples of {evaluated}, mnist']
  assert caption == f'AE, seed 0, step 600; drawn from {evaluated}'


def test_another_density_is_another_gallery(path):
  write(path, 'grids/step-00000600_gaussian')
  assert len(shown(path)) == 2


def test_every_picture_has_a_caption(path):
  section = galleries.grids(runs_lib.cells([runs_lib.read(path)]))
  captions = [p.caption for b in section.blocks for p in b.pictures]
  assert len(captions) == 3 and all('AE, seed 0, step 600; ' in c
                                    for c in captions)

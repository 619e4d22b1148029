"""What of models of vectors the contract lacks: scores, and a page."""
import shutil

import gin
import numpy as np
import pytest

from pgak import errors
from pgak import evaluation
from pgak import registry
from pgak import reporting
from pgak import training
from pgak.reporting import runs as runs_lib
from pgak.runs import checkpoints
from pgak.runs import configuration
from pgak.runs import run_directory

pytestmark = pytest.mark.slow

registry.register()

FILES = ['papers/no_prior_matching/swiss_roll.gin',
         'models/no_prior_matching.gin']
TINY = ['hidden_units = (6,)', 'latent_critic.units = 4',
        'LatentGenerator.units = (4,)', 'swiss_roll.num_examples = 60',
        'train.batch_size = 16', 'train.steps = 4', 'train.log_every = 2',
        'train.steps_per_execution = 1', 'train.validate_every = 4',
        'train.sample_every = 4', 'train.checkpoint_every = 4',
        'train.xla = False']


@pytest.fixture(name='run', scope='module')
def _run(tmp_path_factory):
  """A run of four steps of the method on 60 points."""
  path = tmp_path_factory.mktemp('runs') / 'roll'
  configuration.parse(FILES, TINY, roots=registry.train_roots)
  training.train(path)
  gin.clear_config()
  return run_directory.RunDirectory(path)


@pytest.fixture(name='configured', autouse=True)
def _configured(run):
  gin.clear_config()
  configuration.parse_run(run)
  yield
  gin.clear_config()


@pytest.fixture(name='copy')
def _copy(run, tmp_path):
  """The run as training left it, for a test that adds to it."""
  return run_directory.RunDirectory(
      shutil.copytree(run.path, tmp_path / 'copy'))


def test_its_evaluation(copy):
  rows = evaluation.evaluate(copy.path, protocol='vectors')
  found = {(row['metric'], row['images']): row for row in rows}
  assert set(found) == {
      *((metric, images) for metric in ('sliced_wasserstein', 'coverage')
        for images in ('samples', 'data')),
      ('mse', 'reconstructions'), *((metric, 'data') for metric in (
          'trustworthiness', 'continuity', 'neighbour_overlap',
          'geodesic_correlation'))}
  samples = found['sliced_wasserstein', 'samples']
  assert (samples['num_samples'], samples['split'], samples['features'],
          samples['prior'], samples['rounding']) == (
              60, 'test', 'vectors', 'latent_generator', 'none')
  # An untrained net is far off, other points of the data are near.
  floor = found['sliced_wasserstein', 'data']['value']
  assert 0.05 < floor < 0.4 < samples['value']
  assert found['coverage', 'data']['value'] > 0.8
  model = checkpoints.load_configured(copy)
  real = dataset().split('test').read(np.arange(60))
  error = np.mean((np.asarray(model.reconstruct(real)) - real)**2)
  assert found['mse', 'reconstructions']['value'] == pytest.approx(
      error, rel=1e-4)
  assert [p.name for p in (copy.path / 'grids').iterdir()] == [
      'step-00000004_latent_generator.png']


def dataset():
  return configuration.setting('train.dataset')()


@pytest.mark.parametrize('bindings, named', [
    (['train.augmenter = @augmenter()'], 'train.augmenter = None'),
    (['decoder.value_range = (-1., 1.)'], 'decoder.value_range = None'),
    (['train.dataset = @digits'], 'image_shape')])
def test_settings_that_do_not_fit_are_refused(tmp_path, bindings, named):
  gin.clear_config()
  tiny = [b for b in TINY if 'swiss_roll' not in b]  # Not of the digits.
  configuration.parse(FILES, [*tiny, *bindings])
  with pytest.raises(errors.UserError, match=named):
    training.train(tmp_path / 'run')


def test_images_are_not_for_the_protocol_of_vectors():
  gin.clear_config()
  configuration.parse(['quickstart.gin'])
  with pytest.raises(errors.UserError, match='measures vectors, and digits'):
    evaluation.frechet_scorer(dataset(), 'vectors')


def test_its_report(copy, tmp_path):
  evaluation.evaluate(copy.path, protocol='vectors')
  assert runs_lib.read(copy.path).holds == 'vectors'
  page = tmp_path / 'report.html'
  reporting.write_report(str(page), [copy.path])
  text = page.with_suffix('.md').read_text()
  assert '## Manifolds' in text and 'Not shown' not in text
  assert 'sliced\\_wasserstein' in text
  names = [p.name for p in (tmp_path / 'report_files').iterdir()]
  assert any(name.startswith('manifold_0') for name in names)
  assert 'class="pixels"' not in page.read_text()
  assert '<div class="rows">' in page.read_text()

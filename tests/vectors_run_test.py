"""A model of vectors, from training to its report: each command in turn."""
import json
import shutil

import gin
import numpy as np
import pytest
import tensorflow as tf

from pgak import errors
from pgak import evaluation
from pgak import registry
from pgak import reporting
from pgak import serving
from pgak import training
from pgak.generation import drawing
from pgak.reporting import runs as runs_lib
from pgak.runs import checkpoints
from pgak.runs import configuration
from pgak.runs import run_directory
from pgak.serving import client
from pgak.serving import pictures

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
  configuration.parse(FILES, TINY, roots=registry.TRAIN_ROOTS)
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


def test_it_leaves_clouds_instead_of_grids(run):
  assert run.checkpoints() == [4]
  assert sorted(p.name for p in run.samples.iterdir()) == [
      'reconstructions_00000004.png', 'samples_00000004.png']
  assert run.config['data']['name'] == 'swiss_roll'
  assert run.config['data']['preprocessing'] == {
      'num_examples': 60, 'seed': 0, 'standardised': 'train'}


def test_a_model_takes_and_gives_vectors(run):
  model = checkpoints.load_configured(run)
  assert model.value_range is None and model.image_shape == (3,)
  vectors = np.array([[0.25, -3., 1.], [300., 0., 0.]], np.float32)
  latents = model.encode(vectors)
  assert latents.shape == (2, 2)
  made = model.reconstruct(vectors)
  assert made.dtype == tf.float32 and made.shape == (2, 3)
  np.testing.assert_allclose(made, model.decoder(latents), atol=1e-6)
  assert model.sample(5, seed=1).dtype == tf.float32


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


def test_another_density_and_fewer_points(copy):
  gin.parse_config('vectors.num_samples = 40')
  rows = evaluation.evaluate(copy.path, protocol='vectors', prior='gaussian',
                             metrics=['coverage'])
  assert {(r['images'], r['prior']) for r in rows} >= {('samples', 'gaussian')}
  assert all(r['num_samples'] == 40 and r['split'] == 'test[:40]'
             for r in rows if r['metric'] == 'coverage')


def test_clouds_and_arrays_of_samples(run, tmp_path):
  for kind, named in (('samples', 'latents'), ('reconstruction', 'originals')):
    path = tmp_path / f'{kind}.npz'
    drawing.sample(run.path, str(path), kind, num_samples=6)
    with np.load(path) as arrays:
      assert arrays['images'].shape == (6, 3)
      assert arrays['images'].dtype == np.float32
      assert len(arrays[named]) == 6
  for kind in ('samples', 'reconstruction', 'latents'):
    picture = tmp_path / f'{kind}.png'
    drawing.sample(run.path, str(picture), kind)
    assert tf.io.decode_png(picture.read_bytes()).shape[1] > 500


@pytest.mark.parametrize('call, named', [
    (lambda run, path: drawing.sample(
        run.path, f'{path}/a.png', 'interpolation'), 'samples, reconstruction'),
    (lambda run, path: drawing.sample(
        run.path, f'{path}/a.csv', 'log_density'), 'no --kind=log_density'),
    (lambda run, path: evaluation.evaluate(run.path), '--protocol=vectors'),
    (lambda run, path: evaluation.evaluate(
        run.path, protocol='vectors', metrics=['frechet']),
     'sliced_wasserstein,coverage,mse,topology')])
def test_what_is_not_for_vectors_ends_in_a_sentence(run, tmp_path, call, named):
  with pytest.raises(errors.UserError, match=named):
    call(run, tmp_path)


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


def test_the_export_answers_as_the_model(run, tmp_path):
  path = serving.export(run.path)  # A fresh process has verified it.
  metadata = json.loads((path / 'metadata.json').read_text())
  assert metadata['value_range'] is None and metadata['image_shape'] == [3]
  assert metadata['left_out'] == ['encode_image', 'generate_png']
  assert set(metadata['signatures']) == {
      'decode', 'encode', 'generate', 'interpolate', 'reconstruct',
      'sample_latents', 'serving_default'}
  served, model = (client.ServedModel(path),
                   checkpoints.load_configured(run))
  vectors = dataset().split('test').read(np.arange(9))
  for method in ('encode', 'reconstruct'):
    np.testing.assert_allclose(getattr(served, method)(vectors),
                               getattr(model, method)(vectors), atol=1e-5)
  np.testing.assert_allclose(served.sample(4, 2), model.sample(4, 2), atol=1e-5)
  assert served.interpolate(vectors[:2], vectors[2:4], 3).shape == (2, 3, 3)
  pictures.sample_export(str(path), str(tmp_path / 'a.npz'), num_samples=3)
  with np.load(tmp_path / 'a.npz') as arrays:
    assert arrays['images'].shape == (3, 3)
  pictures.sample_export(str(path), str(tmp_path / 'a.png'))
  with pytest.raises(errors.UserError, match='--kind=samples'):
    pictures.sample_export(str(path), str(tmp_path / 'b.png'), 'interpolation')


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

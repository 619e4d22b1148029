"""A model of pairs, from training to its export: each command in turn."""
import json

import gin
import numpy as np
import pytest
import tensorflow as tf
import tiny_pairs

from pgak import errors
from pgak import evaluation
from pgak import registry
from pgak import serving
from pgak import training
from pgak.generation import drawing
from pgak.runs import checkpoints
from pgak.runs import configuration
from pgak.runs import run_directory
from pgak.serving import client

pytestmark = pytest.mark.slow

registry.register()


@pytest.fixture(name='run', scope='module')
def _run(tmp_path_factory):
  """A run of two steps of the model with a flow."""
  path = tmp_path_factory.mktemp('runs') / 'vunet_flow'
  gin.clear_config()
  gin.parse_config(tiny_pairs.CONFIG)
  training.train(path, steps=2, batch_size=8, xla=False, log_every=1,
                 sample_every=2, validate_every=2, checkpoint_every=1,
                 validation_split='test')
  gin.clear_config()
  return run_directory.RunDirectory(path)


@pytest.fixture(name='configured', autouse=True)
def _configured(run):
  gin.clear_config()
  configuration.parse_run(run)
  yield
  gin.clear_config()


def test_it_leaves_checkpoints_and_pictures(run):
  assert run.checkpoints() == [1, 2]
  names = sorted(p.name for p in run.samples.iterdir())
  assert names == ['reconstructions_00000002.png', 'samples_00000002.png']
  shape = tf.io.decode_png((run.samples / names[1]).read_bytes()).shape
  # 16 rows of a condition, an image and 6 samples, each 32 pixels and a line.
  assert tuple(shape) == (16 * 33 - 1, 8 * 33 - 1, 1)
  assert run.config['data']['preprocessing']['condition'] == 'edges'


def test_its_evaluation(run):
  rows = evaluation.evaluate(
      run.path, protocol='learned_priors_pairs',
      metrics=['frechet', 'inception_score'])
  found = {row['metric']: row for row in rows}
  net = 'digits_edges_classifier'
  assert set(found) == {
      f'frechet_{net}', 'classifier_score', 'classifier_score_se',
      f'diversity_{net}', f'diversity_{net}_se', 'reconstruction_mae',
      'prior_nll'}
  assert all(np.isfinite(row['value']) for row in rows)
  assert found[f'diversity_{net}']['value'] > 0.
  row = found['classifier_score']
  assert 1. <= row['value'] <= 10.
  assert (row['num_samples'], row['split'], row['images'], row['prior']) == (
      297, 'test', 'translations', 'learned_conditional_flow')
  assert run.scores()[-len(rows)]['protocol'] == 'learned_priors_pairs'
  assert (run.path / 'grids').is_dir()
  assert 'diversity' in evaluation.format_table(rows)


def test_pictures_of_samples_and_reconstructions(run, tmp_path):
  for kind, columns in (('samples', 8), ('reconstruction', 3)):
    path = tmp_path / f'{kind}.npz'
    drawing.sample(run.path, str(path), kind, num_samples=6)
    with np.load(path) as arrays:
      assert arrays['images'].shape == (6, 8, 8, 1)
      assert arrays['conditions'].shape == arrays['originals'].shape
    picture = tmp_path / f'{kind}.png'
    drawing.sample(run.path, str(picture), kind, num_samples=6)
    width = tf.io.decode_png(picture.read_bytes()).shape[1]
    assert width == columns * 33 - 1


@pytest.mark.parametrize('call, named', [
    (lambda run, path: drawing.sample(
        run.path, f'{path}/a.png', 'interpolation'), 'samples or recon'),
    (lambda run, path: drawing.sample(
        run.path, f'{path}/a.png', prior='gmm'), 'leave out --prior'),
    (lambda run, path: evaluation.evaluate(run.path), 'learned_priors_pairs'),
    (lambda run, path: evaluation.evaluate(
        run.path, protocol='learned_priors_pairs', prior='gmm'),
     'leave out --prior')])
def test_what_is_not_for_pairs_ends_in_a_sentence(run, tmp_path, call, named):
  with pytest.raises(errors.UserError, match=named):
    call(run, tmp_path)


@pytest.mark.parametrize('binding, named', [
    ('train.dataset = @digits', 'datasets/pairs.gin'),
    ('pairs.source = @other/synthetic\nother/synthetic.image_shape = (8, 8, 3)',
     'image_shape')])
def test_data_that_do_not_fit_are_refused(tmp_path, binding, named):
  gin.parse_config(binding)
  with pytest.raises(errors.UserError, match=named):
    training.train(tmp_path / 'run', steps=2, batch_size=8, xla=False)


def test_the_export_answers_as_the_model(run):
  path = serving.export(run.path)  # A fresh process has verified it.
  metadata = json.loads((path / 'metadata.json').read_text())
  assert metadata['condition_shape'] == [8, 8, 1]
  assert set(metadata['signatures']) >= {
      'generate', 'encode', 'decode', 'reconstruct', 'serving_default'}
  served = tf.saved_model.load(str(path)).signatures
  model = checkpoints.load_configured(run)
  images, conditions = tiny_pairs.dataset().split('test').read_pairs([3, 1])
  made = served['generate'](conditions=tf.constant(conditions),
                            seed=tf.constant(7, tf.int64))['images'].numpy()
  expected = model.sample(conditions, seed=7).numpy()
  assert np.abs(made.astype(int) - expected).max() <= 1
  latents = served['encode'](images=tf.constant(images),
                             conditions=tf.constant(conditions))['latents']
  np.testing.assert_allclose(latents, model.encode(images, conditions),
                             rtol=1e-3, atol=1e-4)
  with pytest.raises(tf.errors.InvalidArgumentError, match='equally many'):
    served['encode'](images=tf.constant(images),
                     conditions=tf.constant(conditions[:1]))
  with pytest.raises(errors.UserError, match='given conditions'):
    client.ServedModel(path).sample(4)

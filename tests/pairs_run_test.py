"""What of models of pairs the contract lacks: scores, and data that fit."""

import gin
import numpy as np
import pytest
import tiny_pairs

from pgak import data
from pgak import errors
from pgak import evaluation
from pgak import models
from pgak import registry
from pgak import training
from pgak.runs import configuration
from pgak.runs import run_directory

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


@pytest.mark.parametrize('binding, named', [
    ('train.dataset = @digits', 'datasets/pairs.gin'),
    ('pairs.source = @other/synthetic\nother/synthetic.image_shape = (8, 8, 3)',
     'image_shape')])
def test_data_that_do_not_fit_are_refused(tmp_path, binding, named):
  gin.parse_config(binding)
  with pytest.raises(errors.UserError, match=named):
    training.train(tmp_path / 'run', steps=2, batch_size=8, xla=False)


def test_the_first_batch_of_a_new_run_sets_its_weights(tmp_path, monkeypatch):
  seen = []
  start = models.VUNetFlow.start_from

  def noted(model, batch):
    start(model, batch)
    seen.append((int(model.step.numpy()), batch['images'].numpy()))

  monkeypatch.setattr(models.VUNetFlow, 'start_from', noted)
  for steps in (1, 2):  # The second call resumes the first one's run.
    gin.clear_config()
    gin.parse_config(tiny_pairs.CONFIG + 'VUNetFlow.data_start = True\n')
    training.train(tmp_path / 'run', steps=steps, batch_size=8, xla=False,
                   sample_every=None, diagnostics=False)
  (step, images), = seen
  first = next(iter(data.train_batches(
      tiny_pairs.dataset().split('train'), 8, seed=0)))
  assert step == 0
  np.testing.assert_array_equal(images, first['images'])

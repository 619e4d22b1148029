"""What ends a run in one sentence: faults, and settings that do not fit."""
import gin
import numpy as np
import pytest
import tiny_runs
from tiny_runs import refused

from pgak import errors
from pgak.runs import run_directory
from pgak.training import loop


# === Faults ===


def test_a_loss_that_is_not_finite_stops_the_run_by_name(tmp_path):
  """The weight of a term is switched on after step 5, and breaks the nets."""
  command = [tmp_path / 'run', 'train.steps = 40', 'train.checkpoint_every = 2',
             'train.log_every = 1', 'train.keep_checkpoints = 99',
             'LPGA.warm_up_steps = 5', 'LPGA.nll_encoder = 1e30']
  text = refused(*command, files=['models/lpga.gin'],
                 match='The loss .*nll_encoder.* was not finite at step 7')
  run = run_directory.RunDirectory(tmp_path / 'run')
  assert run.checkpoints() == [2, 4, 6]
  for step in run.checkpoints():
    assert all(np.all(np.isfinite(v))
               for v in tiny_runs.saved(run.path, step).values())
  # The same command stops there again.
  assert text == refused(*command, files=['models/lpga.gin'], match='step 7')
  assert run.checkpoints() == [2, 4, 6]


def test_a_fault_of_the_last_step_is_not_saved(tmp_path):
  text = refused(tmp_path / 'run', 'train.steps = 2',
                 'sgd.learning_rate = 1e38', 'train.score_every = 2',
                 'classifier.steps = 20', match='not finite')
  assert 'step 1' in text
  run = run_directory.RunDirectory(tmp_path / 'run')
  assert not run.checkpoints() and not run.scores()


# === Settings that do not fit ===


@pytest.mark.parametrize('bindings, match', [
    (['train.strategy = "two"'], "strategy = 'two'` must be 'one_device'"),
    (['train.strategy = "mirrored"', 'train.xla = True'],
     '`train.xla = False`'),
    (['train.strategy = "multi_worker"', 'train.steps_per_execution = 2'],
     '`train.steps_per_execution = 1`'),
    (['train.strategy = "multi_worker"'], 'TF_CONFIG'),
    (['train.steps_per_execution = 3'], '`train.steps = 20` must be'),
    (['train.steps_per_execution = 4'], '`train.log_every = 50` must be'),
    (['train.steps = 0'], '`train.steps = 0` must be'),
    (['train.steps = 1.5'], '`train.steps = 1.5` must be'),
    (['train.keep_checkpoints = 0'], 'train.keep_checkpoints = 0'),
    (['train.checkpoint_every = 0'], '`train.checkpoint_every = 0` must'),
    (['train.log_every = None'], '`train.log_every = None` must'),
    (['train.steps_per_execution = 0'], '`train.steps_per_execution = 0` must'),
    (['train.best_by = "fid"'], "best_by = 'fid'` needs `train.score_every`"),
    (['train.best_by = "validation_loss"', 'train.validate_every = 6',
      'train.checkpoint_every = 4'],
     "best_by = 'validation_loss'` needs `train.validate_every`"),
    (['train.plateau_patience = 0'], '`train.plateau_patience = 0` must be'),
    (['train.plateau_patience = 1', 'train.plateau_factor = 1.'],
     '`train.plateau_factor = 1.0` must be a number above 0'),
    (['train.plateau_patience = 1',
      'train.learning_rate_schedule = @cosine()'],
     '`train.plateau_patience` changes the learning rates'),
    (['train.best_by = "fid"', 'train.score_every = 6',
      'train.checkpoint_every = 4'], 'a multiple of `train.checkpoint_every`'),
    (['image_shape = (16, 16, 1)'], 'image_shape'),
    (['train.split = "trian"'], "no split 'trian'"),
    (['train.validation_split = "tset"'], "no split 'tset'"),
    (['train.batch_size = 2000'], 'fewer than the batch size 2000'),
    (['train.batch_size = 0'], '`train.batch_size = 0` must'),
    (['train.precision = "float8"'],
     "`train.precision = 'float8'` must be 'float32'"),
])
def test_settings_that_do_not_fit_are_refused(
    tmp_path, monkeypatch, bindings, match):
  monkeypatch.delenv('TF_CONFIG', raising=False)
  refused(tmp_path / 'run', 'train.steps = 20', 'train.log_every = 50',
          *bindings, match=match)
  assert not (tmp_path / 'run' / 'checkpoints').exists()


def test_images_of_another_shape_are_refused(tmp_path):
  text = refused(tmp_path / 'run', 'image_shape = (8, 8, 3)',
                 match='digits has images of')
  assert '(8, 8, 1)' in text and '(8, 8, 3)' in text


def test_a_best_score_that_is_not_measured_is_named(tmp_path):
  refused(tmp_path / 'run', 'train.steps = 1', 'train.score_every = 1',
          'train.checkpoint_every = 1', 'train.best_by = "fid"',
          'quick.num_samples = 70', 'classifier.steps = 20',
          match='frechet_digits_classifier')


def test_weights_that_are_not_finite_are_not_saved(tmp_path):
  # The loss is about 1e29, and so is its gradient, which a step magnifies.
  refused(tmp_path / 'run', 'train.steps = 9', 'sgd.learning_rate = 1e30',
          'RAE.latent_l2 = 1e30', 'train.checkpoint_every = 1',
          'train.log_every = 9', files=['models/rae.gin'],
          match='A weight of the .* was not finite at step 1')
  assert not run_directory.RunDirectory(tmp_path / 'run').checkpoints()


def test_a_required_setting_is_named(tmp_path):
  gin.parse_config('train.model = @AE')
  with pytest.raises((RuntimeError, errors.UserError), match='dataset'):
    loop.train(tmp_path / 'run')

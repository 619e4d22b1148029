"""A run that goes on: where it was, with what may change, and with what not."""
import json
import pathlib
import shutil

import gin
import keras
import pytest
import tiny_runs
from tiny_runs import assert_same
from tiny_runs import refused

from pgak import data
from pgak import errors
from pgak import training
from pgak.runs import run_directory


# === Resuming ===

# With XLA, noise, averages, moments of two kinds and augmentation.
EXACT = ('train.xla = True', 'train.checkpoint_every = 10',
         'train.log_every = 5', 'train.optimizer = @adam',
         'train.optimizers = {"decoder": @sgd}', 'adam.ema_decay = 0.9',
         'adam.learning_rate = 0.01', 'train.augmenter = @augmenter()')
VAE = ['models/vae.gin']


@pytest.fixture(name='unbroken', scope='module')
def _unbroken(tmp_path_factory):
  path = tmp_path_factory.mktemp('runs') / 'unbroken'
  tiny_runs.train(path, 'train.steps = 20', *EXACT, files=VAE)
  return path


def test_a_resumed_run_ends_where_an_unbroken_one_does(
    unbroken, tmp_path, capsys):
  run_dir = tmp_path / 'run'
  tiny_runs.train(run_dir, 'train.steps = 10', *EXACT, files=VAE)
  assert_same(run_dir, unbroken, 10)
  capsys.readouterr()
  tiny_runs.train(run_dir, 'train.steps = 20', *EXACT, files=VAE)
  out = capsys.readouterr().out
  assert 'step 15/20' in out and 'step 10/20' not in out
  assert_same(run_dir, unbroken, 20)


def test_steps_that_are_an_argument_may_grow(tmp_path):
  for steps in (1, 2):
    tiny_runs.parse()
    training.train(tmp_path / 'run', steps=steps, sample_every=None)
    gin.clear_config()
  assert run_directory.RunDirectory(tmp_path / 'run').checkpoints()[-1] == 2


@gin.register(module='tests')
class Failing(keras.callbacks.Callback):
  """Fails in its first epoch, after scores were measured."""
  has_failed = False

  def on_epoch_end(self, epoch, logs=None):
    if not Failing.has_failed:
      Failing.has_failed = True
      raise errors.UserError('It fails.')


def test_scores_that_are_measured_again_stand_once(tmp_path):
  bindings = ('train.steps = 2', 'train.log_every = 2',
              'train.score_every = 2', 'train.callbacks = [@tests.Failing()]',
              'quick.num_samples = 70', 'classifier.steps = 20')
  Failing.has_failed = False
  with pytest.raises(errors.UserError, match='It fails'):
    tiny_runs.train(tmp_path, *bindings)
  run = run_directory.RunDirectory(tmp_path)
  before = len(run.scores())
  assert before and not run.checkpoints()
  tiny_runs.train(tmp_path, *bindings)
  assert len(run.scores()) == before


@pytest.mark.slow
def test_several_steps_an_execution_and_other_intervals_change_no_weight(
    unbroken, tmp_path):
  tiny_runs.train(
      tmp_path / 'run', 'train.steps = 20', *EXACT,
      'train.steps_per_execution = 5', 'train.validate_every = 5',
      'train.sample_every = 5', 'train.checkpoint_every = 5', files=VAE)
  assert_same(tmp_path / 'run', unbroken, 20)
  assert_same(tmp_path / 'run', unbroken, 10)


@pytest.fixture(name='short', scope='module')
def _short(tmp_path_factory):
  path = tmp_path_factory.mktemp('runs') / 'short'
  tiny_runs.train(path, 'train.steps = 2')
  return path


@pytest.mark.parametrize('binding', [
    'train.seed = 1', 'sgd.momentum = 0.5', 'latent_dim = 4',
    'train.batch_size = 17', 'decoder/sgd.learning_rate = 0.5',
    'train.split = "all"'])
def test_another_setting_is_refused_by_name(short, binding):
  before = tiny_runs.content(short)
  name = binding.split(' = ')[0]
  text = refused(short, 'train.steps = 4', binding,
                 match='was trained with other settings')
  assert name in text
  assert tiny_runs.content(short) == before


def test_another_model_and_fewer_steps_are_refused(short):
  text = refused(short, 'train.steps = 4', files=['models/vae.gin'],
                 match='was trained with other settings')
  assert 'train.model' in text
  assert 'train.steps' in refused(short, 'train.steps = 1',
                                  match='was trained with other settings')


def test_other_images_are_refused(short, monkeypatch):
  monkeypatch.setattr(data.ImageArray, 'fingerprint', 'other', raising=False)
  config = short / 'config.json'
  kept = config.read_text()
  config.write_text(json.dumps({**json.loads(kept), 'data': {
      **json.loads(kept)['data'], 'fingerprint': 'another'}}))
  try:
    refused(short, 'train.steps = 4', match='on other images of digits')
  finally:
    config.write_text(kept)


def test_intervals_may_change(tmp_path):
  tiny_runs.train(tmp_path / 'run', 'train.steps = 2')
  tiny_runs.train(tmp_path / 'run', 'train.steps = 4',
                  'train.checkpoint_every = 1', 'train.log_every = 1',
                  'train.keep_checkpoints = 9', 'train.score_every = 2',
                  'quick.num_samples = 70', 'classifier.steps = 20')
  run = run_directory.RunDirectory(tmp_path / 'run')
  assert run.checkpoints() == [2, 3, 4]
  assert {r['step'] for r in run.scores()} == {'4'}
  assert 'train.checkpoint_every = 1\n' in run.config_gin


def test_damaged_checkpoints_stop_the_run_and_say_what_to_do(tmp_path):
  run_dir = tmp_path / 'run'
  tiny_runs.train(run_dir, 'train.steps = 2', 'train.checkpoint_every = 1')
  run = run_directory.RunDirectory(run_dir)
  for step in (1, 2):  # One damaged checkpoint is only warned about.
    path = pathlib.Path(run.checkpoint_prefix(step) + '.index')
    path.write_bytes(path.read_bytes()[:40])
  text = refused(run_dir, 'train.steps = 3', match='step-00000002')
  assert 'delete its folder to go on from the one before' in text
  for step in (1, 2):
    shutil.rmtree(pathlib.Path(run.checkpoint_prefix(step)).parent)
  tiny_runs.train(run_dir, 'train.steps = 3')
  assert run.checkpoints() == [3]


def test_a_run_in_use_is_refused(short):
  run = run_directory.RunDirectory(short)
  with run.locked():
    refused(short, 'train.steps = 4', match='in use by another train command')


def test_a_foreign_folder_is_refused(tmp_path):
  (tmp_path / 'thesis.tex').write_text('')
  refused(tmp_path, match='thesis.tex')
  assert [p.name for p in tmp_path.iterdir()] == ['thesis.tex']


# === The plateau and the best checkpoint by validation ===

# A rate at which the loss rises: at every validation but the first.
RISING = ('train.validate_every = 2', 'train.checkpoint_every = 2',
          'train.plateau_patience = 2', 'train.best_by = "validation_loss"',
          'sgd.learning_rate = 200.', 'sgd.momentum = 0.',
          'train.validation_split = "test"')


def _rate(model):
  return [float(o.learning_rate) for o in model.optimizers.values()]


def test_a_plateau_halves_the_rates_and_resumes_where_it_was(tmp_path):
  whole = tiny_runs.train(tmp_path / 'whole', 'train.steps = 10', *RISING)
  assert all(r < 200. for r in _rate(whole))
  for steps in (4, 6, 10):
    model = tiny_runs.train(tmp_path / 'parts', f'train.steps = {steps}',
                            *RISING)
  assert _rate(model) == _rate(whole)
  assert_same(tmp_path / 'parts', tmp_path / 'whole', 10)


def test_the_best_checkpoint_by_the_validation_loss(tmp_path):
  tiny_runs.train(tmp_path / 'run', 'train.steps = 8', *RISING)
  run = run_directory.RunDirectory(tmp_path / 'run')
  best = run.best
  assert best['metric'] == 'validation_loss' and best['step'] < 8
  assert best['step'] in run.checkpoints()
  logged = tiny_runs.events(tmp_path / 'run' / 'events' / 'validation')['loss']
  assert set(logged) == {2, 4, 6, 8}
  assert best['value'] == pytest.approx(min(logged.values()))
  assert best['step'] == min(logged, key=logged.get)

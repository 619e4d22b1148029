"""A run that a signal ends is saved at its step, and goes on as if undisturbed.
"""
import os
import signal
import time

import gin
import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny_runs

import pgak
from pgak import data
from pgak import errors
from pgak import interruption
from pgak.models import batch_norm
from pgak.runs import checkpoints
from pgak.runs import run_directory
from pgak.training import callbacks
from pgak.training import progress

SETTINGS = ('train.steps = 12', 'train.checkpoint_every = 12',
            'train.log_every = 4', 'train.validate_every = 4',
            'train.sample_every = 12')
# Only with it two runs agree to the bit.
XLA = 'train.xla = True'


def train(path, *bindings, files=('models/vae.gin',)):
  tiny_runs.train(path, *SETTINGS, *bindings, files=files)


def send():
  os.kill(os.getpid(), signal.SIGTERM)
  time.sleep(0.01)  # The handler runs between two steps of the interpreter.


def interrupted(path, monkeypatch, where, step, *bindings, **settings):
  """Trains until a signal comes at a step; returns the `Interrupted`."""
  call = getattr(callbacks, where).on_train_batch_end

  def on_train_batch_end(self, batch, logs=None):
    if self.step + self.model.steps_per_execution == step:
      send()
    call(self, batch, logs)

  with monkeypatch.context() as patch:
    patch.setattr(getattr(callbacks, where), 'on_train_batch_end',
                  on_train_batch_end)
    with interruption.handled():
      with pytest.raises(interruption.Interrupted) as caught:
        train(path, *bindings, **settings)
  return caught.value


@pytest.mark.parametrize('step, bindings, files', [
    pytest.param(7, (), ('models/vae.gin',),
                 marks=[pytest.mark.slow, pytest.mark.exhaustive]),
    pytest.param(6, ('train.steps_per_execution = 2',), ('models/vae.gin',),
                 marks=pytest.mark.slow),
    pytest.param(7, ('sgd.ema_decay = 0.9',
                     'train.learning_rate_schedule = @cosine()'),
                 ('models/vae.gin',),
                 marks=[pytest.mark.slow, pytest.mark.exhaustive]),
    # In the second stage, and two parts in turn.
    pytest.param(7, ('GMMN.autoencoder_steps = 5', 'batch_norm = True',
                     'LatentGenerator.units = (8,)', 'sgd.ema_decay = 0.9'),
                 ('models/gmmn.gin',),
                 marks=pytest.mark.slow),
    pytest.param(7, ('latent_critic.units = 4',), ('models/aae.gin',),
                 marks=[pytest.mark.slow, pytest.mark.exhaustive]),
], ids=['plain', 'steps per execution', 'averages', 'second stage', 'turns'])
def test_it_goes_on_where_it_was_left(tmp_path, monkeypatch, step, bindings,
                                      files):
  whole, left = tmp_path / 'whole', tmp_path / 'left'
  bindings = (*bindings, XLA)
  train(whole, *bindings, files=files)
  # Before the callbacks of the step.
  error = interrupted(left, monkeypatch, 'LeaveBetweenSteps', step, *bindings,
                      files=files)
  assert error.status == 143
  assert str(error) == (
      f'Interrupted at step {step}: the same command goes on from step {step}, '
      f'whose checkpoint is in {left / "checkpoints"}.')
  assert run_directory.RunDirectory(left).checkpoints() == [step]
  train(left, *bindings, files=files)
  tiny_runs.assert_same(left, whole, 12)


@pytest.mark.slow
def test_all_the_work_of_a_step_is_made_up_for(tmp_path, monkeypatch, capsys):
  whole, left = tmp_path / 'whole', tmp_path / 'left'
  bindings = ('train.checkpoint_every = 4', 'train.sample_every = 4',
              'train.plateau_patience = 1', XLA)
  train(whole, *bindings)
  interrupted(left, monkeypatch, 'LeaveBetweenSteps', 4, *bindings)
  capsys.readouterr()
  train(left, *bindings)
  # The means over the steps up to the fourth are lost, and are not told.
  assert [line.split()[1] for line in capsys.readouterr().out.splitlines()
          if line.startswith('step ') and '/' in line.split()[1]] == [
              '8/12', '12/12']
  tiny_runs.assert_same(left, whole, 12)
  assert points(left, 'validation') == points(whole, 'validation') == [4, 8, 12]
  assert names(left) == names(whole)


def names(path):
  """Returns what a run directory holds, but for the files of its curves."""
  return sorted(str(p.relative_to(path)) for p in path.rglob('*')
                if p.is_file() and 'tfevents' not in p.name)


SHORT = ('train.log_every = 2', 'train.validate_every = 2',
         'train.sample_every = 2', 'train.checkpoint_every = 2')
BEST = 'train.best_by = "validation_loss"'


def test_the_work_of_the_last_step_is_made_up_for(
    tmp_path, monkeypatch, capsys):
  bindings = ('train.steps = 2', *SHORT, BEST)
  interrupted(tmp_path, monkeypatch, 'LeaveBetweenSteps', 2, *bindings)
  run = run_directory.RunDirectory(tmp_path)
  assert run.finished_callbacks(2) == []
  train(tmp_path, *bindings)
  assert 'is finished' not in capsys.readouterr().out
  assert run.finished_callbacks(2) is None and run.best['step'] == 2
  assert points(tmp_path, 'validation') == [2]
  assert len(list(run.samples.glob('*_00000002.png'))) == 3
  train(tmp_path, *bindings)
  assert 'is finished: 2 of 2 steps' in capsys.readouterr().out


@gin.register(module='tests')
class Leaving(keras.callbacks.Callback):
  """Leaves the run in its first epoch, after it was validated."""

  def on_epoch_end(self, epoch, logs=None):
    if not epoch and not run_directory.RunDirectory(LEFT[0]).checkpoints():
      send()
      interruption.check()


LEFT = []


def test_work_that_was_done_before_a_signal_is_not_lost(tmp_path, monkeypatch):
  LEFT[:] = [tmp_path]
  # So slow that all validations are alike, of which the first is the best.
  bindings = ('train.steps = 4', *SHORT, BEST, 'sgd.learning_rate = 1e-30',
              'train.plateau_patience = 5',
              'train.callbacks = [@tests.Leaving()]')
  files = ('models/ae.gin',)
  with interruption.handled(), pytest.raises(interruption.Interrupted):
    train(tmp_path, *bindings, files=files)
  run = run_directory.RunDirectory(tmp_path)
  assert {'TermLogger', 'Plateau'} < set(run.finished_callbacks(2))
  lowered = []
  monkeypatch.setattr(callbacks.Plateau, 'at_step',
                      lambda self, step, logs: lowered.append(step))
  train(tmp_path, *bindings, files=files)
  assert run.best['step'] == 2
  for kind in ('train', 'validation'):
    assert points(tmp_path, kind) == [2, 4]
  shown = tiny_runs.events(run.events / 'images')
  assert all(set(steps) == {2, 4} for steps in shown.values())
  # What changes the run is done once.
  assert lowered == [4]


def test_it_is_made_up_for_in_the_stage_that_the_step_was_of(
    tmp_path, monkeypatch):
  bindings = ('train.steps = 4', *SHORT, 'GMMN.autoencoder_steps = 2',
              'LatentGenerator.units = (8,)')
  files = ('models/gmmn.gin',)
  interrupted(tmp_path, monkeypatch, 'LeaveBetweenSteps', 2, *bindings,
              files=files)
  found = {}
  monkeypatch.setattr(
      callbacks.TermLogger, 'at_step',
      lambda self, step, logs: found.setdefault(step, self.model.stage))
  train(tmp_path, *bindings, files=files)
  assert found == {2: 0, 4: 1}


def test_the_last_checkpoint_gets_its_time(tmp_path, monkeypatch):
  save, postponed = checkpoints.save, []

  def slow(*args, **kwargs):
    postponed.append(interruption._State.is_deferred)
    save(*args, **kwargs)

  monkeypatch.setattr(checkpoints, 'save', slow)
  interrupted(tmp_path / 'run', monkeypatch, 'LeaveBetweenSteps', 1)
  assert postponed == [True]


def test_before_the_first_step_nothing_is_saved(tmp_path, monkeypatch):
  path = tmp_path / 'run'
  with monkeypatch.context() as patch:
    patch.setattr(keras.Model, 'fit', lambda *args, **kwargs: send())
    with interruption.handled():
      with pytest.raises(interruption.Interrupted) as caught:
        train(path)
  assert str(caught.value) == ('Interrupted at step 0: there is no checkpoint '
                               'yet, and the same command begins anew.')
  assert not run_directory.RunDirectory(path).checkpoints()


def test_a_model_that_is_not_finite_is_not_saved(tmp_path, monkeypatch):
  error = interrupted(tmp_path, monkeypatch, 'LeaveBetweenSteps', 3,
                      'sgd.learning_rate = 1e38', 'train.log_every = 12')
  assert str(error).startswith(
      'Interrupted at step 3: there is no checkpoint yet, and the same command '
      'begins anew. The loss ')
  assert 'was not finite at step ' in str(error)
  assert not run_directory.RunDirectory(tmp_path).checkpoints()


def test_what_a_signal_left_has_the_statistics_of_inference(
    tmp_path, monkeypatch):
  interrupted(tmp_path, monkeypatch, 'LeaveBetweenSteps', 3,
              'batch_norm = True', 'sgd.ema_decay = 0.5')
  loaded = pgak.load(tmp_path)
  saved = [v.numpy() for v in loaded.decoder.non_trainable_variables]
  assert saved
  batch_norm.reestimate(loaded, data.digits().split('train'))
  for variable, value in zip(loaded.decoder.non_trainable_variables, saved):
    np.testing.assert_allclose(variable.numpy(), value, rtol=1e-4, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize('where', ['TermLogger', 'Plateau'])
def test_a_validation_that_was_left_is_made_up_for(tmp_path, monkeypatch,
                                                   where):
  whole, left = tmp_path / 'whole', tmp_path / 'left'
  plateau = ('train.plateau_patience = 1', 'train.plateau_factor = 0.25',
             'sgd.learning_rate = 3.', XLA)
  train(whole, *plateau)
  # With the signal before it, the validation of step 8 is left at its first
  # batch; with the signal after it, the run ends after step 9.
  interrupted(left, monkeypatch, where, 8, *plateau)
  step, = run_directory.RunDirectory(left).checkpoints()
  assert step == (8 if where == 'TermLogger' else 9)
  rates = []
  lowered = callbacks.Plateau.at_step

  def at_step(self, step, logs):
    lowered(self, step, logs)
    rates.append(step)

  monkeypatch.setattr(callbacks.Plateau, 'at_step', at_step)
  train(left, *plateau)
  assert rates == ([8, 12] if where == 'TermLogger' else [12])
  tiny_runs.assert_same(left, whole, 12)
  assert points(left, 'validation') == points(whole, 'validation') == [4, 8, 12]


def points(path, kind):
  """Returns the steps of a run's curve of the loss."""
  steps = []
  for file in sorted((path / 'events' / kind).iterdir()):
    for event in tf.compat.v1.train.summary_iterator(str(file)):
      steps += [event.step for v in event.summary.value if v.tag == 'loss']
  return steps


def test_what_is_repeated_stands_once_in_the_curves(tmp_path):
  path = tmp_path / 'run'
  train(path, 'train.checkpoint_every = 4', 'train.log_every = 2')
  run = run_directory.RunDirectory(path)
  for step in run.checkpoints()[1:]:  # As after a kill behind step 4.
    os.rename(run.checkpoint_prefix(step)[:-len('/checkpoint')],
              tmp_path / str(step))
  train(path, 'train.checkpoint_every = 4', 'train.log_every = 2')
  assert points(path, 'train') == [2, 4, 6, 8, 10, 12]
  assert points(path, 'validation') == [4, 8, 12]


# === Runs that end too early ===


def test_a_full_disk_is_no_end_of_the_data(tmp_path, monkeypatch):
  def full(self, prefix):
    raise tf.errors.OutOfRangeError(None, None, 'File too large')

  monkeypatch.setattr(tf.train.Checkpoint, 'write', full)
  with pytest.raises(errors.UserError, match='The checkpoint of step 12 cannot '
                     'be written to .* make room'):
    train(tmp_path / 'run')


def test_an_end_that_keras_takes_for_the_end_of_the_data(tmp_path, monkeypatch):
  def end(self, step, logs):
    raise tf.errors.OutOfRangeError(None, None, 'No space left on device')

  monkeypatch.setattr(progress.Progress, 'at_step', end)
  with pytest.raises(errors.UserError, match='At step 4 something could not be '
                     'written .*No space left'):
    train(tmp_path / 'run')


def test_a_fit_that_comes_back_too_early(tmp_path, monkeypatch):
  monkeypatch.setattr(keras.Model, 'fit', lambda *args, **kwargs: None)
  with pytest.raises(errors.UserError, match='ended at step 0 of 12'):
    train(tmp_path / 'run')


@pytest.mark.parametrize('gone', ['config.gin', 'events', '.'])
def test_a_run_that_is_moved_meanwhile(tmp_path, monkeypatch, gone):
  path = tmp_path / 'run'
  at_step = progress.Progress.at_step

  def moved(self, step, logs):
    if step == 8:
      os.rename(path / gone, tmp_path / 'elsewhere')
    at_step(self, step, logs)

  monkeypatch.setattr(progress.Progress, 'at_step', moved)
  with pytest.raises(errors.UserError):
    train(path)
  assert not list(path.glob('checkpoints/step-*'))


# === Beginning and going on ===


def test_a_failed_start_does_not_block_its_remedy(tmp_path, capsys):
  path = tmp_path / 'run'
  train(path, 'train.checkpoint_every = 12')
  run = run_directory.RunDirectory(path)
  os.rename(run.checkpoint_folder, tmp_path / 'elsewhere')
  train(path, 'train.batch_size = 8')
  assert 'has no checkpoint: it is begun anew' in capsys.readouterr().out
  assert 'train.batch_size = 8' in run.config_gin
  with pytest.raises(errors.UserError, match='settings of train.batch_size'):
    train(path, 'train.batch_size = 4')


@pytest.mark.parametrize('damage', [
    lambda text: '', lambda text: text[:len(text) // 2],
    lambda text: text.replace('train.steps', 'train.seed', 1)])
def test_half_a_configuration_is_not_resumed(tmp_path, damage):
  path = tmp_path / 'run'
  train(path)
  run = run_directory.RunDirectory(path)
  text = damage(run.config_gin)
  run.config_file.write_text(text)
  with pytest.raises(errors.UserError, match='config.gin'):
    train(path, 'sgd.learning_rate = 0.3')
  assert run.config_gin == text


@pytest.mark.slow
def test_a_damaged_newest_checkpoint_is_passed_over(tmp_path, caplog):
  whole, path = tmp_path / 'whole', tmp_path / 'run'
  for p in (whole, path):
    train(p, 'train.checkpoint_every = 4', XLA)
  run = run_directory.RunDirectory(path)
  os.rename(run.checkpoint_prefix(12)[:-len('/checkpoint')], tmp_path / '12')
  with open(run.checkpoint_prefix(8) + '.data-00000-of-00001', 'wb'):
    pass
  train(path, 'train.checkpoint_every = 4', XLA)
  assert 'goes on from step 4' in caplog.text
  tiny_runs.assert_same(path, whole, 12)
  for step in (4, 8, 12):
    with open(run.checkpoint_prefix(step) + '.index', 'wb'):
      pass
  with pytest.raises(errors.UserError, match='step-00000012.* is damaged'):
    train(path, 'train.checkpoint_every = 4', 'train.steps = 16', XLA)


def test_a_finished_run_that_nobody_can_write_to(tmp_path, monkeypatch, capsys):
  path = tmp_path / 'run'
  train(path)
  before = {p: p.stat().st_mtime_ns for p in path.rglob('*') if p.is_file()}
  monkeypatch.setattr(os, 'access', lambda *args, **kwargs: False)
  train(path)
  assert 'is finished' in capsys.readouterr().out
  assert before == {p: p.stat().st_mtime_ns for p in path.rglob('*')
                    if p.is_file()}

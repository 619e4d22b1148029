"""Callbacks in a run: epochs from one validation to the next, and its end."""
import csv
import shutil

import gin
import keras
import numpy as np
import pytest
import tiny_runs

from pgak import errors
from pgak.runs import run_directory

SETTINGS = ('train.log_every = 1', 'train.validate_every = 2',
            'train.sample_every = None', 'train.checkpoint_every = 2')
SEEN = []


@gin.register(module='tests')
class Noting(keras.callbacks.Callback):
  """Notes what it is told, and ends the run in an epoch.

  Args:
    stop_in: number of the epoch, or None.
  """

  def __init__(self, stop_in=None):
    super().__init__()
    self.stop_in = stop_in

  def on_train_begin(self, logs=None):
    SEEN.append(('train', self.params['epochs'], self.params['steps']))

  def on_epoch_begin(self, epoch, logs=None):
    SEEN.append(('begin', epoch, int(self.model.step)))

  def on_epoch_end(self, epoch, logs=None):
    SEEN.append(('end', epoch, logs))
    if epoch == self.stop_in:
      self.model.stop_training = True

  def on_train_batch_end(self, batch, logs=None):
    SEEN.append(('batch', batch, logs))

  def on_train_end(self, logs=None):
    SEEN.append(('over',))


def _train(path, steps, *bindings, callbacks='@tests.Noting()'):
  SEEN.clear()
  return tiny_runs.train(path, *SETTINGS, f'train.steps = {steps}',
                         f'train.callbacks = [{callbacks}]', *bindings)


def _seen(kind):
  return [entry[1:] for entry in SEEN if entry[0] == kind]


@pytest.mark.slow
def test_an_epoch_is_from_one_validation_to_the_next(tmp_path, capsys):
  _train(tmp_path / 'whole', 5)
  assert _seen('train') == [(3, 2)]
  assert _seen('begin') == [(0, 0), (1, 2), (2, 4)]
  assert [epoch for epoch, _ in _seen('end')] == [0, 1, 2]
  assert [batch for batch, _ in _seen('batch')] == [0, 1, 0, 1, 0]
  assert _seen('over') == [()]
  losses = [logs['loss'] for _, logs in _seen('batch')]
  means = [np.mean(losses[:2]), np.mean(losses[2:4]), losses[4]]
  ends = [logs for _, logs in _seen('end')]
  assert [logs['loss'] for logs in ends] == pytest.approx(means)
  assert {'reconstruction', 'val_loss', 'val_reconstruction'} < set(ends[0])

  # The numbers go on where the run was left.
  run = run_directory.RunDirectory(tmp_path / 'whole')
  for step in (4, 5):
    shutil.rmtree(run.checkpoint_folder / f'step-{step:08d}')
  _train(run.path, 5)
  assert _seen('begin') == [(1, 2), (2, 4)]
  again = [logs for _, logs in _seen('end')]
  assert again == [pytest.approx(logs) for logs in ends[1:]]


@pytest.mark.slow
def test_a_callback_ends_a_run_as_finished(tmp_path, capsys):
  binding = 'tests.Noting.stop_in = 0'
  model = _train(tmp_path, 8, binding)
  assert int(model.step) == 2 and _seen('over') == [()]
  run = run_directory.RunDirectory(tmp_path)
  assert run.checkpoints() == [2]
  sentence = 'the callback Noting ended it at step 2 of 8'
  assert sentence in capsys.readouterr().out
  _train(tmp_path, 8, binding)
  assert not SEEN and run.checkpoints() == [2]
  assert sentence in capsys.readouterr().out
  (tmp_path / 'stopped.json').unlink()
  _train(tmp_path, 8, binding)
  assert max(run.checkpoints()) == 8


@pytest.mark.slow
def test_keras_own_are_named_by_gin(tmp_path):
  run = tmp_path / 'run'
  model = _train(
      run, 6, f"keras.callbacks.CSVLogger.filename = '{tmp_path}/log.csv'",
      "keras.callbacks.EarlyStopping.monitor = 'val_loss'",
      'keras.callbacks.EarlyStopping.min_delta = 1e9',
      'keras.callbacks.EarlyStopping.patience = 1',
      'keras.callbacks.EarlyStopping.restore_best_weights = True',
      'sgd.ema_decay = 0.5',
      callbacks='@keras.callbacks.CSVLogger(), '
                '@keras.callbacks.EarlyStopping()')
  with (tmp_path / 'log.csv').open() as file:
    rows = list(csv.DictReader(file))
  assert [row['epoch'] for row in rows] == ['0', '1']
  assert int(model.step) == 4
  # What was put back is what is saved, at the step where the run ended: the
  # weights, and their averages, which are evaluated.
  best, last = (tiny_runs.saved(run, step) for step in (2, 4))
  kept = [n for n in best if n.startswith('model/encoder')]
  assert any(name.startswith('model/encoder_optimizer/') for name in kept)
  for name in kept:
    np.testing.assert_allclose(best[name], last[name], rtol=1e-6, atol=1e-6)


@pytest.mark.slow
def test_a_resumed_run_goes_on_with_its_table(tmp_path):
  log = tmp_path / 'log.csv'
  for steps in (2, 6):
    _train(tmp_path / 'run', steps,
           f"keras.callbacks.CSVLogger.filename = '{log}'",
           callbacks='@keras.callbacks.CSVLogger()')
  with log.open() as file:
    assert [row['epoch'] for row in csv.DictReader(file)] == ['0', '1', '2']


REFUSED = {
    'ModelCheckpoint': ('saves checkpoints itself',
                        "keras.callbacks.ModelCheckpoint.filepath = 'a.keras'"),
    'BackupAndRestore': ('resumed by its own command',
                         "keras.callbacks.BackupAndRestore.backup_dir = 'a'"),
    'SwapEMAWeights': ('keeps averages itself',),
    'ReduceLROnPlateau': ('so does `train.learning_rate_schedule`',
                          'train.learning_rate_schedule = @cosine()'),
    'LearningRateScheduler': (
        'so does `polish.steps`', 'polish.steps = 2',
        'keras.callbacks.LearningRateScheduler.schedule = @adam'),
}


@pytest.mark.parametrize('name', REFUSED)
def test_what_the_run_does_itself_is_refused(name, tmp_path):
  words, *bindings = REFUSED[name]
  with pytest.raises(errors.UserError, match=f'has a {name}.*{words}'):
    _train(tmp_path / 'run', 4, *bindings,
           callbacks=f'@keras.callbacks.{name}()')
  assert not (tmp_path / 'run').exists()


def test_what_is_no_callback_is_refused(tmp_path):
  with pytest.raises(errors.UserError, match='must be a list of callbacks'):
    _train(tmp_path / 'run', 4, callbacks='@digits')

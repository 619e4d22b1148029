"""Keras callbacks and users' own in a run: `train.callbacks`.

    train.callbacks = [@keras.callbacks.CSVLogger(), @my.Callback()]
    keras.callbacks.CSVLogger.filename = 'runs/me/terms.csv'

A run counts steps. Here an epoch is the interval between two validations,
numbered by the run's steps, so that the numbers go on when the run is resumed.
The state of a callback itself is not saved.
"""
import dataclasses
from typing import Annotated

import gin
import keras
import numpy as np

from pgak import errors
from pgak import files
from pgak import settings
from pgak.training import callbacks as callbacks_lib

__all__ = ['Epochs', 'Callbacks', 'check', 'ended']

# Those that a configuration may name, as @keras.callbacks.CSVLogger().
NAMES = ('CSVLogger', 'EarlyStopping', 'LambdaCallback',
         'LearningRateScheduler', 'ReduceLROnPlateau', 'RemoteMonitor',
         'TensorBoard', 'TerminateOnNaN')
# Those that are refused, and what a run has in their place. Gin knows them, so
# that a configuration that names one gets the reason.
_REFUSED = {
    'BackupAndRestore': 'a run is resumed by its own command',
    'ModelCheckpoint': 'a run saves checkpoints itself, see '
                       '`train.checkpoint_every` and `train.best_by`',
    'OrbaxCheckpoint': 'a run saves checkpoints itself, see '
                       '`train.checkpoint_every` and `train.best_by`',
    'SwapEMAWeights': 'a run keeps averages itself, see `ema_decay` of its '
                      'optimizer',
}
# They assign the learning rate, as a schedule or a plateau of the run does.
_RATES = ('LearningRateScheduler', 'ReduceLROnPlateau')
_MARK = 'stopped.json'

Callbacks = Annotated[
    tuple[keras.callbacks.Callback, ...], settings.Says(
        'a list of callbacks, such as [@keras.callbacks.CSVLogger()]')]

for _name in (*NAMES, *_REFUSED):
  gin.register(getattr(keras.callbacks, _name), module='keras.callbacks')


def check(given, learning_rate_schedule, plateau_patience, polish_steps=0):
  """Refuses callbacks that would do what the run itself does.

  Args:
    given: the callbacks.
    learning_rate_schedule: the run's, or None.
    plateau_patience: the run's, or None.
    polish_steps: int, steps of polishing, which has a schedule of its own.

  Raises:
    errors.UserError: names the callback and the setting.
  """
  for callback in given:
    for name, instead in _REFUSED.items():
      if isinstance(callback, getattr(keras.callbacks, name, ())):
        raise errors.UserError(
            f'`train.callbacks` has a {name}, and {instead}: leave it out.')
    for name in _RATES:
      other = ('train.learning_rate_schedule' if learning_rate_schedule else
               'train.plateau_patience' if plateau_patience else
               'polish.steps' if polish_steps else None)
      if other and isinstance(callback, getattr(keras.callbacks, name)):
        raise errors.UserError(
            f'`train.callbacks` has a {name}, which changes the learning '
            f'rates, and so does `{other}`: leave one of them out.')


@dataclasses.dataclass
class _Mean:
  """Mean of the terms of an epoch, weighted by steps."""
  steps: int = 0
  sums: dict = dataclasses.field(default_factory=dict)

  def add(self, logs, steps):
    self.steps += steps
    for name, value in logs.items():
      self.sums[name] = (self.sums.get(name, 0.)
                         + steps * float(np.mean(value)))

  def values(self):
    return {name: value / self.steps for name, value in self.sums.items()}


class Epochs(callbacks_lib.EveryNSteps):
  """Calls a run's callbacks, with an epoch from one validation to the next.

  It stands after validation and before saving, so that weights and rates that a
  callback changes are in the checkpoint.

  Args:
    intervals: `Intervals`.
    given: callbacks; none at all for a run without.
    validated: `TermLogger`, which has just validated.
  """

  changes_run = True

  def __init__(self, intervals, given, validated):
    super().__init__(intervals.validate_every, intervals.steps)
    self._given = list(given)
    self._validated = validated
    self._begun = False
    self._is_in_epoch = False
    self._mean, self._noted_at = _Mean(), 0
    # The name of the callback that ended the run, or None.
    self.stopped_by = None
    # EarlyStopping -> its best weights, and the optimizers' state with them.
    self._best = {}

  def set_model(self, model):
    super().set_model(model)
    for callback in self._given:
      callback.set_model(model)

  def make_up(self, model, is_finished):
    self.set_model(model)
    if not is_finished:
      self._begin()
    super().make_up(model, is_finished)
    if self.stopped_by:
      self._end()

  def on_train_begin(self, logs=None):
    self._begin()
    super().on_train_begin(logs)
    self._noted_at = self.step
    self._begin_epoch()

  def _begin(self):
    if self._begun:  # Not again at the next of several stages.
      return
    self._begun = True
    for callback in self._given:
      callback.set_params({'epochs': -(-self.last_step // self.every),
                           'steps': self.every, 'verbose': 0})
      if (isinstance(callback, keras.callbacks.CSVLogger)
          and self.model.step.numpy()):
        callback.append = True  # A resumed run goes on with its file.
    self._call('on_train_begin')

  def _begin_epoch(self):
    if self._is_in_epoch or self.step >= self.last_step or self.stopped_by:
      return
    self._is_in_epoch = True
    self._mean = _Mean()
    self._call('on_epoch_begin', self.step // self.every)

  def on_train_batch_begin(self, batch, logs=None):
    self._call('on_train_batch_begin', self.step % self.every)

  def on_train_batch_end(self, batch, logs=None):
    # The logger resets the terms then, so their means are added up here.
    if self._given and self._validated.is_due():
      self._mean.add(logs or {}, self._validated.step - self._noted_at)
      self._noted_at = self._validated.step
    self._call('on_train_batch_end', self.step % self.every, logs)
    super().on_train_batch_end(batch, logs)
    if self.stopped_by:
      self._end()

  def at_step(self, step, logs):
    values = self._mean.values() | {
        name.replace('validation_', 'val_', 1): value
        for name, value in self._validated.latest.items()}
    self._is_in_epoch = False
    self._call('on_epoch_end', (step - 1) // self.every, values)
    self._keep_best()
    if step == self.last_step and not self.stopped_by:
      self._end()
    self._begin_epoch()

  def _end(self):
    if not self._given:
      return
    self._call('on_train_end')
    for _, state in self._best.values():
      for variable, value in zip(self.model.optimizer.variables, state):
        variable.assign(value)
    # One that restores the weights of an earlier epoch, as EarlyStopping may,
    # restores their step counter, too.
    self.model.step.assign(self.step)

  def _keep_best(self):
    """Keeps the optimizers' state beside the weights that EarlyStopping keeps.

    It restores those alone, but what is evaluated may be averages of weights,
    which are an optimizer's state.
    """
    for callback in self._given:
      if isinstance(callback, keras.callbacks.EarlyStopping):
        kept, _ = self._best.get(callback, (None, None))
        if callback.best_weights is not kept:
          self._best[callback] = callback.best_weights, [
              v.numpy() for v in self.model.optimizer.variables]

  def _call(self, hook, *args):
    """Calls a method of all callbacks, and notes which of them ends the run."""
    for callback in self._given:
      # Copies: a callback may add to the logs it is given.
      arguments = [dict(a) if isinstance(a, dict) else a for a in args]
      getattr(callback, hook)(*arguments)
      if self.model.stop_training and not self.stopped_by:
        self.stopped_by = type(callback).__name__


# === A run that a callback has ended ===


def ended(run, step, steps, by=None):
  """Prints that a callback has ended a run, and records it in the run.

  Args:
    run: `RunDirectory`.
    step: int, where the run is, of which there is a checkpoint.
    steps: int, the last step of the run, with those of polishing.
    by: name of the callback that has just ended it; None to read the record.

  Returns:
    Whether the run was ended at that step.
  """
  path = run.path / _MARK
  if by:
    files.write_text(path, f'{{"step": {step}, "by": "{by}"}}\n')
  # A run that went on past that step is not ended.
  kept = files.load_json(path, dict) if path.is_file() else {}
  if not step or kept.get('step') != step:
    return False
  print(f'{run.path} is finished: the callback {kept.get("by")} ended it at '
        f'step {step} of {steps}; to go on from there, delete {path}.')
  return True

"""Keras callbacks that act every N steps of training.

pgak counts steps, not epochs: each callback reads the model's own step counter,
so that a resumed run goes on where it was. Under several workers all of them
run the callbacks that compute with the model; only the chief writes.
"""
import keras
import numpy as np
import tensorflow as tf

from pgak import errors
from pgak import interruption

__all__ = ['Checkpointer', 'EveryNSteps', 'LeaveBetweenSteps', 'Plateau',
           'Scores', 'StopOnFault', 'TermLogger', 'stop_on_fault',
           'stop_on_weights']


class EveryNSteps(keras.callbacks.Callback):
  """Calls `at_step(step, logs)` when the step is a multiple of `every`.

  Args:
    every: number of steps, or None for never.
    last_step: also called there, whatever `every` is.
  """

  # Whether what is done at a step changes the run, so that it is done once.
  changes_run = False

  def __init__(self, every, last_step=None):
    super().__init__()
    self.every = every
    self.last_step = last_step
    self.step = 0
    self.finished_at = None

  def on_train_begin(self, logs=None):
    self.step = int(self.model.step.numpy())

  def make_up(self, model, is_finished):
    """Does the work of the step at which a run was interrupted.

    What others of that step need, such as a validation, is done again.

    Args:
      model: `GenerativeModel` as it was then.
      is_finished: whether the work was done before.
    """
    self.set_model(model)
    self.step = int(model.step.numpy())
    if self.is_due() and not (is_finished and self.changes_run):
      self._do({})

  def on_train_batch_end(self, batch, logs=None):
    # Counted here: reading the model's own counter would wait for the device.
    self.step += self.model.steps_per_execution
    if self.is_due():
      self._do(logs or {})

  def _do(self, logs):
    try:
      self.at_step(self.step, logs)
    except (OSError, tf.errors.OpError) as e:
      # Keras takes an OutOfRangeError, such as that of a full disk, for the end
      # of the data, and returns without an error.
      if not (errors.unwritable(e) or isinstance(e, tf.errors.OutOfRangeError)):
        raise
      raise errors.UserError(
          f'At step {self.step} something could not be written '
          f'({errors.reason(e)}): make room, and the same command goes on from '
          'the last checkpoint.') from e
    self.finished_at = self.step

  def is_due(self):
    """Whether the present step is one of those that the callback is for."""
    return self.every and (
        self.step % self.every == 0 or self.step == self.last_step)

  def at_step(self, step, logs):
    """What the callback does."""
    raise NotImplementedError


class LeaveBetweenSteps(EveryNSteps):
  """Ends a run that got a signal between two steps, where it can be saved.

  It comes before the other callbacks. Until the first step of this process is
  done there is nothing to save, and a signal ends it at once.
  """

  def __init__(self):
    super().__init__(every=None)

  def on_train_batch_end(self, batch, logs=None):
    super().on_train_batch_end(batch, logs)
    interruption.postpone()
    interruption.check()


class _LeaveBetweenBatches(keras.callbacks.Callback):
  """Ends a validation after a signal; what it measured so far is dropped."""

  def on_test_batch_end(self, batch, logs=None):
    interruption.check()


def stop_on_fault(model):
  """Raises `UserError` with the term's name if a loss was not finite."""
  # Recorded by the train step in the graph: XLA has no assertions.
  fault = model.fault()
  if fault:
    step, terms = fault
    raise errors.UserError(
        f'The loss {" and ".join(terms)} was not finite at step {step}: the '
        'run stops, and no checkpoint is made of it; try a lower learning '
        'rate, `train.clip_norm`, or a smaller weight of that term.')


def stop_on_weights(model, step):
  """Raises UserError, naming the part, if a weight is not finite."""
  for part, net in model.parts.items():
    for variable in net.trainable_variables:
      if not np.all(np.isfinite(variable.numpy())):
        raise errors.UserError(
            f'A weight of the {part} was not finite at step {step}: the run '
            'stops, and no checkpoint is made of it; try a lower learning rate '
            'or `train.clip_norm`.')


class StopOnFault(EveryNSteps):
  """Stops the run with the term's name when a loss is not finite.

  Args:
    intervals: `Intervals`; it checks whenever the terms are logged.
  """

  def __init__(self, intervals):
    super().__init__(intervals.log_every, intervals.steps)

  def at_step(self, step, logs):
    stop_on_fault(self.model)


class TermLogger(EveryNSteps):
  """Writes the terms' means since the last time to TensorBoard.

  Args:
    intervals: `Intervals`.
    validation: `tf.data.Dataset` of validation batches, or None.
    run: `RunDirectory`, whose configuration TensorBoard shows beside the
      curves; or None to write nothing.
  """

  def __init__(self, intervals, validation, run):
    super().__init__(intervals.log_every, intervals.steps)
    self.validate_every = intervals.validate_every
    self.validation = validation
    self.latest = {}
    self.measured_at = None
    self.writers = None
    if run:
      self.writers = {
          name: tf.summary.create_file_writer(str(run.events / name))
          for name in ('train', 'validation')}
      with self.writers['train'].as_default(step=0):
        tf.summary.text('config', f'```\n{run.config_gin}\n```')

  def is_due(self):
    return super().is_due() or self.step % self.validate_every == 0

  def at_step(self, step, logs):
    self._write('train', step, logs)
    if step % self.validate_every == 0 or step == self.last_step:
      with self.model.averaged_weights():
        values = keras.Model.evaluate(
            self.model, self.validation, verbose=0, return_dict=True,
            callbacks=[_LeaveBetweenBatches()])
      self._write('validation', step, values)
      self.latest = {f'validation_{n}': float(np.mean(v))
                     for n, v in values.items()}
      self.measured_at = step
    self.model.reset_metrics()

  def _write(self, name, step, values):
    if self.writers:
      with self.writers[name].as_default(step=step):
        for term, value in values.items():
          tf.summary.scalar(term, float(np.mean(value)))
        self.writers[name].flush()


class Plateau(EveryNSteps):
  """Lowers the learning rates when the validation loss stops falling.

  Its state is a weight of the model, which checkpoints hold.

  Args:
    intervals: `Intervals`.
    validated: `TermLogger`, which has just validated.
    record: variable `[2]`: the lowest loss and the validations since then.
    patience: validations without a lower loss, after which the rates fall.
    factor: number by which the rates are multiplied.
  """

  changes_run = True

  def __init__(self, intervals, validated, record, patience, factor=0.5):
    super().__init__(intervals.validate_every)
    self.validated = validated
    self.record = record
    self.patience = patience
    self.factor = factor

  def at_step(self, step, logs):
    lowest, stale = self.record.numpy()
    loss = self.validated.latest['validation_loss']
    stale = 0. if loss < lowest else stale + 1.
    if stale >= self.patience:
      stale = 0.
      for optimizer in self.model.optimizers.values():
        rate = optimizer.learning_rate
        rate.assign(rate * self.factor)
    # `min` may return one that is not a number, and forget the lowest.
    self.record.assign([np.fmin(loss, lowest), stale])


class Scores(EveryNSteps):
  """Measures the model and writes the numbers to TensorBoard and scores.csv.

  Args:
    intervals: `Intervals`.
    score: function of the model and the step to rows of scores.csv.
    run: `RunDirectory`, or None to write nothing.
    best_by: name of a score that must be among those measured, or None.
  """

  def __init__(self, intervals, score, run, best_by=None):
    super().__init__(intervals.score_every, intervals.steps)
    self.score = score
    self.run = run
    self.best_by = best_by
    self.latest = {}
    self.measured_at = None
    self.writer = run and tf.summary.create_file_writer(
        str(run.events / 'scores'))

  def at_step(self, step, logs):
    stop_on_fault(self.model)
    with self.model.averaged_weights():
      rows = self.score(self.model, step)
    # One name may be of several kinds of images: samples come last and win.
    rows = sorted(rows, key=lambda r: r.get('images') == 'samples')
    self.latest = {r['metric']: float(r['value']) for r in rows}
    self.measured_at = step
    if self.best_by and self.best_by not in self.latest:
      raise errors.UserError(
          f'`train.best_by` is {self.best_by!r}, which is not measured: choose '
          f'one of {sorted(self.latest)}.')
    if self.run:
      # A step that is done again, after a kill, has been measured before.
      self.run.append_scores(rows, replace=True)
      with self.writer.as_default(step=step):
        for name, value in self.latest.items():
          tf.summary.scalar(name, value)
        self.writer.flush()


class Checkpointer(EveryNSteps):
  """Saves checkpoints, and marks the best by a score.

  Args:
    intervals: `Intervals`.
    save: function of the step that writes a checkpoint.
    run: `RunDirectory`, or None on a worker that is not the chief.
    keep: how many of the newest to keep.
    measured: `Scores` or `TermLogger`, whose latest values decide the best.
    best_by: name of the value; the lowest is the best. None for no best one.
  """

  def __init__(self, intervals, save, run, keep, measured=None, best_by=None):
    super().__init__(intervals.checkpoint_every, intervals.steps)
    self.save = save
    self.run = run
    self.keep = keep
    self.measured = measured
    self.best_by = best_by

  def at_step(self, step, logs):
    # Weights that are not finite must not replace good checkpoints.
    stop_on_fault(self.model)
    stop_on_weights(self.model, step)
    if self.run:
      self.run.check_present()
    self.save(step)
    if self.run:
      # Before older ones are deleted, among which the best may be.
      self._mark_best(step)
      self.run.prune(self.keep)

  def _mark_best(self, step):
    if not self.best_by or self.measured.measured_at != step:
      return
    value = self.measured.latest[self.best_by]
    best = self.run.best
    # One by another measure, before the run was resumed, says nothing of this.
    # Nothing is below one that is not a number.
    if np.isfinite(value) and (
        best is None or best['metric'] != self.best_by
        or not best['value'] <= value):
      self.run.write_best(step, self.best_by, value)

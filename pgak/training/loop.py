"""Training: a data set, a model and callbacks, in one call of `fit`."""
from collections.abc import Callable
import functools
from typing import Annotated, Literal

import keras
import numpy as np
import tensorflow as tf

from pgak import data
from pgak import errors
from pgak import schedules
from pgak import settings
from pgak.data import kinds
from pgak.models import batch_norm
from pgak.runs import checkpoints
from pgak.runs import configuration
from pgak.runs import data_set
from pgak.runs import polish_latents
from pgak.runs import polishing as polishing_lib
from pgak.runs import run_directory
from pgak.training import callbacks as callbacks_lib
from pgak.training import diagnosing
from pgak.training import galleries
from pgak.training import intervals as intervals_lib
from pgak.training import keras_callbacks
from pgak.training import leaving
from pgak.training import progress
from pgak.training import resuming
from pgak.training import stages
from pgak.training import strategies
from pgak.training import summary
from pgak.training import warm_start as warm_start_lib

__all__ = ['train']

PlateauFactor = Annotated[float, settings.Range(0., 1., excluded=(0., 1.))]
# Values of `best_by` that a validation gives; any other is a score.
BY_VALIDATION = ('validation_loss', 'validation_reconstruction')


@settings.configurable(
    module='pgak.training', denylist=['run_dir', 'imports', 'composed'],
    hints={
        'model': 'a model, such as --gin_file=models/vae.gin',
        'dataset': 'data and networks, such as --gin_file=datasets/mnist.gin '
                   'and --gin_file=networks/conv_mnist.gin',
        'steps': "their number, such as --gin_param='train.steps = 2000'",
        'optimizer': 'a recipe, such as --gin_file=recipes/modern.gin'})
def train(run_dir: settings.Path, model: settings.reference('@VAE'),
          dataset: settings.reference('@mnist'), steps: settings.Count,
          optimizer: settings.reference('@adam'), *,
          batch_size: settings.Count = 64, seed: settings.Seed = 0,
          optimizers: dict[str, settings.Reference] | None = None,
          learning_rate_schedule: schedules.OfRun | None = None,
          clip_norm: settings.Positive | None = None,
          augmenter: settings.called('@augmenter()', 2) | None = None,
          split: str = 'train', validation_split: str = 'test',
          log_every: settings.Count = 100,
          validate_every: settings.Count = 1000,
          sample_every: settings.Count | None = 1000,
          checkpoint_every: settings.Count = 1000,
          keep_checkpoints: settings.Count = 3,
          score_every: settings.Count | None = None,
          scorer: settings.reference('@frechet_scorer') | None = None,
          best_by: str | None = None,
          plateau_patience: settings.Count | None = None,
          plateau_factor: PlateauFactor = 0.5,
          strategy: Literal[strategies.NAMES] = 'one_device',
          xla: bool | None = None,
          precision: Literal[strategies.PRECISIONS] = 'float32',
          steps_per_execution: settings.Count = 1,
          image_error: settings.called('@PerceptualError()', 2) | None = None,
          callbacks: keras_callbacks.Callbacks = (),
          diagnostics: bool = True,
          warm_start: settings.Path | None = None,
          imports: tuple[str, ...] = (), composed: str | None = None):
  """Trains a model in a run directory, or resumes the run that is there.

  The weights are a function of the configuration: on one device with XLA, a run
  that was killed and resumed ends bit for bit where an undisturbed one does.

  Args:
    run_dir: path of the run directory.
    model: gin reference to a model, such as @LPGA.
    dataset: gin reference to a data set, such as @mnist.
    steps: train steps in all, but for those of polishing, which come after
      them (see `polishing.configured`); a finished run may be resumed with
      more.
    optimizer: gin reference to an optimizer, such as @sgd, for every part.
    batch_size: examples in a batch, over all replicas.
    seed: int that decides weights, noise and the order of the data.
    optimizers: `{part: reference}` for parts that have another optimizer.
    learning_rate_schedule: such as @cosine(); None for constant rates.
    clip_norm: largest global norm of a part's gradient, or None.
    augmenter: such as @augmenter(); None for no changes.
    split: split that is trained on.
    validation_split: split on which terms are logged and images reconstructed.
    log_every: steps between two points of the training curves.
    validate_every: steps between two passes over the validation images.
    sample_every: steps between two galleries, or None.
    checkpoint_every: steps between two checkpoints.
    keep_checkpoints: how many of the newest to keep.
    score_every: steps between two measurements by `scorer`, or None.
    scorer: function of the data set to one of `(model, step)` to rows of
      scores.csv, such as @frechet_scorer.
    best_by: name of the score whose lowest value marks the best checkpoint, or
      'validation_loss' or 'validation_reconstruction'.
    plateau_patience: after so many validations without a lower validation loss
      all learning rates are multiplied by `plateau_factor`; None for never.
    plateau_factor: see `plateau_patience`.
    strategy: 'one_device'; 'mirrored' for all GPUs of this machine (or all
      logical CPUs); 'multi_worker' for the cluster that TF_CONFIG describes.
    xla: whether XLA compiles the step; by default only on one device, and on a
      CPU not where its convolutions are slow, see `compilation`.
    precision: 'float32' or 'mixed_bfloat16'; float16 would need scaled losses.
    steps_per_execution: steps in one call of the compiled function; it divides
      `steps` and all intervals.
    image_error: error of the term `reconstruction`, such as
      @PerceptualError(); None for the mean squared error.
    callbacks: Keras's, or one's own, such as [@keras.callbacks.CSVLogger()];
      an epoch is from one validation to the next. See `keras_callbacks`.
    diagnostics: whether each validation warns of posterior collapse and other
      known faults; see `diagnostics`.
    warm_start: 'RUN' or 'RUN:CHECKPOINT', whose weights a new run begins with,
      as far as they fit; a resumed run has its own. See `warm_start.take`.
    imports: modules that register what the configuration names.
    composed: gin text that is kept as command.gin once the run has begun, or is
      resumed; None for none.

  Returns:
    The trained model.

  Raises:
    errors.UserError: for settings that do not fit each other or the run.
  """
  hardware = strategies.Hardware(strategy, xla, precision, steps_per_execution)
  polishing = polishing_lib.configured()
  last_step = steps + polishing.steps
  intervals = intervals_lib.Intervals(
      last_step, log_every, validate_every, sample_every, checkpoint_every,
      score_every)
  intervals.check_multiples(steps_per_execution, polishing.steps)
  _check_measured(intervals, scorer, best_by)
  _check_plateau(plateau_patience, learning_rate_schedule)
  keras_callbacks.check(callbacks, learning_rate_schedule, plateau_patience,
                        polishing.steps)
  distribution = hardware.distribution()
  is_chief = strategies.is_chief(distribution)
  run = run_directory.RunDirectory(run_dir, create=True)
  # Before the data set is made, whose settings these are.
  configuration.keep_old_values(run)
  images = data_set.made(dataset)
  # Variables belong to the strategy in whose scope they are made.
  with distribution.scope():
    trained = checkpoints.build(
        model, optimizer, optimizers, learning_rate_schedule, steps, seed,
        hardware.precision, image_error, polishing, clip_norm=clip_norm,
        steps_per_execution=hardware.steps_per_execution)
    # Known only of a built model, and read when the first step is traced.
    trained.jit_compile = hardware.compiles(trained)
    if plateau_patience:
      # A weight, so that checkpoints hold it and a resumed run goes on
      # counting.
      trained.plateau = trained.add_weight(
          name='plateau', shape=(2,), trainable=False, initializer=_no_record)
  stages.check(trained, steps, polishing, plateau_patience,
               steps_per_execution)
  _check_best_by(trained, best_by)
  train_images, validation_images = _splits(
      images, trained, split, validation_split)
  trained.batch_norm_statistics = batch_norm.Statistics(train_images)
  with _lock(run, is_chief):
    origin = warm_start_lib.begin(trained, run, warm_start, is_chief)
    # Once: before new settings are written, which it may refuse, or later.
    score = functools.cache(lambda: score_every and settings.made(
        scorer, 'train.scorer', Callable, images))
    order = resuming.describe(run, imports, seed, steps, train_images,
                              is_chief, origin, composed, score)
    first_step = resuming.restore_latest(run, trained)
    if not first_step and not origin:
      stages.start_from_data(
          trained, train_images, batch_size, seed, augmenter, order)
    # What was done at the step at which a signal ended the run, or None.
    finished = run.finished_callbacks(first_step)
    if first_step >= last_step and finished is None:
      print(f'{run.path} is finished: {first_step} of {last_step} steps.')
      return trained
    if keras_callbacks.ended(run, first_step, last_step):
      return trained
    if is_chief:
      print(summary.describe(trained, hardware.precision))
      resuming.purge_events(run.events, first_step, finished is not None)
    writer = run if is_chief else None
    measuring, measured = _measuring(
        trained, writer, intervals, validation_images, score(), best_by,
        (plateau_patience, plateau_factor))
    epochs = keras_callbacks.Epochs(intervals, callbacks, measuring[0])
    measuring.append(epochs)
    called = _callbacks(
        trained, writer, intervals, (train_images, validation_images), seed,
        measuring, diagnostics)
    called.append(callbacks_lib.Checkpointer(
        intervals, lambda step: checkpoints.save(trained, run, step, is_chief),
        writer, keep_checkpoints, measured, best_by))
    with leaving.with_a_checkpoint(trained, run, called, is_chief):
      if finished is not None:
        # In the stage that the step was of, also where it was the last one.
        stage, *_ = next(stages.of(trained, first_step - 1, steps, polishing))
        trained.enter_stage(stage)
        for callback in called:
          callback.make_up(trained, type(callback).__name__ in finished)
      for stage, begin, end in () if epochs.stopped_by else stages.of(
          trained, first_step, steps, polishing):
        batches = stages.batches(
            trained, stage, begin, train_images, batch_size, seed, augmenter,
            order, lambda: polish_latents.made(
                trained, train_images, polishing, seed, run, steps, images))
        trained.enter_stage(stage)
        # Not the model's own `fit`, which checks the range of its input: a
        # run's batches are in it.
        keras.Model.fit(trained, batches, steps_per_epoch=end - begin, epochs=1,
                        verbose=0, shuffle=False, callbacks=called)
        if epochs.stopped_by:
          break
        leaving.check_end(trained, run, end)
      if epochs.stopped_by:
        called[-1].at_step(epochs.step, {})  # Saves a checkpoint.
        keras_callbacks.ended(run, epochs.step, last_step,
                              is_chief and epochs.stopped_by)
  # As its last checkpoint has them.
  trained.batch_norm_statistics.assign(trained)
  return trained


# === Before training ===


def _check_best_by(model, best_by):
  terms = [f'validation_{t}' for t in ('loss', *model.term_names)]
  if best_by in BY_VALIDATION and best_by not in terms:
    raise errors.UserError(
        f'`train.best_by` is {best_by!r}, a term that {model.name} has not: '
        'choose validation_loss, or a score that `train.scorer` measures.')


def _check_measured(intervals, scorer, best_by):
  if intervals.score_every and scorer is None:
    raise errors.UserError(
        '`train.score_every` needs `train.scorer`, such as @frechet_scorer.')
  measured = 'validate_every' if best_by in BY_VALIDATION else 'score_every'
  every = getattr(intervals, measured)
  if best_by and (not every or every % intervals.checkpoint_every):
    raise errors.UserError(
        f'`train.best_by = {best_by!r}` needs `train.{measured}`, a multiple '
        'of `train.checkpoint_every`: what is measured must be saved.')


def _check_plateau(patience, schedule):
  if patience and schedule:
    raise errors.UserError(
        '`train.plateau_patience` changes the learning rates, and so does '
        '`train.learning_rate_schedule`: set one of them to None.')


def _no_record(shape, dtype=None):
  """No validation yet: the lowest loss is infinite."""
  return tf.constant([np.inf, 0.], dtype, shape)


def _lock(run, is_chief):
  # Only the chief writes. A name scope is a context without effect here.
  return run.locked() if is_chief else tf.name_scope('worker')


def _splits(dataset, model, split, validation_split):
  _check_kind(kinds.of(dataset), dataset.name, model)
  for name in (split, validation_split):
    if name not in dataset.splits:
      raise errors.UserError(
          f'{dataset.name} has no split {name!r}: choose one of '
          f'{", ".join(dataset.splits)}.')
  return dataset.split(split), dataset.split(validation_split)


def _check_kind(kind, name, model):
  """Refuses data that a model is not made for."""
  if type(kind) is not type(model.kind) and (
      'condition' in kind.can | model.kind.can
      or kind.shape == model.kind.shape):
    raise errors.UserError(
        f'{model.name} is for {model.kind.name}, and {name} holds {kind.name}: '
        f'{model.kind.source or kind.sink}.')
  if kind.shape != model.kind.shape:
    raise errors.UserError(
        f'{name} has {kind.name} of {kind.shape} and the network is for '
        f'{model.kind.shape}: set `image_shape` and choose a network for it.')
  given, wanted = (getattr(k, 'condition_shape', ())
                   for k in (kind, model.kind))
  if given != wanted:
    raise errors.UserError(
        f'{name} has conditions of {given} and the network is for {wanted}: '
        'set `condition_shape`.')


# === During training ===


def _measuring(model, run, intervals, validation_images, score, best_by,
               plateau):
  """Makes the callbacks that measure the model.

  Args:
    model: `GenerativeModel`.
    run: `RunDirectory`, or None on a worker that is not the chief.
    intervals: `Intervals`.
    validation_images: the split that is validated on.
    score: function of the model and the step to scores, or None.
    best_by: name of the score or term that decides which checkpoint is best.
    plateau: `(patience, factor)` of `callbacks.Plateau`; None for no patience.

  Returns:
    The callbacks in their order, and the one that measures `best_by`.
  """
  by_validation = best_by in BY_VALIDATION
  logger = callbacks_lib.TermLogger(
      intervals, data.validation_batches(
          validation_images, model.value_range,
          model.distribute_strategy.num_replicas_in_sync), run)
  made = [logger]
  patience, factor = plateau
  if patience:
    made.append(callbacks_lib.Plateau(
        intervals, logger, model.plateau, patience, factor))
  scores = score and callbacks_lib.Scores(
      intervals, score, run, None if by_validation else best_by)
  made += [scores] if scores else []
  return made, logger if by_validation else scores


def _callbacks(model, run, intervals, splits, seed, measuring, diagnostics):
  """Returns all callbacks but the last, which saves; as for `_measuring`."""
  train_images, validation_images = splits
  chosen = [callbacks_lib.LeaveBetweenSteps(),
            callbacks_lib.StopOnFault(intervals)]
  if run:
    chosen += galleries.of(
        model.kind, validation_images, intervals=intervals, folder=run.samples,
        events=run.events, seed=seed, train_images=train_images)
    if diagnostics:
      chosen.append(diagnosing.Diagnosis(intervals, validation_images, run))
  shown = [progress.Progress(intervals, validated=measuring[0])] if run else []
  return [*chosen, *measuring, *shown]

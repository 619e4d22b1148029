"""Models built from the configuration, saved to a run and loaded from it."""
import json
import pathlib
import shutil
import tempfile
from typing import Annotated

import gin
import keras
import tensorflow as tf

from pgak import errors
from pgak import models
from pgak import optimizers as optimizers_lib
from pgak import priors
from pgak import settings as settings_lib
from pgak.priors import ex_post
from pgak.runs import configuration
from pgak.runs import data_set
from pgak.runs import packs
from pgak.runs import polishing as polishing_lib
from pgak.runs import run_directory
from pgak.runs import weights

__all__ = ['build', 'build_settings', 'load', 'load_configured', 'restore',
           'save', 'usual_priors']

_Optimizer = Annotated[keras.optimizers.Optimizer,
                       settings_lib.Says('a Keras optimizer, as @adam does')]
_Model = Annotated[models.GenerativeModel,
                   settings_lib.Says('a model of pgak, as @VAE does')]


def build(model, optimizer, optimizers=None, learning_rate_schedule=None,
          steps=1, seed=0, precision='float32', image_error=None,
          polishing=polishing_lib.Polishing(), **compile_options):
  """Builds and compiles a model; the same seed gives the same weights.

  Args:
    model: function without arguments, such as a gin reference, that makes a
      `GenerativeAutoencoder`.
    optimizer: function that makes the optimizer of a part; it is called in the
      gin scope of the part's name.
    optimizers: `{part: such a function}` where parts have others, or None.
    learning_rate_schedule: function of the share of the run that is done to a
      factor on each learning rate, or None.
    steps: number of steps of the run, without those of polishing.
    seed: int that decides the initial weights and all noise.
    precision: 'float32' or 'mixed_bfloat16'.
    image_error: function `(images, reconstructed) -> [B]`, float images in the
      model's value range, in the place of the mean squared error; or None.
    polishing: a `polishing.Polishing`, whose steps come after `steps`.
    **compile_options: as for `GenerativeAutoencoder.compile`.

  Returns:
    The compiled model.

  Raises:
    errors.UserError: if the settings do not fit each other.
  """
  # Layers take the policy when they are made, and global state would leak into
  # the next model: it is set back below.
  keras.config.set_dtype_policy(precision)
  # It decides the initial weights; training draws its noise by other seeds, see
  # `noise`.
  keras.utils.set_random_seed(seed)
  try:
    built = settings_lib.made(model, 'train.model', _Model)
  except ValueError as e:
    # Gin appends lines that say where in its calls the error was raised.
    text = str(e).split('\n  In call')[0]
    raise errors.UserError(' '.join(text.split())) from e
  finally:
    keras.config.set_dtype_policy('float32')
  if built.needs_full_precision:
    # TensorFloat-32 would round away a difference of nearly equal numbers.
    tf.config.experimental.enable_tensor_float_32_execution(False)
  unknown = set(optimizers or {}) - set(built.parts)
  if unknown:
    raise settings_lib.SettingError(
        f'`train.optimizers` names {", ".join(sorted(unknown))}: the parts of '
        f'{built.name} are {", ".join(built.parts)}.')
  schedule = polishing_lib.over_all_steps(
      learning_rate_schedule, steps, polishing)
  made = {}
  for part in built.parts:
    # The error of a wrong optimizer names the setting that it came from.
    own = part in (optimizers or {})
    name = f'train.optimizers[{part!r}]' if own else 'train.optimizer'
    made[part] = _optimizer(part, optimizers[part] if own else optimizer, name,
                            schedule, built.step, steps + polishing.steps)
  polished_by = polishing.image_error
  if polishing.steps and not built.compares_images:
    # The decoder's polishing alone compares images.
    polished_by, image_error = polished_by or image_error, None
  if image_error:
    built.image_error = image_error
  if polished_by:
    built.polishing_error = polished_by
  # Last: compile builds the optimizers, whose moments a checkpoint must find.
  built.compile(made, seed=seed, run_steps=steps, **compile_options)
  return built


def _optimizer(part, make, name, schedule, step, steps):
  # So that `encoder/adam.learning_rate` is the encoder's alone.
  with gin.config_scope(part):
    optimizer = settings_lib.made(make, name, _Optimizer)
  if not schedule:
    return optimizer
  rate = optimizers_lib.RunSchedule(
      float(optimizer.learning_rate.numpy()), schedule, step, steps)
  # A schedule set on a built optimizer would make it unsaveable.
  config = optimizer.get_config() | {'learning_rate': rate}
  return type(optimizer).from_config(config)


def save(model, run, step, is_chief=True, finished=None):
  """Writes a checkpoint; workers other than the chief delete theirs.

  It has batch norm's statistics as inference needs them, and the weights that
  training goes on with.

  Args:
    model: `GenerativeAutoencoder`.
    run: `RunDirectory`.
    step: int.
    is_chief: whether this process writes.
    finished: None; or, of a run that was interrupted between two steps, the
      names of the callbacks that have done their work at this one.

  Raises:
    errors.UserError: if it cannot be written.
  """
  with model.batch_norm_statistics.in_place(model):
    _write(tf.train.Checkpoint(model=model), run, step, is_chief, finished)


def _write(checkpoint, run, step, is_chief, finished):
  if is_chief:
    try:
      with run.writing_checkpoint(step) as prefix:
        checkpoint.write(prefix)
        if finished is not None:
          path = pathlib.Path(prefix).with_name('finished.json')
          path.write_text(json.dumps(finished))
    except (OSError, tf.errors.OpError) as e:
      # TensorFlow has errors of its own for a full disk.
      reason = errors.unwritable(e) or errors.reason(e)
      raise errors.UserError(
          f'The checkpoint of step {step} cannot be written to '
          f'{run.checkpoint_folder} ({reason}): make room, and the same '
          'command goes on from the one before.') from e
  else:
    # Reading the variables of several workers is collective: each must take
    # part, or the chief waits for ever.
    folder = tempfile.mkdtemp()
    checkpoint.write(f'{folder}/checkpoint')
    shutil.rmtree(folder)


def restore(model, run, step):
  """Restores all of a model's state: weights, optimizers, averages, counters.

  Raises:
    errors.UserError: if the checkpoint is damaged or of another model.
  """
  if run.packed_weights(step).is_file():
    weights.assign(model, run, step)
    return
  prefix = run.checkpoint_prefix(step)
  try:
    status = tf.train.Checkpoint(model=model).read(prefix)
    # A variable without a value would keep its initial weights, silently.
    status.assert_existing_objects_matched()
    # What only training needs, such as the state of a plateau, may stay unread.
    status.expect_partial()
  except (tf.errors.OpError, AssertionError, LookupError, OSError,
          RuntimeError, ValueError) as e:
    raise errors.UserError(
        f'The checkpoint {prefix} is damaged or belongs to another model '
        f'({errors.reason(e)}): choose another with --checkpoint, or delete '
        'its folder to go on from the one before.') from e


def load_configured(run, checkpoint='latest', prior='own'):
  """Loads a run's model as gin's present configuration describes it.

  Args:
    run: `RunDirectory`, or its path.
    checkpoint: 'latest', 'best' or a step.
    prior: as for `priors.resolve`. One that is fitted to latents is, or is read
      from the run; see `priors.ex_post`. None for the model's own where
      training makes latents and prior alike, and else `ex_post.USUAL`.

  Returns:
    The model, with its weight averages in place where it keeps some.

  Raises:
    errors.UserError: if the run, the checkpoint or the prior is not available.
  """
  if not isinstance(run, run_directory.RunDirectory):
    run = run_directory.RunDirectory(run)
  step = run.resolve_checkpoint(checkpoint)
  # A name that nobody has is said before the model is built.
  choice = None if prior is None else priors.resolve(prior)
  settings = build_settings()
  if not {'model', 'optimizer'} <= set(settings):
    raise errors.UserError(
        f'{run.config_file} is damaged: it binds no train.model or no '
        'train.optimizer; restore it.')
  model = build(**settings)
  restore(model, run, step)
  for part, optimizer in model.optimizers.items():
    # Before the first step the averages are zeros, not weights.
    if optimizer.use_ema and int(optimizer.iterations.numpy()) > 0:
      optimizer.finalize_variable_values(model.parts[part].trainable_variables)
  if choice is None:
    return ex_post.attach_usual(model, run, step, data_set.configured)
  return ex_post.attach(model, choice, run, step, data_set.configured)


def usual_priors():
  """Returns the names of what may stand for the prior where none is given.

  Returns:
    List, by the class of the model in gin's present configuration.
  """
  model = configuration.setting('train.model')
  is_trained = (getattr(model, 'matches_prior', False)
                or getattr(model, 'learns_prior', False))
  return ['own' if is_trained else ex_post.USUAL]


@settings_lib.several('imports')
def load(run_dir, checkpoint='latest', imports=(), prior='own'):
  """Loads a trained model, for a notebook or a script.

  It replaces gin's present configuration by the run's and then clears it.

  Args:
    run_dir: path of a run directory, or of a zip that `pgak_pack` made, from
      anyone: neither runs code.
    checkpoint: 'latest', 'best' or a step.
    imports: modules that the run was trained with, if any, such as one with a
      model of your own; their code is run.
    prior: 'own', or another density that `sample` draws from, by its name or
      class; fitted to the latents of the data if the run has it not yet; None
      as for `load_configured`.

  Returns:
    A `GenerativeAutoencoder` with `encode`, `decode`, `reconstruct` and
    `sample`; images are uint8. A GAN has no encoder, `has_encoder` is False,
    and has `decode` and `sample` alone.

  Example:

  ```python
  model = pgak.load('runs/quickstart')
  images = model.sample(16, seed=1)   # uint8 [16, 8, 8, 1]
  ```

  Raises:
    errors.UserError: if it is no run, if it was trained with other modules
      than `imports`, or as for `load_configured`.
  """
  run = run_directory.RunDirectory(packs.folder(run_dir))
  try:
    configuration.parse_run(run, imports=imports)
    model = load_configured(run, checkpoint, prior)
  finally:
    # A notebook may load several runs, whose bindings must not mix.
    gin.clear_config()
  step = run.resolve_checkpoint(checkpoint)
  # A function, which Keras and checkpoints do not track.
  model.origin = lambda: {'run_dir': run_dir, 'checkpoint': step,
                          'imports': imports}
  return model


def build_settings():
  """The settings of `train` that decide what a checkpoint holds."""
  # `steps`, because a schedule of the learning rate is one of the run's share.
  names = ('model', 'optimizer', 'optimizers', 'seed', 'precision',
           'learning_rate_schedule', 'steps')
  settings = {n: configuration.setting(f'train.{n}') for n in names}
  return {n: v for n, v in settings.items() if v is not None} | {
      'polishing': _polishing()}


def _polishing():
  """Returns the settings of polishing, but for what its steps alone need."""
  default = polishing_lib.Polishing()
  first = [configuration.setting(f'polish.{name}', getattr(default, name))
           for name in ('steps', 'noise', 'learning_rate')]
  # By position, in the place of which gin makes nothing: an error of images may
  # read a net that is not here.
  return polishing_lib.configured(*first, None, None)

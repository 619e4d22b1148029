"""`compile` as Keras has it: one optimizer for all parts, or one per part.

Each part has an optimizer of its own, since each descends terms of its own.
`model.optimizer` shows them to Keras's callbacks as one.
"""
import keras

from pgak import errors
from pgak import optimizers as optimizers_lib
from pgak.models import parts as parts_lib

__all__ = ['Compiled', 'PartOptimizers']


class PartOptimizers:
  """The optimizers of a model's parts, behind the interface of a single one.

  It is no `keras.optimizers.Optimizer`: at the end of `fit` Keras replaces the
  weights by the averages of such a one, and training could not be resumed.

  Args:
    optimizers: `{part: keras.optimizers.Optimizer}`, all built.
    step: the model's step, an integer variable.
  """

  # Keras asks before it would build one; `compile` has built them all.
  built = True

  def __init__(self, optimizers, step):
    self._optimizers = dict(optimizers)
    # A part that is updated several times a step counts more in its own
    # optimizer.
    self.iterations = step

  @property
  def optimizers(self):
    """The parts' optimizers, a list in the order of the parts."""
    return list(self._optimizers.values())

  @property
  def variables(self):
    """All variables of all of them, a list."""
    return [v for optimizer in self.optimizers for v in optimizer.variables]

  @property
  def learning_rate(self):
    """The first part's learning rate, a variable or a tensor.

    To set it sets those that equal it; others keep their ratio to it.
    """
    return self.optimizers[0].learning_rate

  @learning_rate.setter
  def learning_rate(self, value):
    rates = [_number(o.learning_rate) for o in self.optimizers]
    value = _number(value)
    for optimizer, rate in zip(self.optimizers, rates):
      # From 0, as in a warm-up, there is no ratio to keep.
      same = rate == rates[0] or not rates[0]
      optimizer.learning_rate = value if same else value * (rate / rates[0])

  def build(self, variables):
    """Does nothing: `compile` has built them."""


def _number(value):
  return float(keras.ops.convert_to_numpy(value))


class Compiled:
  """A model's `compile`, and its configuration in a file."""

  def compile(self, optimizer='adam', loss=None, metrics=None, *, seed=0,
              clip_norm=None, jit_compile=False, steps_per_execution=1,
              run_steps=None, run_eagerly=False, optimizers=None,
              loss_weights=None, weighted_metrics=None, auto_scale_loss=True):
    """Configures training.

    Args:
      optimizer: one for all parts, each of which gets a copy of its own, named
        after the part: a `keras.optimizers.Optimizer`, its name ('adam'), or
        its configuration; or `{part: one of these}` for every part.
      loss: refused, as are `metrics`, `loss_weights` and `weighted_metrics`:
        the terms of a model's update table are its loss.
      metrics: see `loss`.
      seed: int that decides every random draw.
      clip_norm: largest global norm of a part's gradient, or None.
      jit_compile: whether XLA compiles the step.
      steps_per_execution: train steps in one call of the compiled function.
      run_steps: steps of the whole run, for schedules that scale with it.
      run_eagerly: whether steps run outside of a graph, to debug.
      optimizers: another name of `optimizer`.
      loss_weights: see `loss`.
      weighted_metrics: see `loss`.
      auto_scale_loss: not read; there is no float16.

    Raises:
      UserError: if an argument is one that pgak's models do not take.
      ValueError: if a dictionary does not name the parts.
    """
    del auto_scale_loss
    _refuse(self, loss=loss, metrics=metrics, loss_weights=loss_weights,
            weighted_metrics=weighted_metrics)
    made = _optimizers(self, optimizer if optimizers is None else optimizers)
    # No optimizer and no loss of Keras's: `train_step` has its own.
    super().compile(optimizer=None, jit_compile=jit_compile,
                    run_eagerly=run_eagerly,
                    steps_per_execution=steps_per_execution)
    # Before optimizers are built, whose slots follow the variables.
    parts_lib.check(self)
    for error in (self.image_error, getattr(self, 'polishing_error', None)):
      # One that was made without a range of pixels takes the model's.
      if getattr(error, 'value_range', ()) is None:
        error.value_range = self.value_range
    for part, own in made.items():
      # An optimizer that is built later would resume with empty moments.
      own.build(self.parts[part].trainable_variables)
      # A checkpoint does not look into dictionaries.
      setattr(self, f'{part}_optimizer', own)
    self.optimizers = made
    self.optimizer = PartOptimizers(made, self.step)
    self.seed = seed
    self.clip_norm = clip_norm
    self.run_steps = run_steps

  def get_compile_config(self):
    """Returns what `compile` was given, as `keras.Model.save` keeps it."""
    if not self.compiled:
      return None
    return {
        'optimizers': {part: keras.optimizers.serialize(own)
                       for part, own in self.optimizers.items()},
        **{name: getattr(self, name) for name in (
            'seed', 'clip_norm', 'jit_compile', 'steps_per_execution',
            'run_steps', 'run_eagerly')}}

  def compile_from_config(self, config):
    """Compiles the model by what `get_compile_config` of another returned."""
    if not config:
      return
    config = dict(config)
    made = {part: keras.optimizers.deserialize(own)
            for part, own in config.pop('optimizers').items()}
    for optimizer in made.values():
      # The public property evaluates a schedule.
      rate = getattr(optimizer, '_learning_rate', None)
      if isinstance(rate, optimizers_lib.RunSchedule):
        # A file holds no variable of the model that wrote it.
        rate.step = self.step
    self.compile(made, **config)


def _refuse(model, **given):
  """Refuses what Keras's `compile` takes, and a model that has terms cannot."""
  named = [name for name, value in given.items() if value is not None]
  if named:
    raise errors.UserError(
        f'{type(model).__name__} takes no `{named[0]}`: it descends and logs '
        f'its own terms ({", ".join(model.term_names)}); leave it out, give '
        'the terms other weights in the constructor, or set '
        '`model.image_error` to another error of images.')


def _optimizers(model, given):
  """Returns `{part: optimizer}`, copies of one or those that are given."""
  parts = list(model.parts)
  # A dictionary with `class_name` is one optimizer, as Keras serializes it.
  if not isinstance(given, dict) or 'class_name' in given:
    config = keras.optimizers.serialize(_made(given))
    return {part: _named(config, part) for part in parts}
  if set(given) != set(parts):
    raise ValueError(f'`optimizers` must name the parts {sorted(parts)}, not '
                     f'{sorted(given)}.')
  made = {part: _made(given[part]) for part in parts}
  # An optimizer is built for the variables of one part.
  if len({id(optimizer) for optimizer in made.values()}) < len(made):
    raise errors.UserError(
        f'Two parts of {model.name} were given one optimizer, which follows '
        'the weights of one: give each its own, or `compile(optimizer)` alone, '
        'which makes a copy for each.')
  return made


def _made(given):
  """Returns a `keras.optimizers.Optimizer`, whatever it is given as."""
  try:
    made = keras.optimizers.get(given)
  except (TypeError, ValueError) as e:
    raise errors.UserError(
        f'`compile` does not know the optimizer {given!r}: give its name, such '
        "as 'adam', a keras.optimizers.Optimizer, or a dictionary of these by "
        'part.') from e
  if made is None:
    raise errors.UserError("`compile` needs an optimizer, such as 'adam'.")
  return made


def _named(config, part):
  # Named after the part, so that variables and logs of two parts differ.
  config = config | {'config': config['config'] | {'name': part}}
  return keras.optimizers.deserialize(config)

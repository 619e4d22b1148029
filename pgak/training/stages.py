"""How a run begins and its stages: the model's own, and polishing."""
from pgak import data
from pgak import errors
from pgak.models import batch_norm
from pgak.models import polished
from pgak.runs import polish_latents
from pgak.training import strategies

__all__ = ['batches', 'check', 'of', 'start_from_data']


def check(model, steps, polishing, plateau_patience, steps_per_execution):
  """Refuses a run whose stages are of no use, or which cannot be polished.

  Args:
    model: `GenerativeModel`.
    steps: int, `train.steps`.
    polishing: a `Polishing`.
    plateau_patience: that of `train`.
    steps_per_execution: that of `train`.

  Raises:
    errors.UserError: names the setting, and the way out.
  """
  ends = (0, *model.stage_ends, steps)
  if any(end <= begin for begin, end in zip(ends, ends[1:])):
    raise errors.UserError(
        f'The stages of {model.name} would end at the steps '
        f'{", ".join(map(str, ends[1:]))}: let each end after the one before, '
        'and `train.steps` after them all.')
  # Keras would finish the last call, and so train a part for longer.
  if any(end % steps_per_execution for end in ends):
    raise errors.UserError(
        f'The stages of {model.name} would end at the steps '
        f'{", ".join(map(str, ends[1:]))}: let each be a multiple of '
        f'`train.steps_per_execution = {steps_per_execution}`.')
  if not polishing.steps:
    return
  if ('reconstruction' not in model.term_names or model.lacks('encode')
      or 'condition' in model.kind.can):
    raise errors.UserError(
        f'{model.name} cannot be polished, which trains a decoder on latents '
        'of images by the term `reconstruction`: set `polish.steps = 0`.')
  if plateau_patience:
    raise errors.UserError(
        '`train.plateau_patience` changes the learning rates, and so does '
        'polishing: set `train.plateau_patience = None`, with '
        '`train.learning_rate_schedule = @cosine()` in its place, or '
        '`polish.steps = 0`.')
  # Not only its own check: made now, it reads its settings before `describe`
  # writes which these are.
  if polish_latents.prior(model, polishing) and (
      model.distribute_strategy.cluster_resolver):
    raise errors.UserError(
        '`polish.density` is fitted by one process: set it to None, or '
        "`train.strategy` to 'mirrored' or 'one_device'.")


def start_from_data(model, images, batch_size, seed, augmenter, order_version):
  """Sets a new run's initial weights by its first batch, if the model has it.

  Args:
    model: `GenerativeModel`, before its first step.
    images: `ImageArray` that is trained on.
    batch_size: int, over all replicas.
    seed: int, the run's.
    augmenter: as for `data.train_batches`.
    order_version: as for `data.train_batches`.
  """
  if getattr(model, 'data_start', False):
    # The whole batch, also where several replicas share its steps: all start
    # from the same weights.
    model.start_from(next(iter(data.train_batches(
        images, batch_size * model.table.slices, seed, 0, model.value_range,
        augmenter, order_version=order_version))))


def of(model, first_step, steps, polishing):
  """Yields `(stage, first step, last step)` of the steps that remain.

  A model whose parts all train at once has the one stage None.
  """
  begin = 0
  for stage, end in enumerate((*model.stage_ends, steps)):
    if first_step < end:
      yield (stage if model.stage_ends else None), max(begin, first_step), end
    begin = end
  total = steps + polishing.steps
  if first_step < total and polishing.steps:
    yield polished.POLISH, max(begin, first_step), total


def batches(model, stage, first_step, images, batch_size, seed, augmenter,
            order_version, latents):
  """Makes the data set of a stage, for the model's strategy.

  Args:
    model: `GenerativeModel`.
    stage: as `of` yields it.
    first_step: int, the step whose batch comes first.
    images: `ImageArray` that is trained on.
    batch_size: int, over all replicas.
    seed: int, the run's.
    augmenter: as for `data.train_batches`. Polishing is without, as the latents
      are those of the images as they are.
    order_version: as for `data.train_batches`.
    latents: function without arguments to those of polishing, see
      `polish_latents.made`.

  Returns:
    A `tf.data.Dataset`, or what the strategy makes of one.
  """
  beside = None
  if stage == polished.POLISH:
    augmenter, beside = None, latents()
  elif stage:
    # What was trained before is frozen with the statistics of its data.
    batch_norm.reestimate(model, images)
  slices = 1 if beside else model.table.slices
  return strategies.distributed(
      model.distribute_strategy, lambda slots: data.train_batches(
          images, batch_size * slices, seed, first_step, model.value_range,
          augmenter, replica_slots=slots, order_version=order_version,
          beside=beside))

"""How a run begins and in which stages it goes on."""
from pgak import errors

__all__ = ['check', 'of', 'start_from_data']


def check(model, steps):
  """Raises UserError unless each stage of a model ends after the one before.
  """
  ends = (0, *model.stage_ends, steps)
  if any(end <= begin for begin, end in zip(ends, ends[1:])):
    raise errors.UserError(
        f'The stages of {model.name} would end at the steps '
        f'{", ".join(map(str, ends[1:]))}: let each end after the one before, '
        'and `train.steps` after them all.')


def of(model, first_step, last_step):
  """Yields `(stage, first step, last step)` of the steps that remain.

  A model whose parts all train at once has the one stage None.
  """
  if not model.stage_ends:
    yield None, first_step, last_step
    return
  begin = 0
  for stage, end in enumerate((*model.stage_ends, last_step)):
    if first_step < end:
      yield stage, max(begin, first_step), end
    begin = end


def start_from_data(model, read):
  """Sets a new run's initial weights by its first batch, if the model has it.

  Args:
    model: `GenerativeModel`, before its first step.
    read: function of the first step to the batches of training.
  """
  if getattr(model, 'data_start', False):
    # The whole batch, also where several replicas share its steps: all start
    # from the same weights.
    model.start_from(next(iter(read(0))))

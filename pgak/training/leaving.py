"""How a run ends before its last step: after a signal, or without data."""
import contextlib

from pgak import errors
from pgak import interruption
from pgak.runs import checkpoints
from pgak.training import callbacks

__all__ = ['check_end', 'with_a_checkpoint']


@contextlib.contextmanager
def with_a_checkpoint(model, run, called, is_chief):
  """Context that saves a run at the step at which a signal ends it.

  What the callbacks had still to do at that step is done when it goes on. A
  model that is not finite is not saved, as the run could not go on from it.

  Args:
    model: `GenerativeModel`.
    run: `RunDirectory`.
    called: the callbacks of the run.
    is_chief: whether this process writes.

  Raises:
    interruption.Interrupted: after a signal, with a sentence that says where
      the checkpoint is.
  """
  try:
    yield
  except interruption.Interrupted as e:
    # Saving takes longer than the grace period of a process that must end.
    interruption.postpone()
    step = int(model.step.numpy())
    steps, fault = run.checkpoints(), ''
    # Several workers would have to agree on a step.
    alone = model.distribute_strategy.cluster_resolver is None
    if step and step not in steps and alone:
      fault = _fault(model, step)
      if not fault:
        checkpoints.save(model, run, step, is_chief, finished=[
            type(c).__name__ for c in called if c.finished_at == step])
        steps.append(step)
    where = (f'the same command goes on from step {steps[-1]}, whose '
             f'checkpoint is in {run.checkpoint_folder}' if steps else
             'there is no checkpoint yet, and the same command begins anew')
    raise interruption.Interrupted(
        e.number, f'Interrupted at step {step}: {where}.{fault}') from e
  finally:
    interruption.allow()


def _fault(model, step):
  """Returns why a model must not be saved, a space and a sentence, or ''."""
  try:
    callbacks.stop_on_fault(model)
    callbacks.stop_on_weights(model, step)
  except errors.UserError as e:
    return f' {e}'
  return ''


def check_end(model, run, end):
  """Refuses to end well where the last step was not reached.

  Keras takes some errors, such as a full disk's, for the end of the data.

  Args:
    model: `GenerativeModel`.
    run: `RunDirectory`.
    end: int, the step that was to be reached.

  Raises:
    errors.UserError: if it was not.
  """
  step = int(model.step.numpy())
  if step < end:
    raise errors.UserError(
        f'The training in {run.path} ended at step {step} of {end}: its data '
        'or its disk came to an end; make room, and the same command goes on '
        'from the last checkpoint.')

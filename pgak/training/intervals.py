"""The intervals of logging, validation and so on, in train steps."""
import dataclasses

from pgak import errors

__all__ = ['Intervals']


@dataclasses.dataclass(frozen=True)
class Intervals:
  """The steps of a run, and the interval of each kind of work.

  Each is the setting of `train` of the same name, which has its default.

  Args:
    steps: int above 0, where the run ends; all work is done there, too.
    log_every: int above 0, steps between two points of the training curves.
    validate_every: int above 0, between two passes over the validation split.
    sample_every: int above 0, between two galleries, or None for none.
    checkpoint_every: int above 0, between two checkpoints.
    score_every: int above 0, between two measurements, or None for none.
  """

  steps: int
  log_every: int
  validate_every: int
  sample_every: int | None
  checkpoint_every: int
  score_every: int | None

  def check_multiples(self, number, polished=0):
    """Refuses intervals that end between two calls of the compiled function.

    Args:
      number: int, the steps in one call.
      polished: int, how many of the steps are those of polishing.

    Raises:
      errors.UserError: names the setting.
    """
    # Callbacks run between two calls only, so that any other step would be
    # missed.
    named = {f'train.{name}': value
             for name, value in dataclasses.asdict(self).items()}
    named |= {'train.steps': self.steps - polished, 'polish.steps': polished}
    for name, value in named.items():
      if value and value % number:
        raise errors.UserError(
            f'`{name} = {value}` must be a multiple of '
            f'`train.steps_per_execution = {number}`.')

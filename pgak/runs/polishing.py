"""Polishing of the decoder: the settings, and the learning rate with it.

After `train.steps` a run may go on for further steps in which the decoder alone
learns: from latents of the training images, each with noise, to the images.
Samples of a density that was fitted to latents lie beside them, by about the
density's error; the decoder learns to answer for such latents, too. With a
density half of the latents are its samples near them, see `polish_latents`.
The encoder stays as it is, and so do the latents and what is fitted to them.
"""
from collections.abc import Callable
from typing import NamedTuple

from pgak import schedules
from pgak import settings

__all__ = ['Polishing', 'configured', 'over_all_steps']

# The learning rate's factor at the last step, as in recipes/modern.gin.
_FINAL = 0.01


class Polishing(NamedTuple):
  """The settings of `configured`, which has the same by default."""
  steps: int = 0
  noise: float = 0.1
  learning_rate: float = 0.3
  image_error: Callable | None = None
  density: Callable | None = None
  time: float = 0.8


@settings.configurable(name='polish', module='pgak.training')
def configured(steps: settings.Whole = 0, noise: settings.NonNegative = 0.1,
               learning_rate: settings.Positive = 0.3,
               image_error: settings.called('@MixedError()', 2) | None = None,
               density: settings.reference('@FlowMatching') | None = None,
               time: settings.Decay = 0.8):
  """Returns what gin's configuration says of polishing, a `Polishing`.

  Args:
    steps: steps after `train.steps`; 0 for no polishing. A step costs the
      decoder's share of a train step, as the latents are encoded once.
    noise: standard deviation of the noise, in units of each latent dimension's
      standard deviation over the training images. About the error of a density:
      without noise reconstructions gain and samples do not, with much more of
      it images blur.
    learning_rate: factor on the decoder's own rate at the first of these steps,
      from which it falls along half a cosine to 1 % of that. Not above 1: the
      decoder is trained already.
    image_error: error that the decoder descends in these steps, as
      `train.image_error`; None for that of training.
    density: a prior with `near`, such as @FlowMatching, fitted after
      `train.steps` and kept in the run, where evaluate and sample find it. Half
      of the latents of a step are then as it moves them, in the place of noise.
      None for noise alone.
    time: t of `FlowMatching.near`, in [0, 1): how much of a latent is left
      before the density moves it back.
  """
  return Polishing(steps, noise, learning_rate, image_error, density, time)


def over_all_steps(schedule, steps, polishing):
  """Returns the factor of the learning rate over training and polishing.

  Args:
    schedule: that of training, a function of the share of `steps` that is done;
      or None for a constant rate.
    steps: int, `train.steps`.
    polishing: a `Polishing`.

  Returns:
    A function of the share of all steps; or what was given, where there is
    nothing to polish.
  """
  if not polishing.steps:
    return schedule
  return schedules.one_after_another(
      schedule, schedules.cosine(_FINAL), steps, polishing.steps,
      polishing.learning_rate)

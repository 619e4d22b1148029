"""The examples that a protocol measures of a data set of pairs."""
import numpy as np

from pgak import capabilities
from pgak.evaluation import examples
from pgak.generation import conditional
from pgak.metrics import reference

__all__ = ['PairExamples']

_SHOWN = 12  # Conditions in the picture that is left in the run.


class PairExamples(examples.Examples):
  """Images that a model makes, one for each condition of the split."""

  of = 'pairs'
  advice = '--protocol=learned_priors_pairs'
  # The implied metric `terms` has the error of reconstructions.
  always = ('reconstruction', 'reconstruction_mse')

  def __init__(self, dataset, protocol):
    super().__init__(dataset, protocol)
    # One image is made for each condition, and the split has no more.
    self.num_samples = min(self.num_samples, len(self.array))

  def number(self, images):
    return self.num_samples

  def prior_of(self, images, model):
    return capabilities.label_of(model.prior)

  def compared(self, images, number):
    return reference.span(self.array, number)

  def make(self, images, model, latents_of):
    # All are kept, because metrics of pairs need each again.
    made = self._draw(model, 0)
    return examples.First([made], len(made))

  def others(self, model):
    """Returns another image for each condition."""
    return self._draw(model, 1)

  def _draw(self, model, index):
    conditions = self.array.read_conditions(np.arange(self.num_samples))
    return np.concatenate(list(conditional.generate(
        # First and second images of all protocol seeds differ: 2 s and 2 s + 1.
        model, conditions, 2 * self.protocol.seed + index,
        rounding=self.protocol.rounding)))

  def write(self, files, images, model, made):
    shown = np.arange(min(_SHOWN, self.num_samples))
    rows = conditional.sample_rows(
        model, *self.array.read_pairs(shown), seed=self.protocol.seed)
    files.write_translations(conditional.picture(rows),
                             self.prior_of(images, model))

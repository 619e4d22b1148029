"""Train steps of the decoder alone, from latents that are given."""
from pgak.models import update_table

__all__ = ['POLISH', 'Polished']

# The stage of training that is this; the others are integers.
POLISH = 'polish'


def _errors(model, batch, noise, training):
  images, latents = batch
  decoded = model.render(latents, training=training)
  error = model.polishing_error or model.image_error
  return {'reconstruction': error(images, decoded)}


_PHASE = update_table.Phase(_errors, {'reconstruction': ('decoder',)})


class Polished:
  """A model with an encoder, whose decoder can be trained alone.

  In the stage `POLISH` a batch is `(images, latents)`: floats in the model's
  value range, and the latents `[B, H]` to decode. The decoder descends the
  model's error of images, under the weight of its term `reconstruction`;
  regularisers and all other terms are left out.

  Attributes:
    polishing_error: error of images in that stage, as `image_error`; None for
      `image_error` itself.
  """

  polishing_error = None

  def train_step(self, batch):
    if self.stage != POLISH:
      return super().train_step(batch)
    terms = self._run_phase(_PHASE, batch, {}, {})
    logs = self._log(terms, batch[1].shape[0])
    self.step.assign(self.step + 1)
    return logs

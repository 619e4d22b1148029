"""What the export of a model of pairs answers; see `signatures`.

Conditions are uint8 pictures as the data set has them, one for each row. Over
REST:

    {"instances": [{"seed": 1, "conditions": [...]}]}
"""
import tensorflow as tf

from pgak.serving import signatures

__all__ = ['ConditionalEndpoints']

_GIVEN = ('generate', 'generate_png', 'sample_latents', 'decode', 'encode',
          'reconstruct')
_REASON = 'its images are made given conditions'


class ConditionalEndpoints(signatures.Endpoints):
  """The functions of one conditional model, to be traced and saved.

  Args:
    model: a built `models.ConditionalAutoencoder`.
    max_batch: as for `Endpoints`.
    batch_sizes: as for `Endpoints`.
    **preparation: of files, which none of its signatures reads.

  The inputs are those of `Endpoints` and, last, `conditions`, uint8
  `[B, h, w, k]`. Signatures that would be given nothing are left out.
  """

  def __init__(self, model, max_batch=None, batch_sizes=None, **preparation):
    del preparation
    super().__init__(model, max_batch, batch_sizes)

  def specs(self):
    conditions = tf.TensorSpec([None, *self.model.condition_shape], tf.uint8,
                               'conditions')
    return {name: inputs + [conditions] * (name in _GIVEN)
            for name, inputs in super().specs().items()}

  @property
  def missed(self):
    return {}

  labels = attributes = ()

  def _lacks(self, name):
    return super()._lacks(name) if name in _GIVEN else _REASON

  def _conditions(self, conditions):
    return [self.model.condition(conditions)]

  def _encode(self, images, conditions):
    return self._run('encode', self.model.encode, images, conditions)

  def _decode(self, latents, conditions):
    return self._run('decode', self.model.decode, latents, conditions)

  def _examples(self, name):
    return tf.TensorSpec([None, *self.model.image_shape], tf.uint8, name)

"""Keras's own verbs of a model: `fit`, `evaluate`, `predict`, `export`.

Their inputs are those of `keras_data`: uint8, or floats in the model's range.
"""
import sys
import warnings

import tensorflow as tf

from pgak import errors
from pgak.models import keras_data

__all__ = ['KerasVerbs']


class KerasVerbs:
  """Keras's verbs of a model, which check their inputs."""

  # Whether `terms` is given a whole batch `(x, y)`, and not x alone.
  takes_structures = False
  # Gives the run that the model was loaded from, or None.
  origin = None

  def fit(self, x=None, y=None, *args, validation_data=None, class_weight=None,
          sample_weight=None, **kwargs):
    """Trains as `keras.Model.fit`, whose arguments it takes.

    Args:
      x: images as uint8, or as floats in the model's value range; an array, a
        `tf.data.Dataset`, or what else Keras takes. A model of pairs takes
        `(images, conditions)`. Of a data set's `(x, label)` the label is left
        out.
      y: labels, which are left out, or x again.
      *args: as for Keras.
      validation_data: the same as `x`, or `(x, y)`, or None.
      class_weight: refused, as is `sample_weight`.
      sample_weight: see there.
      **kwargs: as for Keras.

    Raises:
      UserError: if floats lie outside the model's value range (those of a
        generator are not checked), or if y are other examples than x.
    """
    keras_data.refuse_weights(class_weight=class_weight,
                              sample_weight=sample_weight)
    self._warn_of_stages()
    with keras_data.refusals():
      return super().fit(
          self._examples(x, y, 'fit'), None, *args,
          validation_data=self._validation(validation_data), **kwargs)

  def _warn_of_stages(self):
    """Warns where `fit` alone does not train as a run of this model does."""
    if self.stage_ends and self.stage is None:
      warnings.warn(
          f'`fit` trains all stages of {self.name} at once: call '
          '`model.enter_stage(0)`, fit, and so on for the stages up to '
          f'{len(self.stage_ends)}, to train one after the other.',
          stacklevel=3)
    if self.follows_run and not self.run_steps:
      warnings.warn(
          f'{self.name} changes with the share of the run that is done, and '
          '`fit` does not know its length: give `compile` the steps of all '
          'epochs as `run_steps`.', stacklevel=3)

  def evaluate(self, x=None, y=None, *args, sample_weight=None, **kwargs):
    """Computes the loss terms as `keras.Model.evaluate`; `x` is as in `fit`.

    Of a model that `pgak.load` gave, x may also be the name of a protocol, such
    as 'quick': then its checkpoint is measured by `pgak.evaluate`, which takes
    `**kwargs`, and scores are returned.
    """
    if isinstance(x, str):
      return self._measured(x, kwargs)
    keras_data.refuse_weights(sample_weight=sample_weight)
    with keras_data.refusals():
      return super().evaluate(self._examples(x, y, 'evaluate'), None, *args,
                              **kwargs)

  def _measured(self, protocol, settings):
    origin = self.origin() if self.origin else None
    if origin is None or int(self.step.numpy()) != origin['checkpoint']:
      raise errors.UserError(
          f'evaluate({protocol!r}) measures a checkpoint of a run, and this '
          'model is none: give a model as pgak.load made it, call '
          'evaluation.Evaluator(dataset, protocol).score(model), or give '
          'examples for their loss terms.')
    # What measures stands above the models: the package itself knows where.
    return sys.modules['pgak'].evaluate(protocol=protocol, **origin, **settings)

  def predict(self, x, *args, **kwargs):
    """Returns reconstructions of all examples, a float32 array `[N, ...]`.

    They lie in the model's value range, as Keras's users expect of a model's
    outputs; `reconstruct` returns uint8.

    Args:
      x: as for `fit`.
      *args: as for Keras.
      **kwargs: as for Keras.

    Raises:
      UserError: if the model has no encoder; or as `fit` does.
    """
    self.require('a reconstruction by `model(x)` or `predict`', 'encode')
    with keras_data.refusals():
      return super().predict(self._examples(x, None, 'predict'), *args,
                             **kwargs)

  def predict_step(self, batch):
    return self(keras_data.examples_of(batch, self), training=False)

  def __call__(self, *args, **kwargs):
    # Not in `call`: Keras adds lines of its own to an error there.
    self.require('a reconstruction by `model(x)` or `predict`', 'encode')
    if args and tf.executing_eagerly():
      inputs = keras_data.examples_of(args[0], self)
      args = (keras_data.checked(inputs, self, 'model(x)'), *args[1:])
    return super().__call__(*args, **kwargs)

  def call(self, inputs, training=False):
    """Returns reconstructions, float32 `[B, ...]` in the model's value range.

    Args:
      inputs: a batch of examples as for `fit`; a model of pairs takes
        `(images, conditions)` or a dictionary of both.
      training: whether batch norm takes the batch's own statistics.

    Raises:
      UserError: if the model has no encoder.
    """
    floats = keras_data.as_floats(inputs, self)
    given = floats['conditions'] if 'condition' in self.kind.can else None
    latents = self.encode_mean(floats, training)
    return tf.cast(self.render(latents, given, training), tf.float32)

  def export(self, filepath, format=None, **kwargs):
    """Exports the model for TensorFlow Serving, with all of its signatures.

    Args:
      filepath: folder that holds the versions, each a SavedModel; see
        `pgak.serving.exporting.export_model`.
      format: None for that; or a format of `keras.Model.export`, such as
        'onnx', in which the decoder alone is written to `filepath`.
      **kwargs: arguments of the one or the other, such as `verified=False`.

    Returns:
      `pathlib.Path` of the version's folder, for format None.
    """
    if format is None:
      # Serving stands above the models: the package itself knows where.
      return sys.modules['pgak'].export_model(self, filepath, **kwargs)
    return self.decoder.export(filepath, format=format, **kwargs)

  def summary(self, *args, **kwargs):
    """Prints what each part is made of, as `keras.Model.summary`."""
    # The parts are nested models: without it each would be one line.
    kwargs.setdefault('expand_nested', True)
    return super().summary(*args, **kwargs)

  def _examples(self, x, y, verb):
    # A data set holds its own targets, which `checked` drops.
    if y is None or not isinstance(x, tf.data.Dataset):
      x = keras_data.without_targets(x, y, self, verb)
    return keras_data.checked(x, self, verb)

  def _validation(self, given):
    """Returns what `validation_data` holds, less labels and targets."""
    if not isinstance(given, (tuple, list)):
      return keras_data.checked(given, self, 'fit')
    if len(given) > 2:
      keras_data.refuse_weights(sample_weight=given[2])
    x, y = (*given, None)[:2]
    return self._examples(x, y, 'fit')

"""What Keras's own verbs, such as `fit`, take: uint8, or floats in the range.

pgak's verbs take what users have, uint8; Keras's take what a model computes
with, floats in the range of the decoder's last activation, and uint8, which is
converted. A float image in another range would train without an error, so
arrays and `tf.data` are checked; what comes from a generator is not.
"""
import contextlib
import warnings
import weakref

import numpy as np
import tensorflow as tf

from pgak import data
from pgak import errors

__all__ = ['Checked', 'as_floats', 'checked']

# Models that were given floats without a negative one, and have said so.
_warned = weakref.WeakSet()


def as_floats(batch, model):
  """Returns a batch of what users see, or of floats, as a model's floats."""
  if all(tf.as_dtype(x.dtype).is_floating for x in tf.nest.flatten(batch)):
    return batch
  return model.kind.to_model(batch)


def checked(x, model, verb):
  """Returns what `fit` or `evaluate` was given, of which floats are checked.

  Args:
    x: an array, a dictionary of arrays, a `tf.data.Dataset`, or what Keras
      takes besides, which is given back as it is.
    model: `GenerativeAutoencoder`.
    verb: string, what was called.

  Returns:
    The same; a `tf.data.Dataset` with a check in it and, unless its own options
    ask for it, without autotuning, which makes the end of a pass wait. Keras's
    own data sets of arrays keep it.

  Raises:
    UserError: if float images lie outside the model's range.
  """
  if isinstance(x, tf.data.Dataset):
    return _checked_dataset(x, _Check(model, verb))
  if model.value_range is not None:
    check = _Check(model, verb)
    for array in tf.nest.flatten(x) if isinstance(x, dict) else [x]:
      if isinstance(array, (np.ndarray, tf.Tensor)):
        check(np.asarray(array))
        if check.sentence:
          raise errors.UserError(check.sentence)
  return x


@contextlib.contextmanager
def _refusals():
  """Turns what a check found inside a `tf.data.Dataset` into a UserError."""
  try:
    yield
  except tf.errors.OpError as e:
    if _MARK not in str(e):
      raise
    raise errors.UserError(str(e).split(_MARK)[1]) from e


class Checked:
  """Keras's verbs of a model, which look at what they are given."""

  def fit(self, x=None, *args, validation_data=None, **kwargs):
    """Trains as `keras.Model.fit`, whose arguments it takes.

    Args:
      x: images as uint8, or as floats in the model's value range; an array, a
        `tf.data.Dataset`, or what else Keras takes.
      *args: as for Keras.
      validation_data: the same as `x`, or None.
      **kwargs: as for Keras.

    Raises:
      UserError: if floats lie outside the model's value range; those of a
        generator are not checked.
    """
    with _refusals():
      return super().fit(
          checked(x, self, 'fit'), *args,
          validation_data=checked(validation_data, self, 'fit'),
          **kwargs)

  def evaluate(self, x=None, *args, **kwargs):
    """Computes the loss terms as `keras.Model.evaluate`; `x` is as in `fit`.
    """
    with _refusals():
      return super().evaluate(
          checked(x, self, 'evaluate'), *args, **kwargs)


# Around a sentence inside TensorFlow's own words.
_MARK = '\N{BULLET}'


class _Check:
  """Looks at arrays of images; `sentence` says what is wrong with them."""

  def __init__(self, model, verb):
    self._model = weakref.ref(model)
    self.value_range = model.value_range
    self._verb = verb
    self.sentence = None

  def __call__(self, array):
    if not np.issubdtype(array.dtype, np.floating) or not array.size:
      return
    low, high = self.value_range
    lowest, highest = float(array.min()), float(array.max())
    margin = 1e-3 * (high - low)
    if not low - margin <= lowest <= highest <= high + margin:
      self.sentence = (
          f'`{self._verb}` takes uint8 images, or floats in '
          f"[{low:g}, {high:g}], the range of the decoder's last activation, "
          f'and these lie in [{lowest:g}, {highest:g}]: scale them, or give '
          'uint8.')
    elif lowest >= 0. > low:
      self._warn()

  def _warn(self):
    model = self._model()
    if model is not None and model not in _warned:
      _warned.add(model)
      low, high = self.value_range
      warnings.warn(
          f'No float given to `{self._verb}` is negative, and the images of '
          f'{model.name} lie in [{low:g}, {high:g}], black first: if yours '
          'begin at 0, scale them, or give uint8.', stacklevel=4)

  def in_graph(self, tensor):
    """Returns a tensor that was checked when it is read."""
    if not tensor.dtype.is_floating:
      return tensor

    def look(array):
      self(array)
      if self.sentence:
        raise ValueError(_MARK + self.sentence + _MARK)
      return array

    same = tf.numpy_function(look, [tensor], tensor.dtype)
    return tf.ensure_shape(same, tensor.shape)


def _checked_dataset(dataset, check):
  if check.value_range is not None:
    dataset = dataset.map(
        lambda *batch: tf.nest.map_structure(
            check.in_graph, batch if len(batch) > 1 else batch[0]))
  if dataset.options().autotune.enabled is None:
    dataset = data.without_autotuning(dataset)
  return dataset

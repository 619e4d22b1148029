"""What Keras's verbs, such as `fit`, take: uint8, or floats in the range.

pgak's verbs take uint8, which users have. Keras's verbs take what a model
computes with, floats in the range of the decoder's last activation, and uint8,
which is converted. Float images in another range would train without an error,
so arrays and `tf.data` are checked; what comes from a generator is not.

A batch of Keras is `(x, y)`. These models learn from x alone: a label is left
out, and so is a target that is x itself.
"""
import contextlib
import warnings
import weakref

import keras
import numpy as np
import tensorflow as tf

from pgak import data
from pgak import errors

__all__ = ['as_floats', 'checked', 'examples_of', 'refusals', 'refuse_weights',
           'without_targets']

# Models that have warned of floats of which none is negative.
_warned = weakref.WeakSet()


def as_floats(batch, model):
  """Returns a batch, in users' types or in floats, as the model's floats."""
  batch = examples_of(batch, model)
  if all(tf.as_dtype(x.dtype).is_floating for x in tf.nest.flatten(batch)):
    # NumPy's float64 comes from a generator or a data set as it is.
    return tf.nest.map_structure(
        lambda x: tf.cast(x, keras.config.floatx()), batch)
  return model.kind.to_model(batch)


def examples_of(batch, model):
  """Returns the examples of one of Keras's batches, without labels or targets.

  Args:
    batch: examples; a tuple or list `(examples, labels)`; or, for a model of
      pairs, `(images, conditions)` or a dictionary of these.
    model: `GenerativeModel`.

  Returns:
    Examples; a dictionary for a model of pairs; or a structure that is none of
    these as it is, for a model of one's own that has terms of such.

  Raises:
    UserError: if the batch has weights of its examples.
  """
  # A dictionary is a batch of pairs.
  if not isinstance(batch, (tuple, list)) or model.takes_structures:
    return batch
  if len(batch) > 2 and batch[2] is not None:
    refuse_weights(sample_weight=batch[2])
  if 'condition' in model.kind.can:
    return _pairs_of(batch)
  # None of pgak's models has a term of labels; one of a user's may.
  own = type(model).__module__.startswith('pgak.')
  if len(batch) == 1 or batch[1] is None or own or _is_target(*batch[:2]):
    return batch[0]
  return batch


def _pairs_of(batch):
  first = batch[0]
  if isinstance(first, (tuple, list)):  # With a label beside it.
    return _pairs_of(first)
  return first if isinstance(first, dict) else dict(
      zip(('images', 'conditions'), batch))


def _is_target(x, y):
  """Whether y is a label of x, or x again: no part of what is learned.

  A model of one's own may have terms of both, as it could in version 0.4:
  floats that might be such are left in.
  """
  shapes = [getattr(t, 'shape', None) for t in (x, y)]
  if None in shapes or any(shape is None for shape in shapes):
    return False
  x_rank, y_rank = map(len, shapes)
  # Images, whose labels have one axis, or two where they are one-hot.
  if x_rank > 2:
    return y_rank <= 2 or tuple(shapes[0][1:]) == tuple(shapes[1][1:])
  # Vectors: one-hot labels in floats cannot be told from targets.
  return y_rank < 2 or not tf.as_dtype(y.dtype).is_floating


def refuse_weights(**given):
  """Refuses weights of examples or classes, which no term of a model reads."""
  for name, value in given.items():
    if value is not None:
      raise errors.UserError(
          f'pgak takes no `{name}`: each term is a mean over all examples; '
          'leave it out, or repeat the examples that shall count more.')


def without_targets(x, y, model, verb):
  """Returns x of an `(x, y)` that Keras's verbs were given.

  Args:
    x: what `fit` takes.
    y: labels, x again, or None; conditions for a model of pairs.
    model: `GenerativeModel`.
    verb: string, what was called.

  Raises:
    UserError: if y are other examples than x.
  """
  if 'condition' in model.kind.can and isinstance(x, (tuple, list)):
    return _pairs_of(x)
  if y is None or y is x:
    return x
  if 'condition' in model.kind.can and not isinstance(x, dict):
    return _pairs_of((x, y))
  # Several arrays, and one of another shape, are labels, which are left out.
  if (hasattr(x, 'shape') and hasattr(y, 'shape')
      and tuple(x.shape) == tuple(y.shape) and not _same(x, y, model)):
    raise errors.UserError(_OTHER_TARGETS.format(verb=verb, model=model.name))
  return x


def _same(x, y, model):
  if tf.as_dtype(x.dtype) == tf.as_dtype(y.dtype):
    return np.array_equal(x, y)
  # uint8 beside its floats.
  x, y = (np.asarray(as_floats(t, model)) for t in (x, y))
  # More than a grey level, by which rounding to uint8 may differ.
  return np.allclose(x, y, rtol=0., atol=1e-2)


_OTHER_TARGETS = (
    '`{verb}` was given other targets than the examples, and {model} '
    'reconstructs what it is given: leave `y` out, or write a model with terms '
    'of both.')


def checked(x, model, verb):
  """Returns the input of `fit` or `evaluate`, with a check of its floats.

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
    return _checked_dataset(x, _Check(model, verb), model)
  # Vectors may lie anywhere.
  if model.value_range is not None:
    check = _Check(model, verb)
    for array in tf.nest.flatten(x) if isinstance(x, dict) else [x]:
      if isinstance(array, (np.ndarray, tf.Tensor)):
        check(np.asarray(array))
        if check.sentence:
          raise errors.UserError(check.sentence)
  return x


# Marks our sentence inside TensorFlow's longer message.
_MARK = '\N{BULLET}'


class _Check:
  """Checks arrays of images; `sentence` is the error, or None."""

  def __init__(self, model, verb):
    # A data set that outlives the model must not keep its weights in memory.
    self._model = weakref.ref(model)
    self.value_range = model.value_range
    self._verb = verb
    self.sentence = None

  def __call__(self, array):
    if not np.issubdtype(array.dtype, np.floating) or not array.size:
      return
    low, high = self.value_range
    lowest, highest = float(array.min()), float(array.max())
    # Rounding in float32 may go over the edge by a little.
    margin = 1e-3 * (high - low)
    if not low - margin <= lowest <= highest <= high + margin:
      self.sentence = (
          f'`{self._verb}` takes uint8 images, or floats in '
          f"[{low:g}, {high:g}], the range of the decoder's last activation, "
          f'and these lie in [{lowest:g}, {highest:g}]: scale them, or give '
          'uint8.')
    # Images on [0, 1] lie inside [-1, 1], too, but are grey and bright there.
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

  def same(self, examples, target):
    """Returns examples, checked to be the target if that could be one."""
    if not (_is_array(examples) and _is_array(target)) or (
        examples.shape.as_list() != target.shape.as_list()):
      return examples
    name = self._model().name

    def look(x, y):
      if not np.array_equal(x, y):
        raise ValueError(_MARK + _OTHER_TARGETS.format(
            verb=self._verb, model=name) + _MARK)
      return x

    same = tf.numpy_function(look, [examples, target], examples.dtype)
    return tf.ensure_shape(same, examples.shape)

  def in_graph(self, tensor):
    """Returns a tensor that was checked when it is read."""
    if not tensor.dtype.is_floating:
      return tensor

    def look(array):
      self(array)
      if self.sentence:
        raise ValueError(_MARK + self.sentence + _MARK)
      return array

    # `numpy_function` forgets the shape, which the nets need.
    same = tf.numpy_function(look, [tensor], tensor.dtype)
    return tf.ensure_shape(same, tensor.shape)


def _is_array(value):
  # Labels may be a dictionary, ragged, or of a shape that no one has stated.
  return isinstance(value, tf.Tensor) and value.shape.rank is not None


def _checked_dataset(dataset, check, model):
  spec = dataset.element_spec
  if isinstance(spec, tuple) and len(spec) > 2:
    refuse_weights(sample_weight=spec[2])

  def look(*batch):
    batch = batch if len(batch) > 1 else batch[0]
    examples = examples_of(batch, model)
    if check.value_range is None:
      return examples
    if examples is not batch and isinstance(batch, tuple):
      examples = check.same(examples, batch[1])
    return tf.nest.map_structure(check.in_graph, examples)

  if check.value_range is not None or isinstance(spec, tuple):
    dataset = dataset.map(look)
  # Closing an iterator may wait for the thread that tunes.
  if dataset.options().autotune.enabled is None:
    dataset = data.without_autotuning(dataset)
  return dataset


@contextlib.contextmanager
def refusals():
  """Turns an error of a check inside a `tf.data.Dataset` into a UserError."""
  try:
    yield
  except tf.errors.OpError as e:
    if _MARK not in str(e):
      raise
    raise errors.UserError(str(e).split(_MARK)[1]) from e

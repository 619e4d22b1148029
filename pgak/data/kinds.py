"""Kinds of data: what an example is, and its two conversions.

Inside pgak an example is float32 in its model's value range. Users see files,
signatures and galleries in the type of the kind: uint8 for images, float32 for
vectors. `Kind.to_model` and `Kind.to_users` are the only conversions between
the two.

What another package does by kind stands in a `Table` there. A kind of one's own
is one file: it registers its class, and adds to the tables that it wants.

```python
@kinds.register
class Sounds(kinds.Kind):
  name = made = 'sounds'
  dtype = np.int16

  @classmethod
  def fits(cls, shape):
    return len(shape) == 2

  def to_model(self, examples, value_range=None, verb='encode'):
    return tf.cast(examples, tf.float32) / 32768.

  def to_users(self, outputs, rounding='nearest'):
    return tf.cast(tf.round(32768. * outputs), tf.int16)
```
"""
import dataclasses
from typing import ClassVar

import numpy as np
import tensorflow as tf

from pgak import batches
from pgak import errors

__all__ = ['Images', 'Kind', 'Pairs', 'Table', 'VALUE_RANGES', 'Vectors',
           'named', 'of', 'of_shape', 'register', 'value_range_of']

# A decoder's last activation -> the range of its images.
VALUE_RANGES = {'tanh': (-1., 1.), 'sigmoid': (0., 1.), 'linear': None}

# The latest first: a kind of a user's may take what would be one of ours.
_KINDS: list[type] = []


def register(kind):
  """Makes a kind known to models that were made without a data set."""
  _KINDS.insert(0, kind)
  return kind


def of_shape(shape, value_range=None):
  """Returns the kind whose examples have that shape.

  Raises:
    UserError: if there is none.
  """
  shape = tuple(shape)
  for kind in _KINDS:
    if kind.fits(shape):
      return kind(shape, value_range)
  raise errors.UserError(
      f'No kind of data has examples of the shape {shape}: register one with '
      'pgak.data.kinds.register.')


def of(data):
  """Returns the kind of a data set or of one of its splits.

  Data sets for version 0.4 have no `kind`: it is then that of their shape.
  """
  return getattr(data, 'kind', None) or of_shape(data.image_shape)


def named(name, shape, value_range=None):
  """Returns the kind of that name, or, for None, that of the shape."""
  for kind in _KINDS:
    if kind.name == name:
      return kind(tuple(shape), value_range)
  return of_shape(shape, value_range)


@dataclasses.dataclass(frozen=True)
class Kind:
  """What one example is.

  Attributes:
    shape: of one example, `(height, width, channels)` or `(D,)`.
    value_range: `(low, high)` of the model's floats; None in a data set, and
      where the floats have no ends.
    name: string, in the plural.
    made: string, the outputs of a model of the kind.
    dtype: NumPy type of what users see.
    can: names of its capabilities; see `pgak.capabilities`.
    source: what to add for data of the kind, where a model wants them.
    sink: what to take for a model of the kind, where data are there.
  """
  shape: tuple
  value_range: tuple | None = None

  name: ClassVar[str]
  made: ClassVar[str]
  dtype: ClassVar[type] = np.float32
  can: ClassVar[frozenset] = frozenset()
  source: ClassVar[str] = ''
  sink: ClassVar[str] = 'take another data set'

  @classmethod
  def fits(cls, shape):
    """Returns whether one example of the kind has that shape."""
    raise NotImplementedError

  def in_range(self, value_range):
    """Returns the same kind with another range of the model's floats."""
    return dataclasses.replace(self, value_range=value_range)

  def to_model(self, examples, value_range=None, verb='encode'):
    """Converts examples in users' types to float32 in the model's range.

    Args:
      examples: `[B, ...]`, or a dictionary of such.
      value_range: `(low, high)`, where examples are floats in another range.
      verb: string, the name of the caller, for the error.

    Raises:
      UserError: if they are none of the kind.
    """
    raise NotImplementedError

  def to_users(self, outputs, rounding='nearest'):
    """Converts a decoder's outputs to the type that users see.

    Args:
      outputs: float `[B, ...]` in the model's range.
      rounding: 'nearest' or 'truncate', where the type is of whole numbers.
    """
    raise NotImplementedError

  def spec(self, size=None):
    """Returns the `tf.TensorSpec`s of a batch of what users see."""
    return tf.TensorSpec([size, *self.shape], tf.as_dtype(self.dtype))


@register
class Images(Kind):
  """Grey or colour images, uint8 `[B, h, w, C]`."""

  name = made = 'images'
  dtype = np.uint8
  can = frozenset({'pixels'})

  @classmethod
  def fits(cls, shape):
    return len(shape) == 3

  def to_model(self, examples, value_range=None, verb='encode'):
    """Maps 0 to the low end of the range and 255 to the high one.

    Args:
      examples: uint8 `[B, h, w, C]`; or floats, or other numbers, with their
        range.
      value_range: `(low, high)`, black and white; None for uint8.
      verb: string, the name of the caller, for the error.

    Raises:
      UserError: if they are not uint8 and no range is given, or if they lie
        outside it by more than half a grey level; a graph does not see the
        second.
    """
    return _to_float(_levels(examples, value_range, verb), self.value_range)

  def to_users(self, outputs, rounding='nearest'):
    """Maps the range to 0 to 255, and clips what lies outside.

    Args:
      outputs: float `[B, h, w, C]`.
      rounding: 'nearest', or 'truncate' as the code of several papers does it
        (a cast to uint8, which darkens by half a grey level on average). A
        level that is a whole number but for float32's rounding stays that
        number: `floor(level + 1e-3)`.
    """
    return _to_uint8(outputs, self.value_range, rounding)


@register
class Vectors(Kind):
  """Vectors of any numbers, float32 `[B, D]`, the same on both sides."""

  name = made = 'vectors'

  @classmethod
  def fits(cls, shape):
    return len(shape) == 1

  def to_model(self, examples, value_range=None, verb='encode'):
    """Returns float32; NaN and infinity are a UserError, outside of a graph."""
    return batches.require_finite(tf.cast(examples, tf.float32), 'examples')

  def to_users(self, outputs, rounding='nearest'):
    return tf.cast(outputs, tf.float32)


@dataclasses.dataclass(frozen=True)
class Pairs(Kind):
  """Images and their conditions, `{'images', 'conditions'}`, both uint8.

  A model makes images alone: `to_users` takes only images.

  Attributes:
    shape: of an image.
    value_range: of both.
    condition_shape: of a condition, `(height, width, channels)`.
  """
  condition_shape: tuple = ()

  name = 'pairs'
  made = 'images given conditions'
  dtype = np.uint8
  can = frozenset({'pixels', 'condition'})
  source = 'add --gin_file=datasets/pairs.gin and pairs.source'
  sink = ('take models/vunet.gin or models/vunet_flow.gin, or another data set')

  @classmethod
  def fits(cls, shape):
    return False  # Its decoder has a second input: the model says so.

  @property
  def images(self):
    """The kind of the images alone."""
    return Images(self.shape, self.value_range)

  def to_model(self, examples, value_range=None, verb='encode'):
    return {name: self.images.to_model(x, value_range, verb)
            for name, x in examples.items()}

  def to_users(self, outputs, rounding='nearest'):
    return self.images.to_users(outputs, rounding)

  def spec(self, size=None):
    shapes = {'images': self.shape, 'conditions': self.condition_shape}
    return {name: tf.TensorSpec([size, *shape], tf.uint8)
            for name, shape in shapes.items()}


class Table:
  """A table by kind of data: looked up by class, then by its parents.

  Args:
    entries: `{class: entry}`; a kind without one is left out.
  """

  def __init__(self, entries):
    self._entries = dict(entries)

  def add(self, kind, entry):
    """Adds the entry of a kind of one's own."""
    self._entries[kind] = entry

  def of(self, kind):
    """Returns the entry of a `Kind`, or None."""
    # By the order of inheritance, so that the nearest class's entry wins.
    found = [self._entries[c] for c in type(kind).__mro__ if c in self._entries]
    return found[0] if found else None


def value_range_of(decoder):
  """Returns the `(low, high)` that a decoder's last activation covers, or None.

  Args:
    decoder: a functional `keras.Model` whose last layer, or the one named
      `images`, has a `value_range` or an activation; a linear one, of vectors,
      has the range None.

  Raises:
    ValueError: if that activation is none of tanh, sigmoid and linear.
  """
  # By name first: a decoder with two outputs need not end in its images.
  named = [layer for layer in decoder.layers if layer.name == 'images']
  last = (named or decoder.layers)[-1]
  # `ClippedOutput` has one, and no activation.
  stated = getattr(last, 'value_range', None)
  if stated is not None:
    return tuple(stated)
  activation = getattr(last, 'activation', None)
  name = getattr(activation, '__name__', None)
  if name not in VALUE_RANGES:
    raise ValueError(
        'The decoder\'s last activation decides the range of the images and '
        f'must be one of {sorted(VALUE_RANGES)}, not {name}.')
  return VALUE_RANGES[name]


def _to_float(images, value_range):
  """Maps uint8 `[..., C]` to float32 in `value_range`: 0 to low, 255 to high.
  """
  low, high = value_range
  return tf.cast(images, tf.float32) * ((high - low) / 255.) + low


def _levels(images, value_range=None, verb='encode'):
  """Returns a user's images as grey levels, 0 to 255.

  Args and errors are those of `Images.to_model`.

  Returns:
    uint8 as they are, or float32 in [0, 255].
  """
  if value_range is None:
    dtype = tf.as_dtype(images.dtype if hasattr(images, 'dtype')
                        else np.asarray(images).dtype)
    if dtype != tf.uint8:
      raise errors.UserError(
          f'`{verb}` takes uint8 images, and these are {dtype.name}: '
          f'{_remedy(images)}')
    return images
  low, high = value_range
  found = (tf.cast(images, tf.float32) - low) * (255. / (high - low))
  if tf.executing_eagerly() and not bool(tf.reduce_all(
      # Half a level of slack, which rounds back into the range.
      (found >= -0.5) & (found <= 255.5))):
    raise errors.UserError(
        f'`{verb}` was told by value_range = ({low:g}, {high:g}) what its '
        f'images are, and they lie in {_span(images)}: give the range of your '
        'images, or uint8.')
  return tf.clip_by_value(found, 0., 255.)


def _span(images):
  images = np.asarray(images, np.float64)
  return f'[{images.min():g}, {images.max():g}]' if images.size else '[]'


def _remedy(images):
  """Returns a remedy for images that are not uint8, by their range."""
  spans = {(0., 1.): '(255 * images).round()', (-1., 1.):
           '(127.5 * (images + 1)).round()', (0., 255.): 'images.round()'}
  # In a graph there are no values to look at.
  if tf.is_tensor(images) and not hasattr(images, 'numpy'):
    return 'give value_range=(low, high), or cast them to grey levels.'
  values = np.asarray(images, np.float64)
  for (low, high), scaled in spans.items():
    if values.size and low <= values.min() and values.max() <= high:
      return (f'give value_range=({low:g}, {high:g}) if that is black and '
              f"white, or {scaled}.astype('uint8').")
  return (f'they lie in {_span(images)}, so give value_range=(low, high), '
          "black and white, or grey levels from 0 to 255 by .astype('uint8').")


def _to_uint8(images, value_range, rounding='nearest'):
  """Maps floats in `value_range` to uint8, clipping what lies outside."""
  if rounding not in ('nearest', 'truncate'):
    raise ValueError(
        f'`rounding` must be nearest or truncate, not {rounding!r}.')
  low, high = value_range
  levels = (tf.cast(images, tf.float32) - low) * (255. / (high - low))
  # Before the cast, which would wrap around.
  levels = tf.clip_by_value(levels, 0., 255.)
  # Scaled to a range and back, a grey level may come out just below itself.
  levels = tf.round(levels) if rounding == 'nearest' else levels + 1e-3
  return tf.cast(levels, tf.uint8)

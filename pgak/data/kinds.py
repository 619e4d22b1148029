"""Value ranges, and the conversion between uint8 and a model's floats.

Inside pgak an image is float32 in its model's value range; everything that a
user touches is uint8. This module is the only door between the two. Vectors
have no range, None, and pass it as they are, float32 on both sides.
"""
import numpy as np
import tensorflow as tf

from pgak import errors

__all__ = ['VALUE_RANGES', 'are_vectors', 'dtype_of', 'is_conditional',
           'levels', 'to_float', 'to_uint8', 'value_range_of']

VALUE_RANGES = {'tanh': (-1., 1.), 'sigmoid': (0., 1.), 'linear': None}


def are_vectors(image_shape):
  """Returns whether that is the shape `(D,)` of a vector, not of an image."""
  return len(image_shape) == 1


def is_conditional(model):
  """Whether a model, or an array of images, has conditions."""
  return hasattr(model, 'condition_shape')


def dtype_of(image_shape):
  """Returns the type that users see: uint8 of images, float32 of vectors."""
  return np.dtype(np.float32 if are_vectors(image_shape) else np.uint8)


def value_range_of(decoder):
  """Returns the `(low, high)` that a decoder's last activation covers, or None.

  Args:
    decoder: a functional `keras.Model` whose last layer has an activation; a
      linear one, of vectors, has the range None.

  Raises:
    ValueError: if that activation is none of tanh, sigmoid and linear.
  """
  activation = getattr(decoder.layers[-1], 'activation', None)
  name = getattr(activation, '__name__', None)
  if name not in VALUE_RANGES:
    raise ValueError(
        'The decoder\'s last activation decides the range of the images and '
        f'must be one of {sorted(VALUE_RANGES)}, not {name}.')
  return VALUE_RANGES[name]


def to_float(images, value_range):
  """Maps uint8 `[..., C]` to float32 in `value_range`: 0 to low, 255 to high.

  Where that is None, float32 `[B, D]` are given back as they are.
  """
  if value_range is None:
    return tf.cast(images, tf.float32)
  low, high = value_range
  return tf.cast(images, tf.float32) * ((high - low) / 255.) + low


def levels(images, value_range=None, verb='encode'):
  """Returns images as grey levels, 0 to 255, whatever a user has.

  Args:
    images: uint8 of any shape; or floats, or other numbers, with their range.
    value_range: `(low, high)`, black and white; None for uint8.
    verb: string, the function that was called.

  Returns:
    uint8 as they are, or float32 in [0, 255].

  Raises:
    UserError: if they are not uint8 and no range is given, or if they lie
      outside it by more than half a grey level; a graph does not see the
      second.
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
  """Says how to make uint8 of images, by what they look like."""
  spans = {(0., 1.): '(255 * images).round()', (-1., 1.):
           '(127.5 * (images + 1)).round()', (0., 255.): 'images.round()'}
  if tf.is_tensor(images) and not hasattr(images, 'numpy'):
    return 'give value_range=(low, high), or cast them to grey levels.'
  values = np.asarray(images, np.float64)
  for (low, high), scaled in spans.items():
    if values.size and low <= values.min() and values.max() <= high:
      return (f'give value_range=({low:g}, {high:g}) if that is black and '
              f"white, or {scaled}.astype('uint8').")
  return (f'they lie in {_span(images)}, so give value_range=(low, high), '
          "black and white, or grey levels from 0 to 255 by .astype('uint8').")


def to_uint8(images, value_range, rounding='nearest'):
  """Maps floats in `value_range` to uint8, clipping what lies outside.

  Args:
    images: float tensor of any shape.
    value_range: `(low, high)`, mapped to 0 and 255; None for vectors.
    rounding: 'nearest', or 'truncate' as the code of several papers does it
      (a cast to uint8, which darkens by half a grey level on average). A level
      that is a whole number but for float32's rounding stays that number:
      `floor(level + 1e-3)`.

  Returns:
    A uint8 tensor of the same shape; of vectors, float32 that is not rounded.
  """
  if rounding not in ('nearest', 'truncate'):
    raise ValueError(
        f'`rounding` must be nearest or truncate, not {rounding!r}.')
  if value_range is None:
    return tf.cast(images, tf.float32)
  low, high = value_range
  levels = (tf.cast(images, tf.float32) - low) * (255. / (high - low))
  levels = tf.clip_by_value(levels, 0., 255.)
  # Scaled to a range and back, a grey level may come out just below itself.
  levels = tf.round(levels) if rounding == 'nearest' else levels + 1e-3
  return tf.cast(levels, tf.uint8)

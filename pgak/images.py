"""Value ranges, uint8 conversion, grids and PNG.

Inside pgak an image is float32 in its model's value range; everything that a
user touches is uint8. This module is the only door between the two. Vectors
have no range, None, and pass it as they are, float32 on both sides.
"""
import math

import numpy as np
import tensorflow as tf

from pgak import errors
from pgak import files

__all__ = ['are_vectors', 'decode_png', 'dtype_of', 'encode_png', 'enlarged',
           'grid', 'levels', 'to_float', 'to_uint8', 'value_range_of',
           'write_png']

VALUE_RANGES = {'tanh': (-1., 1.), 'sigmoid': (0., 1.), 'linear': None}


def are_vectors(image_shape):
  """Returns whether that is the shape `(D,)` of a vector, not of an image."""
  return len(image_shape) == 1


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


def grid(images, columns=None, border=1):
  """Tiles images into one picture, row by row, with white lines between.

  Args:
    images: uint8 `[N, H, W, C]`.
    columns: images in a row; by default the smallest square that holds all.
    border: width of the lines in pixels.

  Returns:
    uint8 `[rows * (H + border) - border, columns * (W + border) - border, C]`.
  """
  images = np.asarray(images)
  number, height, width, channels = images.shape
  columns = columns or math.ceil(math.sqrt(number))
  rows = math.ceil(number / columns)
  canvas = np.full((rows * (height + border), columns * (width + border),
                    channels), 255, np.uint8)
  for i, image in enumerate(images):
    top = (i // columns) * (height + border)
    left = (i % columns) * (width + border)
    canvas[top:top + height, left:left + width] = image
  return canvas[:rows * (height + border) - border,
                :columns * (width + border) - border]


def enlarged(images, smallest=28):
  """Repeats the pixels of small images, so that one can look at them.

  Args:
    images: uint8 `[N, H, W, C]`.
    smallest: the result's height is at least this.

  Returns:
    uint8 `[N, k H, k W, C]` with the smallest whole k.
  """
  images = np.asarray(images)
  times = max(1, math.ceil(smallest / images.shape[1]))
  return images.repeat(times, 1).repeat(times, 2)


def encode_png(image):
  """Returns the PNG bytes of one uint8 image `[H, W, 1 or 3]`."""
  return tf.io.encode_png(image).numpy()


def decode_png(content):
  """Returns uint8 `[H, W, 3]` of a PNG's bytes, whatever its channels are."""
  return tf.io.decode_png(content, 3).numpy()


def write_png(path, image):
  """Writes one uint8 image `[H, W, 1 or 3]` as a PNG file, whole or not at all.
  """
  with files.replacing(path) as part:
    part.write_bytes(encode_png(image))

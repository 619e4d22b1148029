"""The orientation of a picture, as its EXIF or XMP data state it.

A camera stores the picture as its sensor lies, and beside it a number of 1
(upright) to 8 that says how to rotate or mirror it.
"""
import re
import struct

import tensorflow as tf

__all__ = ['EXIF_MARKS', 'EXIF_REACH', 'ORIENTATION', 'XMP_MARK', 'stated',
           'upright']

# The number of the tag in EXIF.
ORIENTATION = 0x0112
# What stands before the TIFF structure, and within which first bytes.
EXIF_MARKS = {'JPEG': b'Exif\0\0', 'PNG': b'eXIf', 'WEBP': b'EXIF'}
EXIF_REACH = {'JPEG': 1 << 16, 'PNG': None, 'WEBP': None}
XMP_MARK = b'tiff:Orientation'


def stated(data, form, xmp=True):
  """Returns the orientation of a PNG or JPEG, 1 where none is stated.

  Args:
    data: bytes of the file.
    form: 'PNG' or 'JPEG'.
    xmp: whether XMP is read where EXIF says nothing.
  """
  value = _exif(data, form)
  if value is None and xmp:
    match = re.search(XMP_MARK + rb'(="|>)([0-9])', data)
    value = int(match[2]) if match else None
  return value if value in range(1, 9) else 1


def upright(image, value):
  """Undoes an orientation: transposed from 5 on, and then mirrored.

  Args:
    image: tensor `[H, W, C]`.
    value: int or int32 scalar tensor, 1 to 8.

  Returns:
    Tensor `[H, W, C]` or `[W, H, C]`.
  """
  # The common case: no ops for a picture that is upright.
  if not tf.is_tensor(value) and value == 1:
    return image
  value = tf.convert_to_tensor(value)
  # All eight are a transposition and mirrorings, which compose in this order.
  image = tf.cond(value >= 5, lambda: tf.transpose(image, [1, 0, 2]),
                  lambda: image)
  for values, axis in (((2, 3, 6, 7), 1), ((3, 4, 7, 8), 0)):
    mirrored = tf.reduce_any(value == tf.constant(values))
    image = tf.cond(mirrored, lambda i=image, a=axis: tf.reverse(i, [a]),
                    lambda i=image: i)
  return image


def _exif(data, form):
  """Returns the number in the EXIF data, or None where there is none."""
  mark = EXIF_MARKS[form]
  start = data[:EXIF_REACH[form]].find(mark)
  tiff = data[start + len(mark):]
  order = {b'II': '<', b'MM': '>'}.get(tiff[:2])
  if start < 0 or order is None:
    return None
  try:
    # TIFF: the offset of the directory, its number of entries, 12 bytes for
    # each.
    directory, = struct.unpack(order + 'I', tiff[4:8])
    count, = struct.unpack(order + 'H', tiff[directory:directory + 2])
    for i in range(count):
      entry = tiff[directory + 2 + 12 * i:directory + 14 + 12 * i]
      tag, _, _, value = struct.unpack(order + 'HHIH', entry[:10])
      if tag == ORIENTATION:
        return value
  except struct.error:  # A broken note is no reason to refuse the picture.
    pass
  return None

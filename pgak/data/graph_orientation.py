"""Reads a picture's orientation inside a graph; see `orientation`."""
import tensorflow as tf

from pgak.data import orientation

__all__ = ['after', 'stated']

_PADDING = b'\0' * 16
# The most bytes of notes that are read, the largest segment of a JPEG.
_REACH = 1 << 16


def stated(contents, form, xmp=True):
  """Returns the orientation of a file as int32, 1 where none is stated.

  Args:
    contents: scalar string tensor.
    form: 'PNG', 'JPEG' or 'WEBP'.
    xmp: whether XMP is read where EXIF says nothing.
  """
  value = _exif(contents, form)
  if xmp:
    value = tf.cond(tf.equal(value, -1), lambda: _xmp(contents), lambda: value)
  return tf.where((value >= 1) & (value <= 8), value, 1)


def after(contents, mark):
  """Returns whether a mark is in a string, and the text after its first place.
  """
  parts = tf.strings.split(contents, mark, maxsplit=1)
  return tf.size(parts) > 1, parts[-1]


def _exif(contents, form):
  """Returns the number in the EXIF data as int32, or -1."""
  mark, reach = orientation.EXIF_MARKS[form], orientation.EXIF_REACH[form]
  within = contents if reach is None else tf.strings.substr(contents, 0, reach)
  found, _ = after(within, mark)
  # Of the whole file: only the mark must be within reach.
  tiff = _padded(after(contents, mark)[1])
  if form == 'WEBP':
    tiff = _without_mark(tf.strings.substr(tiff, 4, _REACH))
  order = tf.strings.substr(tiff, 0, 2)
  return tf.case([
      (~found, lambda: -1),
      (tf.equal(order, b'II'), lambda: _in_tiff(tiff, little=True)),
      (tf.equal(order, b'MM'), lambda: _in_tiff(tiff, little=False)),
  ], default=lambda: -1)


def _without_mark(tiff):
  """A WebP's chunk may begin with the mark of a JPEG's."""
  mark = orientation.EXIF_MARKS['JPEG']
  marked = tf.equal(tf.strings.substr(tiff, 0, len(mark)), mark)
  return tf.where(marked, tf.strings.substr(tiff, len(mark), _REACH), tiff)


def _padded(text):
  """Its beginning with zeros after it, so that truncated data can be read."""
  return tf.strings.join([tf.strings.substr(text, 0, _REACH), _PADDING])


def _in_tiff(tiff, little):
  """Returns the tag's first value in the first directory, or -1."""
  raw = tf.cast(tf.io.decode_raw(tiff, tf.uint8), tf.int64)

  def number(start, size):
    weights = [1 << (8 * i) for i in range(size)]
    weights = tf.constant(weights if little else weights[::-1], tf.int64)
    places = start[..., tf.newaxis] + tf.range(size, dtype=tf.int64)
    return tf.reduce_sum(tf.gather(raw, places) * weights, -1)

  length = tf.size(raw, tf.int64) - len(_PADDING)
  directory = tf.minimum(number(tf.constant(4, tf.int64), 4), length)
  # An entry is read if its first ten bytes, up to the value, are there.
  most = tf.maximum((length - directory) // 12, 0)
  entries = directory + 2 + 12 * tf.range(
      tf.minimum(number(directory, 2), most))
  wanted = tf.equal(number(entries, 2), orientation.ORIENTATION)
  values = tf.boolean_mask(number(entries + 8, 2), wanted)
  # -1 is behind all values, and the first where there are none.
  return tf.cast(tf.concat([values, [-1]], 0)[0], tf.int32)


def _xmp(contents):
  """Returns the digit after the first mark of XMP's orientation, or -1."""
  found, rest = after(contents, orientation.XMP_MARK)
  rest = _padded(rest)
  quoted = tf.equal(tf.strings.substr(rest, 0, 2), b'="')
  digit = tf.where(quoted, tf.strings.substr(rest, 2, 1),
                   tf.strings.substr(rest, 1, 1))
  stands = quoted | tf.equal(tf.strings.substr(rest, 0, 1), b'>')
  value = tf.cast(tf.io.decode_raw(digit, tf.uint8)[0], tf.int32) - ord('0')
  return tf.where(found & stands & (value >= 0) & (value <= 9), value, -1)

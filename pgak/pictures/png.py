"""PNG images: encoded, decoded, and written atomically."""
import struct
import zlib

import tensorflow as tf

from pgak import files

__all__ = ['decode', 'description', 'encode', 'visible', 'write']

# Where the first chunk of a PNG file, IHDR, ends.
_HEADER = 33
_DESCRIPTION = b'tEXtDescription\0'


def visible(image):
  """Returns the visible channels of an image `[..., C]`: 1 or 3.

  Of two channels these are the first, of more than three the first three; a PNG
  would interpret the others as transparency.
  """
  channels = image.shape[-1]
  return image if channels in (1, 3) else image[..., :1 if channels < 3 else 3]


def encode(image, text=''):
  """Returns the PNG bytes of one uint8 image `[H, W, C]`; see `visible`.

  Args:
    image: the image.
    text: a description that is kept in the file, a string of Latin-1.
  """
  content = tf.io.encode_png(visible(image)).numpy()
  if not text:
    return content
  chunk = _DESCRIPTION + text.encode('latin-1', 'replace')
  return b''.join([
      content[:_HEADER], struct.pack('>I', len(chunk) - 4), chunk,
      struct.pack('>I', zlib.crc32(chunk)), content[_HEADER:]])


def description(content):
  """Returns the text that `encode` put into a PNG's bytes, or ''."""
  # After the chunk's length.
  start = _HEADER + 4
  if content[start:start + len(_DESCRIPTION)] != _DESCRIPTION:
    return ''
  length, = struct.unpack('>I', content[_HEADER:start])
  return content[start + len(_DESCRIPTION):start + 4 + length].decode('latin-1')


def decode(content):
  """Returns uint8 `[H, W, 3]` of a PNG's bytes, whatever its channels are."""
  return tf.io.decode_png(content, 3).numpy()


def write(path, image, text=''):
  """Writes an image as a PNG file, atomically; see `encode`."""
  with files.replacing(path) as part:
    part.write_bytes(encode(image, text))

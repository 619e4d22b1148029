"""PNG files, whole or not at all."""
import tensorflow as tf

from pgak import files

__all__ = ['decode', 'encode', 'write']


def encode(image):
  """Returns the PNG bytes of one uint8 image `[H, W, 1 or 3]`."""
  return tf.io.encode_png(image).numpy()


def decode(content):
  """Returns uint8 `[H, W, 3]` of a PNG's bytes, whatever its channels are."""
  return tf.io.decode_png(content, 3).numpy()


def write(path, image):
  """Writes one uint8 image `[H, W, 1 or 3]` as a PNG file, whole or not at all.
  """
  with files.replacing(path) as part:
    part.write_bytes(encode(image))

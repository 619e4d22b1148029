"""PNG files, whole or not at all."""
import tensorflow as tf

from pgak import files

__all__ = ['decode', 'encode', 'visible', 'write']


def visible(image):
  """Returns what is shown of an image `[..., C]`: 1 channel or 3.

  Of two channels it is the first, of more than three the first three; a PNG
  would take the others for transparency.
  """
  channels = image.shape[-1]
  return image if channels in (1, 3) else image[..., :1 if channels < 3 else 3]


def encode(image):
  """Returns the PNG bytes of one uint8 image `[H, W, C]`; see `visible`."""
  return tf.io.encode_png(visible(image)).numpy()


def decode(content):
  """Returns uint8 `[H, W, 3]` of a PNG's bytes, whatever its channels are."""
  return tf.io.decode_png(content, 3).numpy()


def write(path, image):
  """Writes one uint8 image `[H, W, C]` as a PNG file, whole or not at all."""
  with files.replacing(path) as part:
    part.write_bytes(encode(image))

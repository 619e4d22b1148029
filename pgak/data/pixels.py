"""Arithmetic on decoded pixels, the same in a graph and outside."""
import tensorflow as tf

__all__ = ['WHITE', 'composite', 'eight_bits', 'to_channels']

# What shows through where a picture is transparent.
WHITE = 255


def eight_bits(pixels):
  """Divides 16-bit levels by 257, rounded: uint16 -> uint8 tensor."""
  return tf.cast((tf.cast(pixels, tf.int32) + 128) // 257, tf.uint8)


def composite(rgba, background):
  """Lays a picture with an alpha channel on a background.

  Args:
    rgba: uint8 tensor `[H, W, 4]`.
    background: level or three levels of 0 to 255, or None for no background:
      the colours as they are stored, hidden ones, too.

  Returns:
    uint8 tensor `[H, W, 3]`.
  """
  if background is None:
    return rgba[..., :3]
  colour = tf.cast(rgba[..., :3], tf.int32)
  alpha = tf.cast(rgba[..., 3:], tf.int32)
  mixed = colour * alpha + tf.constant(background, tf.int32) * (255 - alpha)
  return tf.cast((mixed + 127) // 255, tf.uint8)


def to_channels(rgb, channels):
  """Brings uint8 colours `[H, W, 3]` to 1 channel, the luma of BT.601, or 3."""
  if channels == 3:
    return rgb
  weights = tf.constant([19595, 38470, 7471])
  luma = tf.reduce_sum(tf.cast(rgb, tf.int32) * weights, -1, keepdims=True)
  return tf.cast((luma + 32768) // 65536, tf.uint8)

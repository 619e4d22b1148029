"""Arithmetic on decoded pixels, the same in a graph and outside."""
from typing import Annotated, Literal

import tensorflow as tf

from pgak import settings

__all__ = ['Background', 'ImageShape', 'WHITE', 'composite', 'eight_bits',
           'to_channels']

# Height, width and channels.
ImageShape = Annotated[
    tuple[settings.Count, settings.Count, Literal[1, 3]], settings.Says(
        '(height, width, channels) with 1 or 3 channels, such as (64, 64, 3)')]

# What shows through where a picture is transparent.
_Level = Annotated[int, settings.Range(0, 255)]
Background = _Level | tuple[_Level, _Level, _Level] | None
WHITE = 255


def eight_bits(pixels):
  """Divides 16-bit levels by 257, rounded: uint16 -> uint8 tensor."""
  # 65535 / 255 = 257: white stays white.
  return tf.cast((tf.cast(pixels, tf.int32) + 128) // 257, tf.uint8)


def composite(rgba, background):
  """Blends a picture with an alpha channel into a background.

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
  # Whole numbers, which round alike everywhere.
  mixed = colour * alpha + tf.constant(background, tf.int32) * (255 - alpha)
  return tf.cast((mixed + 127) // 255, tf.uint8)


def to_channels(rgb, channels):
  """Brings uint8 colours `[H, W, 3]` to 1 channel, the luma of BT.601, or 3."""
  if channels == 3:
    return rgb
  # 0.299, 0.587 and 0.114 in units of 2^-16: whole numbers round alike in a
  # graph and outside, and are those of Pillow.
  weights = tf.constant([19595, 38470, 7471])
  luma = tf.reduce_sum(tf.cast(rgb, tf.int32) * weights, -1, keepdims=True)
  return tf.cast((luma + 32768) // 65536, tf.uint8)

"""Grids of pictures, tiled row by row."""
import math

import numpy as np

__all__ = ['enlarged', 'grid', 'picture']


def picture(images, columns=None):
  """Returns a uint8 grid of images, of which small ones are enlarged."""
  return grid(enlarged(images), columns)


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
  # White, which also fills the places of an incomplete last row.
  canvas = np.full((rows * (height + border), columns * (width + border),
                    channels), 255, np.uint8)
  for i, image in enumerate(images):
    top = (i // columns) * (height + border)  # Row by row.
    left = (i % columns) * (width + border)
    canvas[top:top + height, left:left + width] = image
  # Without the border after the last row and column.
  return canvas[:rows * (height + border) - border,
                :columns * (width + border) - border]


def enlarged(images, smallest=28):
  """Enlarges small images by repeating their pixels.

  Args:
    images: uint8 `[N, H, W, C]`.
    smallest: the result's height is at least this.

  Returns:
    uint8 `[N, k H, k W, C]` with the smallest whole k.
  """
  images = np.asarray(images)
  # A whole factor, so that every pixel stays a square.
  times = max(1, math.ceil(smallest / images.shape[1]))
  return images.repeat(times, 1).repeat(times, 2)

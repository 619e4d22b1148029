"""Pictures that were decoded before an interruption, so that work goes on.

A folder of two files: `pixels`, uint8, picture after picture, and `chunks`, a
line of JSON for each chunk that is whole. Pixels are written first; a line that
is cut, or whose pixels are not there, and all behind it, count as not done.
"""
import json

import numpy as np

__all__ = ['Decoded']


class Decoded:
  """What was decoded, chunk after chunk in a fixed order.

  Args:
    folder: `pathlib.Path`, made if absent.
    image_shape: `(height, width, channels)`.

  Example:

  ```python
  done = Decoded(folder, (8, 8, 3))
  for names in chunks_of_names:
    images, notes = done.next() or done.put(*decode(names))
  ```
  """

  def __init__(self, folder, image_shape):
    folder.mkdir(parents=True, exist_ok=True)
    self._shape = tuple(image_shape)
    self._size = int(np.prod(self._shape))
    self._pixels = open(folder / 'pixels', 'a+b')
    self._lines = open(folder / 'chunks', 'a+b')
    self._left = self._whole()

  def close(self):
    self._pixels.close()
    self._lines.close()

  def __enter__(self):
    return self

  def __exit__(self, *error):
    self.close()

  def _whole(self):
    """Returns an iterator of what is whole, and cuts off everything else."""
    self._lines.seek(0)
    held = self._pixels.seek(0, 2)
    found, pixels, lines = [], 0, 0
    for line in self._lines:
      try:
        number, notes = json.loads(line)
      except ValueError:
        break
      if pixels + number * self._size > held or not line.endswith(b'\n'):
        break
      found.append((pixels, number, notes))
      pixels, lines = pixels + number * self._size, lines + len(line)
    self._pixels.truncate(pixels)
    self._lines.truncate(lines)
    return iter(found)

  def next(self):
    """Returns `(images, notes)` of the next chunk, or None if it is not there.
    """
    found = next(self._left, None)
    if found is None:
      return None
    start, number, notes = found
    self._pixels.seek(start)
    images = np.frombuffer(
        self._pixels.read(number * self._size), np.uint8)
    return images.reshape([number, *self._shape]), notes

  def put(self, images, notes):
    """Keeps the next chunk.

    Args:
      images: uint8 `[n, height, width, channels]`; n may be 0.
      notes: what else is known of it, as JSON has it.

    Returns:
      Both.
    """
    # Files that are appended to are written at their end.
    self._pixels.write(np.ascontiguousarray(images))
    self._pixels.flush()
    self._lines.write(json.dumps([len(images), notes]).encode() + b'\n')
    self._lines.flush()
    return images, notes

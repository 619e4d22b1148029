"""A first look at pictures: how many, how large, and whether they are grey."""
import collections
import dataclasses
import io

import numpy as np

from pgak import files
from pgak.data import formats
from pgak.data import sources

__all__ = ['Survey', 'survey']

_MOST = 500
# Pillow's modes of one channel; 'I' and 'I;16' have 16 bits.
_GREY = ('1', 'L', 'LA', 'I')


@dataclasses.dataclass(frozen=True)
class Survey:
  """A summary of the headers of some pictures.

  Attributes:
    number: int, how many files look like pictures.
    sides: int `[n]`, the shorter side of each that was looked at.
    grey: whether all that were looked at have one channel, beside alpha.
    formats: `{name out of formats.NAMES: how many}` of those looked at.
    sizes: of the smallest and the largest of them by area, each
      `(width, height)` in pixels as stored.
  """
  number: int
  sides: np.ndarray
  grey: bool
  formats: dict = dataclasses.field(default_factory=dict)
  sizes: tuple = ()

  def size(self, candidates=(64, 32, 16), share=0.95):
    """Returns the largest candidate that most pictures have on both sides.

    Args:
      candidates: ints, the largest first.
      share: of the pictures, in [0, 1].

    Returns:
      One of the candidates; the last one if none is small enough.
    """
    for size in candidates:
      if len(self.sides) and np.mean(self.sides >= size) >= share:
        return size
    return candidates[-1]

  def size_of_all(self, most=256):
    """Returns 'HxW' if all pictures have that size, no side above `most`."""
    width, height = next(iter(self.sizes), (0, 0))
    alike = len(set(self.sizes)) == 1 and max(width, height) <= most
    return f'{height}x{width}' if alike else None


def survey(path):
  """Reads the headers of at most 500 pictures, spread over a folder or zip.

  Args:
    path: as `images.path`.

  Returns:
    A `Survey`; a file that is no whole picture is passed over.

  Raises:
    UserError: if the folder or zip holds no picture.
  """
  source = sources.open_source(files.local(path))
  names = [name for name, *_ in source.listing]
  # Evenly over the sorted names, so that each folder is seen.
  step = -(-len(names) // _MOST)
  found = [header for name in names[::step]
           if (header := _header(source, name))]
  sizes = sorted((size for size, *_ in found),
                 key=lambda size: size[0] * size[1])
  return Survey(
      len(names), np.array([min(size) for size, *_ in found], int),
      bool(found) and all(
          mode.partition(';')[0] in _GREY for _, mode, _ in found),
      dict(collections.Counter(name for *_, name in found).most_common()),
      (sizes[0], sizes[-1]) if sizes else ())


def _header(source, name):
  """Returns `(size, mode, format)` of a picture, or None if it is none."""
  from PIL import Image
  try:
    content = source.read(name)
    # Reads the header alone: the pixels are not decoded.
    with Image.open(io.BytesIO(content)) as picture:
      return picture.size, picture.mode, formats.sniff(content) or 'other'
  except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
    return None

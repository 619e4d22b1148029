"""Reads the sides of a comparison from wherever their images are."""
from collections.abc import Callable
from typing import NamedTuple

import gin
import numpy as np

from pgak import batches
from pgak import data
from pgak import files
from pgak.data import array_files
from pgak.data import path_kinds
from pgak.data import survey
from pgak.evaluation import sides as sides_lib
from pgak.runs import configuration
from pgak.runs import data_set
from pgak.runs import named_files

__all__ = ['Maker', 'SideReader']

# Of pictures of several sizes, the largest of these that most of them have.
_USUAL_SIZES = (256, 128, 64, 32, 16)


class Maker(NamedTuple):
  """A kind of folder that holds no images and makes them.

  Attributes:
    is_at: function of a `pathlib.Path`, whether the folder is of this kind.
    sample: function of the folder as the user gave it, how many and a seed,
      that returns uint8 `[N, h, w, C]`.
  """
  is_at: Callable
  sample: Callable


class SideReader:
  """Reads sides: paths, names of data sets, or uint8 arrays."""

  def __init__(self, makers, number=10000, seed=0, data_dir=None):
    """Creates the reader.

    Args:
      makers: list of `Maker`; the first whose folder it is makes the images.
      number: int, the most images of a side.
      seed: int, decides samples.
      data_dir: folder of TensorFlow Datasets.
    """
    self._makers = makers
    self._number = number
    self._seed = seed
    self._data_dir = data_dir

  def read(self, sides, size=None):
    """Returns the `sides.Side` of each, of one size where that can be.

    Args:
      sides: list of sides.
      size: '64' or '48x64', what pictures in files are brought to; by default
        the size of another side.

    Raises:
      UserError: if there are no such images.
    """
    is_loose = [self._is_loose(side) for side in sides]
    # First those that have a size; pictures in files are brought to it.
    found = [None if loose else self._read(side, None)
             for side, loose in zip(sides, is_loose)]
    shape = next((side.shape for side in found if side is not None), None)
    # Then those of one small size, as generated ones are.
    for i in sorted(range(len(sides)), key=lambda i: is_loose[i]
                    and survey.survey(sides[i]).size_of_all() is None):
      if is_loose[i]:
        found[i] = self._read(sides[i], _shape(sides[i], size, shape))
        shape = shape or found[i].shape
    return found

  def _is_loose(self, side):
    return not isinstance(side, np.ndarray) and self._kind(side) == 'images'

  def _kind(self, side):
    """Returns a `Maker`, 'statistics', 'images', 'arrays' or 'name'."""
    path = files.local(side)
    for maker in self._makers:
      if maker.is_at(path):
        return maker
    # A file of that name comes first, as the user can see it.
    if not path.exists() and '/' not in str(side):
      return 'name'
    return ('statistics' if sides_lib.is_statistics(path)
            else path_kinds.kind_of_path(path))

  def _read(self, side, shape):
    if isinstance(side, np.ndarray):
      chosen = batches.positions(len(side), self._number)
      return sides_lib.Side('array', side[chosen])
    kind = self._kind(side)
    if kind == 'statistics':
      return sides_lib.load(files.local(side))
    if isinstance(kind, Maker):
      return sides_lib.Side(
          str(side), kind.sample(side, self._number, self._seed))
    array = self._array(kind, side, shape)
    # Files may be in the order of their classes.
    chosen = (np.arange(min(self._number, len(array))) if kind == 'name'
              else batches.positions(len(array), self._number))
    return sides_lib.of_pictures(side, array, chosen, kind == 'images')

  def _array(self, kind, side, shape):
    # All that is there, whatever its folders or arrays are called.
    if kind == 'images':
      return data.images(side, shape, test_fraction=0., splits='names',
                         skip_damaged=True).split('all')
    if kind == 'arrays':
      return array_files.arrays(side, shape, test_fraction=0.).split('all')
    name, _, split = str(side).partition(':')
    file, _ = named_files.data(name)
    try:
      configuration.parse_part(
          f'data_dir = {self._data_dir!r}\ninclude {file!r}')
      return data_set.configured().split(split or 'test')
    finally:
      gin.clear_config()


def _shape(side, size, shape):
  """Returns the shape that pictures in files are brought to."""
  if size is None and shape:
    return shape
  seen = survey.survey(side)
  channels = shape[-1] if shape else 1 if seen.grey else 3
  usual = seen.size_of_all() or seen.size(_USUAL_SIZES)
  height, _, width = str(size or usual).partition('x')
  return int(height), int(width or height), channels

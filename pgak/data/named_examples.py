"""All examples of a data set with their names, a few at a time."""
from typing import NamedTuple

import numpy as np

__all__ = ['Chunk', 'Named']

_CHUNK = 500


class Chunk(NamedTuple):
  """Some examples.

  Attributes:
    names: list of strings, paths of files, or places in the data set from 0.
    examples: as users see them, uint8 `[n, h, w, C]` or float32 `[n, D]`.
    labels: int64 `[n]`, or None.
  """
  names: list
  examples: np.ndarray
  labels: np.ndarray | None


class Named:
  """All examples of a data set, in order, once.

  Pictures of a folder, zip or tar are decoded as they are read, and not kept;
  those that cannot be used are passed over with a warning. Other data sets are
  prepared as for training. No more than some hundred are in memory.

  Args:
    dataset: a `Dataset` or `VectorDataset`.
  """

  def __init__(self, dataset):
    recipe = getattr(dataset, '_recipe', None)
    self._pictures = recipe if hasattr(recipe, 'named') else None
    self._array = None if self._pictures else dataset.split('all')

  def __len__(self):
    return len(self._array if self._pictures is None else self._pictures)

  @property
  def label_names(self):
    """Tuple of the classes' names, empty where they have none."""
    return tuple((self._pictures or self._array).label_names)

  def __iter__(self):
    """Yields `Chunk`s."""
    if self._pictures:
      for names, examples, labels in self._pictures.named():
        yield Chunk(names, examples, labels)
      return
    labels = self._array.labels
    for first in range(0, len(self), _CHUNK):
      places = np.arange(first, min(first + _CHUNK, len(self)))
      yield Chunk([str(i) for i in places], self._array.read(places),
                  None if labels is None else labels[places])

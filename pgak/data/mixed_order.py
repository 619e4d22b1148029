"""Splits of which a part is like the whole.

A folder, zip or tar of pictures is read in the order of names, often class by
class, so that its first images lack some classes. What takes a part of a split
takes it from here.
"""
import numpy as np

__all__ = ['of_data_set', 'of_split', 'unmixed']

# What a split has of each example, and its functions of positions.
_OF_EXAMPLES = ('labels', 'attributes', 'unrolled')
_READERS = ('read', 'examples', 'read_conditions', 'read_pairs')


def of_data_set(dataset):
  """Returns a data set whose splits are those of `of_split`.

  Args:
    dataset: a `data.Dataset`, or another data set.
  """
  return _Dataset(dataset)


def of_split(array):
  """Returns a split, in a random order if its first examples may be alike.

  Args:
    array: a split of a data set, such as `data.ImageArray`.

  Returns:
    Its examples in a random order, the same in every process, if they are in
    the order of their names or class by class; or else the split itself.
  """
  labels = getattr(array, 'labels', None)
  if getattr(array, 'by_name', False) or (
      labels is not None and _by_class(np.asarray(labels))):
    return _Mixed(array)
  return array


def unmixed(array):
  """Returns the split that `of_split` was given, by what it returned.

  For positions that were chosen in the split itself.

  Args:
    array: a split of a data set.
  """
  return array._viewed if isinstance(array, _Mixed) else array


def _by_class(labels):
  # Two neighbours of a random order are of one class with probability
  # sum_k p_k^2, for the shares p_k of the classes.
  _, numbers = np.unique(labels, return_counts=True)
  expected = 1. - np.sum((numbers / len(labels)) ** 2)
  changes = np.count_nonzero(labels[1:] != labels[:-1])
  return changes < 0.5 * expected * (len(labels) - 1)


class _View:
  """Has all attributes of what it views, but for those defined here."""

  def __init__(self, viewed):
    self._viewed = viewed

  def __getattr__(self, name):
    if name.startswith('__') or name == '_viewed':  # Of copy and pickle.
      raise AttributeError(name)
    return getattr(self._viewed, name)


class _Dataset(_View):

  def split(self, name):
    return of_split(self._viewed.split(name))


class _Mixed(_View):

  # Not to be mixed once more.
  by_name = False

  def __init__(self, array):
    super().__init__(array)
    self._order = np.random.default_rng(0).permutation(len(array))
    # Caches must not take its first examples for those of the split itself.
    self.fingerprint = f'{array.fingerprint}_mixed'

  def __len__(self):
    return len(self._viewed)

  def __repr__(self):
    return repr(self._viewed)

  def __getattr__(self, name):
    value = super().__getattr__(name)
    if name in _OF_EXAMPLES:
      return value if value is None else value[self._order]
    if name in _READERS:
      return lambda indices: value(
          self._order[np.asarray(indices, np.int64).reshape([-1])])
    return value

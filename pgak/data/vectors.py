"""Data sets of vectors, which are held in memory."""
import functools
import hashlib
from typing import Annotated, Callable, NamedTuple

import numpy as np

from pgak import errors
from pgak import settings
from pgak.data import kinds
from pgak.data import splits as splits_lib

__all__ = ['Later', 'Split', 'VectorArray', 'VectorDataset', 'shades',
           'swiss_roll']

# Beside the seed of a run: `test` is drawn apart from `train`.
_TEST_SEED = 1
# Range of t in scikit-learn's Swiss roll.
_BEGIN, _END = 1.5 * np.pi, 4.5 * np.pi
# Of the trapezoid rule for the roll's length.
_NODES = 20001


@settings.register
def swiss_roll(num_examples: Annotated[int, settings.Range(2)] = 5000,
               seed: settings.Seed = 0):
  """Scikit-learn's Swiss roll without noise, standardised.

  A point is `(t cos t, h, t sin t)` with t uniform on [1.5 pi, 4.5 pi) and h on
  [0, 21), less the mean of `train` and divided by its standard deviation, each
  dimension by its own. `test`, to which `validation` falls back, has as many
  other points, with the mean and deviation of `train`.

  The arrays' attribute `unrolled` has the roll laid out flat.

  Args:
    num_examples: points of each split, at least 2.
    seed: int; the points are a function of it.

  Returns:
    A `VectorDataset` with vectors of 3 dimensions.
  """
  # Imported late: it takes a second, and other data sets do without it.
  from sklearn import datasets
  drawn = {split: datasets.make_swiss_roll(num_examples, random_state=state)
           for split, state in (
               # A list seeds without collisions: seed + 1 of one split is no
               # other's.
               ('train', np.random.RandomState([seed, 0])),
               ('test', np.random.RandomState([seed, _TEST_SEED])))}
  # Of `train` alone: `test` must not decide how the data are scaled.
  mean, deviation = (f(drawn['train'][0], 0) for f in (np.mean, np.std))
  return VectorDataset('swiss_roll', {
      split: Split(((points - mean) / deviation).astype(np.float32),
                   _unrolled(position, points[:, 1], deviation))
      for split, (points, position) in drawn.items()}, {
          'num_examples': num_examples, 'seed': seed, 'standardised': 'train'})


def _unrolled(position, height, deviation):
  """Lays the standardised roll out flat, without stretching it.

  Standardised, it still is a cylinder over a plane curve,
  `(t cos t / s_x, t sin t / s_z)`, whose length is found by the trapezoid rule.

  Args:
    position: t, `[n]`.
    height: h, `[n]`.
    deviation: `(s_x, s_y, s_z)`.

  Returns:
    float64 `[n, 2]`: length along the curve, and h / s_y.
  """
  t = np.linspace(_BEGIN, _END, _NODES)
  speed = np.hypot((np.cos(t) - t * np.sin(t)) / deviation[0],
                   (np.sin(t) + t * np.cos(t)) / deviation[2])
  steps = 0.5 * (speed[1:] + speed[:-1]) * np.diff(t)
  # The curve has no closed form for its length once it is standardised.
  length = np.interp(position, t, np.concatenate([[0.], np.cumsum(steps)]))
  return np.stack([length, height / deviation[1]], 1)


class Split(NamedTuple):
  """The contents of a split.

  Attributes:
    vectors: float32 `[n, D]`.
    unrolled: where they lie on the data's own manifold, float64 `[n, d]`, or
      None where that is not known.
    labels: int64 `[n]`, or None.
    label_names: tuple of the classes' names, empty where they have none.
  """
  vectors: np.ndarray
  unrolled: np.ndarray | None = None
  labels: np.ndarray | None = None
  label_names: tuple = ()


class Later(NamedTuple):
  """Splits that are loaded when one is first asked for.

  Attributes:
    names: of the splits, in their order.
    shape: `(D,)`.
    load: function that returns `{name: Split}`.
  """
  names: tuple
  shape: tuple
  load: Callable


class VectorDataset:
  """A named set of vectors with its splits; see `Dataset`.

  Besides its own splits it has `all`, which is all of them in order.

  Args:
    name: string.
    splits: `{name: Split}`, or `Later`.
    preprocessing: dictionary of every choice that made the vectors.
  """

  def __init__(self, name, splits, preprocessing):
    self.name = name
    self.preprocessing = preprocessing
    if not isinstance(splits, Later):
      shape = next(iter(splits.values())).vectors.shape[1:]
      splits = Later(tuple(splits), shape, lambda made=splits: made)
    self._later = splits

  @functools.cached_property
  def _splits(self):
    found = self._later.load()
    parts = list(found.values())
    # Vectors, unrolled and labels; the names are those of all splits.
    joined = [None if parts[0][i] is None else np.concatenate(
        [part[i] for part in parts]) for i in range(3)]
    return found | {'all': Split(*joined, parts[0].label_names)}

  @property
  def image_shape(self):
    """Shape of a vector, `(D,)`."""
    return tuple(self._later.shape)

  @property
  def kind(self):
    """The `kinds.Vectors` that it holds."""
    return kinds.Vectors(self.image_shape)

  @property
  def splits(self):
    """Names of the splits."""
    return (*self._later.names, 'all')

  def split(self, name):
    """Returns one split, a `VectorArray`; see `Dataset.split`."""
    if name == 'validation' and name not in self.splits:
      name = 'test'
    if name not in self.splits:
      raise errors.UserError(
          f'The data set {self.name} has no split {name}; it has '
          f'{", ".join(self.splits)}.')
    if not len(self._splits[name].vectors):
      raise splits_lib.empty(name, self, len(self._splits['all'].vectors))
    return VectorArray(self.name, name, self._splits[name], self.preprocessing)


class VectorArray:
  """One split as float32 vectors `[len, D]`, read by position.

  Attributes:
    name: the data set's name.
    split: the split's name.
    image_shape: `(D,)`.
    kind: the `kinds.Vectors` of that shape.
    fingerprint: 16 hexadecimal digits that change with the numbers.
    preprocessing: dictionary of every choice that made the vectors.
    unrolled: float64 `[len, d]`, coordinates of the vectors on the data's own
      manifold, whose Euclidean distances are geodesic distances there; None
      where they are not known.
    labels: int64 `[len]`, or None.
    label_names: tuple of the classes' names, empty where they have none.
  """

  attributes = None
  attribute_names = ()

  def __init__(self, name, split, content, preprocessing):
    self.name = name
    self.split = split
    self.image_shape = content.vectors.shape[1:]
    self.kind = kinds.Vectors(self.image_shape)
    self.preprocessing = dict(preprocessing)
    self.unrolled = content.unrolled
    self.labels = content.labels
    self.label_names = content.label_names
    self.fingerprint = hashlib.sha256(
        # Of one byte order, so that two machines agree.
        content.vectors.astype('<f4').tobytes()).hexdigest()[:16]
    self._vectors = content.vectors

  def __len__(self):
    return len(self._vectors)

  def __repr__(self):
    return f'VectorArray({self.name}/{self.split}: {len(self)} x ' \
           f'{self.image_shape})'

  def read(self, indices):
    """Returns the vectors at some positions, float32 `[n, D]`.

    Args:
      indices: integers `[n]`, each in `[0, len)`, in any order.

    Raises:
      IndexError: if a position is outside.
    """
    indices = np.asarray(indices, np.int64).reshape([-1])
    if indices.size and (indices.min() < 0 or indices.max() >= len(self)):
      raise IndexError(f'{self!r} has no vector at one of {indices}.')
    return self._vectors[indices]

  examples = read


def shades(array, indices):
  """Returns numbers by which to colour vectors of a split, `[n]`, or None.

  They are the vectors' first unrolled coordinates, or else their labels.

  Args:
    array: a `VectorArray`, or the like.
    indices: integers `[n]`.
  """
  unrolled = getattr(array, 'unrolled', None)
  if unrolled is not None:
    return unrolled[indices, 0]
  labels = getattr(array, 'labels', None)
  return None if labels is None else labels[indices].astype(float)

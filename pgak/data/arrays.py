"""Data sets and their splits as arrays of images that stay on disk."""
import hashlib
import os
from typing import Annotated
import weakref

import numpy as np

from pgak import errors
from pgak import settings
from pgak.data import kinds
from pgak.data import splits as splits_lib
from pgak.data import store

__all__ = ['Dataset', 'DatasetLike', 'ImageArray']

DatasetLike = Annotated[object, settings.Has(
    ('name', 'image_shape', 'splits', 'split'), 'a data set, as @mnist does')]


class Dataset:
  """A named set of images with its splits, prepared when first read.

  `name`, `image_shape` and `splits` are known without the data. Besides its
  own splits every set has `all`, which is all of them in order.

  Args:
    recipe: a `store.Recipe`.
    validation_examples: number of examples at the end of `train` that become
      the split `validation`. Without them, and without a validation split of
      its own, the set's `split('validation')` is the split `test`.

  Example:

  ```python
  test = data.digits().split('test')
  test.read([0, 2])   # uint8 [2, 8, 8, 1]
  ```
  """

  def __init__(self, recipe, validation_examples=0):
    self._recipe = recipe
    self._validation_examples = validation_examples
    self._prepared = None

  @property
  def name(self):
    """The name, which holds the crop where there is one."""
    return self._recipe.name

  @property
  def image_shape(self):
    """`(height, width, channels)`."""
    return self._recipe.image_shape

  @property
  def kind(self):
    """The `kinds.Images` that it holds."""
    return kinds.Images(self.image_shape)

  @property
  def splits(self):
    """Names of the splits."""
    extra = ('validation',) if self._validation_examples else ()
    return self._recipe.splits + extra + ('all',)

  def split(self, name):
    """Returns one split; a fallback has its own name in `.split`.

    Args:
      name: string, one of `splits`, or 'validation'.

    Returns:
      An `ImageArray`.

    Raises:
      UserError: if there is no such split, if it is empty, or if the set
        is not available.
    """
    # Every run has a validation loss: without a split of its own, on `test`.
    if name == 'validation' and name not in self.splits:
      name = 'test'
    if name not in self.splits:
      raise errors.UserError(
          f'The data set {self.name} has no split {name}; it has '
          f'{", ".join(self.splits)}.')
    # Late: name, shape and splits are known without the data.
    if self._prepared is None:
      self._prepared = store.open_prepared(self._recipe)
    start, stop = self._stretches()[name]
    if start >= stop:
      raise splits_lib.empty(name, self, self._stretches()['all'][1])
    return ImageArray(self.name, name, self._prepared, start, stop)

  def _stretches(self):
    """Returns split -> `(start, stop)` in the prepared file."""
    parts = self._prepared.parts
    stretches = {part.split: (part.start, part.stop) for part in parts}
    stretches['all'] = (0, parts[-1].stop)
    if self._validation_examples:
      start, stop = stretches['train']
      # The end of `train`, so that examples keep their positions in it.
      middle = max(start, stop - self._validation_examples)
      stretches['train'] = (start, middle)
      stretches['validation'] = (middle, stop)
    return stretches


class ImageArray:
  """One split as uint8 images `[len, height, width, channels]` on disk.

  Memory does not grow with the number of images: they are read by position
  from the prepared file, not mapped.

  Attributes:
    name: the data set's name.
    split: the split's name.
    image_shape: `(height, width, channels)`.
    kind: the `kinds.Images` of that shape.
    fingerprint: 16 hexadecimal digits that change with the pixels.
    preprocessing: dictionary of every choice that made the pixels.
    attribute_names: tuple of strings, empty for a set without attributes.
    label_names: tuple of the classes' names, empty where they have none.
    by_name: whether images are in the order of their files' names, which may be
      that of their classes.
  """

  def __init__(self, name, split, prepared, start, stop):
    self.name = name
    self.split = split
    self.image_shape = prepared.image_shape
    self.kind = kinds.Images(self.image_shape)
    self.preprocessing = dict(prepared.preprocessing)
    # From the checksums: the pixels are not read again.
    self.fingerprint = _fingerprint(prepared.parts, start, stop)
    self._start = start
    self._stop = stop
    self.attribute_names = prepared.attribute_names
    self.label_names = prepared.label_names
    self.by_name = prepared.by_name
    self._label_path = prepared.label_path
    self._attribute_path = prepared.attribute_path
    self._path = prepared.image_path
    # A descriptor for `preadv`, which several threads can use at once; and an
    # open file stays whole when another process prepares the set anew.
    self._descriptor = os.open(prepared.image_path, os.O_RDONLY)
    weakref.finalize(self, os.close, self._descriptor)

  def __len__(self):
    return self._stop - self._start

  def __repr__(self):
    return f'ImageArray({self.name}/{self.split}: {len(self)} x ' \
           f'{self.image_shape})'

  def read(self, indices):
    """Returns the images at some positions, uint8 `[n, h, w, c]`.

    Args:
      indices: integers `[n]`, each in `[0, len)`, in any order.

    Raises:
      IndexError: if a position is outside.
      UserError: if the prepared file became shorter while in use.
    """
    indices = np.asarray(indices, np.int64).reshape([-1])
    images = np.empty((len(indices),) + self.image_shape, np.uint8)
    if not indices.size:
      return images
    if indices.min() < 0 or indices.max() >= len(self):
      raise IndexError(f'{self!r} has no image at one of {indices}.')
    # Neighbours in one read: a batch in the file's order is a single one.
    for first, last in _runs(indices):
      self._read_into(images[first:last], int(indices[first]) + self._start)
    return images

  examples = read  # Pairs and vectors have another type of examples.

  @property
  def labels(self):
    """Integers `[len]`, or None for a set without labels."""
    if self._label_path is None:
      return None
    labels = np.fromfile(
        # Little-endian.
        self._label_path, '<i8', len(self), offset=8 * self._start)
    return labels.astype(np.int64, copy=False)

  @property
  def attributes(self):
    """Booleans `[len, len(attribute_names)]`, or None for a set without."""
    if self._attribute_path is None:
      return None
    number = len(self.attribute_names)
    values = np.fromfile(self._attribute_path, np.uint8, len(self) * number,
                         offset=number * self._start)
    return values.reshape([len(self), number]).astype(bool)

  def _read_into(self, images, position):
    view = memoryview(images.reshape([-1]))
    offset = position * int(np.prod(self.image_shape))
    # `preadv` may return less than was asked for.
    while view:
      count = os.preadv(self._descriptor, [view], offset)
      if not count:
        raise errors.UserError(
            f'{self._path} was cut short while in use; start again and it is '
            'made anew.')
      view = view[count:]
      offset += count


def _runs(indices):
  """Cuts positions into runs of neighbours, each one read: `[(first, last)]`.
  """
  cuts = np.flatnonzero(np.diff(indices) != 1) + 1
  edges = [0, *cuts.tolist(), len(indices)]
  return zip(edges[:-1], edges[1:])


def _fingerprint(parts, start, stop):
  """Returns a digest of a stretch of the file, from the digests of its parts.
  """
  pieces = [(part.sha256, max(start, part.start) - part.start,
             min(stop, part.stop) - part.start, part.stop - part.start)
            for part in parts if part.start < stop and start < part.stop]
  # A whole part has its own checksum's digits, whatever stands before it.
  if len(pieces) == 1 and pieces[0][1] == 0 and pieces[0][2] == pieces[0][3]:
    return pieces[0][0][:16]
  return hashlib.sha256(repr(pieces).encode()).hexdigest()[:16]

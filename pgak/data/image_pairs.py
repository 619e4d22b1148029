"""Pairs of an image and a condition, for image-to-image translation.

Either from a folder that holds both (see `pair_folders`), or made from any data
set: the condition is then a function of the image, and the model learns its
inverse, which has many values.
"""
from typing import Literal

import numpy as np

from pgak import errors
from pgak import settings
from pgak.data import arrays
from pgak.data import kinds
from pgak.data import pair_folders
from pgak.data import pixels

__all__ = ['CONDITIONS', 'PairArray', 'PairDataset', 'coarse', 'edges', 'pairs']


def coarse(images, factor=4):
  """Replaces squares of pixels by their means.

  Args:
    images: uint8 `[n, h, w, C]`; `factor` divides h and w.
    factor: side of a square in pixels.

  Returns:
    uint8 `[n, h, w, C]`.
  """
  number, height, width, channels = images.shape
  cells = images.reshape(number, height // factor, factor, width // factor,
                         factor, channels)
  # Whole numbers, so that every machine rounds alike; half is rounded up.
  sums = cells.sum((2, 4), dtype=np.int64)
  means = ((2 * sums + factor**2) // (2 * factor**2)).astype(np.uint8)
  return means.repeat(factor, 1).repeat(factor, 2)


def edges(images):
  """Where grey levels change: the norm of Sobel's gradient, halved.

  Args:
    images: uint8 `[n, h, w, C]`; colours are averaged first.

  Returns:
    uint8 `[n, h, w, 1]`, 0 where an image is flat, at most 255.
  """
  grey = images.astype(np.float64).mean(-1)
  # The edge repeated, so that a flat border is no edge.
  padded = np.pad(grey, ((0, 0), (1, 1), (1, 1)), 'edge')
  down = padded[:, 2:] - padded[:, :-2]
  down = down[:, :, :-2] + 2. * down[:, :, 1:-1] + down[:, :, 2:]
  across = padded[:, :, 2:] - padded[:, :, :-2]
  across = across[:, :-2] + 2. * across[:, 1:-1] + across[:, 2:]
  norms = np.sqrt(down**2 + across**2) / 2.
  return np.minimum(np.rint(norms), 255.).astype(np.uint8)[..., None]


# Name -> function of images, and the condition's channels (None: the image's).
CONDITIONS = {'coarse': (coarse, None), 'edges': (edges, 1)}


@settings.register
def pairs(source: settings.reference('@fashion_mnist') | None = None,
          condition: str = 'coarse', path: settings.Path | None = None,
          image_shape: pixels.ImageShape | None = None,
          condition_channels: Literal[1, 3] = 3,
          crop: settings.Count | None = None,
          test_fraction: settings.Decay = 0.1,
          background: pixels.Background = pixels.WHITE):
  """A data set of pairs, from a folder or made of another data set.

  Args:
    source: function without arguments that makes a `Dataset`, such as the gin
      reference @fashion_mnist; or None.
    condition: what the pairs of `source` are conditioned on: 'coarse', means of
      4 x 4 pixels, or 'edges'.
    path: the folder of pairs, in the layout of `pair_folders`, where `source`
      is None.
    image_shape: of a folder's pairs, `(height, width, channels)`.
    condition_channels: channels of a folder's conditions, 1 or 3; keypoints are
      drawn in 3.
    crop: as for the data set `images`; keypoints are cut with the images.
    test_fraction: share of a folder's pairs in the split `test`, where the
      folder does not say which they are.
    background: of a folder's transparent pictures, as for the data set
      `images`.

  Returns:
    A `PairDataset`.

  Raises:
    UserError: if neither or both of `source` and `path` are given, or if a
      setting does not fit; when it is prepared, as `pair_folders.PairFolder`.
  """
  if (source is None) == (path is None):
    raise errors.UserError(
        'Pairs are made of a data set or read from a folder: set either '
        'pairs.source, such as @fashion_mnist, or pairs.path.')
  if source is not None:
    return _made(settings.made(source, 'pairs.source', arrays.DatasetLike),
                 condition)
  dataset, shape = pair_folders.open_folder(
      path, image_shape, condition_channels, crop, test_fraction, background)
  channels = shape[-1]
  return PairDataset(dataset, dataset.name, shape,
                     (*shape[:2], condition_channels),
                     lambda both: (both[..., :channels], both[..., channels:]))


def _made(dataset, condition):
  if condition not in CONDITIONS:
    raise errors.UserError(
        f'There is no condition {condition!r}: set pairs.condition to one of '
        f'{", ".join(CONDITIONS)}.')
  function, channels = CONDITIONS[condition]
  if 'pixels' not in kinds.of(dataset).can:
    raise errors.UserError(
        f'{dataset.name} holds vectors, and pairs are made of images: set '
        'pairs.source to a data set of images, such as @fashion_mnist.')
  height, width, own = dataset.image_shape
  # The factor of `coarse`.
  if condition == 'coarse' and (height % 4 or width % 4):
    raise errors.UserError(
        f'{dataset.name} has images of {height} x {width}, whose sides 4 does '
        "not divide: set pairs.condition = 'edges', or pad the images.")
  return PairDataset(
      dataset, f'{dataset.name}_{condition}', dataset.image_shape,
      (height, width, channels or own),
      lambda images: (images, function(images)), condition)


class PairDataset:
  """A data set whose splits hold an image and a condition an example.

  Args:
    dataset: the `Dataset` that it is made of.
    name: string.
    image_shape: `(height, width, channels)`.
    condition_shape: `(height, width, channels)`.
    to_pairs: function of what `dataset` holds, uint8 `[n, h, w, c]`, to images
      and conditions, uint8.
    condition: name of the function that makes the conditions, or None.
  """

  def __init__(self, dataset, name, image_shape, condition_shape, to_pairs,
               condition=None):
    self._dataset = dataset
    self._to_pairs = to_pairs
    self._condition = condition
    self.name = name
    self.image_shape = tuple(image_shape)
    self.condition_shape = tuple(condition_shape)
    self.kind = kinds.Pairs(self.image_shape,
                            condition_shape=self.condition_shape)

  @property
  def splits(self):
    """Names of the splits."""
    return self._dataset.splits

  def split(self, name):
    """Returns one split, a `PairArray`; see `Dataset.split`."""
    return PairArray(self._dataset.split(name), self, self._to_pairs,
                     self._condition)


class PairArray:
  """One split as uint8 images and conditions, read by position.

  Attributes:
    name: the data set's name.
    split: the split's name.
    image_shape: `(height, width, channels)`.
    condition_shape: `(height, width, channels)`.
    kind: the `kinds.Pairs` of these shapes.
    fingerprint: 16 hexadecimal digits that change with the pixels, and the name
      of the condition where it is made.
    preprocessing: dictionary of every choice that made the pixels.
    label_names: tuple of the classes' names, empty where they have none.
    by_name: as of an `ImageArray`.
  """

  attributes = None
  attribute_names = ()

  def __init__(self, array, dataset, to_pairs, condition=None):
    self._array = array
    self._to_pairs = to_pairs
    self.name = dataset.name
    self.split = array.split
    self.image_shape = dataset.image_shape
    self.condition_shape = dataset.condition_shape
    self.kind = dataset.kind
    self.label_names = tuple(getattr(array, 'label_names', ()))
    self.by_name = getattr(array, 'by_name', False)
    made = f'-{condition}' if condition else ''
    # The condition's name is in it: other conditions are other data.
    self.fingerprint = array.fingerprint + made
    self.preprocessing = array.preprocessing | {
        'condition': condition or 'file'}

  def __len__(self):
    return len(self._array)

  def __repr__(self):
    return (f'PairArray({self.name}/{self.split}: {len(self)} x '
            f'{self.image_shape} given {self.condition_shape})')

  @property
  def labels(self):
    """Integers `[len]`, or None for a set without labels."""
    return self._array.labels

  def read_pairs(self, indices):
    """Returns `(images, conditions)` at some positions, uint8 `[n, h, w, c]`.

    Args:
      indices: integers `[n]`, each in `[0, len)`, in any order.
    """
    images, conditions = self._to_pairs(self._array.read(indices))
    # Slices of the channels of one array are not contiguous.
    return np.ascontiguousarray(images), np.ascontiguousarray(conditions)

  def examples(self, indices):
    """Returns `{'images', 'conditions'}` at some positions, as a model takes.
    """
    return dict(zip(('images', 'conditions'), self.read_pairs(indices)))

  def read(self, indices):
    """Returns the images at some positions, uint8 `[n, h, w, C]`."""
    return self.read_pairs(indices)[0]

  def read_conditions(self, indices):
    """Returns the conditions at some positions, uint8 `[n, h, w, K]`."""
    return self.read_pairs(indices)[1]

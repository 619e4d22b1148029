"""Data sets from Python: arrays, `tf.data` and Keras's `PyDataset`."""
import hashlib

from absl import logging
import keras
import numpy as np
import tensorflow as tf

from pgak import errors
from pgak.data import array_files
from pgak.data import array_members

__all__ = ['from_arrays']


def from_arrays(images, labels=None, name='arrays', **settings):
  """Makes a data set of arrays, a `tf.data.Dataset` or a Keras `PyDataset`.

  Images are prepared once in the cache folder, under a hash of their content.
  A data set is read to its end and held in memory. Which split an example
  belongs to follows from its place: one that shuffles needs a seed and
  `reshuffle_each_iteration=False`, or else another process has other splits.

  Args:
    images: numbers `[N, H, W]`, `[N, H, W, C]` or, for vectors, `[N, D]`; a
      dictionary of such by split, 'train', 'validation' and 'test'; or a finite
      `tf.data.Dataset` or `keras.utils.PyDataset` of images or `(images,
      labels)`, batched or, of `tf.data`, not.
    labels: `[N]`, a dictionary with the splits of `images`, or None.
    name: string, of letters, digits and _.
    **settings: `image_shape`, `value_range`, `test_fraction` and
      `validation_fraction`, as for `arrays`.

  Returns:
    A `Dataset`, or of vectors a `VectorDataset`.

  Raises:
    UserError: if they are no such arrays.

  Example:

  ```python
  faces = data.from_arrays(x_train, y_train)
  faces.split('test').read([0])   # uint8 [1, height, width, channels]
  ```
  """
  if isinstance(images, tf.data.Dataset | keras.utils.PyDataset):
    if labels is not None:
      raise errors.UserError('from_arrays takes labels beside arrays; a data '
                             'set yields (images, labels).')
    images, labels = _collected(images)
  given = images if isinstance(images, dict) else {'all': images}
  labels = {} if labels is None else labels
  labels = labels if isinstance(labels, dict) else {'all': labels}
  if not given or not set(given) <= {'all', 'train', 'validation', 'test'} or (
      'all' not in given and 'train' not in given):
    raise errors.UserError('from_arrays takes an array, or a dictionary of '
                           'train, validation and test, with train.')
  if labels and labels.keys() != given.keys():
    raise errors.UserError(
        f'from_arrays got images of {", ".join(given)} and labels of '
        f'{", ".join(map(str, labels))}: give labels for each split of the '
        'images and no other, or none.')
  held = {split: array_members.Table(
      _member(split, values),
      _member(f'{split} labels', labels[split]) if split in labels else None)
          for split, values in given.items()}
  return array_files.data_set(
      name, held, lambda: _digest(held), f'`{name}`', **settings)


def _member(name, values):
  values = np.asarray(values)
  # Batches of strings come as objects from TensorFlow.
  if values.dtype == object and all(
      isinstance(value, bytes | str) for value in values.flat):
    values = np.asarray(values.tolist())
  return array_members.Member(name, values.shape, values.dtype, lambda: values)


def _digest(tables):
  # By content: an array in memory has no name that would stand for it.
  digests = [(split, array_files.digest(member.open()))
             for split, table in tables.items() for member in table if member]
  return hashlib.sha256(repr(digests).encode()).hexdigest()[:16]


def _collected(source):
  """Reads a data set to its end: `(images, labels or None)`."""
  batched = True
  if isinstance(source, tf.data.Dataset):
    # Before the first element: reading an endless one would fill the memory.
    if source.cardinality() == tf.data.INFINITE_CARDINALITY:
      raise errors.UserError('from_arrays needs a data set that ends: leave '
                             'out its repeat().')
    batches, batched = source.as_numpy_iterator(), _is_batched(source)
  elif source.num_batches is None:
    raise errors.UserError('from_arrays needs a data set that ends: give its '
                           'PyDataset a length.')
  else:
    batches = (source[i] for i in range(source.num_batches))
  pairs = [b if isinstance(b, tuple | list) else (b,) for b in batches]
  if not pairs or isinstance(pairs[0][0], dict):
    raise errors.UserError('from_arrays takes a data set of images or of '
                           '(images, labels), and with something in it.')
  # Batches have a leading axis already.
  join = np.concatenate if batched else np.stack
  columns = [join([np.asarray(pair[i]) for pair in pairs])
             for i in range(min(len(pairs[0]), 2))]
  return columns[0], columns[1] if len(columns) > 1 else None


def _is_batched(source):
  """Whether elements have a leading axis, as `batch` makes it.

  With drop_remainder its size is known, and only the channels decide, or the
  labels.
  """
  first, *others = [s.shape for s in tf.nest.flatten(source.element_spec)]
  if first.rank is None:
    raise errors.UserError('from_arrays needs a data set whose images have a '
                           'known rank: give them a shape by ensure_shape.')
  # `[B, h, w]` or `[h, w, C]`: at most 4 channels.
  if first.rank == 3 and first[2] is not None:
    return first[0] is None or first[2] > 4
  if first.rank == 2 and first[0] is not None:
    if others:
      return bool(others[0].rank) and others[0][0] == first[0]
    logging.warning(
        'The elements of the data set, %d x %d, are read as grey images: of '
        'batches of vectors leave drop_remainder out.', *first)
  return first.rank == 4 or (first.rank > 1 and first[0] is None)

"""Arrays of one's own as a data set: .npy and .npz files, and from Python."""
import functools
import hashlib
import sys
from typing import Annotated

import numpy as np
import tensorflow as tf

from pgak import errors
from pgak import files
from pgak import settings
from pgak.data import array_labels
from pgak.data import array_members
from pgak.data import arrays as arrays_lib
from pgak.data import decoding
from pgak.data import levels
from pgak.data import path_names
from pgak.data import pixels
from pgak.data import splits as splits_lib
from pgak.data import store
from pgak.data import vectors

__all__ = ['Shape', 'arrays', 'cut', 'cut_places', 'data_set',
           'digest', 'opened']

Shape = Annotated[
    tuple[settings.Count, settings.Count, settings.Count]
    | tuple[settings.Count], settings.Says(
        '(height, width, channels), such as (64, 64, 3), or (D,) for vectors')]
_CHUNK = 128
_ORDER = ('train', 'validation', 'test')
_VALUE_RANGE = tuple[float, float]


@settings.register(hints={'path': "your file: arrays.path = 'faces.npz'"})
def arrays(path: settings.Path, image_shape: Shape | None = None,
           value_range: _VALUE_RANGE | None = None, labels: bool = True,
           test_fraction: settings.Decay = 0.1,
           validation_fraction: settings.Decay = 0.):
  """Images or vectors in a .npy or .npz file, or in .npy files of one folder.

  Images are `[N, H, W]` or `[N, H, W, C]`: uint8, or other numbers whose range
  decides which are black and white (see `levels.range_of`); vectors are
  `[N, D]`. Names in an .npz say what an array is: images, x, data; labels, y;
  x_train, train_images, x_test and so on are splits. A split that none is named
  for is cut out of the training examples by its fraction. Whether an example
  belongs to it depends on its place alone, so that examples that are appended
  do not change it. A .npy is mapped from the disk, of an .npz one array at a
  time is read; vectors are held in memory. Images are prepared once, as those
  of `images`.

  Args:
    path: the file or folder; required.
    image_shape: `(height, width, channels)`, to which images are cropped in the
      middle and resized; None for their own. `(D,)` for vectors.
    value_range: which numbers are black and white, `(low, high)`; None for
      what their range says. Vectors have none.
    labels: whether labels are read.
    test_fraction: share of the split `test` where the file has none; above 0
      it holds at least one example.
    validation_fraction: the same for `validation`; with 0 there is none, and
      `test` stands in for it.

  Returns:
    A `Dataset`, or a `VectorDataset`, named after the path.

  Raises:
    UserError: if the file is absent, damaged, empty, or holds no such arrays;
      when it is prepared, also for a NaN, or numbers outside the range.
  """
  path = files.local(path)
  if not path.is_file() and not path.is_dir():
    raise errors.UserError(f'There is no file of arrays at {path}: set '
                           'arrays.path.')
  tables, unused = opened(path)
  return data_set(
      f'arrays_{path_names.plain(path.resolve().stem)}', tables,
      lambda: array_members.fingerprint(path),
      str(path), image_shape, value_range=value_range, labels=labels,
      test_fraction=test_fraction, validation_fraction=validation_fraction,
      unused=unused)


def opened(path):
  """Returns `array_members.tables` of the arrays at a path."""
  return array_members.tables(array_members.members(path), path)


def data_set(name, tables, fingerprint, place, image_shape=None, *,
             value_range=None, labels=True, test_fraction=0.1,
             validation_fraction=0., unused=()):
  """Makes a data set of `array_members.Table`s.

  Args:
    name: string, of letters, digits and _.
    tables: `{split: Table}`, the only split 'all' where there are none.
    fingerprint: function that returns a string that changes with them.
    place: where they are, for errors.
    image_shape: as for `arrays`, as are those that follow.
    value_range: as there.
    labels: as there.
    test_fraction: as there.
    validation_fraction: as there.
    unused: names of arrays that are passed over.

  Returns:
    A `Dataset` or a `VectorDataset`.
  """
  if test_fraction + validation_fraction >= 1.:
    raise errors.UserError(
        f'arrays.test_fraction = {test_fraction} and arrays.'
        f'validation_fraction = {validation_fraction} must leave something to '
        'train on.')
  _check(tables, place)
  # A split that the file has is not cut again.
  fractions = {s: 0. if s in tables else f for s, f in (
      ('validation', validation_fraction), ('test', test_fraction))}
  if not labels:
    tables = {s: table._replace(labels=None) for s, table in tables.items()}
  shape = next(iter(tables.values())).images.shape[1:]
  if len(shape) == 1:
    return _vectors(name, tables, fingerprint, place, image_shape, fractions,
                    value_range)
  # Grey images may come without an axis of channels.
  shape = shape if len(shape) == 3 else (*shape, 1)
  image_shape = tuple(image_shape or shape)
  _check_shape(shape, image_shape, place)
  # The order is part of the prepared file's layout.
  kept = [s for s in _ORDER if s == 'train' or s in tables or fractions[s]]
  return arrays_lib.Dataset(_Arrays(
      name, image_shape, kept, {
          'value_range': (list(map(float, value_range)) if value_range
                          else None),
          'fractions': fractions, 'labels': labels},
      tables, fingerprint, place, unused))


def _check(tables, place):
  """Refuses arrays that are no examples, or differ in shape."""
  shapes = {}
  for split, table in tables.items():
    images = table.images
    # Booleans, integers and floats; no complex numbers, dates or objects.
    if images.dtype.kind not in 'biuf':
      raise errors.UserError(
          f'{place} holds {images.dtype} in {images.name}, and examples are '
          'whole numbers or floats: write them as such.')
    if len(images.shape) not in (2, 3, 4):
      raise errors.UserError(
          f'{place} holds {images.name} of the shape {list(images.shape)}, and '
          'images are [N, H, W] or [N, H, W, C], vectors [N, D]: reshape it.')
    # `[H, W, 3]` would train as H grey images of a few columns.
    if len(images.shape) == 3 and images.shape[2] in (3, 4) and (
        min(images.shape[:2]) > 4):
      raise errors.UserError(
          f'{place} holds {images.name} of the shape {list(images.shape)}, '
          'which seems to be a single image with its channels: write many as '
          '[N, H, W, C], as np.stack makes them, or grey ones of so few '
          'columns as [N, H, W, 1].')
    if not all(images.shape):
      raise errors.UserError(
          f'{place} holds {images.name} of the shape {list(images.shape)}, '
          'which is empty: write examples into it.')
    shapes[split] = images.shape[1:]
  if len(set(shapes.values())) > 1:
    told = ', '.join(f'{list(v)} in {s}' for s, v in shapes.items())
    raise errors.UserError(f'The examples of {place} differ in shape ({told}): '
                           'bring them to one.')


def _check_shape(shape, image_shape, place):
  # `[N, 3, H, W]` would train without an error, on stripes.
  if shape[0] <= 4 and shape[2] > 4:
    raise errors.UserError(
        f'{place} holds images of the shape {list(shape)}, where the channels '
        'seem to come first: move them behind, as in np.moveaxis(x, 1, -1).')
  # As MATLAB has them.
  if shape[1] == 3 and shape[2] > 4 and shape[0] > 4:
    raise errors.UserError(
        f'{place} holds images of the shape {list(shape)}, where the examples '
        'seem to come last: move them to the front, as in np.moveaxis(x, -1, '
        '0).')
  if len(image_shape) != 3:
    raise errors.UserError(
        f'{place} holds images of the shape {shape}, and image_shape is '
        f'{image_shape}: set image_shape = {shape}, or another (height, width, '
        'channels).')
  if image_shape[2] != shape[2] and {image_shape[2], shape[2]} != {1, 3}:
    raise errors.UserError(
        f'{place} holds images of {shape[2]} channels, and image_shape is '
        f'{image_shape}: set its last number to {shape[2]}.')


class _Arrays(store.Recipe):
  """Images in arrays, brought to levels and to one shape chunk by chunk."""

  def __init__(self, name, image_shape, splits, choices, tables, fingerprint,
               place, unused):
    super().__init__(name, image_shape, splits, choices)
    self._tables = tables
    self._fingerprint = fingerprint
    self._place = place
    self._unused = unused
    self._told = self._hint = ''
    self.label_names = ()
    shape = next(iter(tables.values())).images.shape
    self.described = decoding.described(shape[1:3], image_shape)

  def fingerprint(self):
    return self._fingerprint()

  def read(self):
    chosen = self.choices['value_range']
    # A first pass over all: which numbers are black and white is a question of
    # the whole set, and one chunk may be dark.
    low, high = levels.extent(self._all_chunks(), self._place)
    dtype = next(iter(self._tables.values())).images.dtype
    value_range = tuple(chosen) if chosen else levels.range_of(
        dtype, low, high, self._place)
    self._told = (f'{dtype} from {low:g} to {high:g}, black is '
                  f'{value_range[0]:g} and white {value_range[1]:g}')
    self._hint = levels.hint(high, value_range)
    labels, self.label_names = _labels(self._tables, self._place)
    for split, (source, positions) in cut(
        self._tables, self.choices['fractions']).items():
      yield split, self._chunks(source, positions, labels.get(source),
                                value_range)

  def summary(self):
    unused = (f'; passed over the arrays {", ".join(self._unused)}'
              if self._unused else '')
    return f'{self._place}: images of {self._told}{unused}{self._hint}'

  def _all_chunks(self):
    for table in self._tables.values():
      images = table.images.open()
      for i in range(0, len(images), _CHUNK):
        yield images[i:i + _CHUNK]

  def _chunks(self, source, positions, labels, value_range):
    images = self._tables[source].images.open()
    for i in range(0, len(positions), _CHUNK):
      chosen = positions[i:i + _CHUNK]
      # Reads from the disk: a .npy is mapped, and only these are copied.
      found = levels.to_levels(images[chosen], value_range, self._place)
      found = found[..., None] if found.ndim == 3 else found  # [n, H, W, C]
      yield self._shaped(found), None if labels is None else labels[chosen]

  def _shaped(self, images):
    """Crops and resizes uint8 `[n, H, W, C]`; converts colour to grey or back.
    """
    channels = self.image_shape[2]
    if images.shape[3] < channels:
      # Grey to colour: three equal channels.
      images = np.repeat(images, channels, 3)
    elif images.shape[3] > channels:
      images = pixels.to_channels(tf.constant(images), channels).numpy()
    if images.shape[1:] == self.image_shape:
      return images
    return np.stack([decoding.to_shape(
        tf.constant(image), self.image_shape, None, True).numpy()
        for image in images])


def cut(tables, fractions):
  """Returns `{split: (split of the file, places there)}`, in order."""
  source = 'train' if 'train' in tables else 'all'
  found = {split: (source, places) for split, places in cut_places(
      _len_of(tables[source]), fractions).items()}
  for split in tables.keys() - {source}:
    found[split] = split, np.arange(_len_of(tables[split]))
  return {split: found[split] for split in _ORDER if split in found}


def cut_places(number, fractions):
  """Assigns examples to splits, each by its place alone.

  Args:
    number: of examples.
    fractions: `{'validation': share, 'test': share}`; a split with more than 0
      has at least one example, where `train` keeps one.

  Returns:
    `{split: increasing places}`, with 'train' and those of more than 0.
  """
  return splits_lib.cut(_places(number), fractions)


def _len_of(table):
  """Returns the number of examples of a table."""
  return table.images.shape[0]


def _places(number):
  """Returns a pseudo-random number in [0, 1) for each place, `[number]`.

  They are the outputs of the generator splitmix64, one for each place.
  """
  # A hash of the place: appended examples leave the others' split as it is.
  x = np.arange(1, number + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
  x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
  x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
  return (x ^ (x >> np.uint64(31))) / 2.**64


def _labels(tables, place):
  """Returns labels of the file's splits and names; none where one lacks them.
  """
  if not all(table.labels for table in tables.values()):
    return {}, ()
  return array_labels.whole_numbers(
      {s: table.labels.open() for s, table in tables.items()},
      {s: _len_of(table) for s, table in tables.items()}, place)


# === Vectors ===


def _vectors(name, tables, fingerprint, place, image_shape, fractions,
             value_range):
  shape = next(iter(tables.values())).images.shape[1:]
  if image_shape and tuple(image_shape) != shape:
    raise errors.UserError(
        f'{place} holds vectors of the shape {shape}, and image_shape is '
        f'{tuple(image_shape)}: set image_shape = {shape}, decoder.value_range '
        '= None and networks/mlp.gin.')
  if value_range is not None:
    raise errors.UserError(f'{place} holds vectors, which have no range: leave '
                           'arrays.value_range out.')
  kept = [s for s in _ORDER if s == 'train' or s in tables or fractions[s]]

  @functools.cache
  def load():
    return _loaded_vectors(tables, place, fractions)

  return vectors.VectorDataset(
      name, vectors.Later(kept, shape, load),
      {'fractions': fractions, 'source': fingerprint()})


def _loaded_vectors(tables, place, fractions):
  held = {s: np.asarray(table.images.open(), np.float32)
          for s, table in tables.items()}
  # For its error alone: vectors have no range, but must be finite.
  levels.extent(held.values(), place)
  labels, names = _labels(tables, place)
  made = {split: vectors.Split(
      held[source][positions], label_names=names,
      labels=labels[source][positions] if labels else None)
      for split, (source, positions) in cut(tables, fractions).items()}
  lacking = labels and array_labels.lacking(
      {split: part.labels for split, part in made.items()}, names)
  if lacking:
    print(f'{place}: {lacking}.', file=sys.stderr)
  return made


def digest(array):
  """Returns a digest of an array, hexadecimal digits."""
  array = np.ascontiguousarray(array)
  head = repr((array.shape, array.dtype.str)).encode()
  return hashlib.sha256(head + array.tobytes()).hexdigest()[:16]

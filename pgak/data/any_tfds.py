"""Any image data set of TensorFlow Datasets."""
import concurrent.futures
import itertools
import os
import re

import numpy as np
import tensorflow as tf

from pgak import errors
from pgak import settings
from pgak.data import array_files
from pgak.data import arrays
from pgak.data import decoding
from pgak.data import pixels
from pgak.data import store
from pgak.data import tfds_folders

__all__ = ['tfds']

# Images that are decoded and held in memory at a time.
_CHUNK = 128
# For a set whose images differ in size.
_ANY_SIZE = (64, 64)


@settings.register(hints={
    'name': "the set's name in TFDS: tfds.name = 'mnist'"})
def tfds(name: str, image_shape: pixels.ImageShape | None = None,
         data_dir: settings.Path | None = None, *, download: bool = False,
         image: str | None = None, label: str | None = None,
         crop: settings.Count | None = None, antialias: bool = True,
         test_fraction: settings.Decay = 0.1,
         validation_fraction: settings.Decay = 0.):
  """Any data set of images in TensorFlow Datasets.

  What is prepared in `data_dir` is read without a network. Splits, labels and
  the binary features of a feature `attributes` are those of the set; of its
  images those of another size are cropped in the middle and resized. `test`
  and `validation`, where the set has none, are cut out of `train` by their
  fractions.

  Args:
    name: 'NAME', 'NAME/CONFIG' or 'NAME/CONFIG:VERSION'; without a version the
      newest that is there; required.
    image_shape: `(height, width, channels)`, of 1 or 3 channels; None for that
      of the set, and 64 x 64 where its images differ in size.
    data_dir: the folder of TFDS; by default TFDS_DATA_DIR, or
      ~/tensorflow_datasets.
    download: whether TFDS may download and prepare the set there.
    image: name of the feature that is the image; None for the only one, or
      'image'.
    label: name of the feature that is the label; None for that of supervised
      learning, or the first.
    crop: side in pixels of the square in the middle that is kept; None keeps
      the largest middle part with the proportions of `image_shape`.
    antialias: whether to smooth before shrinking.
    test_fraction: share of `train` that becomes `test` where the set has none.
    validation_fraction: the same for `validation`.

  Returns:
    A `Dataset`.

  Raises:
    UserError: if the set is not there, or holds no images.
  """
  if test_fraction + validation_fraction >= 1.:
    raise errors.UserError(
        f'tfds.test_fraction = {test_fraction} and tfds.validation_fraction = '
        f'{validation_fraction} must leave something to train on.')
  folder = _folder(name, tfds_folders.data_dir(data_dir), download)
  held = tfds_folders.contents(folder)
  image = _chosen_image(name, held.images, image)
  if label is not None and label not in held.labels:
    raise errors.UserError(
        f'The data set {name} has no label {label!r}; it has '
        f'{", ".join(held.labels) or "none"}: set tfds.label.')
  # The label of supervised learning comes first in `held`.
  label = label or next(iter(held.labels), None)
  shape = image_shape or _own_shape(held.images[image])
  # Without `train` there is nothing to cut splits out of.
  cut = 'train' in held.splits
  fractions = {s: f if cut and s not in held.splits else 0. for s, f in (
      ('validation', validation_fraction), ('test', test_fraction))}
  stem = re.sub(r'[^A-Za-z0-9]+', '_', name).strip('_')
  return arrays.Dataset(_AnyTFDS(
      f'tfds_{stem}' + (f'_crop{crop}' if crop else ''), shape,
      held.splits + tuple(s for s, f in fractions.items() if f),
      {'version': folder.name, 'image': image, 'label': label, 'crop': crop,
       'antialias': antialias, 'fractions': fractions}, folder, held))


def _folder(name, data_dir, download):
  """Returns the folder of the set, which is prepared if that is allowed."""
  wanted = tfds_folders.wanted(name)
  folder = tfds_folders.newest(data_dir, *wanted)
  if folder is None and download:
    _prepare(name, data_dir)
    folder = tfds_folders.newest(data_dir, *wanted)
  if folder is None:
    raise errors.UserError(
        f'The data set {name} of TFDS is not in {data_dir}: put the folder '
        f'{wanted[0]}/ that TFDS prepared there, set --data_dir or '
        'TFDS_DATA_DIR to the folder that holds it, or allow its download by '
        'tfds.download = True.')
  return folder


def _prepare(name, data_dir):
  import tensorflow_datasets
  try:
    tensorflow_datasets.builder(
        name, data_dir=str(data_dir)).download_and_prepare()
  except Exception as e:  # TFDS raises whatever its transports raise.
    raise errors.UserError(
        f'The data set {name} could not be prepared in {data_dir} '
        f'({tfds_folders.first_line(e)}): check its name, or put a copy that '
        'TFDS prepared there.') from e


def _chosen_image(name, images, chosen):
  if not images:
    raise errors.UserError(f'The data set {name} of TFDS holds no images: take '
                           'another.')
  if chosen is None and len(images) > 1 and 'image' not in images:
    raise errors.UserError(
        f'The data set {name} has the images {", ".join(sorted(images))}: name '
        f"one, such as tfds.image = '{min(images)}'.")
  chosen = chosen or ('image' if 'image' in images else min(images))
  if chosen not in images:
    raise errors.UserError(
        f'The data set {name} has no image {chosen!r}; it has '
        f'{", ".join(sorted(images))}: set tfds.image.')
  return chosen


def _own_shape(stored):
  """Returns the shape of the set's images, or one for images of any size."""
  height, width, channels = stored if len(stored) == 3 else (None, None, 3)
  size = (height, width) if height and width else _ANY_SIZE
  # pgak has images of 1 or 3 channels: alpha is dropped.
  return (*size, 1 if channels == 1 else 3)


class _AnyTFDS(store.Recipe):
  """A prepared set, decoded picture by picture."""

  def __init__(self, name, image_shape, splits, choices, folder, held):
    super().__init__(name, image_shape, splits, choices)
    self._folder = folder
    self._held = held
    self.label_names = held.label_names.get(choices['label'], ())
    stored = held.images[choices['image']]
    self.described = decoding.described(
        stored[:2] if len(stored) == 3 else (None, None), image_shape,
        choices['crop'], choices['antialias'])

  def fingerprint(self):
    return tfds_folders.fingerprint(self._folder)

  def read(self):
    for split in self.splits:
      yield split, self._chunks(split)

  def summary(self):
    size = ' x '.join(map(str, self.image_shape))
    return f'{self.name}: images brought to {size}, of {self._folder}'

  def _chunks(self, split):
    try:
      with concurrent.futures.ThreadPoolExecutor(
          min(8, os.cpu_count() or 1)) as pool:
        examples = self._examples(split)
        while chunk := list(itertools.islice(examples, _CHUNK)):
          yield self._chunk(pool, chunk)
    except (tf.errors.OpError, OSError, ValueError, KeyError) as e:
      raise errors.UserError(
          f'The split {split} in {self._folder} cannot be read '
          f'({tfds_folders.first_line(e)}): put a whole copy there.') from e

  def _chunk(self, pool, examples):
    """Returns `(images, labels or None, attributes)` of encoded examples."""
    label = self.choices['label']
    labels = (np.array([example[label] for example in examples])
              if label else None)
    # Threads, since the decoders release Python's lock; `map` keeps the order.
    images = pool.map(self._picture,
                      [e[self.choices['image']] for e in examples])
    return np.stack(list(images)), labels, {
        name: np.array([e['attributes'][name] for e in examples])
        for name in self._held.attributes}

  def _picture(self, data):
    image = decoding.decode(data, self.image_shape[-1])
    if self.choices['crop'] is None and image.shape == self.image_shape:
      return image.numpy()
    return decoding.to_shape(image, self.image_shape, self.choices['crop'],
                             self.choices['antialias']).numpy()

  def _examples(self, split):
    """Yields the examples of a split, images encoded, in the set's order."""
    import tensorflow_datasets
    image, label = self.choices['image'], self.choices['label']
    source, places = self._source(split)
    # Partial decoding: other features, such as segmentations, are not read.
    wanted = {image: True} | ({label: True} if label else {}) | (
        {'attributes': True} if self._held.attributes else {})
    # One file after another: the order is the set's own on every machine.
    dataset = tensorflow_datasets.builder_from_directory(
        self._folder).as_dataset(
            split=source, shuffle_files=False,
            read_config=tensorflow_datasets.ReadConfig(
                interleave_cycle_length=1),
            decoders=tensorflow_datasets.decode.PartialDecoding(
                wanted,
                decoders={image: tensorflow_datasets.decode.SkipDecoding()}))
    for place, example in enumerate(dataset.as_numpy_iterator()):
      if places is None or place in places:
        yield example

  def _source(self, split):
    """Returns a split of the set, and the places to take of it, or None."""
    fractions = self.choices['fractions']
    if split in self._held.splits and split != 'train' or not any(
        fractions.values()):
      return split, None
    # By place, so that a set has the same splits on every machine.
    return 'train', set(array_files.cut_places(
        self._held.sizes['train'], fractions)[split].tolist())

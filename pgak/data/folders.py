"""Any folder, zip or tar of pictures as a data set."""
import collections
import concurrent.futures
import contextlib
import hashlib
import os
from typing import Literal

from absl import logging
import numpy as np

from pgak import errors
from pgak import files
from pgak import settings
from pgak.data import arrays
from pgak.data import attributes as attributes_lib
from pgak.data import decoded
from pgak.data import decoding
from pgak.data import path_names
from pgak.data import pixels
from pgak.data import sources
from pgak.data import splits as splits_lib
from pgak.data import store

__all__ = ['check_kernel', 'images']

_CHUNK = 128
# So many pictures take long enough to decode that they are kept on the way.
_KEPT_FROM = 2000
# Names in a sentence; the others are counted.
_NAMED = 5
_CLASSES_NAMED = 20
# On each side: one pixel is left of 64, and most of what they show is lost.
_LARGE_REDUCTION = 8.


@settings.register(hints={
    'path': "your folder, zip or tar of pictures: images.path = 'photos/'",
    'image_shape': 'images.image_shape, such as (64, 64, 3)'})
def images(path: settings.Path, image_shape: pixels.ImageShape,
           crop: settings.Count | None = None, *, antialias: bool = True,
           test_fraction: settings.Decay = 0.1,
           validation_fraction: settings.Decay = 0.,
           attributes: settings.Path | None = None,
           resize: decoding.Resize = 'bicubic',
           background: pixels.Background = pixels.WHITE,
           splits: Literal[splits_lib.KINDS] = 'folders',
           partition: settings.Path | None = None, labels: bool = True,
           skip_damaged: bool = False,
           listing: Literal[sources.LISTINGS] = 'contents'):
  """The pictures of a folder, with all folders in it, of a zip or of a tar.

  They are PNG, JPEG, WebP, GIF, BMP, TIFF, AVIF, JPEG 2000 and PPM, recognised
  by content. They are taken in the order of their names, rotated as their EXIF
  or XMP data say, cropped in the middle and resized by bicubic interpolation.

  Folders called train, validation (or val, valid) and test are splits; beside a
  folder train, pictures in none of them are passed over. A split that no folder
  gives is cut out of `train` by its fraction. Whether a picture belongs to it
  depends on its name alone, so that further pictures do not change it. When the
  set is prepared, a line on stderr says how many pictures each split has, which
  classes were found, and what was passed over and why.

  Args:
    path: a folder, a zip, or a tar, also a compressed one; required.
    image_shape: `(height, width, channels)`, of 1 or 3 channels; required.
    crop: side in pixels of the square in the middle that is kept; None keeps
      the largest middle part with the proportions of `image_shape`.
    antialias: whether to smooth before shrinking.
    test_fraction: share of the pictures in the split `test`; above 0 it holds
      at least one.
    validation_fraction: the same for `validation`; with 0 there is none, and
      `test` stands in for it.
    attributes: path of a list of binary attributes, a CSV file or in the format
      of CelebA's `list_attr_celeba.txt` (see `attributes.AttributeList`), with
      a line for every picture; None for none.
    resize: the kernel, 'bicubic' or 'bicubic_tf1'; see `decoding.resize`.
    background: what shows through where a picture is transparent: a level of 0
      to 255, or three, red, green and blue; None drops transparency, as version
      0.4 did (see `decoding.decode`).
    splits: 'folders', or 'names' to ignore the names of folders.
    partition: a list of splits in the format of CelebA's
      `list_eval_partition.txt`, which decides instead: its path, or its name in
      the folder, zip or tar; None for none.
    labels: whether the names of the folders below `path`, or below those of
      the splits, are classes; they are where every picture is in one and there
      are at least two.
    skip_damaged: whether pictures that cannot be used are left out, where they
      would else all be named in an error.
    listing: 'contents', or 'suffixes' to take .png, .jpg and .jpeg alone and
      follow no links to folders, as version 0.4 did.

  Returns:
    A `Dataset`, named after the path and the crop.

  Raises:
    UserError: if nothing is there, if a setting is out of bounds, or if a list
      is damaged or lacks a picture; when it is prepared, also if pictures are
      damaged or smaller than the crop.
  """
  path = files.local(path)
  _check_settings(path, image_shape, crop, test_fraction, validation_fraction)
  check_kernel('images', resize, antialias)
  name = f'images_{path_names.plain(path.resolve().stem)}' + (
      f'_crop{crop}' if crop else '')
  fractions = {'validation': validation_fraction, 'test': test_fraction}
  source = sources.open_source(path, listing)
  listed = _split_list(path, source, partition)
  layout = splits_lib.layout(
      [name for name, *_ in source.listing], splits, fractions, labels, listed,
      wrapped=not path.is_dir())
  choices = {
      'crop': crop, 'resize': resize, 'antialias': antialias,
      'fractions': fractions, 'background': background, 'split_by': splits,
      # By content: the list may be anywhere.
      'partition': listed.fingerprint if listed else None, 'labels': labels,
      'skip_damaged': skip_damaged, 'listing': listing}
  return arrays.Dataset(_Pictures(
      path, source, layout, attributes, name, image_shape,
      tuple(layout.members), choices))


def check_kernel(name, resize, antialias):
  """Refuses `antialias` for the kernel that has no smoothing."""
  if resize == 'bicubic_tf1' and antialias:
    raise errors.UserError(
        f"{name}.resize = 'bicubic_tf1' never smooths: set {name}.antialias = "
        'False, too.')


def _check_settings(path, image_shape, crop, test_fraction,
                    validation_fraction):
  # Neither, such as a device, which would never end.
  if not path.is_dir() and not path.is_file():
    raise errors.UserError(
        f'There is no folder, zip or tar of images at {path}; set '
        'images.path.')
  if test_fraction + validation_fraction >= 1.:
    raise errors.UserError(
        f'images.test_fraction = {test_fraction} and '
        f'images.validation_fraction = {validation_fraction} must leave '
        'something to train on.')


def _split_list(path, source, partition):
  """Returns the list of splits, found on the disk or in the source, or None."""
  if partition is None:
    return None
  own = files.local(partition)
  try:
    content = own.read_bytes() if own.is_file() else source.text(partition)
  except (OSError, ValueError) as error:
    raise errors.UserError(f'The list of splits {partition} cannot be read '
                           f'({error}); set images.partition.') from error
  if content is None:
    raise errors.UserError(
        f'There is no list of splits {partition}, neither here nor in {path}; '
        "set images.partition to a file in the format of CelebA's "
        'list_eval_partition.txt.')
  return splits_lib.SplitList(own.name, content)


class _Pictures(store.Recipe):
  """A folder, zip or tar of pictures; the source is listed once."""

  by_name = True

  def __init__(self, path, source, layout, attributes, *args):
    super().__init__(*args)
    self._path = path
    self._source = source
    self._layout = layout
    self._attribute_path = attributes
    self._columns = ()
    self._unusable = []
    self._numbers = collections.Counter()
    self._reductions = []

  @property
  def label_names(self):
    return self._layout.label_names

  def _attributes(self):
    return (None if self._attribute_path is None
            else attributes_lib.AttributeList(self._attribute_path))

  def fingerprint(self):
    # Names, sizes and times: reading all pictures would take minutes.
    listing = self._source.listing
    if self._attribute_path is not None:
      listing = listing, self._attributes().fingerprint
    return hashlib.sha256(repr(listing).encode()).hexdigest()[:16]

  def read(self):
    self._unusable.clear()
    self._numbers.clear()
    self._reductions.clear()
    attributes = self._attributes()
    self._columns = attributes.passed_over if attributes else ()
    if attributes:
      attributes.check(self._all_names())
    with _workers() as pool, self._done() as done:
      for split, names in self._layout.members.items():
        yield split, self._chunks(pool, attributes, split, names, done)
    is_empty = not sum(self._numbers.values())
    if self._unusable and (is_empty or not self.choices['skip_damaged']):
      raise errors.UserError(self._all_unusable())
    self._warn_of_reduction()

  def total(self):
    return len(self)

  def _done(self):
    """Returns what was decoded before; of few pictures nothing is kept."""
    if self.scratch is None or len(self) < _KEPT_FROM:
      return contextlib.nullcontext()
    return decoded.Decoded(self.scratch, self.image_shape)

  def _warn_of_reduction(self):
    """Warns if half of the pictures lose most of what they show."""
    # The median: a few large pictures are no reason to warn.
    usual = np.median(self._reductions) if self._reductions else 0.
    if usual >= _LARGE_REDUCTION:
      height, width, _ = self.image_shape
      logging.warning(
          'The pictures of %s are reduced by %.3g on each side to %d x %d '
          'pixels, which leaves little of them: a larger image_shape shows '
          'more.', self._path, usual, height, width)

  def _chunks(self, pool, attributes, split, names, done):
    for usable in self._usable(pool, names, done):
      self._numbers[split] += len(usable)
      yield np.stack(list(usable.values())), self._labels(usable), (
          {} if attributes is None else dict(
              zip(attributes.names, attributes.rows(list(usable)).T)))

  def _usable(self, pool, names, done=None):
    """Yields `{name: pixels}` of some pictures at a time, never empty.

    Args:
      pool: threads that decode.
      names: of the pictures.
      done: `decoded.Decoded` with what an earlier process did, or None.
    """
    for i in range(0, len(names), _CHUNK):
      images, (usable, unusable, reductions) = (
          done and done.next() or self._decoded(pool, names[i:i + _CHUNK],
                                                done))
      self._unusable += map(tuple, unusable)
      self._reductions += reductions
      if usable:
        yield dict(zip(usable, images))

  def _decoded(self, pool, names, done):
    """Returns the pixels of those that can be used; names, faults, reductions.
    """
    found = list(zip(names, pool.map(self._picture, names)))
    usable = [(name, *what) for name, what in found if len(what) == 2]
    images = np.stack([image for _, image, _ in usable] or [
        np.empty(self.image_shape, np.uint8)])[:len(usable)]
    notes = [[name for name, *_ in usable],
             [(name, *what) for name, what in found if len(what) == 1],
             [reduction for *_, reduction in usable]]
    return done.put(images, notes) if done else (images, notes)

  def named(self):
    """Yields `(names, images, labels or None)` of all pictures, unprepared."""
    self._unusable.clear()
    self._reductions.clear()
    with _workers() as pool:
      for usable in self._usable(pool, self._all_names()):
        yield list(usable), np.stack(list(usable.values())), (
            self._labels(usable))
    if self._unusable:
      logging.warning('%s', _printable(
          f'Passed over {_by_reason(sorted(self._unusable))}.'))

  def _all_names(self):
    return [name for names in self._layout.members.values() for name in names]

  def __len__(self):
    return len(self._all_names())

  def _labels(self, names):
    labels = self._layout.labels
    return np.array([labels[name] for name in names]) if labels else None

  def _picture(self, name):
    """Returns `(pixels, reduction)`, or `(reason,)` where there are none."""
    choices = self.choices
    try:
      image = decoding.decode(self._source.read(name), self.image_shape[-1],
                              choices['background'])
      return decoding.to_shape(
          image, self.image_shape, choices['crop'], choices['antialias'],
          choices['resize']).numpy(), _reduction(
              image.shape, self.image_shape, choices['crop'])
    except (ValueError, OSError) as error:
      return str(error),

  def _all_unusable(self):
    found = [(_printable(name), why) for name, why in sorted(self._unusable)]
    way_out = ('or set images.skip_damaged = True' if self._numbers.total()
               else 'as there is no other')
    if len(found) == 1:
      (name, reason), = found
      return (f'The picture {name} in {self._path} cannot be used: {reason}; '
              f'replace or remove it, {way_out}.')
    more = ', ...' if len(found) > _NAMED else ''
    if len({reason for _, reason in found}) == 1:
      named = ', '.join(name for name, _ in found[:_NAMED])
      what = f'({named}{more}) cannot be used: {found[0][1]}'
    else:
      named = ', '.join(f'{name} ({why})' for name, why in found[:_NAMED])
      what = f'cannot be used: {named}{more}'
    return (f'{len(found)} pictures in {self._path} {what}; replace or remove '
            f'them, {way_out}.')

  def summary(self):
    """Returns one line: what was used, and what was passed over and why."""
    numbers = ', '.join(f'{self._numbers[s]} {s}' for s in self.splits)
    text = (f'{self._path}: {sum(self._numbers.values())} pictures ({numbers}, '
            f'{self._layout.found})')
    if self.label_names:
      text += f'; labels {_shortened(self.label_names)}'
    over = [*self._source.passed_over, *self._layout.passed_over,
            *sorted(self._unusable)]
    text += f'; passed over {_by_reason(over)}' if over else ''
    if self._columns:
      text += ('; columns of attributes that are not binary: '
               f'{", ".join(self._columns)}')
    return _printable(text)


def _workers():
  return concurrent.futures.ThreadPoolExecutor(min(8, os.cpu_count() or 1))


def _reduction(shape, image_shape, crop):
  """Returns how many pixels of a picture become one, on a side."""
  kept = (crop, crop) if crop else shape[:2]
  return min(have / want for have, want in zip(kept, image_shape[:2]))


def _printable(text):
  """Spells the bytes out of a file's name that is not UTF-8."""
  return text.encode('utf-8', 'backslashreplace').decode()


def _shortened(names):
  shown = ', '.join(f'{i} {n}' for i, n in enumerate(names[:_CLASSES_NAMED]))
  more = len(names) - _CLASSES_NAMED
  return shown + (f' and {more} more' if more > 0 else '')


def _by_reason(passed_over):
  """Counts names by their reason, and names some: '3: 2 hidden (a, b), ...'."""
  names = collections.defaultdict(list)
  for name, reason in passed_over:
    names[reason].append(name)
  told = [f'{len(found)} {reason} ({", ".join(found[:_NAMED])}'
          f'{", ..." if len(found) > _NAMED else ""})'
          for reason, found in names.items()]
  return f'{len(passed_over)}: {", ".join(told)}'

"""A folder of images and their conditions, such as DeepFashion's poses.

    FOLDER/images/NAME.jpg         or .jpeg, .png; in any folders below
    FOLDER/conditions/NAME.png     a rendered pose or any other picture, named
                                   as its image, or instead of all of them
    FOLDER/keypoints.csv           or keypoints.npz, drawn by pgak: see
                                   `poses.Keypoints`; NAME with its suffix
    FOLDER/test.txt                the images of the split `test`, one per line

Or else FOLDER/train and FOLDER/test hold `images` and `conditions` (or their
keypoints) each. Without test.txt and such folders, a hash of its name decides
which split a pair belongs to.
"""
import hashlib
import re

import numpy as np

from pgak import errors
from pgak import files
from pgak.data import arrays
from pgak.data import decoding
from pgak.data import path_names
from pgak.data import picture_lists
from pgak.data import pixels
from pgak.data import poses
from pgak.data import sources
from pgak.data import splits
from pgak.data import store

__all__ = ['PairFolder', 'open_folder']

_CHUNK = 64


def open_folder(path, image_shape, condition_channels=3, crop=None,
                test_fraction=0.1, background=pixels.WHITE):
  """Opens a folder of pairs; the arguments are those of `image_pairs.pairs`.

  Returns:
    `(dataset, image_shape)`: a `Dataset` of images with the condition's
    channels after their own.

  Raises:
    UserError: if it is no such folder, or if a setting is out of bounds.
  """
  path = files.local(path)
  if not path.is_dir():
    raise errors.UserError(f'There is no folder of pairs at {path}; set '
                           'pairs.path.')
  if image_shape is None:
    raise errors.UserError('Say how large the pairs are to be: set '
                           'pairs.image_shape, such as (64, 64, 3).')
  height, width, channels = image_shape
  stem = path_names.plain(path.resolve().name)
  recipe = PairFolder(
      path, f'pairs_{stem}' + (f'_crop{crop}' if crop else ''),
      # One prepared file for both, so that a pair is one read.
      (height, width, channels + condition_channels), ('train', 'test'),
      {'crop': crop, 'resize': 'bicubic', 'antialias': True,
       'channels': channels, 'test_fraction': test_fraction,
       'background': background})
  return arrays.Dataset(recipe), tuple(image_shape)


class PairFolder(store.Recipe):
  """A folder of pairs, prepared as images with the condition's channels last.

  Raises:
    UserError: when it is prepared, if an image has no condition or one of the
      two is damaged, or smaller than the crop.
  """

  by_name = True

  def __init__(self, path, *args):
    super().__init__(*args)
    self._path = path

  def fingerprint(self):
    listed = [(part.listing, part.fingerprint) for part in self._parts()]
    listed.append(self._test_names())
    return hashlib.sha256(repr(listed).encode()).hexdigest()[:16]

  def read(self):
    for split in self.splits:
      yield split, self._chunks(split)

  def _parts(self):
    """The folders that hold pairs: the whole one, or one per split."""
    split_folders = [self._path / split for split in self.splits]
    if all((folder / 'images').is_dir() for folder in split_folders):
      return [_Part(folder) for folder in split_folders]
    return [_Part(self._path)]

  def _test_names(self):
    path = self._path / 'test.txt'
    if not path.is_file():
      return None
    # Editors on Windows write a byte order mark.
    text = path.read_text(encoding='utf-8-sig', errors='replace')
    return sorted({picture_lists.spelled(line.strip())
                   for line in text.splitlines() if line.strip()})

  def _chunks(self, split):
    part, names = self._split(split)
    for first in range(0, len(names), _CHUNK):
      yield np.stack([part.pair(name, self.image_shape, self.choices)
                      for name in names[first:first + _CHUNK]]), None

  def _split(self, split):
    """Returns `(part, names)` of a split."""
    parts = self._parts()
    if len(parts) > 1:
      part = parts[self.splits.index(split)]
      return part, part.names
    listed = self._test_names()
    if listed is None:
      test = set(splits.partition(parts[0].names, {
          'test': self.choices['test_fraction'], 'validation': 0.})['test'])
    else:
      spelled = {picture_lists.spelled(n): n for n in parts[0].names}
      unknown = set(listed) - spelled.keys()
      if unknown:
        raise errors.UserError(
            f'{self._path / "test.txt"} names {min(unknown)}, which is not in '
            'images/; write each name as it is below that folder.')
      test = {spelled[name] for name in listed}
    return parts[0], [n for n in parts[0].names
                      if (n in test) == (split == 'test')]


class _Part:
  """Images and conditions below one folder.

  Attributes:
    names: the images' paths below `images`, sorted.
    listing: what changes when a file does.
    fingerprint: that of the keypoints, or None.
  """

  def __init__(self, path):
    self._path = path
    self._images = path / 'images'
    if not self._images.is_dir():
      raise errors.UserError(
          f'The folder of pairs {path} holds no folder images; put NAME.jpg '
          'there and NAME.png into conditions, or a keypoints.csv beside it.')
    files = sources.pictures(self._images)
    self.names = [name for name, *_ in files]
    self.listing = [files]
    self._keypoints = None
    self._conditions = {}
    self.fingerprint = None
    found = [path / f'keypoints{s}' for s in ('.csv', '.npz')
             if (path / f'keypoints{s}').is_file()]
    if found:
      self._keypoints = poses.Keypoints(found[0])
      self.fingerprint = self._keypoints.fingerprint
    elif (path / 'conditions').is_dir():
      conditions = sources.pictures(path / 'conditions')
      self.listing.append(conditions)
      # By stem: an image is often .jpg and its condition .png.
      self._conditions = {_stem(name): name for name, *_ in conditions}
    else:
      raise errors.UserError(
          f'The folder of pairs {path} holds neither a folder conditions nor '
          'keypoints.csv nor keypoints.npz.')

  def pair(self, name, shape, choices):
    """Returns one pair, uint8 `[h, w, channels of both]`."""
    channels, crop = choices['channels'], choices['crop']
    background = choices['background']
    image = self._decode(self._images / name, channels, background)
    size = image.shape[:2]
    image = self._fitted(name, image, (*shape[:2], channels), crop)
    condition_shape = (*shape[:2], shape[-1] - channels)
    if self._keypoints:
      condition = self._drawn(name, size, condition_shape, crop)
    else:
      condition = self._condition(
          name, size, condition_shape, crop, background)
    return np.concatenate([image, condition], -1)  # Split in `pairs`.

  def _condition(self, name, size, shape, crop, background):
    other = self._conditions.get(_stem(name))
    if other is None:
      raise errors.UserError(
          f'The image {name} in {self._path} has no condition: put '
          f'{_stem(name)}.png into conditions, or remove the image.')
    condition = self._decode(
        self._path / 'conditions' / other, shape[-1], background)
    # A pose may be drawn at a size of its own; it is cut as its image is.
    scale = condition.shape[0] / size[0]
    own_crop = max(round(crop * scale), 1) if crop else None
    return self._fitted(other, condition, shape, own_crop)

  def _drawn(self, name, size, shape, crop):
    """Crops and scales keypoints as the image, and draws them."""
    height, width = shape[:2]
    rows, columns = (crop, crop) if crop else (
        map(int, decoding.largest_window(*size, height, width)))
    # x and y, where sizes are rows and columns.
    corner = [(size[1] - columns) // 2, (size[0] - rows) // 2]
    places = (self._keypoints.of(name) - corner) * [width / columns,
                                                     height / rows]
    picture = poses.draw(places, height, width)
    # The brightest channel: the luma of saturated colours would be dim.
    return picture if shape[-1] == 3 else picture.max(-1, keepdims=True)

  def _decode(self, path, channels, background):
    try:
      return decoding.decode(path.read_bytes(), channels, background)
    except (ValueError, OSError) as error:
      raise self._unusable(path, error) from error

  def _fitted(self, name, image, shape, crop):
    try:
      return decoding.to_shape(image, shape, crop, True).numpy()
    except ValueError as error:
      raise self._unusable(name, error) from error

  def _unusable(self, name, error):
    return errors.UserError(f'The picture {name} in {self._path} cannot be '
                            f'used: {error}; replace or remove it.')


def _stem(name):
  return re.sub(r'\.\w+$', '', name)

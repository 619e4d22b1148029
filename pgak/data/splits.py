"""Splits and classes of pictures: by folders, by a list, or by their names."""
import hashlib
from typing import NamedTuple

import numpy as np

from pgak import errors
from pgak.data import picture_lists

__all__ = ['KINDS', 'Layout', 'SplitList', 'cut', 'empty', 'layout',
           'partition', 'place_of']

KINDS = ('folders', 'names')

_FOLDERS = {'train': 'train', 'validation': 'validation', 'val': 'validation',
            'valid': 'validation', 'test': 'test'}
_ORDER = ('train', 'validation', 'test')
_OUTSIDE = 'outside the folders of the splits'


def empty(split, dataset, number):
  """Returns the UserError of a split without examples.

  Args:
    split: its name.
    dataset: a data set, with `name` and `splits`.
    number: how many examples all splits have together.
  """
  others = ', '.join(s for s in dataset.splits if s != split)
  # One each for train, validation and test.
  way_out = (f'choose another of {others}' if number > 2 else
             f'there {"is 1 example" if number == 1 else "are 2 examples"} in '
             'all, and training needs at least 3: give more')
  return errors.UserError(
      f'The split {split} of the data set {dataset.name} is empty; {way_out}.')


class Layout(NamedTuple):
  """The splits and classes of the pictures of a folder or zip.

  Attributes:
    members: `{split: names}` in the order of the splits.
    labels: `{name: int}`, empty without labels.
    label_names: tuple of the classes' names, sorted.
    passed_over: list of `(name, reason)`.
    found: how the splits were found, a clause.
  """
  members: dict
  labels: dict
  label_names: tuple
  passed_over: list
  found: str


def layout(names, kind, fractions, labels, listed=None, wrapped=False):
  """Finds the splits and classes of pictures.

  Args:
    names: their paths with slashes, sorted.
    kind: 'folders' for the splits of folders that are called train, validation
      (or val, valid) and test, in any case of letters, where there are some;
      'names' for a hash of each name.
    fractions: `{'validation': share, 'test': share}`, each cut out of `train`
      by the hash where no folder gives that split.
    labels: whether the first level of folders, below those of the splits, are
      classes: where every picture is in one and there are at least two.
    listed: a `SplitList`, which decides instead of all this; or None.
    wrapped: whether a single folder that holds everything is looked through.

  Returns:
    A `Layout`.

  Raises:
    UserError: if `listed` lacks a picture.
  """
  inner = {name: name.split('/')[:-1] for name in names}
  if wrapped:
    inner = _unwrapped(inner)
  passed_over, found = [], 'by the hash of their names'
  if listed is not None:
    members = listed.members(names)
    found = f'by {listed.name}'
  else:
    given = _given(inner) if kind == 'folders' else {}
    if given:
      found = f'by the folders {" and ".join(s for s in _ORDER if s in given)}'
      inner = {n: f[1:] if _split_of(f) else f for n, f in inner.items()}
    members, outside = _members(names, given, fractions)
    passed_over = [(name, _OUTSIDE) for name in outside]
  used = {name: inner[name] for split in members for name in members[split]}
  label_names = _classes(used) if labels else ()
  number = {name: i for i, name in enumerate(label_names)}
  return Layout(members, {n: number[f[0]] for n, f in used.items()
                          if label_names}, label_names, passed_over, found)


def partition(names, fractions):
  """Returns `{split: names}` by a hash of each name, in their order."""
  found = cut(np.array([place_of(name) for name in names]), fractions)
  return {split: [names[i] for i in found.get(split, ())] for split in _ORDER}


def cut(places, fractions):
  """Assigns examples to splits, each by its place alone.

  Args:
    places: pseudo-random numbers in [0, 1), `[N]`.
    fractions: `{'validation': share, 'test': share}`; a split with more than 0
      has at least one example, where `train` keeps one.

  Returns:
    `{split: increasing positions}`, with 'train' and those of more than 0.
  """
  test_end = fractions['test']
  masks = {'test': places < test_end}
  masks['validation'] = ~masks['test'] & (
      places < test_end + fractions['validation'])
  for split, mask in masks.items():
    spare = np.flatnonzero(~masks['test'] & ~masks['validation'])
    # Few examples may all miss a small share: the one nearest to it is taken.
    if fractions[split] and not mask.any() and len(spare) > 1:
      mask[spare[np.argmin(places[spare])]] = True
  found = {split: np.flatnonzero(mask) for split, mask in masks.items()
           if fractions[split]}
  found['train'] = np.flatnonzero(~masks['test'] & ~masks['validation'])
  return found


def place_of(name):
  """Returns a pseudo-random number in [0, 1) that depends on the name alone."""
  # Bytes of a name that is not UTF-8 are kept as they are.
  content = name.encode('utf-8', 'surrogateescape')
  return int(hashlib.sha256(content).hexdigest()[:12], 16) / 2.**48


def _unwrapped(inner):
  """Drops folders that hold everything, but for those of splits."""
  while True:
    firsts = {folders[0] if folders else '' for folders in inner.values()}
    if len(firsts) != 1 or not min(firsts) or min(firsts).lower() in _FOLDERS:
      return inner
    inner = {name: folders[1:] for name, folders in inner.items()}


def _split_of(folders):
  return _FOLDERS.get(folders[0].lower()) if folders else None


def _given(inner):
  """Returns `{split: names}` by the folders, or nothing; None is no split.

  Without a folder train, pictures outside the folders of splits are `train`. If
  train is the only such folder, beside others, it may be a class.
  """
  groups = {}
  for name, folders in inner.items():
    groups.setdefault(_split_of(folders), []).append(name)
  named = groups.keys() - {None}
  if not named or (named == {'train'} and None in groups):
    return {}
  if 'train' not in named:
    groups['train'] = groups.pop(None, [])
  return groups


def _members(names, given, fractions):
  """Returns `{split: names}`, and the names that are in none."""
  missing = {split: 0. if split in given else fraction
             for split, fraction in fractions.items()}
  cut = partition(given.get('train', names) if given else names, missing)
  members = {split: given[split] if split != 'train' and split in given
             else cut[split] for split in _ORDER}
  kept = [s for s in _ORDER if s == 'train' or s in given or fractions[s]]
  return {split: members[split] for split in kept}, given.get(None, [])


def _classes(inner):
  """Returns the sorted names of the classes, or none."""
  if not inner or not all(inner.values()):
    return ()
  found = sorted({folders[0] for folders in inner.values()})
  # A single class would be the same label for all.
  return tuple(found) if len(found) > 1 else ()


class SplitList:
  """A list of splits in the format of CelebA's `list_eval_partition.txt`.

  A line is a file's name and 0 for `train`, 1 for `validation`, 2 for `test`.

  Attributes:
    name: of the list.
    fingerprint: 16 hexadecimal digits that change with it.

  Args:
    name: string.
    content: its bytes.

  Raises:
    UserError: if a line is no such line, with its number.
  """

  def __init__(self, name, content):
    self.name = name
    self.fingerprint = hashlib.sha256(content).hexdigest()[:16]
    self._split_of = {}
    # Editors on Windows write a byte order mark.
    lines = content.decode('utf-8-sig', 'replace').splitlines()
    for number, line in enumerate(lines, 1):
      if line.strip():
        self._add(number, line.split())

  def _add(self, number, fields):
    if len(fields) != 2 or fields[1] not in ('0', '1', '2'):
      raise errors.UserError(
          f"Line {number} of the list of splits {self.name} is not a file's "
          'name and 0, 1 or 2; put right that line.')
    name = picture_lists.spelled(fields[0])
    self._split_of[name] = _ORDER[int(fields[1])]

  def members(self, names):
    """Returns `{split: names}`; a picture that is not listed with its folders
    is looked up without them. A split without pictures is left out, but for
    `train`.

    Raises:
      UserError: if a picture is not listed, or two would have one line.
    """
    lines = {name: self._line(name) for name in names}
    picture_lists.check_lines(lines, f'list of splits {self.name}')
    members = {split: [] for split in _ORDER}
    for name, line in lines.items():
      members[self._split_of[line]].append(name)
    return {split: found for split, found in members.items()
            if found or split == 'train'}

  def _line(self, name):
    """Returns the name that the line of a picture has."""
    whole = picture_lists.spelled(name)
    for line in (whole, whole.rpartition('/')[-1]):
      if line in self._split_of:
        return line
    raise errors.UserError(
        f'The picture {name} has no line in the list of splits {self.name}; '
        'add one or remove the picture.')

"""Binary attributes of images: lists of them, and masks by name."""
import collections
import hashlib
import os
import re

import numpy as np

from pgak import errors
from pgak import files
from pgak import settings
from pgak.data import attribute_csv
from pgak.data import picture_lists

__all__ = ['AttributeList', 'attribute_mask', 'attribute_masks',
           'attribute_names']

_MAX_BYTES = 1 << 28
_LABEL = 'label='
_CLASS = re.compile(rf'{_LABEL}-?\d+')
# How a text of 16 bits begins.
_MARKS = (b'\xff\xfe', b'\xfe\xff')


class AttributeList:
  """A list of attributes, a CSV file or in CelebA's format.

  A CSV has a header, a column of file names, and columns of 0 and 1 or of -1
  and 1 (see `attribute_csv.rows_of`). In CelebA's format the first line is the
  number of images, the second the attributes' names; every other one is a
  file's name and -1 or 1 for each attribute:

      2
      Eyeglasses Smiling
      000001.jpg -1  1
      000002.jpg  1 -1

  Attributes:
    fingerprint: 16 hexadecimal digits that change with the file.
    names: tuple of strings.
    passed_over: names of columns that are not binary.

  Args:
    path: the list, a text file.

  Raises:
    UserError: if it cannot be read, with the number of the line.
  """

  def __init__(self, path):
    self._path = files.local(path)
    content = self._content()
    self.fingerprint = hashlib.sha256(content).hexdigest()[:16]
    try:
      # Spreadsheets write a byte order mark, or text of 16 bits.
      lines = content.decode('utf-16' if content[:2] in _MARKS
                             else 'utf-8-sig').splitlines()
    except UnicodeDecodeError as error:
      raise errors.UserError(
          f'The list of attributes {self._path} is no text in UTF-8 ({error}); '
          "save it as such, a CSV file or one in CelebA's format."
      ) from error
    self.passed_over = ()
    if lines and attribute_csv.is_csv(lines[0]):
      try:
        self.names, rows, self.passed_over = attribute_csv.rows_of(lines)
      except ValueError as error:
        raise self._error(*error.args) from error
    else:
      self.names = self._names(lines)
      rows = self._read_rows(lines)
    self._rows = {picture_lists.spelled(name): row
                  for name, row in rows.items()}
    self._by_name = _by_name(self._rows)

  def check(self, files):
    """Refuses a line that `rows` would give to several pictures.

    Args:
      files: paths of all pictures of a data set, as for `rows`.

    Raises:
      UserError: if there is one.
    """
    picture_lists.check_lines({file: self._line(file) for file in files},
                              f'list of attributes {self._path}')

  def rows(self, files):
    """Returns the attributes of some files.

    Args:
      files: paths as the data set names them; one that is not listed with its
        folders is looked up without them, then without its suffix.

    Returns:
      Boolean `[len(files), len(names)]`.

    Raises:
      UserError: if a file is not in the list.
    """
    return np.stack([self._row(file) for file in files])

  def _row(self, file):
    line = self._line(file)
    if line is None:
      raise errors.UserError(
          f'The picture {file} has no line in the list of attributes '
          f'{self._path}; add one or remove the picture.')
    return self._rows[line]

  def _line(self, file):
    """Returns the name that the line of a file has, or None."""
    file = picture_lists.spelled(file)
    base = os.path.basename(file)
    # Lists name files with or without folders and suffixes.
    for name in (file, base, os.path.splitext(base)[0]):
      if name in self._rows:
        return name
    # Or with folders that the data set has not.
    return self._by_name.get(base)

  def _content(self):
    try:
      if self._path.stat().st_size > _MAX_BYTES:
        raise OSError(f'more than {_MAX_BYTES} bytes')
      return self._path.read_bytes()
    except OSError as error:
      raise errors.UserError(
          f'The list of attributes {self._path} cannot be read ({error}); set '
          "images.attributes to a CSV file, or one in CelebA's format."
      ) from error

  def _names(self, lines):
    names = tuple(lines[1].split()) if len(lines) > 1 else ()
    if not names or len(set(names)) < len(names) or not (
        lines[0].strip().isdecimal()):
      raise self._error(
          1, 'a number of images and, on the next line, the different names of '
          'the attributes')
    return names

  def _read_rows(self, lines):
    rows = {}
    for number, line in enumerate(lines[2:], 3):
      if not line.strip():
        continue
      name, *values = line.split()
      if len(values) != len(self.names) or not set(values) <= {'-1', '1'}:
        raise self._error(number, f"a file's name and {len(self.names)} values "
                          'of -1 or 1')
      if name in rows:
        raise self._error(number, f'another file than {name}, which an earlier '
                          'line has')
      rows[name] = np.array([value == '1' for value in values])
    # CelebA's first line is a check: a list that is cut short is found.
    if len(rows) != int(lines[0]):
      raise self._error(1, f'the number of the lines that follow, {len(rows)}')
    return rows

  def _error(self, line, expected):
    return errors.UserError(
        f'Line {line} of the list of attributes {self._path} is not '
        f'{expected}; put right that line.')


def _by_name(rows):
  """Returns `{name without folders: name}` of those that no other row has."""
  bases = [re.split(r'[/\\]', file)[-1] for file in rows]
  number = collections.Counter(bases)
  return {base: file for base, file in zip(bases, rows)
          if number[base] == 1}


def attribute_mask(array, name):
  """Returns which images of a split have an attribute.

  Args:
    array: an `ImageArray`.
    name: an attribute's name, such as 'Eyeglasses', or 'label=7' for the
      images of a class in a set with labels, of which the split may have none.

  Returns:
    Boolean `[len(array)]`.

  Raises:
    UserError: if the data set has none of that name; it names those there are.
  """
  return attribute_masks(array, [name])[:, 0]


@settings.several('names')
def attribute_masks(array, names=None):
  """Returns which images have each of some attributes.

  Args:
    array: an `ImageArray`.
    names: as in `attribute_mask`; None for all that there are, the attributes
      or else the classes.

  Returns:
    Boolean `[len(array), len(names)]`.

  Raises:
    UserError: as of `attribute_mask`, or if there are none at all.
  """
  known = attribute_names(array)
  if not known:
    raise errors.UnavailableError(
        f'The data set {array.name} has neither attributes nor labels; for a '
        "folder of images set images.attributes to a CSV file, or a list in "
        "CelebA's format.")
  if names is None:
    names = array.attribute_names or known
  attributes, labels = array.attributes, array.labels
  for name in names:
    # A small split may lack a class that others have.
    if name not in known and (labels is None or not _CLASS.fullmatch(name)):
      raise errors.UserError(
          f'The data set {array.name} has no attribute {name!r}; it has '
          f'{", ".join(known)}.')
  return np.stack(
      [attributes[:, array.attribute_names.index(name)]
       if name in array.attribute_names else labels == int(name[len(_LABEL):])
       for name in names], 1)


def attribute_names(array):
  """Returns the attributes of a split and the classes that are in it, a tuple.

  `attribute_mask` takes these names.

  Args:
    array: an `ImageArray`.
  """
  labels = array.labels
  classes = () if labels is None else np.unique(labels)
  return array.attribute_names + tuple(f'{_LABEL}{k}' for k in classes)

"""Binary attributes of images in a CSV file."""
import csv

import numpy as np

__all__ = ['is_csv', 'rows_of']

_SEPARATORS = ',;\t|'
_NAMES = ('file_name', 'filename', 'file', 'image_id', 'image', 'path', 'name',
          'id')
_TRUE = {'1', '1.0', 'true', 'yes'}
_ZERO, _MINUS = {'0', '0.0'}, {'-1', '-1.0'}
_FALSE = {*_ZERO, *_MINUS, 'false', 'no'}
# If more of a column is binary, the rest are mistakes, and no other values.
_MOSTLY = 0.9


def is_csv(first_line):
  """Returns whether a file that begins so is a CSV with a header."""
  return any(s in first_line for s in _SEPARATORS)


def rows_of(lines):
  """Reads the attributes of a CSV: a column of file names, and binary ones.

  Its first line names the columns, separated by commas, semicolons, tabs or
  bars. The file names are in the column file_name, filename, file, image_id,
  image, path, name or id, or else in the first. A column of 0 and 1, of -1 and
  1, of false and true, or of no and yes is an attribute; others are passed
  over, such as one of -1, 0 and 1.

  Args:
    lines: list of strings.

  Returns:
    `(names of attributes, {file name: booleans}, names passed over)`.

  Raises:
    ValueError: with the number of the line and what it should be, `(int, str)`.
  """
  # By the header, where commas in quoted fields are rare.
  separator = max(_SEPARATORS, key=lines[0].count)
  try:
    table = list(csv.reader(lines, delimiter=separator, skipinitialspace=True))
  except csv.Error as e:
    raise ValueError(1, f'the begin of a CSV file ({e})') from e
  header = [name.strip() for name in table[0]]
  if len(set(header)) < len(header):
    raise ValueError(1, 'the different names of the columns')
  # Numbered as in the file, for errors; empty lines count and are left out.
  rows = [(number, [field.strip() for field in row])
          for number, row in enumerate(table[1:], 2) if any(row)]
  for number, row in rows:
    if len(row) != len(header):
      raise ValueError(number, f'{len(header)} fields, as the first line has')
  lower = [name.lower() for name in header]
  # In the order of `_NAMES`, the most specific first.
  key = next((lower.index(name) for name in _NAMES if name in lower), 0)
  columns = [i for i in range(len(header)) if i != key]
  binary = [i for i in columns if _is_binary(header[i], i, rows)]
  if not binary:
    raise ValueError(1, 'followed by a column of 0 and 1 or of -1 and 1')
  found: dict = {}
  for number, row in rows:
    if row[key] in found:
      raise ValueError(number, f'another file than {row[key]}, which an '
                       'earlier line has')
    found[row[key]] = np.array([row[i].lower() in _TRUE for i in binary])
  return (tuple(header[i] for i in binary), found,
          tuple(header[i] for i in columns if i not in binary))


def _is_binary(name, i, rows):
  """Whether a column is binary; one mistake in it is an error."""
  wrong = [number for number, row in rows
           if row[i].lower() not in _TRUE | _FALSE]
  if wrong and len(wrong) < (1. - _MOSTLY) * len(rows):
    raise ValueError(wrong[0], f'0 or 1, or -1 or 1, in the column {name}')
  values = {row[i].lower() for _, row in rows}
  # One of 0 and -1 is then neither true nor false.
  return bool(rows) and not wrong and not (values & _ZERO and values & _MINUS)

"""Names of pictures in lists of attributes, splits and keypoints."""
import unicodedata

from pgak import errors

__all__ = ['check_lines', 'spelled']


def spelled(name):
  """Returns a name in Unicode's composed form (NFC), to be compared.

  macOS decomposes accented letters in names of files, also in zips, which a
  list from another system does not.

  Args:
    name: string.
  """
  return unicodedata.normalize('NFC', name)


def check_lines(lines, where):
  """Refuses a list of which one line is that of several pictures.

  Args:
    lines: `{picture: name that its line has, or None}`.
    where: the list, such as 'list of splits a.txt'.

  Raises:
    UserError: if there is one.
  """
  pictures: dict = {}
  for picture, line in sorted(lines.items()):
    if line is not None and pictures.setdefault(line, picture) != picture:
      raise errors.UserError(
          f'The line of {line} in the {where} could be that of '
          f'{pictures[line]} and of {picture}: write a line for each, with '
          'its folders.')

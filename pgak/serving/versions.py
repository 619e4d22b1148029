"""The versions of an export: folders with numbers for names."""
from pgak import errors
from pgak import files

__all__ = ['find', 'is_export', 'numbers']


def numbers(output):
  """Returns the numbers of the versions in a folder, in order."""
  return sorted(int(p.name) for p in output.iterdir() if p.name.isdecimal())


def is_export(path):
  """Returns whether a folder is an export, or holds versions of one."""
  try:
    find(path)
  except errors.UserError:
    return False
  return True


def find(path):
  """Returns the folder of a version: the path, or the largest version in it.

  Raises:
    errors.UserError: if neither holds an export.
  """
  path = files.local(path)
  if path.is_dir() and not (path / 'saved_model.pb').exists():
    found = numbers(path)
    path = path / str(found[-1]) if found else path
  if not (path / 'saved_model.pb').exists():
    raise errors.UserError(
        f'There is no export in {path}: give the folder that pgak_export '
        'wrote, or one of the versions in it.')
  return path

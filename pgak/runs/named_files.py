"""Gin files by the short names that flags give: `--model=rae`."""
import pathlib

from pgak import errors
from pgak import files
from pgak.runs import gin_files

__all__ = ['FOLDERS', 'data', 'named', 'names']

# Flag -> the folder below gin/ that its names are in.
FOLDERS = {'data': 'datasets', 'model': 'models', 'network': 'networks',
           'recipe': 'recipes'}
_TFDS = 'tfds:'
# Data sets that need a path or a name besides, so their own name is none.
_WITH_PATH = ('images', 'arrays', 'tfds', 'pairs')


def names(flag):
  """Returns the names that a flag takes, in order.

  Args:
    flag: a key of `FOLDERS`.
  """
  found = {path.stem for folder in gin_files.folders()
           for path in pathlib.Path(folder, FOLDERS[flag]).glob('*.gin')}
  return sorted(found)


def _is_path(value):
  return '/' in value or value.endswith('.gin')


def named(flag, value):
  """Returns the gin file that a flag's value stands for.

  Args:
    flag: 'data', 'model', 'network' or 'recipe'.
    value: a name, or the path of a gin file.

  Raises:
    errors.UserError: if there is none of that name, with the nearest ones.
  """
  if _is_path(value):
    gin_files.require(value)
    return value
  known = names(flag)
  if value not in known:
    meant = errors.similar(value.lower(), known)
    raise errors.UserError(
        f'There is no {flag} {value!r}{meant or "."} Those that there are: '
        f'pgak_list {FOLDERS[flag].replace("datasets", "data")}.')
  return f'{FOLDERS[flag]}/{value}.gin'


def data(value):
  """Returns the gin file and the settings that --data stands for.

  Args:
    value: a folder, zip, tar or array file; 'tfds:NAME[/CONFIG][:VERSION]'; the
      name of a data set that ships; or the path of a gin file.

  Returns:
    `(file, {setting: value})`.

  Raises:
    errors.UserError: if it is none of these, or both a name and a path.
  """
  if value.startswith(_TFDS):
    return 'datasets/tfds.gin', {'tfds.name': value.removeprefix(_TFDS)}
  if value.endswith('.gin'):
    return named('data', value), {}
  if not value.strip() or '://' in value:
    what = 'an address: download what is there' if value.strip() else 'empty'
    raise errors.UserError(f'--data={value} is {what}; give a path here, or '
                           'the name of a data set (pgak_list data).')
  # Names first: a folder `mnist` here must not silently replace the data set.
  path = files.local(value)
  known = [n for n in names('data') if n not in _WITH_PATH]
  if value in known:
    if path.exists():
      raise errors.UserError(
          f'--data={value} is the name of a data set, and here is a file or '
          f'folder of that name: write ./{value} for that one.')
    return f'datasets/{value}.gin', {}
  if not path.exists():
    meant = errors.similar(value.lower(), known) if '/' not in value else ''
    raise errors.UserError(
        f'There is nothing at {value}{meant or ": check the path,"}'
        f'{" Or give" if meant else " or give"} the name of a data set (pgak_'
        'list data).')
  # Imported here: only a path needs what reads files.
  from pgak.data import path_kinds
  kind = path_kinds.kind_of_path(path)
  # Absolute, so that command.gin holds in another working directory, too.
  return f'datasets/{kind}.gin', {f'{kind}.path': str(path.absolute())}

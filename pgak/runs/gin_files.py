"""Finds gin files and users' modules and reads them into gin."""
import importlib
import pathlib
import re
import tokenize

import gin

from pgak import errors
from pgak.runs import gin_errors
from pgak.runs import gin_internals

__all__ = ['folders', 'import_module', 'parse', 'parse_text', 'require']


def folders():
  """Returns where gin files are looked for besides the working directory."""
  # Not resolved: Bazel lays out links, and the gin files beside the links.
  package = pathlib.Path(__file__).absolute().parent.parent
  folders = [pathlib.Path('gin'), package / 'gin', package.parent / 'gin']
  return [str(f) for f in folders if f.is_dir()]


def parse(name):
  """Reads a gin file into gin.

  Args:
    name: its path, or its path below one of `folders()`.

  Raises:
    ValueError, or what gin raises; `gin_errors.sentence` words both for users.
  """
  gin_internals.read_from(folders())
  require(name)
  try:
    # gin names neither the file of these errors nor the way out.
    return gin.parse_config_file(name)
  except tokenize.TokenError as e:
    raise ValueError(f'{e.args[0]}: a bracket or string of {name}, or of a '
                     'file that it includes, is never closed.') from e
  except UnicodeDecodeError as e:
    raise ValueError(f'{name}, or a file that it includes, is no text in '
                     f'UTF-8: {e}.') from e
  except (MemoryError, RecursionError) as e:
    raise ValueError(f'{name}, or a file that it includes, nests its brackets '
                     'too deeply.') from e


def parse_text(text):
  """Reads gin text; the files that it includes are found as by `parse`.

  Returns:
    List of gin's records of the files that it includes.
  """
  if not text:
    return []
  gin_internals.read_from(folders())
  # gin's own error for a missing file lists each folder it tried.
  for name in re.findall(r"^include ['\"](.+)['\"]$", text, re.M):
    require(name)
  includes, _ = gin.parse_config(text)
  return includes


def require(name):
  """Raises UserError unless there is a gin file of that name."""
  # A folder of that name is another mistake than no file.
  found = [path for folder in ['', *folders()]
           if (path := pathlib.Path(folder, name)).exists()]
  if found and not any(path.is_file() for path in found):
    raise errors.UserError(f'{name} is no file: give one that ends in .gin, or '
                           'in .sweep for a sweep.')
  if not found:
    shipped = [str(path.relative_to(folder)) for folder in folders()
               for path in pathlib.Path(folder).rglob('*.gin')]
    # The likeliest mistake: the file without its folder.
    named_so = [f for f in shipped if pathlib.Path(f).name == name]
    hint = (f': did you mean {named_so[0]}?' if named_so else
            errors.similar(name, shipped) or ': check the path.')
    raise errors.UserError(f'There is no gin file {name}, neither here nor in '
                           f'{" or ".join(folders())}{hint}')


def import_module(module):
  """Imports a module of a user's own, by its name.

  Raises:
    UserError: if there is none, or it cannot be imported.
  """
  # importlib takes a leading dot for a relative import.
  if not re.fullmatch(r'\w+(\.\w+)*', module):
    raise errors.UserError(f'--import={module!r} is no name of a module: give '
                           'one such as mine.models.')
  try:
    importlib.import_module(module)
  except ImportError as e:
    raise errors.UserError(
        f'Cannot import {module!r} ({e}): run from the folder that holds it, '
        'or put that folder on PYTHONPATH.') from e
  except SyntaxError as e:
    raise errors.UserError(
        f'Cannot import {module!r}: {gin_errors.sentence(e)}; put that line '
        'right.') from e
  except ValueError as e:
    # gin's error for a second function of one name; another ValueError is the
    # module's own.
    if 'already exists' not in str(e):
      raise
    raise errors.UserError(
        f'Cannot import {module!r}: {errors.reason(e)}; give one of the two '
        'another name, or a module= of its own.') from e

"""What gin text binds that is no whole configuration yet."""
import ast
import contextlib
import inspect

import gin

from pgak import errors
from pgak.runs import configuration
from pgak.runs import gin_internals
from pgak.runs import gin_text
from pgak.runs import named_files

__all__ = ['bound_shape', 'download_setting', 'parsed', 'twice', 'whole_recipe']


@contextlib.contextmanager
def parsed(text, imports=()):
  """Parses gin text that may be incomplete; yields its bindings as text."""
  try:
    configuration.parse_part(text, imports)
    yield gin_text.bindings_of(gin.config_str())
  finally:
    gin.clear_config()


def bound_shape(text, imports=()):
  """Returns the `image_shape` that a gin text binds."""
  with parsed(text, imports) as bound:
    try:
      return ast.literal_eval(bound['image_shape'])
    except (KeyError, SyntaxError, ValueError) as e:
      raise errors.UserError('--size needs gin files that set image_shape: '
                             'take a data set, such as --data=mnist.') from e


def download_setting(text, imports=()):
  """Returns the setting by which the data set of a gin text is downloaded.

  Of a data set without one it is that of `tfds`, which nothing then reads.
  """
  with parsed(text, imports) as bound:
    name = bound.get('train.dataset', '').strip('@()')
  found = gin_internals.configurables(name) if name else []
  known = any('download' in inspect.signature(f).parameters
              for f, _, _ in found)
  return f'{name if known else "tfds"}.download'


def twice(settings, params):
  """Returns what is wrong where a flag and a binding are one setting, or ''.

  Args:
    settings: list of `(setting, value, where it is from)`, such as '--steps'.
    params: bindings as --gin_param has them.
  """
  flags = {name: origin for name, _, origin in settings
           if origin.startswith('--')}
  for binding in params:
    flag = flags.get(binding.partition('=')[0].strip())
    if flag:
      return (f'{flag} and --gin_param={binding!r} set the same: give one of '
              'them')
  return ''


def whole_recipe(flags, imports=()):
  """Returns the file of a recipe that chooses all, as gin files do.

  Args:
    flags: as for `composition.compose`.
    imports: modules to import first.

  Returns:
    A list with the file of a recipe that binds a data set and a model, or an
    empty one.
  """
  if 'recipe' not in flags:
    return []
  file = named_files.named('recipe', flags['recipe'])
  with parsed(f'include {file!r}', imports) as bound:
    return [file] if {'train.dataset', 'train.model'} <= set(bound) else []

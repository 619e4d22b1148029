"""A second data set beside the one of a run, as gin bindings."""
import re

import gin

from pgak import errors
from pgak.runs import configuration
from pgak.runs import gin_text
from pgak.runs import named_files

__all__ = ['bindings']

# The shape of the model's images is the run's, and so is the data_dir.
_OF_THE_RUN = ('image_shape', 'data_dir')
# A macro; a sign within a string is none.
_MACRO = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|%([\w./]+)')


def bindings(run, against, imports=()):
  """Makes the bindings of a data set to compare with the one of a run.

  They are in a scope of their own, so that both may be made by one function
  with other settings, such as another folder of images.

  Args:
    run: `RunDirectory`.
    against: name of a data set, such as 'fashion_mnist', or a gin file that
      binds `train.dataset`.
    imports: modules that the user trusts.

  Returns:
    List of bindings for `configuration.parse_run`.

  Raises:
    errors.UserError: if there is no such data set or file.
  """
  file = against if against.endswith('.gin') else f'datasets/{against}.gin'
  known = named_files.names('data')
  if file != against and against not in known:
    raise errors.UserError(
        f'There is no data set {against!r} for --against: choose one of '
        f'{", ".join(known)}, or a gin file that binds train.dataset'
        f'{errors.similar(against, known) or "."}')
  # Before the run is parsed, which would import what its config.gin names.
  configuration.check_trusted(run, imports)
  configuration.parse([str(run.config_file)], imports=imports)
  # The run is parsed without and with the file: what differs is the file's.
  own = gin_text.bindings_of(gin.config_str())
  configuration.parse([str(run.config_file), file], imports=imports)
  found = gin_text.bindings_of(gin.config_str())
  if found == own and file == against:
    raise errors.UserError(f'{file} changes nothing of the data set of the run:'
                           ' bind train.dataset in it, or its settings.')
  name = found['train.dataset'].strip('@()')
  bound = [f'sample.against = @against/{name}']
  for setting, value in found.items():
    if setting.startswith(f'{name}.'):
      bound.append(f'against/{setting} = {_with_values(value, found, own)}')
  return bound


def _with_values(value, found, own):
  """Returns a value without macros that the run lacks or has otherwise."""
  def replaced(match):
    name = match[1]
    if name not in found or (name in _OF_THE_RUN and name in own):
      return match[0]
    text = _with_values(found[name], found, own)
    return match[0] if text == own.get(name) else text
  return _MACRO.sub(replaced, value)

"""The data set of a run, made as gin's configuration has it."""
import contextlib
import copy

import gin

from pgak import data
from pgak import errors
from pgak import settings
from pgak.runs import configuration

__all__ = ['configured', 'made', 'showing', 'split']

# Split -> the setting that says which one it is in the data set.
_SETTINGS = {'train': 'train.split', 'validation': 'train.validation_split'}


def configured():
  """Makes the data set that the configuration in gin names.

  Returns:
    A `data.Dataset`, or another with its attributes and methods.

  Raises:
    errors.UserError: if none is bound, or what is bound makes none.
  """
  try:
    named = gin.query_parameter('train.dataset')
  except ValueError:
    named = None
  # Bound to None counts as not bound.
  if named is None:
    raise errors.UserError(
        'The configuration in gin binds no train.dataset: call '
        "configuration.parse_run first, or restore the run's config.gin.")
  # A copy of gin's reference is the function that it names.
  return made(copy.deepcopy(named))


# What stands for the split that is drawn, where other data are.
_shown: list = []


@contextlib.contextmanager
def showing(array):
  """Within it, `split('validation')` is a split of other data.

  Args:
    array: a split, such as `data.ImageArray`; or None for the run's own.
  """
  before = list(_shown)
  _shown[:] = [] if array is None else [array]
  try:
    yield
  finally:
    _shown[:] = before


def split(name):
  """Returns the split of `configured()` that a run uses as one.

  Args:
    name: 'train' or 'validation', which the run may call otherwise.
  """
  if name == 'validation' and _shown:
    return _shown[0]
  return configured().split(configuration.setting(_SETTINGS[name], name))


def made(reference):
  """Calls a function that makes a data set, and checks what it made.

  Args:
    reference: function without arguments, the value of `train.dataset`.

  Raises:
    errors.UserError: if it is no such function.
  """
  return settings.made(reference, 'train.dataset', data.DatasetLike)

"""What two configurations of one run differ in: the one that began it, and the
one that resumes it.
"""
import fractions
import inspect
import re
import tokenize

from pgak import errors
from pgak.runs import configuration
from pgak.runs import gin_errors
from pgak.runs import gin_internals
from pgak.runs import gin_text

__all__ = ['FREE_ON_RESUME', 'added_bindings', 'changed_bindings']

# On resuming these may change: they decide no weight. Steps may only grow.
FREE_ON_RESUME = re.compile(
    r'train\.(\w+_every|keep_checkpoints|best_by|diagnostics|warm_start)$|'
    r'(^|\.)data_dir$|\.download$|(images|arrays|pairs)\.path$|'
    r'images\.(partition|attributes)$')


def changed_bindings(saved, present):
  """Returns the names whose values differ, but for those that may.

  Args:
    saved: `as_text()` of a run as it was started.
    present: `as_text()` of the command that resumes it.

  Raises:
    errors.UserError: if `saved` is no gin text.
  """
  try:
    old, new = (gin_text.read_bindings(t) for t in (saved, present))
  except (SyntaxError, ValueError, tokenize.TokenError) as e:
    raise errors.UserError(
        f'The config.gin of the run is damaged ({gin_errors.sentence(e)}): '
        'restore it, or train into a new run directory.') from e
  # A binding that is absent from one of them was not read there: another one,
  # such as train.score_every or train.model, decided that and is compared.
  changed = [n for n in sorted(set(old) & set(new))
             if _number(old[n]) != _number(new[n])]
  return [n for n in changed
          if not (FREE_ON_RESUME.search(n) or _grown(n, old, new))]


def _grown(name, old, new):
  if _is_of_later(name, old):
    return True
  before, after = _number(old[name]), _number(new[name])
  return (name in ('train.steps', 'polish.steps')
          and isinstance(before, fractions.Fraction)
          and isinstance(after, fractions.Fraction) and before <= after)


def _is_of_later(name, old):
  # A run without polishing may be polished afterwards, in whichever way.
  return (name.startswith('polish.')
          and _number(old.get('polish.steps', '')) == 0)


def _number(value):
  # 1e3 and 1000 are one number; other text stays as it is.
  try:
    return fractions.Fraction(value)
  except ValueError:
    return value


def added_bindings(saved, present):
  """Returns the settings that are new, and have other values than the default.

  An older version may not have known a setting, so that its configuration does
  not tell it, and `changed_bindings` compares nothing.

  Args:
    saved: `as_text()` of a run as an older version wrote it.
    present: `as_text()` of the command that resumes it.

  Returns:
    `{name: value as text}`, of functions of which `saved` has other settings.
  """
  old, new = (gin_text.read_bindings(t) for t in (saved, present))
  # A macro is of no function.
  called = {_function(name) for name in old} - {''}
  return {name: value for name, value in new.items()
          if name not in old and _function(name) in called
          and value != _default(name) and not FREE_ON_RESUME.search(name)
          and not _is_of_later(name, old) and not _is_kept(name)}


def _function(name):
  return name.rpartition('.')[0]


def _is_kept(name):
  # It is as the older version had it.
  function, _, parameter = name.split('/')[-1].rpartition('.')
  return parameter in configuration.OLD_VALUES.get(
      function.rpartition('.')[2], {})


def _default(name):
  """Returns a setting's default as gin text, or None if there is none."""
  function, _, parameter = name.split('/')[-1].rpartition('.')
  for found, _, _ in gin_internals.configurables(function):
    parameters = inspect.signature(found).parameters
    if parameter in parameters:
      return repr(parameters[parameter].default)
  return None

"""Every use that pgak makes of gin's private names, in one place.

A test compares them with the gin that is installed.
"""
import functools
import inspect
import os

from gin import config

__all__ = ['bind_first', 'bound_values', 'configurables', 'read_from',
           'referred_classes', 'registered_names']


def read_from(folders):
  """Lets gin look for files by their path, then below `folders`, only there.

  Gin keeps the folders of every call before, and takes 'networks/x.gin' for a
  file of a Python package `networks`, which fails where such a folder is on the
  path. A file from another system may begin with a byte-order mark.
  """
  # In place: gin's functions hold these lists.
  config._FILE_READERS[:] = [
      (functools.partial(open, encoding='utf-8-sig'), os.path.isfile)]
  config._LOCATION_PREFIXES[:] = ['', *folders]


def bound_values():
  """Yields `(scope, full name, parameter, value)` of all that is bound.

  `config_str` leaves out what it cannot write, such as an infinite number.
  """
  for (scope, selector), values in config._CONFIG.items():
    for parameter, value in values.items():
      yield scope, selector, parameter, value


def referred_classes():
  """Yields `(scopes, full name, class)` of the classes that values refer to.

  The scopes are those in which gin looks for the bindings of that reference:
  '' first, then 'a' and 'a/b' for `@a/b/C`.
  """
  # A list, because the caller binds while it reads.
  for _, _, _, value in list(bound_values()):
    for reference in _references(value):
      wrapped = reference.configurable.wrapped
      if inspect.isclass(wrapped):
        parts = reference.scoped_selector.split('/')[:-1]
        scopes = ['/'.join(parts[:i]) for i in range(len(parts) + 1)]
        yield scopes, reference.configurable.selector, wrapped


def _references(value):
  if isinstance(value, config.ConfigurableReference):
    return [value]
  if isinstance(value, dict):
    value = list(value.values())
  if isinstance(value, (list, tuple)):
    return [r for v in value for r in _references(v)]
  return []


def bind_first(selector, parameters):
  """Moves some bindings of a function or class before its others.

  Gin evaluates bindings in the order in which they were first made.

  Args:
    selector: full name, such as 'pgak.models.vae.VAE'.
    parameters: names of bound parameters, in the order that they get.
  """
  values = config._CONFIG['', selector]
  for name in [*parameters, *(n for n in values if n not in parameters)]:
    # A dictionary keeps the order of insertion.
    values[name] = values.pop(name)


def registered_names():
  """Returns the full names of all that is registered, such as 'pgak.adam'."""
  return list(config._REGISTRY._selector_map)


def configurables(name):
  """Returns what is registered: what it is, what it denies, and its name.

  Args:
    name: any ending of a full name; there may be several.

  Returns:
    List of `(function or class, parameters that gin may not bind, name)`, the
    name without its module.
  """
  return [(found.wrapped, tuple(found.denylist or ()), found.name)
          for found in config._REGISTRY.get_all_matches(name)]

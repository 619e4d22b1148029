"""What pgak needs of gin and gin does not offer: all its private names.

A test holds each against the gin that is installed.
"""
import functools
import os

from gin import config

__all__ = ['bound_values', 'configurables', 'read_from', 'registered_names']


def read_from(folders):
  """Lets gin look for files by their path, then below `folders`, only there.

  Gin keeps the folders of every call before, and takes 'networks/x.gin' for a
  file of a Python package `networks`, which fails where such a folder is on the
  path. A file from another system may begin with a byte-order mark.
  """
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


def registered_names():
  """Returns the full names of all that is registered, such as 'pgak.adam'."""
  return list(config._REGISTRY._selector_map)


def configurables(name):
  """Returns `(function or class, parameters that gin may not bind)` by name.

  Args:
    name: any ending of a full name; there may be several.
  """
  return [(found.wrapped, tuple(found.denylist or ()))
          for found in config._REGISTRY.get_all_matches(name)]

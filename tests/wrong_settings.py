"""Wrong values for every setting that pgak declares, made of its annotation."""
import inspect

from gin import config as gin_config

from pgak import registry
from pgak.settings import values

__all__ = ['of_all', 'parameter', 'wrong_values']

registry.register()

# As gin text: what each of these is wrong for is left to the annotation.
CANDIDATES = {
    '-1': -1, '0': 0, '"x"': 'x', 'None': None, '1e400': float('inf'),
    '[1]': [1], 'True': True, '2.5': 2.5, '""': '', '@digits': print,
    '(1, "x")': (1, 'x'), '10000000000000000000000': 10**22,
    '{"a": 1}': {'a': 1},
}


def wrong_values(annotation):
  """Returns texts of gin values that an annotation does not allow."""
  found = []
  for text, value in CANDIDATES.items():
    try:
      values.converted(value, annotation)
    except values.Mismatch:
      found.append(text)
  return found


def parameter(name, argument):
  """Returns the `inspect.Parameter` of a function's argument."""

  wrapped = gin_config._REGISTRY[name].wrapped
  return inspect.signature(wrapped).parameters[argument]


def of_all():
  """Yields `(full name, function, argument, annotation)` of pgak's settings."""
  known = gin_config._REGISTRY._selector_map
  for name in sorted(known):
    if name.startswith('pgak.'):
      entry = known[name]
      for argument in inspect.signature(entry.wrapped).parameters.values():
        if argument.name not in (entry.denylist or ()):
          function = name.rpartition('.')[2]
          yield name, function, argument.name, argument.annotation

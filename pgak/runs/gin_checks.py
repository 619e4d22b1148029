"""Checks of what gin accepts and pgak does not."""
import math

from pgak import errors
from pgak.runs import gin_internals

__all__ = ['check_finite']


def check_finite():
  """Refuses infinite numbers, such as 1e400, which gin cannot write again."""
  for scope, selector, parameter, value in gin_internals.bound_values():
    if not all(math.isfinite(n) for n in _floats(value)):
      # A macro is bound in a scope of its name, so its name is the scope.
      name = selector.rpartition('.')[2]
      name = scope if selector == 'gin.macro' else (
          f'{scope}/{name}' if scope else name) + f'.{parameter}'
      raise errors.UserError(f'`{name} = {value}` must be finite: give a '
                             'number that float32 can hold.')


def _floats(value):
  # Only floats: Python's integers are finite, and references are checked where
  # they are bound.
  if isinstance(value, dict):
    value = list(value.values())
  if isinstance(value, (list, tuple)):
    return [n for v in value for n in _floats(v)]
  return [value] if isinstance(value, float) else []

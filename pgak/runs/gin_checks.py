"""What gin takes and pgak does not."""
import math

from pgak import errors
from pgak.runs import gin_internals

__all__ = ['check_finite']


def check_finite():
  """Refuses infinite numbers, such as 1e400, which gin cannot write again."""
  for scope, selector, parameter, value in gin_internals.bound_values():
    if not all(math.isfinite(n) for n in _floats(value)):
      name = selector.rpartition('.')[2]
      name = scope if selector == 'gin.macro' else (
          f'{scope}/{name}' if scope else name) + f'.{parameter}'
      raise errors.UserError(f'`{name} = {value}` must be finite: give a '
                             'number that float32 can hold.')


def _floats(value):
  if isinstance(value, dict):
    value = list(value.values())
  if isinstance(value, (list, tuple)):
    return [n for v in value for n in _floats(v)]
  return [value] if isinstance(value, float) else []

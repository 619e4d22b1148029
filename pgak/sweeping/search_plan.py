"""What a search varies, and which score it lowers or raises.

```
sweep.gin_files = ['quickstart.gin']
sweep.search = {
    'VPGA.kl': ('log', 1e-3, 1e-1),
    'latent_dim': ('int', 4, 16),
    'train.clip_norm': ('choice', [None, 1.]),
}
sweep.trials = 20
sweep.objective = 'frechet_digits_classifier'
sweep.evaluations = [{'protocol': 'quick', 'prior': 'gmm'}]
```
"""
import dataclasses
import math
from typing import Annotated

from pgak import errors
from pgak import settings
from pgak.runs import run_directory

__all__ = ['KINDS', 'Objective', 'Range', 'Search', 'Space', 'objective_of',
           'ranges_of']

# Of a number between two bounds: whether it is whole, and by its logarithm.
KINDS = {'uniform': (False, False), 'log': (False, True),
         'int': (True, False), 'log_int': (True, True)}
# Digits of a number, so that a binding can be read and copied.
_DIGITS = 4

Space = Annotated[dict[object, object], settings.NotEmpty(), settings.Says(
    "{'a.b': ('log', 1e-4, 1e-2), ...}, and not empty")]
Objective = Annotated[str | dict[object, object], settings.Says(
    "a metric as scores.csv names it, or {'metric': it, 'prior': 'gmm_10'}")]


@dataclasses.dataclass(frozen=True)
class Range:
  """The values that a binding may have.

  Attributes:
    name: string, the binding's.
    kind: one of `KINDS`, or 'choice'.
    options: `(low, high)`, both included; or gin text of each choice.
  """
  name: str
  kind: str
  options: tuple

  def text(self, value):
    """Returns a value as gin text.

    Args:
      value: a number, rounded to four digits; or one of the choices.
    """
    if self.kind == 'choice':
      return value
    if KINDS[self.kind][0]:
      return str(int(value))
    low, high = map(float, self.options)
    return repr(min(max(float(f'{value:.{_DIGITS}g}'), low), high))

  def __str__(self):
    return f'{self.kind}({", ".join(map(str, self.options))})'


@dataclasses.dataclass(frozen=True)
class Search:
  """A search: trials are cells whose bindings depend on what was found before.

  Attributes:
    ranges: tuple of `Range`s.
    objective: `{column of scores.csv: value}`, with 'metric'.
    trials: int, how many there are in all.
    sampler: 'tpe' or 'random'.
    seed: int, decides the trials, together with their results.
    pruned_by: the metric of scores while training by which trials end early;
      None for no such.
  """
  ranges: tuple
  objective: dict
  trials: int
  sampler: str
  seed: int
  pruned_by: str | None = None

  def bindings(self, values):
    """Returns the bindings of a trial; `values` are those of `Range.text`."""
    return [f'{r.name} = {r.text(values[r.name])}' for r in self.ranges]


def ranges_of(space):
  """Checks `sweep.search`; returns a tuple of `Range`s.

  Args:
    space: `{binding: (kind, low, high) or ('choice', list)}`.

  Raises:
    errors.UserError: names the binding whose range is none.
  """
  return tuple(_range(name, given) for name, given in space.items())


def _range(name, given):
  options = _choices(given) or _bounds(given)
  if options is None:
    raise errors.UserError(
        f"`sweep.search` has {name!r}: {given!r}, which must be ('uniform', "
        "low, high), ('log', low, high), ('int', low, high), ('log_int', low, "
        "high), with low below high and above 0 for a logarithm, or ('choice', "
        '[...]) of at least two.')
  return Range(str(name), given[0], options)


def _choices(given):
  if not (isinstance(given, (list, tuple)) and len(given) == 2
          and given[0] == 'choice' and isinstance(given[1], (list, tuple))):
    return None
  texts = tuple(_gin_text(value) for value in given[1])
  return texts if len(texts) == len(set(texts)) > 1 else None


def _gin_text(value):
  # '@AE' in quotes: gin would look the name up while it reads the .sweep file.
  is_reference = isinstance(value, str) and value[:1] in ('@', '%')
  return value if is_reference else repr(value)


def _bounds(given):
  if not (isinstance(given, (list, tuple)) and len(given) == 3
          and isinstance(given[0], str) and given[0] in KINDS):
    return None
  is_whole, is_log = KINDS[given[0]]
  numbers = [x for x in given[1:] if _is_number(x, is_whole)]
  if len(numbers) < 2 or not numbers[0] < numbers[1] or (
      is_log and numbers[0] <= 0):
    return None
  return tuple(numbers)


def _is_number(value, is_whole):
  # bool is a subclass of int.
  return not isinstance(value, bool) and isinstance(
      value, int if is_whole else (int, float)) and math.isfinite(value)


def objective_of(given):
  """Checks `sweep.objective`; returns `{column of scores.csv: value}`.

  Raises:
    errors.UserError: if it names no metric, or what is no column.
  """
  found = {'metric': given} if isinstance(given, str) else dict(given or {})
  columns = [c for c in run_directory.SCORE_COLUMNS
             if c not in ('step', 'value', 'better', 'error')]
  unknown = [name for name in found if name not in columns]
  if unknown:
    raise errors.UserError(
        f'`sweep.objective` has the unknown key {unknown[0]!r}: choose from '
        f'{", ".join(columns)}.')
  if not found.get('metric'):
    raise errors.UserError(
        '`sweep.objective` must name a metric as scores.csv does, such as '
        "'frechet_digits_classifier'.")
  return {name: str(value) for name, value in found.items()}

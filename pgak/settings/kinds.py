"""Types and ranges of settings, as annotations.

Each is a type with conditions, `Annotated[type, condition, ...]`. A condition
has `holds(value)` and `text(base)`, which puts the condition into words.
"""
import collections.abc
import functools
import inspect
import math
import os
import typing
from typing import Annotated

__all__ = ['Checkpoint', 'Count', 'Decay', 'Fraction', 'Has', 'Made',
           'NonNegative', 'Path', 'Positive', 'Range', 'Reference', 'Says',
           'Seed', 'Share', 'Whole', 'is_configurable', 'is_uncalled',
           'mark']

_MARK = '_pgak_setting'


def mark(function, name):
  """Marks a function as one that gin or a user calls, under that name."""
  setattr(function, _MARK, name)


def is_configurable(value):
  """Returns whether it is a function that was registered as a setting's."""
  return hasattr(value, _MARK)


def _below(high):
  power = math.log2(high + 1)
  return f'below 2^{power:g}' if power.is_integer() else f'of at most {high:g}'


class Range(typing.NamedTuple):
  """The numbers from `low` to `high`, without the ends that `excluded` names.
  """
  low: float = -math.inf
  high: float = math.inf
  excluded: tuple = ()

  def holds(self, value):
    return self.low <= value <= self.high and value not in self.excluded

  def text(self, base):
    if -math.inf < self.low and self.high < 2**31 - 1 and not self.excluded:
      return f'{base} from {self.low:g} to {self.high:g}'
    ends = []
    if self.low > -math.inf:
      ends.append(f'above {self.low:g}' if self.low in self.excluded else
                  f'of at least {self.low:g}')
    if self.high < math.inf:
      ends.append(f'below {self.high:g}' if self.high in self.excluded else
                  _below(self.high))
    return f'{base} {" and ".join(ends)}'


class Says(typing.NamedTuple):
  """Another text for a type: what a sentence about a wrong value asks for."""
  words: str

  def holds(self, value):
    del value
    return True

  def text(self, base):
    del base
    return self.words


class Has(typing.NamedTuple):
  """What has some attributes, such as a data set; `words` says what it is."""
  names: tuple
  words: str

  def holds(self, value):
    return all(hasattr(value, name) for name in self.names)

  def text(self, base):
    del base
    return self.words


def is_uncalled(value):
  """Returns whether it is a function or class, such as @sgd."""
  return (inspect.isroutine(value) or inspect.isclass(value)
          or isinstance(value, functools.partial))


class _Uncalled:

  def holds(self, value):
    return is_uncalled(value)

  def text(self, base):
    del base
    return 'a reference without brackets, such as @sgd'


class _Called:
  """What a call made, and no function or class that is still to be called."""

  def holds(self, value):
    return not inspect.isclass(value) and not is_configurable(value)

  def text(self, base):
    return f'{base} that a reference with brackets makes, such as @augmenter()'


Count = Annotated[int, Range(1, 2**31 - 1)]
Whole = Annotated[int, Range(0, 2**31 - 1)]
Seed = Annotated[int, Range(0, 2**32 - 1)]
Positive = Annotated[float, Range(0., excluded=(0.,))]
NonNegative = Annotated[float, Range(0.)]
Fraction = Annotated[float, Range(0., 1.)]
# Shares that leave something, and shares that are something.
Decay = Annotated[float, Range(0., 1., excluded=(1.,))]
Share = Annotated[float, Range(0., 1., excluded=(0.,))]
Path = Annotated[str | os.PathLike, Says('a path in quotes')]
Checkpoint = Annotated[str | Whole,
                       Says("'latest', 'best', 'all' or the number of a step")]
Reference = Annotated[collections.abc.Callable, _Uncalled()]
Made = Annotated[collections.abc.Callable, _Called()]

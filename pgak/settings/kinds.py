"""Types and ranges of settings, as annotations.

Each is a type with conditions, `Annotated[type, condition, ...]`. A condition
has `holds(value)` and `text(base)`, which puts the condition into words.
"""
import collections.abc
import functools
import inspect
import math
import os
import re
import typing
from typing import Annotated

__all__ = ['Checkpoint', 'Count', 'Decay', 'Fraction', 'Has', 'Name',
           'NonNegative', 'NotEmpty', 'Path', 'Positive', 'Range', 'Reference',
           'Says', 'Seed', 'Several', 'Share', 'Whole', 'called',
           'is_configurable', 'is_uncalled', 'mark', 'reference', 'takes']

_MARK = '_pgak_setting'


def mark(function, name):
  """Marks a function as registered under that name."""
  setattr(function, _MARK, name)


def is_configurable(value):
  """Returns whether a value is a function that `mark` has marked."""
  return hasattr(value, _MARK)


def _below(high):
  # 2^31 - 1 reads as "below 2^31", and 1 as itself.
  power = math.log2(high + 1)
  return (f'below 2^{power:g}' if power.is_integer() and power > 16
          else f'of at most {high:g}')


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
  """Another description of a type, for an error about a wrong value."""
  words: str

  def holds(self, value):
    del value
    return True

  def text(self, base):
    del base
    return self.words


class _Name:

  def holds(self, value):
    # What TensorFlow takes as the name of a scope.
    return re.fullmatch(r'[A-Za-z0-9_.][A-Za-z0-9_.-]*', value)

  def text(self, base):
    return f'{base}, of letters, digits and _'


class NotEmpty:
  """A tuple or dictionary with something in it."""

  def holds(self, value):
    return bool(value)

  def text(self, base):
    return f'{base}, and not empty'


class Several:
  """`Several[X]`: a tuple of one X or more."""

  def __class_getitem__(cls, item):
    return Annotated[tuple[item, ...], NotEmpty()]


class Has(typing.NamedTuple):
  """Something with some attributes, such as a data set; `words` names it."""
  names: tuple
  words: str

  def holds(self, value):
    return all(hasattr(value, name) for name in self.names)

  def text(self, base):
    del base
    return self.words


def is_uncalled(value):
  """Returns whether a value is a function or class, such as @sgd."""
  return (inspect.isroutine(value) or inspect.isclass(value)
          or isinstance(value, functools.partial))


class _Uncalled(typing.NamedTuple):
  example: str = '@sgd'

  def holds(self, value):
    return is_uncalled(value)

  def text(self, base):
    del base
    return f'a reference without brackets, such as {self.example}'


class _Called:
  """The result of a call, a function of that many arguments."""

  def __init__(self, number, example):
    self._number, self._example = number, example

  def holds(self, value):
    # A registered function was given without brackets: it is not what it makes.
    return (not inspect.isclass(value) and not is_configurable(value)
            and takes(value, self._number))

  def text(self, base):
    del base
    return f'a reference with brackets, such as {self._example}'


def takes(function, number):
  """Returns whether a function takes that number of positional arguments."""
  try:
    # Bound, not called: whether the arguments fit needs no values.
    inspect.signature(function).bind(*[None] * number)
  except (TypeError, ValueError):
    return False
  return True


def reference(example):
  """Annotation of a function or class that is called later, such as @VAE."""
  return Annotated[collections.abc.Callable, _Uncalled(example)]


def called(example, number):
  """Annotation of a function that a reference with brackets makes.

  Args:
    example: string, such as '@augmenter()'.
    number: how many arguments the function takes.
  """
  return Annotated[collections.abc.Callable, _Called(number, example)]


# Up to int32, in which TensorFlow counts; seeds up to NumPy's uint32.
Count = Annotated[int, Range(1, 2**31 - 1)]
Whole = Annotated[int, Range(0, 2**31 - 1)]
Seed = Annotated[int, Range(0, 2**32 - 1)]
Positive = Annotated[float, Range(0., excluded=(0.,))]
NonNegative = Annotated[float, Range(0.)]
Fraction = Annotated[float, Range(0., 1.)]
# Shares below 1, and shares above 0.
Decay = Annotated[float, Range(0., 1., excluded=(1.,))]
Share = Annotated[float, Range(0., 1., excluded=(0.,))]
Path = Annotated[str | os.PathLike, Says('a path in quotes')]
Checkpoint = Annotated[str | Whole,
                       Says("'latest', 'best', 'all' or the number of a step")]
Reference = reference('@sgd')
# The name of a model or layer in TensorFlow, where / divides names.
Name = Annotated[str, _Name()]

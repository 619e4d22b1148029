"""One value and its annotation: the check, and a description in words."""
import collections.abc
import inspect
import numbers
import types
import typing
from typing import Annotated, Any, Literal

import numpy as np

__all__ = ['Mismatch', 'converted', 'described', 'listed']

# In float32, in which settings are used: 1e39 would be infinite there.
_LARGEST = float(np.finfo(np.float32).max)


class Mismatch(Exception):
  """A value that its annotation does not allow."""


def converted(value, wanted):
  """Returns a value, converted to what is wanted, or raises `Mismatch`."""
  origin, parts = typing.get_origin(wanted), typing.get_args(wanted)
  if wanted in (Any, inspect.Parameter.empty):
    return value
  # Before the classes: `tuple[int, ...]` is none that `isinstance` takes.
  if origin in _CONVERTERS:
    return _CONVERTERS[origin](value, parts)
  if wanted in _CONVERTERS:
    return _CONVERTERS[wanted](value)
  _require(value is None if wanted in (None, types.NoneType) else
           isinstance(value, wanted))
  return value


def _require(condition):
  if not condition:
    raise Mismatch


def _annotated(value, parts):
  value = converted(value, parts[0])
  _require(all(condition.holds(value) for condition in parts[1:]))
  return value


def _one_of_types(value, parts):
  for part in parts:
    try:
      return converted(value, part)
    except Mismatch:
      pass
  raise Mismatch


def _one_of_values(value, parts):
  # By type, too: True equals 1.
  _require(any(type(value) is type(p) and value == p for p in parts))
  return value


def _tuple(value, parts):
  _require(isinstance(value, (tuple, list)))
  if parts[-1] is Ellipsis:
    parts = parts[:1] * len(value)
  _require(len(parts) == len(value))
  # A list is taken as a tuple, as gin and Keras's files may give either.
  return tuple(map(converted, value, parts))


def _dictionary(value, parts):
  _require(isinstance(value, collections.abc.Mapping))
  return {converted(k, parts[0]): converted(v, parts[1])
          for k, v in value.items()}


def _number(value):
  _require(isinstance(value, numbers.Real)
           and not isinstance(value, (bool, np.bool_)))
  _require(abs(value) <= _LARGEST)  # Nor is NaN.
  # A Python number, which JSON can hold.
  return value.item() if isinstance(value, np.generic) else value


def _whole(value):
  value = _number(value)
  # 1e3 is a whole number, as users write it.
  _require(value == int(value))
  return int(value)


def _text_value(value):
  # An empty string is a forgotten value.
  _require(isinstance(value, str) and value.strip())
  return value


def _truth(value):
  _require(isinstance(value, (bool, np.bool_)))
  return bool(value)


_CONVERTERS = {
    Annotated: _annotated, typing.Union: _one_of_types,
    types.UnionType: _one_of_types, Literal: _one_of_values, tuple: _tuple,
    dict: _dictionary, float: _number, int: _whole, str: _text_value,
    bool: _truth,
}


_WORDS = {float: 'a number', int: 'a whole number', str: 'a string in quotes',
          bool: 'True or False', None: 'None', types.NoneType: 'None',
          collections.abc.Callable: 'a function'}


def described(wanted):
  """Describes the allowed values: 'a whole number of at least 1 or None'."""
  origin, parts = typing.get_origin(wanted), typing.get_args(wanted)
  if origin is Annotated:
    text = described(parts[0])
    for condition in parts[1:]:
      text = condition.text(text)
    return text
  if origin in (typing.Union, types.UnionType):
    return listed([described(p) for p in parts], 'or')
  if origin is Literal:
    return listed(map(repr, parts), 'or')
  if origin is tuple:
    return _of_tuple(parts)
  if origin is dict:
    key, value = map(described, parts)
    return f'a dictionary in braces, {key}: {value}'
  return _WORDS.get(wanted) or f'a {wanted.__name__}'


def _of_tuple(parts):
  if parts[-1] is Ellipsis:
    return f'a tuple in brackets, each entry {described(parts[0])}'
  if len(set(parts)) == 1:
    return (f'a tuple in brackets of {len(parts)} entries, each '
            f'{described(parts[0])}')
  return f'a tuple in brackets, ({", ".join(map(described, parts))})'


def listed(texts, word):
  texts = list(texts)
  return f' {word} '.join(filter(None, [', '.join(texts[:-1]), texts[-1]]))

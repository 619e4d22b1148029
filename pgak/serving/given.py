"""What a client's images are given, as the inputs of an export's signatures."""
from collections.abc import Mapping

import numpy as np

from pgak import errors
from pgak.priors import conditions

__all__ = ['number', 'request']

_CONDITIONS = 'condition_shape'


def number(metadata, n, given):
  """Returns how many images are asked for.

  Args:
    metadata: what `metadata.json` holds.
    n: int; or None, or their number, where `given` has a row for each.
    given: as for `request`.

  Raises:
    errors.UserError: if n is another number.
  """
  if given is None:
    return n
  if _CONDITIONS in metadata:
    conditions.require_number(n, len(given), 'conditions')
    return len(given)
  return _learned(metadata).number(n, given)


def request(metadata, given, rows):
  """Returns which signature takes what is given, and the inputs for it.

  Args:
    metadata: what `metadata.json` holds.
    given: uint8 conditions `[B, h, w, k]`, of a model of pairs; labels,
      integers `[B]`; attributes, `[B, A]` or a dictionary, see
      `priors.conditions.Conditions.codes`; or None.
    rows: B, int.

  Returns:
    `(suffix, inputs)`: what follows a signature's name, such as '_class', and
    `{name: NumPy array}`.

  Raises:
    errors.UserError: if the export is given something that it does not take, or
      nothing where it takes something.
  """
  if _CONDITIONS in metadata:
    return '', {'conditions': _pictures(metadata, given)}
  if given is None:
    return '', {}
  learned = _learned(metadata)
  name = _named(given)
  if not getattr(learned, {'labels': 'classes'}.get(name, name)):
    raise errors.UserError(
        f'This export takes no {name}: export the run with '
        f'--prior=flow_matching, of data with {name}.')
  codes = [np.asarray(x, np.int32) for x in learned.read(given, rows)]
  if name == 'labels':
    return '_class', {'label': codes[0]}
  if np.any(codes[0] < len(learned.classes)):
    raise errors.UserError('An export takes labels or attributes, not both: '
                           'leave out one of them.')
  return '_attributes', {'attributes': codes[1]}


def _learned(metadata):
  # Version 0.4 states neither.
  labels = [int(label) for label in metadata.get('labels', ())]
  return conditions.Conditions(
      tuple(labels), tuple(metadata.get('attributes', ())))


def _named(given):
  """Returns what is given, 'labels' or 'attributes'."""
  if isinstance(given, Mapping):
    return 'labels' if list(given) == ['label'] else 'attributes'
  # One label is for all draws.
  return 'labels' if np.ndim(given) < 2 else 'attributes'


def _pictures(metadata, given):
  shape = ', '.join(map(str, metadata[_CONDITIONS]))
  if given is None:
    raise errors.UserError(
        'This export makes images given conditions, and here are none: give '
        f'them, uint8 [B, {shape}].')
  found = np.asarray(given)
  if found.dtype != np.uint8:
    raise errors.UserError(f'Conditions are uint8 [B, {shape}], and these are '
                           f'{found.dtype}: give them as grey levels.')
  return found

"""What a command's samples are to have: a label, and attributes by name."""
import numpy as np

from pgak import errors

__all__ = ['attributes_of', 'given']


def given(number, label=None, attributes=None):
  """Returns what a prior that can `condition` takes, or None.

  Args:
    number: int n, how many samples there are.
    label: int, or None.
    attributes: text as for `attributes_of`, or None.

  Returns:
    Integers `[n]`, or, with attributes, a dictionary.
  """
  if attributes is not None:
    found = attributes_of(attributes)
    return found if label is None else {'label': label, **found}
  return None if label is None else np.full([number], label)


def attributes_of(text):
  """Reads attributes and their values, such as `Smiling,Male=0`.

  Args:
    text: names, separated by commas; `=0` behind one stands for its absence,
      `=1` or nothing for its presence.

  Returns:
    `{name: 0 or 1}`.

  Raises:
    errors.UserError: if it is not of this form.
  """
  found = {}
  for part in text.split(','):
    name, _, value = (x.strip() for x in part.partition('='))
    if not name or name in found or value not in ('', '0', '1') or (
        '=' in part and not value):
      raise errors.UserError(
          f'--attributes={text} is no list of different attributes: write '
          'names and commas, with =0 behind what is to be absent, such as '
          'Smiling,Male=0.')
    found[name] = int(value or 1)
  return found

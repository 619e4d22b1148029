"""TensorFlow Serving's row format of JSON, as far as a signature needs it.

The rules of its REST API: `instances` is a list of rows, each a dictionary of
all inputs or, where there is one, its value alone; all rows have the same
shapes; bytes are `{"b64": ...}`; an integer is written without a point.
"""
import base64
import json

import numpy as np

__all__ = ['inputs', 'predictions', 'request']


def request(arrays):
  """Returns the JSON text of a request's `instances`, a row for each."""
  number = len(next(iter(arrays.values())))
  rows = [{name: _written(array[i]) for name, array in arrays.items()}
          for i in range(number)]
  if len(arrays) == 1:
    rows = [next(iter(row.values())) for row in rows]
  return json.dumps({'instances': rows})


def inputs(text, described):
  """Returns `{name: array}` of a request's text.

  Args:
    text: JSON.
    described: the `inputs` of a signature in `metadata.json`.

  Raises:
    ValueError: if the server would refuse it.
  """
  rows = json.loads(text)['instances']
  if not isinstance(rows, list) or not rows:
    raise ValueError('`instances` must be a list of rows.')
  read = [row if _names(row) else {'': row} for row in rows]
  if len(described) == 1:
    name, = described
    read = [{name: row['']} if '' in row else row for row in read]
  if any(row.keys() != described.keys() for row in read):
    raise ValueError('Each row must name all inputs.')
  return {name: np.stack([_read(row[name], spec) for row in read])
          for name, spec in described.items()}


def predictions(outputs):
  """Returns the JSON text of an answer: one output is not named."""
  number = len(next(iter(outputs.values())))
  rows = [{name: _written(array[i]) for name, array in outputs.items()}
          for i in range(number)]
  if len(outputs) == 1:
    rows = [next(iter(row.values())) for row in rows]
  return json.dumps({'predictions': rows})


def _names(row):
  return isinstance(row, dict) and row.keys() != {'b64'}


def _written(value):
  if isinstance(value, bytes):
    return {'b64': base64.b64encode(value).decode()}
  return value.tolist() if hasattr(value, 'tolist') else value


def _read(value, spec):
  if spec['dtype'] == 'string':
    return np.array(base64.b64decode(value['b64']), object)
  array = np.asarray(value)
  if np.dtype(spec['dtype']).kind in 'iu' and array.dtype.kind not in 'iu':
    raise ValueError('An integer is a whole number.')
  return array.astype(spec['dtype'])

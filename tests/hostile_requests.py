"""Sends an export what no client should; a script that knows nothing of pgak.

    python -P hostile_requests.py EXPORT [MEGABYTES]

It prints a line of JSON: `{'signature: what is wrong': [outcome, megabytes]}`,
where an outcome is 'answer' or the error's class and text, and the megabytes
are how far the request raised the process's peak of memory. MEGABYTES more than
what it has once it is loaded are all that it may take: a server in a container.
"""
import json
import pathlib
import resource
import struct
import sys
import zlib

import numpy as np
import tensorflow as tf

__all__ = ['requests']

NOT_FINITE = {'NaN': np.nan, 'infinity': np.inf, '-infinity': -np.inf}


def png(height, width):
  """Returns the bytes of a black PNG, few even of a large one."""
  def chunk(name, data):
    return (struct.pack('>I', len(data)) + name + data
            + struct.pack('>I', zlib.crc32(name + data)))
  rows = zlib.compress(b'\0' * (height * (width + 1)), 9)
  head = struct.pack('>IIBBBBB', width, height, 8, 0, 0, 0, 0)
  return (b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', head) + chunk(b'IDAT', rows)
          + chunk(b'IEND', b''))


def good(name, spec, number=2):
  """Returns an input that is taken, of so many rows."""
  if name == 'image_bytes':
    return np.array([png(8, 8)] * number, object)
  return np.zeros([number, *spec['shape'][1:]], spec['dtype'])


def requests(inputs, most=1024):
  """Yields `(what is wrong, {name: array})` for a signature's inputs.

  Args:
    inputs: the `inputs` of a signature in `metadata.json`.
    most: int, its bound of rows.
  """
  taken = {name: good(name, spec) for name, spec in inputs.items()}
  yield 'nothing', taken
  yield 'no input', {}
  for size in (0, 1, most, most + 1, 200000):
    # Of what is small, very many.
    if size <= most + 1 or {'latents', 'base', 'seed'} & set(inputs):
      yield f'{size} rows', {
          name: good(name, spec, size) for name, spec in inputs.items()}
  for name, spec in inputs.items():
    rest = {n: a for n, a in taken.items() if n != name}
    yield f'no {name}', rest
    yield 'one more', taken | {'count': np.array(2, np.int32)}
    if len(inputs) > 1:
      yield f'{name} of 1 row', rest | {name: good(name, spec, 1)}
    for wrong, array in _wrong(name, spec):
      yield f'{name} {wrong}', rest | {name: array}


def _wrong(name, spec):
  """Yields `(what is wrong, array)` for one input."""
  if name == 'image_bytes':
    yield from _wrong_files()
    return
  array = good(name, spec)
  yield 'of less rank', array[0]
  yield 'of more rank', array[np.newaxis]
  yield 'scalar', array.reshape(-1)[0]
  if array.ndim > 1:
    yield 'short', array[:, 1:]
    yield 'wide', np.concatenate([array, array], -1)
    yield 'of no width', array[..., :0]
  for dtype in {'float64', 'int64', 'str'} - {spec['dtype']}:
    yield dtype, array.astype(dtype)
  yield from _wrong_values(name, array)


def _wrong_values(name, array):
  values = {}
  if array.dtype.kind == 'f':
    values = NOT_FINITE | {'greatest': np.finfo(np.float32).max}
  if name in ('label', 'weight'):
    values |= {'below': -1, 'above': 1000}
  if name == 'seed':
    values = {str(v): v for v in (-1, 1, 1 << 40, -2**63, 2**63 - 1)}
  for wrong, value in values.items():
    changed = array.copy()
    changed.reshape(-1)[-1] = value
    yield wrong, changed


def _wrong_files():
  whole = png(8, 8)
  for wrong, data in {'empty': b'', 'junk': b'\0' * 99, 'half': whole[:40],
                      'vast': png(5793, 5793), 'long': png(1, 1 << 25),
                      'large': png(5792, 5792)}.items():
    yield wrong, np.array([data], object)
  yield '8 large', np.array([png(5792, 5792)] * 8, object)
  yield 'scalar', np.array(whole, object)
  yield 'of rank 2', np.array([[whole]], object)
  yield 'float64', np.zeros([2])


def peak():
  """Returns the process's peak of memory in megabytes."""
  return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.


def _outcome(function, arrays):
  try:
    function(**{name: tf.constant(a) for name, a in arrays.items()})
  except Exception as error:
    return f'{type(error).__name__}: {error}'
  return 'answer'


def _limit(megabytes):
  memory = pathlib.Path('/proc/self/statm').read_text(encoding='utf-8')
  used = int(memory.split()[0])
  most = used * resource.getpagesize() + (int(megabytes) << 20)
  resource.setrlimit(resource.RLIMIT_AS, (most, most))


def main(folder, megabytes=None, only=''):
  metadata = json.loads((pathlib.Path(folder) / 'metadata.json').read_text())
  loaded = tf.saved_model.load(folder)
  if megabytes:
    _limit(megabytes)
  found = {}
  for signature, described in metadata['signatures'].items():
    most = described['bounds']['batch'][1]
    for wrong, arrays in requests(described['inputs'], most):
      if only not in f'{signature}: {wrong}':
        continue
      before = peak()
      outcome = _outcome(loaded.signatures[signature], arrays)
      found[f'{signature}: {wrong}'] = outcome, round(peak() - before)
  print(json.dumps(found))


if __name__ == '__main__':
  main(*sys.argv[1:])

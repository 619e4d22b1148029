r"""Times an export's signatures by batch size, with TensorFlow alone.

  python benchmarks/serving.py runs/quickstart/export
  python benchmarks/serving.py exports/digits --batches=1,8,64 --seconds=5

It prints a table in Markdown: of a call the median and the 95th percentile, in
milliseconds, and rows a second. It is one client's view, without a server: the
network and JSON come on top. Close what else runs.
"""
import argparse
import pathlib
import platform
import time

import numpy as np
import tensorflow as tf

__all__ = ['SIGNATURES', 'format_table', 'inputs', 'load', 'measure']

SIGNATURES = ('generate', 'decode', 'encode', 'reconstruct', 'generate_png')
BATCHES = (1, 8, 64, 512)
# The first calls of a shape compile kernels and fill caches.
_WARM_UP = 3


def load(path):
  """Returns an export, of a version's folder or the one that holds versions."""
  path = pathlib.Path(path)
  if not (path / 'saved_model.pb').exists():
    numbers = [int(p.name) for p in path.iterdir() if p.name.isdecimal()]
    path = path / str(max(numbers))
  return tf.saved_model.load(str(path))


def inputs(signature, batch):
  """Returns a request of a batch, `{name: tensor}`, or None where it has none.

  Args:
    signature: one of a loaded SavedModel's.
    batch: int, rows.
  """
  specs = signature.structured_input_signature[1]
  random = np.random.default_rng(0)
  made = {}
  for name, spec in specs.items():
    if not spec.shape.rank or spec.dtype == tf.string:
      return None
    shape = [batch, *spec.shape[1:]]
    made[name] = tf.cast(
        random.integers(0, 256, shape) if spec.dtype.is_integer
        # Along a line between two images.
        else random.random(shape) if name == 'weight'
        else random.normal(size=shape), spec.dtype)
  return made


def measure(signature, request, seconds):
  """Returns the times of calls, in seconds, an array.

  Args:
    signature: function of named tensors.
    request: `{name: tensor}`.
    seconds: float, how long calls are made; at least one is.
  """
  for _ in range(_WARM_UP):
    signature(**request)
  times, end = [], time.perf_counter() + seconds
  while not times or time.perf_counter() < end:
    start = time.perf_counter()
    for output in signature(**request).values():
      output.numpy()
    times.append(time.perf_counter() - start)
  return np.array(times)


def format_table(rows):
  """Returns a Markdown table of `(signature, batch, times)`."""
  lines = ['| signature | batch | median ms | 95 % ms | rows a second |',
           '|---|---|---|---|---|']
  for name, batch, times in rows:
    median, late = np.quantile(times, [0.5, 0.95])
    lines += [f'| `{name}` | {batch:,} | {1e3 * median:.2f} | '
              f'{1e3 * late:.2f} | {batch / median:,.0f} |']
  return '\n'.join(lines)


def main(arguments=None):
  """Parses the arguments and prints the table."""
  parser = argparse.ArgumentParser(
      description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
  parser.add_argument('export')
  parser.add_argument('--batches', default=','.join(map(str, BATCHES)))
  parser.add_argument('--seconds', type=float, default=3.)
  args = parser.parse_args(arguments)
  loaded = load(args.export)
  rows = []
  for name in SIGNATURES:
    for batch in map(int, args.batches.split(',')):
      signature = loaded.signatures.get(name)
      request = signature and inputs(signature, batch)
      if request:
        rows.append((name, batch, measure(signature, request, args.seconds)))
  device = (tf.config.list_physical_devices('GPU') or ['CPU'])[0]
  print(f'TensorFlow {tf.__version__}, {platform.machine()}, '
        f'{getattr(device, "name", device)}.\n')
  print(format_table(rows))


if __name__ == '__main__':
  main()

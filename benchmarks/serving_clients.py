r"""Asks an export from many threads at once, and checks every answer.

  python benchmarks/serving_clients.py runs/quickstart/export
  python benchmarks/serving_clients.py exports/digits --clients=16 --seconds=120

Each client sends requests of random rows and sizes to a random signature until
the time is over. A row's answer depends on that row alone, so it is compared
with the answer to the same row in one request of all rows: images may differ by
a grey level, floats by 1e-4. One request in ten has a row that is refused, and
must be. It prints the requests of each signature and the resident memory over
time, and ends with status 1 if an answer differed.

As a server, TensorFlow runs the signatures of one loaded export from all
threads. Network and batching are not in it.
"""
import argparse
import collections
import sys
import threading
import time

import numpy as np
import serving
import tensorflow as tf

__all__ = ['Asked', 'resident_mebibytes']

_ROWS = 64
_LARGEST = 16
_TOLERANCE = 1e-4


def resident_mebibytes():
  """Returns the resident memory of this process, in MiB, where Linux says it.
  """
  try:
    with open('/proc/self/status', encoding='ascii') as file:
      kibibytes = next(line for line in file if line.startswith('VmRSS'))
  except OSError:
    return float('nan')
  return int(kibibytes.split()[1]) / 1024


class Asked:
  """A loaded export, the answers that it should give, and those it gave.

  Args:
    loaded: a SavedModel.

  Attributes:
    counts: requests by signature, those with a bad row as `refused`.
    faults: sentences, one for each wrong answer.
  """

  def __init__(self, loaded):
    self.counts = collections.Counter()
    self.faults = []
    self._known = {}
    for name, signature in loaded.signatures.items():
      request = serving.inputs(signature, _ROWS)
      # Only what takes rows of numbers and gives rows of numbers.
      if request and not any(spec.dtype == tf.string for spec
                             in signature.structured_outputs.values()):
        try:
          answer = _numpy(signature(**request))
        except tf.errors.InvalidArgumentError:
          print(f'{name} is left out: it refuses rows that are made up.')
          continue
        self._known[name] = (signature, request, answer)
    self._lock = threading.Lock()

  def ask(self, random):
    """Sends one request and checks its answer.

    Args:
      random: `np.random.Generator`, of one thread.
    """
    name = random.choice(list(self._known))
    signature, request, expected = self._known[name]
    rows = random.integers(0, _ROWS, random.integers(1, _LARGEST + 1))
    part = {key: tf.gather(x, rows) for key, x in request.items()}
    bad = self._spoiled(part) if random.random() < 0.1 else None
    if bad is not None:
      self._note('refused', _is_refused(signature, bad), name,
                 'was not refused')
      return
    answer = _numpy(signature(**part))
    self._note(name, all(_same(answer[key], expected[key][rows])
                         for key in expected), name, f'differs: rows {rows}')

  def _spoiled(self, part):
    """Returns a request with a last row of NaN; None where all are integers."""
    floats = {key: x for key, x in part.items() if x.dtype.is_floating}
    return part | {
        key: tf.concat([x[:-1], tf.fill(tf.shape(x[:1]), np.nan)], 0)
        for key, x in floats.items()} if floats else None

  def _note(self, count, is_right, name, fault):
    with self._lock:
      self.counts[count] += 1
      if not is_right:
        self.faults.append(f'{name} {fault}')


def _numpy(outputs):
  return {key: x.numpy() for key, x in outputs.items()}


def _is_refused(signature, request):
  try:
    signature(**request)
  except tf.errors.InvalidArgumentError:
    return True
  return False


def _same(found, expected):
  tolerance = 1 if found.dtype == np.uint8 else (
      _TOLERANCE * (1. + np.abs(expected)))
  return np.all(np.abs(found.astype(np.float64) - expected) <= tolerance)


def _client(asked, seed, end):
  random = np.random.default_rng(seed)
  while time.monotonic() < end:
    asked.ask(random)


def main(arguments=None):
  """Parses the arguments, asks, and returns the exit status."""
  parser = argparse.ArgumentParser(
      description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
  parser.add_argument('export')
  parser.add_argument('--clients', type=int, default=16)
  parser.add_argument('--seconds', type=float, default=120.)
  args = parser.parse_args(arguments)
  asked = Asked(serving.load(args.export))
  end = time.monotonic() + args.seconds
  clients = [threading.Thread(target=_client, args=(asked, seed, end))
             for seed in range(args.clients)]
  for client in clients:
    client.start()
  while alive := [client for client in clients if client.is_alive()]:
    print(f'{max(end - time.monotonic(), 0.):5.0f} s left  '
          f'{sum(asked.counts.values()):,} requests  '
          f'{resident_mebibytes():,.0f} MiB resident', flush=True)
    alive[0].join(args.seconds / 12)
  for name, count in sorted(asked.counts.items()):
    print(f'{name}: {count:,}')
  for fault in asked.faults[:20]:
    print(fault)
  print(f'{len(asked.faults)} answers were wrong.')
  return 1 if asked.faults else 0


if __name__ == '__main__':
  sys.exit(main())

"""Times pgak's compiled functions on a host that has JAX and no TensorFlow.

What it runs was written by `gpu.py --save`: the same program, compiled by XLA
for JAX's device. Each is first compared with TensorFlow's results on a CPU.

  python benchmarks/gpu_jax.py programs/ --output=gpu.json
"""
import argparse
import json
import pathlib
import platform
import statistics
import time

import jax
import jax.numpy as jnp
import numpy as np
import stablehlo

__all__ = []

NOT_RUN = ['the step without XLA: JAX has no other way',
           'several GPUs: a stored step is for one device',
           'the export and its verification: they need TensorFlow']


def _seconds(call, calls):
  """The median of calls until their results arrive, without the first two."""
  seconds = []
  for i in range(calls + 2):
    start = time.perf_counter()
    # JAX returns before the device is done.
    jax.block_until_ready(call())
    if i > 1:
      seconds.append(time.perf_counter() - start)
  return statistics.median(seconds)


def _ceilings():
  """The device's matrix rates and its memory's bandwidth, measured here."""
  # Large enough to keep all cores of a GPU busy; a CPU would take minutes.
  n = 8192 if jax.devices()[0].platform == 'gpu' else 1024
  rates = {}
  for name, dtype, precision in (('float32', jnp.float32, 'highest'),
                                 ('tf32', jnp.float32, 'default'),
                                 ('bfloat16', jnp.bfloat16, 'default')):
    a = jax.random.normal(jax.random.key(0), (n, n), dtype)
    product = jax.jit(lambda a, p=precision: jnp.matmul(a, a, precision=p))
    # 2 n^3 operations of a product of n x n matrices.
    rates[f'{name}_tflops'] = 2e-12 * n**3 / _seconds(lambda: product(a), 5)
  a = jnp.ones((n, n * 8), jnp.float32)
  copy = jax.jit(lambda a: a + 1.)
  # Read once and written once.
  rates['gigabytes_per_second'] = 2e-9 * a.nbytes / _seconds(
      lambda: copy(a), 5)
  return rates


def _largest(a, b):
  return float(np.max(np.abs(np.asarray(a, np.float64) - b)))


class _Bench:
  """The functions of a folder, timed one after another."""

  def __init__(self, folder):
    self.folder = pathlib.Path(folder)
    self.about = json.loads((self.folder / 'about.json').read_text())
    self.values = dict(np.load(self.folder / 'values.npz'))

  def program(self, name, values=None):
    return stablehlo.Program(self.folder, name, values or self.values)

  def train(self, precision):
    """Times the train step, and compares a resumed run with a whole one."""
    images, name = self.values['images'], f'train_{precision}'
    calls = self.about['calls']
    start = time.perf_counter()
    program = self.program(name)
    compiled = time.perf_counter() - start
    first = np.asarray(program(images[0])[0])
    half = program.state
    second = np.asarray(program(images[1])[0])
    whole = program.state
    # A new program from the state after one call, as after a restart.
    resumed = self.program(name, half)
    resumed(images[1])
    again = resumed.state
    seconds = _seconds(lambda: program(images[0]), calls) / self.about['chunk']
    return {
        'precision': precision, 'xla': True, 'seconds_to_compile': compiled,
        'steps_per_second': 1. / seconds,
        'images_per_second': self.about['batch_size'] / seconds,
        'terms': dict(zip(self.about['names'], map(float, first))),
        'terms_by_tensorflow_on_a_cpu': dict(zip(
            self.about['names'], self.about['terms'][precision])),
        'terms_after_the_second_call': [float(t) for t in second],
        'resumed_largest_difference': max(
            _largest(whole[key], again[key]) for key in whole)}

  def decode(self, precision, size):
    latents = self.values[f'latents_{size}']
    program = self.program(f'decode_{precision}_{size}')
    row = _row(size, _seconds(lambda: program(latents), self.about['calls']))
    row['precision'] = precision
    # The images that were stored are of eight latents.
    if size == 8:
      row['grey_levels_off'] = _largest(
          program(latents)[0], self.values[f'decoded_{precision}'])
    return row

  def features(self):
    images = self.values['feature_images']
    program = self.program('features')
    found, expected = np.asarray(program(images)[0]), self.values['features']
    row = _row(len(images), _seconds(
        lambda: program(images), self.about['calls']))
    # Of norms: single features are near 0.
    row['relative_difference'] = float(
        np.linalg.norm(found - expected) / np.linalg.norm(expected))
    return row


def _row(size, seconds):
  return {'batch_size': size, 'milliseconds': 1e3 * seconds,
          'images_per_second': size / seconds}


def main():
  """Runs all functions of a folder and writes what was found."""
  parser = argparse.ArgumentParser(description=__doc__)
  parser.add_argument('folder')
  parser.add_argument('--output', required=True)
  args = parser.parse_args()
  bench = _Bench(args.folder)
  device = jax.devices()[0]
  result = {key: bench.about[key] for key in (
      'pgak', 'tensorflow', 'factor', 'batch_size', 'chunk', 'images')}
  result.update(way='StableHLO by JAX', devices=[device.device_kind],
                jax=jax.__version__, system=platform.platform(),
                not_run=list(NOT_RUN), ceilings=_ceilings())
  output = pathlib.Path(args.output)

  def keep(key, row):
    # Written after each, so that an interrupted run keeps what it measured.
    result.setdefault(key, []).append(row)
    print(key, json.dumps(row), flush=True)
    output.write_text(json.dumps(result, indent=2), encoding='utf-8')

  for precision in ('float32', 'mixed_bfloat16'):
    keep('train', bench.train(precision))
    for size in bench.about['batch_sizes']:
      keep('sampled', bench.decode(precision, size))
  if 'features' in bench.values:
    keep('features', bench.features())
  else:
    result['not_run'].append('features: saved without --inception')
    output.write_text(json.dumps(result, indent=2), encoding='utf-8')


if __name__ == '__main__':
  main()

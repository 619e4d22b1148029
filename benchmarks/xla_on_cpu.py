"""Times train steps with and without XLA on this machine, in turn.

  python benchmarks/xla_on_cpu.py recipes/best_cifar10.gin:128 \
    papers/pga_icml2020/lpga_cifar10.gin:8

Each argument is a gin file, or several joined by +, and a batch size. The
images are random, and the times medians of five steps; a step is one call of
the compiled `train_step`. By default a run chooses as the last column says
(`pgak.training.compilation`).
"""
import statistics
import time

import cases
import gin
import tensorflow as tf

from pgak import registry
from pgak.runs import checkpoints
from pgak.runs import configuration
from pgak.training import compilation

__all__ = []


def _milliseconds(model, batch_size, jit_compile):
  images = tf.random.uniform([batch_size, *model.image_shape], -1., 1.)
  step = tf.function(model.train_step, jit_compile=jit_compile)
  found = []
  for _ in range(7):
    start = time.perf_counter()
    step(images)['loss'].numpy()
    found.append(1e3 * (time.perf_counter() - start))
  # Tracing and compiling, and what is done once.
  return statistics.median(found[2:])


def main():
  """Prints a row of a table for each 'FILE:BATCH'."""
  parser = cases.parser(__doc__)
  parser.add_argument('cases', nargs='+', type=cases.case, metavar='FILE:BATCH')
  given = parser.parse_args().cases
  registry.register()
  print('| file | batch | plain, ms | XLA, ms | XLA / plain | default |')
  print('|---|---|---|---|---|---|')
  for file, batch_size in given:
    times = []
    for jit_compile in (False, True):
      configuration.parse(file.split('+'))
      model = checkpoints.build(**checkpoints.build_settings())
      times.append(_milliseconds(model, batch_size, jit_compile))
      gin.clear_config()
    plain, xla = times
    default = 'XLA' if compilation.pays(model) else 'plain'
    print(f'| {file} | {batch_size} | {plain:.1f} | {xla:.1f} | '
          f'{xla / plain:.2f} | {default} |', flush=True)


if __name__ == '__main__':
  cases.run(main)

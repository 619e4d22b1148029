"""Times train steps against the least time that this machine could take.

  python benchmarks/step_bound.py recipes/best_mnist.gin:128

Each argument is a gin file, or several joined by +, and a batch size. The
bound is

  floating-point operations / rate of a product of matrices
    + bytes of the update / bandwidth of a copy

TensorFlow counts the operations of the step's graph, and multiplies the
matrices. The update reads and writes each weight and each variable of its
optimizers once, and reads a gradient. Rate and bandwidth are measured before
each step that is timed, and the share is of medians: of a step as a run takes
it by default, with XLA or without. A share above 1 says that the compiler left
out operations that the graph has.
"""
import statistics
import time

import cases
import gin
import in_turn
import ratios
import tensorflow as tf

from pgak import registry
from pgak.runs import checkpoints
from pgak.runs import configuration
from pgak.training import compilation

__all__ = ['bound', 'update_bytes']

_ROUNDS = 12
_WARM = 2  # Rounds that are not counted: tracing, and caches.


def update_bytes(weights, optimizer_variables):
  """Returns the bytes that an update of float32 weights moves.

  Args:
    weights: int, how many numbers are trained.
    optimizer_variables: int, how many its optimizers keep, averages included.
  """
  return 4 * (2 * (weights + optimizer_variables) + weights)


def bound(operations, moved, machine):
  """Returns the least seconds of a step.

  Args:
    operations: floating-point operations of the step.
    moved: bytes, as `update_bytes` counts them.
    machine: dictionary with 'gflops' and 'gigabytes' a second.
  """
  return 1e-9 * (operations / machine['gflops'] + moved / machine['gigabytes'])


def _machine(size=2048):
  """Returns what the machine does now, multiplying as the step does."""
  a = tf.ones([size, size])
  begun = time.perf_counter()
  tf.matmul(a, a)[0, 0].numpy()
  seconds = time.perf_counter() - begun
  return {'gflops': 2e-9 * size**3 / seconds,
          'gigabytes': in_turn.copied_gigabytes()}


def _measured(model, batch_size):
  images = tf.random.uniform([batch_size, *model.image_shape], -1., 1.)
  compiled = compilation.pays(model)
  step = tf.function(model.train_step, jit_compile=compiled)
  taken, machines = [], []
  for _ in range(_ROUNDS):
    machines.append(_machine())
    start = time.perf_counter()
    step(images)['loss'].numpy()
    taken.append(time.perf_counter() - start)
  machine = {key: statistics.median(m[key] for m in machines[_WARM:])
             for key in machines[0]}
  return statistics.median(taken[_WARM:]), machine, compiled


def _sizes(model):
  weights = sum(v.value.shape.num_elements() for v in model.trainable_variables)
  kept = sum(v.value.shape.num_elements()
             for optimizer in model.optimizers.values()
             for v in optimizer.variables)
  return weights, kept


def main():
  """Prints a row of a table for each 'FILE:BATCH'."""
  parser = cases.parser(__doc__)
  parser.add_argument('cases', nargs='+', type=cases.case, metavar='FILE:BATCH')
  given = parser.parse_args().cases
  registry.register()
  print('| file | batch | GFLOP | update, MB | matmul GFLOP/s | copy GB/s | '
        'bound, ms | step, ms | bound / step |')
  print('|' + '---|' * 9)
  for file, batch_size in given:
    configuration.parse(file.split('+'))
    model = checkpoints.build(**checkpoints.build_settings())
    gin.clear_config()
    seconds, machine, compiled = _measured(model, batch_size)
    operations = ratios.operations(
        model.train_step, (batch_size, *model.image_shape))
    moved = update_bytes(*_sizes(model))
    least = bound(operations, moved, machine)
    print(f'| {file}{" (XLA)" if compiled else ""} | {batch_size} | '
          f'{1e-9 * operations:.1f} | {1e-6 * moved:.0f} | '
          f'{machine["gflops"]:.0f} | {machine["gigabytes"]:.1f} | '
          f'{1e3 * least:.1f} | {1e3 * seconds:.1f} | {least / seconds:.2f} |',
          flush=True)


if __name__ == '__main__':
  cases.run(main)

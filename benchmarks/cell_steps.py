"""Times a train step of each cell of a sweep, for cells of equal time.

  python benchmarks/cell_steps.py ten_minutes.sweep --core_seconds=600

It prints a row for each cell: the CPU time of a step, all cores together, as a
run takes it by default, with XLA or without; and how many such steps the
core-seconds hold. The step is that of the first stage, on random images.
"""
import statistics
import time

import cases
import gin
import tensorflow as tf

from pgak import registry
from pgak.runs import checkpoints
from pgak.runs import configuration
from pgak.sweeping import plan
from pgak.training import compilation

__all__ = ['core_milliseconds', 'steps_within']

_WARM = 5     # Steps that are not counted: tracing, and caches.
_GROUPS = 5   # The median of so many means,
_STEPS = 20   # each of so many steps.


def core_milliseconds(model, batch_size):
  """Returns the CPU time of a train step, and whether XLA compiled it.

  Args:
    model: a built `GenerativeModel`.
    batch_size: int, images of the step.
  """
  images = tf.random.uniform([batch_size, *model.image_shape], -1., 1.)
  compiled = compilation.pays(model)
  step = tf.function(model.train_step, jit_compile=compiled)
  groups = []
  for steps in (_WARM, *[_STEPS] * _GROUPS):
    begun = time.process_time()
    for _ in range(steps):
      step(images)['loss'].numpy()
    groups.append(1e3 * (time.process_time() - begun) / steps)
  return statistics.median(groups[1:]), compiled


def steps_within(core_seconds, milliseconds):
  """Returns how many steps fit, rounded down to hundreds if there are as many.
  """
  steps = int(1e3 * core_seconds / milliseconds)
  return steps // 100 * 100 or steps


def main():
  """Prints a row of a table for each cell."""
  parser = cases.parser(__doc__)
  parser.add_argument('sweep')
  parser.add_argument('--core_seconds', type=float, default=600.)
  flags = parser.parse_args()
  registry.register()
  jobs = plan.read(flags.sweep).jobs
  print(f'| cell | CPU time of a step, ms | steps in {flags.core_seconds:g} '
        'core-seconds |\n|---|---|---|')
  for job in (j for j in jobs if j.seed == jobs[0].seed):
    configuration.parse(job.gin_files, job.bindings)
    model = checkpoints.build(**checkpoints.build_settings())
    batch_size = configuration.setting('train.batch_size', 64)
    gin.clear_config()
    milliseconds, compiled = core_milliseconds(model, batch_size)
    print(f'| {job.cell}{" (XLA)" if compiled else ""} | {milliseconds:.1f} | '
          f'{steps_within(flags.core_seconds, milliseconds)} |', flush=True)


if __name__ == '__main__':
  cases.run(main)

"""Counts the operations that the training of a sweep takes, without training.

  python benchmarks/sweep_cost.py papers/pga_icml2020/table1_mnist.sweep

It prints a row for each cell: floating-point operations of a train step, of
the first stage, as TensorFlow counts them in the step's graph; the steps of a
run; and the two times the seeds. Polishing and scores are not counted. Divided
by the rate of a machine, which step_bound.py measures, it is the least time.
"""
import cases
import gin
import ratios

from pgak import registry
from pgak.runs import checkpoints
from pgak.runs import configuration
from pgak.sweeping import plan

__all__ = ['cost']


def cost(job):
  """Returns the operations of a step of a sweep's job, and its steps."""
  configuration.parse(job.gin_files, job.bindings)
  settings = checkpoints.build_settings()
  model = checkpoints.build(**settings)
  batch_size = configuration.setting('train.batch_size', 64)
  gin.clear_config()
  operations = ratios.operations(
      model.train_step, (batch_size, *model.image_shape))
  return operations, settings['steps']


def main():
  """Prints a row of a table for each cell, and one for all."""
  parser = cases.parser(__doc__)
  parser.add_argument('sweep')
  flags = parser.parse_args()
  registry.register()
  jobs = plan.read(flags.sweep).jobs
  seeds = len({job.seed for job in jobs})
  print(f'| cell | GFLOP of a step | steps | TFLOP of {seeds} seed'
        f'{"s" * (seeds > 1)} |\n|---|---|---|---|')
  total = 0.
  for job in (j for j in jobs if j.seed == jobs[0].seed):
    operations, steps = cost(job)
    total += seeds * operations * steps
    print(f'| {job.cell} | {1e-9 * operations:.3g} | {steps} | '
          f'{1e-12 * seeds * operations * steps:.4g} |', flush=True)
  print(f'| all | | | {1e-12 * total:.4g} |')


if __name__ == '__main__':
  cases.run(main)

"""Times what a train command does before its second step.

  python benchmarks/start_up.py quickstart.gin:64 recipes/best_mnist.gin:128

Each argument is a gin file, or several joined by +, and a batch size. Every
repeat is a new process, and the seconds are medians: of importing TensorFlow;
of importing pgak, whose modules register their settings with gin; of reading
the gin files, and making the nets, the model and its optimizers; of tracing
the step; of the first step, which XLA compiles where it pays; and of a later
step. The images are random: what a data set takes is not in it.
"""
import argparse
import json
import statistics
import subprocess
import sys
import time

import cases

__all__ = ['PHASES']

PHASES = ('TensorFlow', 'pgak', 'model', 'trace', 'first', 'later')


def _phases(file, batch_size):
  """Returns the seconds of each phase, measured in this process."""
  marks = [time.perf_counter()]

  def mark():
    marks.append(time.perf_counter())

  import tensorflow as tf
  mark()
  from pgak import registry
  from pgak.runs import checkpoints
  from pgak.runs import configuration
  from pgak.training import compilation
  registry.register()
  mark()
  configuration.parse(file.split('+'))
  model = checkpoints.build(**checkpoints.build_settings())
  mark()
  step = tf.function(model.train_step, jit_compile=compilation.pays(model))
  images = tf.random.uniform([batch_size, *model.image_shape], -1., 1.)
  step = step.get_concrete_function(images)
  mark()
  for _ in range(2):
    step(images)['loss'].numpy()
    mark()
  return dict(zip(PHASES, (b - a for a, b in zip(marks, marks[1:]))))


def _measured(file, batch_size):
  """Returns the phases of a new process."""
  done = subprocess.run(
      [sys.executable, __file__, '--one', f'{file}:{batch_size}'],
      stdout=subprocess.PIPE, text=True, check=False)
  if done.returncode:
    sys.exit(done.returncode)  # It has said why.
  return json.loads(done.stdout.splitlines()[-1])


def main():
  """Prints a row of a table for each 'FILE:BATCH'."""
  parser = cases.parser(__doc__)
  parser.add_argument('cases', nargs='+', type=cases.case, metavar='FILE:BATCH')
  parser.add_argument('--repeats', type=int, default=3)
  parser.add_argument('--one', action='store_true', help=argparse.SUPPRESS)
  args = parser.parse_args()
  if args.one:
    print(json.dumps(_phases(*args.cases[0])))
    return
  print(f'| file | batch | {", s | ".join(PHASES)}, s | all but the last, s |')
  print('|' + '---|' * (len(PHASES) + 3))
  for file, batch_size in args.cases:
    found = [_measured(file, batch_size) for _ in range(args.repeats)]
    medians = [statistics.median(f[phase] for f in found) for phase in PHASES]
    cells = ' | '.join(f'{seconds:.2f}' for seconds in medians)
    print(f'| {file} | {batch_size} | {cells} | {sum(medians[:-1]):.2f} |',
          flush=True)


if __name__ == '__main__':
  cases.run(main)

"""Times train steps of pgak and of pythae in turn, on a machine that is noisy.

Each side is a process of its own that has compiled and waits. A round lets each
train a group of batches, one after the other in an order that is drawn anew,
and a further process measure the machine: the rate of a product of matrices and
the bandwidth of a copy. So what slows the machine slows all sides of a round,
and a ratio is taken within rounds. Threads and cores are the same for all. It
prints, and writes, one table: medians, and the median of the paired ratios with
its interval of 95 % by resampling rounds.

pythae is no dependency; without --pythae only pgak's own settings are compared.

  python benchmarks/in_turn.py --data_dir=~/tensorflow_datasets \
    --pythae=pythae/bin/python --output=speed.md

Three models in 15 rounds of 100 batches take about eight minutes on two cores.
Without --data_dir all sides train on made-up images of MNIST's shape.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np
import pythae_comparison

__all__ = ['Side', 'copied_gigabytes', 'format_table', 'interval',
           'measure_machine', 'rounds']

# Side -> whether XLA compiles; pythae has no such choice.
PGAK = {'pgak': False, 'pgak XLA': True}
_WARM = 2  # Groups that are not counted: tracing, and caches.


class Side:
  """A process that does its part when it is told to.

  Args:
    command: strings, which start it. It prints a line of JSON when it is ready
      and after each part, and begins a part at each line that it reads.
    environment: dictionary of strings.
    log: path of what it prints besides.
  """

  def __init__(self, command, environment, log):
    self._log = pathlib.Path(log)
    with self._log.open('w', encoding='utf-8') as errors:
      self._process = subprocess.Popen(
          command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
          stderr=errors, env=environment, text=True)
    self._answer()

  def _answer(self):
    for line in self._process.stdout:
      # A library may print, too.
      if line.startswith('{'):
        return json.loads(line)
    raise RuntimeError(
        f'It ended early:\n{self._log.read_text(encoding="utf-8")[-2000:]}')

  def go(self):
    """Lets it do its part; returns what it says of it, a dictionary."""
    self._process.stdin.write('\n')
    self._process.stdin.flush()
    return self._answer()

  def close(self):
    """Ends it."""
    self._process.stdin.close()
    self._process.wait()


def wait(found):
  """Says what a part has found, and waits for the next; a side calls it.

  Raises:
    SystemExit: if there is no next one.
  """
  print(json.dumps(found), flush=True)
  if not sys.stdin.readline():
    raise SystemExit(0)


# === The sides ===


def measure_machine(size=1024, megabytes=256):
  """Returns the rate of a product of matrices and the bandwidth of a copy.

  Args:
    size: of the square float32 matrices.
    megabytes: of the array that is copied: far more than caches hold.

  Returns:
    Dictionary with 'gflops' and 'gigabytes' (read and written) a second.
  """
  a = np.ones((size, size), np.float32)
  begun = time.perf_counter()
  for _ in range(4):
    a @ a
  seconds = time.perf_counter() - begun
  return {'gflops': 8e-9 * size**3 / seconds,
          'gigabytes': copied_gigabytes(megabytes)}


def copied_gigabytes(megabytes=256):
  """Returns the gigabytes a second that a copy reads and writes.

  Args:
    megabytes: of the array that is copied: far more than caches hold.
  """
  source = np.ones(megabytes << 18, np.float32)
  target = np.empty_like(source)
  begun = time.perf_counter()
  np.copyto(target, source)
  return 2e-9 * source.nbytes / (time.perf_counter() - begun)


def _machine(settings):
  while True:
    wait(measure_machine(settings['matrix'], settings['megabytes']))


def _pgak(settings):
  """Trains with pgak, a group of batches at a time."""
  import keras

  from pgak import data
  model, images = pythae_comparison.made_here(settings)
  batches = data.train_batches(images, settings['batch_size'],
                               settings['seed'], value_range=model.value_range)

  class Turns(keras.callbacks.Callback):
    """Waits after each group."""

    begun = None

    def on_train_batch_end(self, batch, logs=None):
      if (batch + 1) % settings['group'] == 0:
        float(logs['loss'])  # Waits for the step.
        taken = time.perf_counter() - self.begun if self.begun else 0.
        wait({'seconds': taken})
        self.begun = time.perf_counter()

  model.fit(batches, steps_per_epoch=10**9, verbose=0, shuffle=False,
            callbacks=[Turns()])


# === Rounds ===


def rounds(sides, number, seed=0):
  """Lets all sides take turns.

  Args:
    sides: `{name: Side}`.
    number: int R, rounds that count.
    seed: int, decides the order within each round.

  Returns:
    `{name: list of R dictionaries}`.
  """
  generator = np.random.default_rng(seed)
  found = {name: [] for name in sides}
  for index in range(_WARM + number):
    for name in generator.permutation(list(sides)):
      answer = sides[name].go()
      if index >= _WARM:
        found[name].append(answer)
  return found


def interval(values, seed=0, resamples=2000):
  """Returns the median of values and its 95 % interval, three floats.

  Args:
    values: floats `[R]`, one a round.
    seed: int, of the resampling.
    resamples: int, how often rounds are drawn with replacement.
  """
  values = np.asarray(values)
  drawn = np.random.default_rng(seed).choice(values, (resamples, len(values)))
  low, high = np.quantile(np.median(drawn, 1), [0.025, 0.975])
  return float(np.median(values)), float(low), float(high)


def format_table(found, images):
  """Returns the Markdown table of models.

  Args:
    found: `{model: what `rounds` returned}`; 'machine' is one of the sides.
    images: int, images in a group.
  """
  names = [n for n in next(iter(found.values())) if n != 'machine']
  lines = ['| model | ' + ' | '.join(f'images/s {n}' for n in names)
           + ' | best of pgak / the last (95 %) | matmul GFLOP/s | copy GB/s |',
           '|---' * (len(names) + 4) + '|']
  for model, sides in found.items():
    speeds = {n: images / np.array([r['seconds'] for r in sides[n]])
              for n in names}
    ours = max((n for n in names if n in PGAK),
               key=lambda n: np.median(speeds[n]))
    # Of the same round: what slowed the machine slowed both.
    ratio = interval(speeds[ours] / speeds[names[-1]])
    machine = [np.median([r[key] for r in sides['machine']])
               for key in ('gflops', 'gigabytes')]
    lines.append(
        f'| {model} | ' + ' | '.join(
            f'{np.median(speeds[n]):.0f}' for n in names)
        + f' | {ratio[0]:.2f} ({ratio[1]:.2f} to {ratio[2]:.2f})'
        + f' | {machine[0]:.0f} | {machine[1]:.1f} |')
  return '\n'.join(lines)


# === The command ===


def _environment(threads):
  """Returns an environment in which every library has so many threads."""
  names = ('OMP_NUM_THREADS', 'MKL_NUM_THREADS', 'OPENBLAS_NUM_THREADS',
           'TF_NUM_INTRAOP_THREADS', 'TF_NUM_INTEROP_THREADS')
  return os.environ | dict.fromkeys(names, str(threads))


def _sides(args, model, folder):
  """Starts the sides of a model, `{name: Side}`."""
  here = pathlib.Path(__file__).absolute()
  environment = _environment(args.threads)
  commands = {'machine': ([sys.executable, str(here)], False)}
  commands |= {n: ([sys.executable, str(here)], xla) for n, xla in PGAK.items()}
  if args.pythae:
    side = here.with_name('pythae_side.py')
    commands['pythae'] = ([args.pythae, str(side)], False)
  sides = {}
  for name, (command, xla) in commands.items():
    settings = pythae_comparison.SETTINGS | dict(
        side=name, model=model, seed=0, xla=xla, threads=args.threads,
        group=args.group, matrix=args.matrix, megabytes=args.megabytes,
        # So long that no side comes to an end.
        epochs=10**6, folder=str(folder), data_dir=args.data_dir,
        images=str(folder / 'train.npy'))
    path = folder / f'{name}.json'
    path.write_text(json.dumps(settings), encoding='utf-8')
    sides[name] = Side([*command, '--turns', str(path)], environment,
                       folder / f'{name}.log')
  return sides


def _measure(args, folder):
  found = {}
  for model in args.models.split(','):
    sides = _sides(args, model, folder)
    found[model] = rounds(sides, args.rounds)
    for side in sides.values():
      side.close()
  return found


def _main():
  parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
  parser.add_argument('--turns', help='settings of one side, as JSON')
  parser.add_argument('--pythae', help='Python that has pythae')
  parser.add_argument('--data_dir',
                      help="TFDS's, with mnist; without it made-up images")
  parser.add_argument('--output', help='where the table is written, too')
  parser.add_argument('--models', default=','.join(pythae_comparison.FILES))
  parser.add_argument('--rounds', type=int, default=15)
  parser.add_argument('--group', type=int, default=100, help='batches')
  parser.add_argument('--threads', type=int, default=os.cpu_count())
  parser.add_argument('--matrix', type=int, default=1024)
  parser.add_argument('--megabytes', type=int, default=256)
  args = parser.parse_args()
  if args.turns:
    with open(args.turns, encoding='utf-8') as file:
      settings = json.load(file)
    (_machine if settings['side'] == 'machine' else _pgak)(settings)
    return
  if hasattr(os, 'sched_setaffinity'):  # Children inherit it.
    cores = sorted(os.sched_getaffinity(0))[:args.threads]
    os.sched_setaffinity(0, cores)
  with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    if args.pythae:
      pythae_comparison.write_images(args.data_dir, folder / 'train.npy')
    table = format_table(
        _measure(args, folder),
        args.group * pythae_comparison.SETTINGS['batch_size'])
  print(table)
  if args.output:
    pathlib.Path(args.output).write_text(table + '\n', encoding='utf-8')


if __name__ == '__main__':
  _main()

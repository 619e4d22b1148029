"""Trains a configured model on a host that has JAX and no TensorFlow.

Three steps; the first and the last need pgak, the second JAX and NumPy alone:

  python benchmarks/train_by_jax.py pack FOLDER \
    --gin_file=papers/pga_icml2020/lpga_mnist.gin --data_dir=DIR
  python benchmarks/train_by_jax.py train FOLDER --steps=560000 --output=OUT
  python benchmarks/train_by_jax.py unpack FOLDER --trained=OUT --run_dir=RUN

What runs is pgak's own train step, compiled by XLA for that host's device. Not
pgak's are the order of the images, which NumPy draws anew for each epoch, and
the first weights' last digits, which travel as float16. The optimizer's
moments stay behind: the run directory can be measured, drawn from and
exported, and is not for being trained on.
"""
import argparse
import json
import pathlib
import time

import numpy as np
import stablehlo

__all__ = []


def _built(about):
  """Returns the model of a packed configuration, and its data set."""
  from pgak import registry
  from pgak.runs import checkpoints
  from pgak.runs import configuration
  registry.register()
  configuration.parse(about['gin_files'], about['gin_params'],
                      roots=registry.train_roots)
  setting = configuration.setting
  model = checkpoints.build(
      setting('train.model'), setting('train.optimizer'),
      seed=setting('train.seed', 0), jit_compile=True,
      precision=setting('train.precision', 'float32'),
      learning_rate_schedule=setting('train.learning_rate_schedule'),
      steps=setting('train.steps'))
  images = setting('train.dataset')().split(setting('train.split', 'train'))
  return model, images


def _store(folder, about):
  """Writes a step's program, with equal names for equal configurations."""
  import tensorflow as tf
  model, images = _built(about)
  names = ('loss', *model.term_names)

  def step(batches):
    terms = tf.zeros([len(names)])
    for i in tf.range(about['chunk']):
      logs = model.train_step(batches[i])
      terms = tf.stack([logs[name] for name in names])
    # The means of terms are state, too, and would grow without end.
    for metric in model.metrics:
      metric.reset_state()
    return terms

  stored = stablehlo.Folder(folder)
  stored.save('train', step, [np.zeros(
      (about['chunk'], about['batch_size'], *images.image_shape), np.uint8)])
  return stored, model, images, names


def _pack(args):
  from pgak.runs import configuration
  about = {'gin_files': args.gin_file, 'chunk': args.chunk, 'gin_params': [
      *args.gin_param, *([f'data_dir = {args.data_dir!r}']
                         if args.data_dir else [])]}
  _built(about)
  about['batch_size'] = configuration.setting('train.batch_size')
  about['seed'] = configuration.setting('train.seed', 0)
  stored, model, images, names = _store(args.folder, about)
  stored.close(images=images.read(np.arange(len(images))))
  about |= {'names': names, 'weights': stored.keys_of(
      [w for net in model.parts.values() for w in net.variables])}
  (stored.path / 'about.json').write_text(json.dumps(about))


def _batches(count, size, seed):
  """Yields positions `[size]` without end, each epoch in another order."""
  epoch = 0
  while True:
    order = np.random.default_rng((seed, epoch)).permutation(count)
    # The rest of an epoch is left out: shapes are static.
    for first in range(0, count - size + 1, size):
      yield order[first:first + size]
    epoch += 1


def _train(args):
  folder, output = pathlib.Path(args.folder), pathlib.Path(args.output)
  output.mkdir(parents=True, exist_ok=True)
  about = json.loads((folder / 'about.json').read_text())
  values = dict(np.load(folder / 'values.npz'))
  images = values.pop('images')
  program = stablehlo.Program(folder, 'train', values)
  chunk, logs = about['chunk'], []
  positions = _batches(len(images), about['batch_size'], about['seed'])
  step, start = 0, time.perf_counter()
  while step < args.steps and time.perf_counter() - start < args.seconds:
    # One call takes a chunk of steps, as it was stored.
    terms, = program(images[np.stack([next(positions) for _ in range(chunk)])])
    step += chunk
    # Waiting for each call would leave the device without work.
    if step % args.log_every < chunk:
      logs.append([step, *map(float, np.asarray(terms))])
      seconds = time.perf_counter() - start
      print(f'{step} steps, {step / seconds:.0f} a second', *logs[-1][1:],
            flush=True)
  state = program.state
  result = {'steps': step, 'seconds': time.perf_counter() - start,
            'device': program.device_kind, 'names': about['names'],
            'logs': logs}
  np.savez(output / 'trained.npz',
           **{key: state[key] for key in about['weights'] if key in state})
  (output / 'trained.json').write_text(json.dumps(result))


def _unpack(args):
  from pgak import data
  from pgak.runs import checkpoints
  from pgak.runs import run_directory
  from pgak.training import resuming
  about = json.loads((pathlib.Path(args.folder) / 'about.json').read_text())
  trained = pathlib.Path(args.trained)
  step = json.loads((trained / 'trained.json').read_text())['steps']
  about['gin_params'] = [*about['gin_params'], f'train.steps = {step}']
  stored, model, images, _ = _store(args.run_dir + '.program', about)
  stored.assign(dict(np.load(trained / 'trained.npz')), model.variables)
  # The step is no trained variable, and names the checkpoint.
  model.step.assign(step)
  run = run_directory.RunDirectory(args.run_dir, create=True)
  resuming.describe(run, (), about['seed'], images, True)
  checkpoints.save(model, run, step)
  print(f'{run.path} holds the model of step {step}; {data.ORDER = } is not '
        'the order of its data.')


def main():
  """Packs, trains or unpacks."""
  parser = argparse.ArgumentParser(
      description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
  verbs = parser.add_subparsers(required=True)
  pack, train, unpack = (verbs.add_parser(v) for v in (
      'pack', 'train', 'unpack'))
  for verb, function in ((pack, _pack), (train, _train), (unpack, _unpack)):
    verb.add_argument('folder')
    verb.set_defaults(function=function)
  pack.add_argument('--gin_file', action='append', required=True)
  pack.add_argument('--gin_param', action='append', default=[])
  pack.add_argument('--data_dir')
  pack.add_argument('--chunk', type=int, default=100,
                    help='Train steps in one call.')
  train.add_argument('--steps', type=int, required=True)
  train.add_argument('--seconds', type=float, default=float('inf'),
                     help='Ends after so many, if that is sooner.')
  train.add_argument('--log_every', type=int, default=2000)
  train.add_argument('--output', required=True)
  unpack.add_argument('--trained', required=True)
  unpack.add_argument('--run_dir', required=True)
  args = parser.parse_args()
  args.function(args)


if __name__ == '__main__':
  main()

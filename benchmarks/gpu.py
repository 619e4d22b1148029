"""Times the paper-size LPGA step, sampling and serving on this machine.

LPGA on CelebA at 64x64 pixels, 64 filters, 128 latents, batches of 64: the
step with and without XLA and in bfloat16, a run that is left and resumed, all
GPUs of the machine, and the export, which is verified and then timed by batch
size. `gpu.sh` calls it. With --save, nothing is timed: the functions are
written for a host that has JAX and no TensorFlow, where gpu_jax.py times them.

  python benchmarks/gpu.py --output=gpu.json --photographs=photos/
  python benchmarks/gpu.py --save=programs/ --photographs=photos/
"""
import argparse
import json
import pathlib
import platform
import statistics
import tempfile
import time

import keras
import numpy as np
import paper_step
import stablehlo
import tensorflow as tf

from pgak import serving
from pgak import training
from pgak import version
from pgak.metrics import inception
from pgak.runs import configuration

__all__ = []


def _parsed():
  parser = argparse.ArgumentParser(
      description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
  parser.add_argument('--output', help='The JSON file that is written.')
  parser.add_argument('--save', help='A folder for the functions, instead.')
  parser.add_argument('--photographs', help='A folder or zip; else noise.')
  parser.add_argument('--inception', help='Weights, to time features, too.')
  parser.add_argument('--factor', type=int, default=1,
                      help='The nets are so many times narrower.')
  parser.add_argument('--batch_size', type=int, default=64)
  parser.add_argument('--chunk', type=int, default=20,
                      help='Train steps in one call.')
  parser.add_argument('--calls', type=int, default=10,
                      help='Timed calls of each kind.')
  args = parser.parse_args()
  if bool(args.output) == bool(args.save):
    parser.error('one of --output and --save is needed')
  return args


def _median_seconds(call, calls):
  """Times calls until their results arrive; the first two do not count."""
  seconds = []
  for i in range(calls + 2):
    start = time.perf_counter()
    # To fetch the result is to wait for it: calls are asynchronous.
    call().numpy()
    if i > 1:
      seconds.append(time.perf_counter() - start)
  return statistics.median(seconds)


def _functions(args, precision, xla=True):
  return paper_step.Functions(
      precision, args.factor, args.batch_size, args.chunk, xla)


def _chunks(args, number):
  """Yields `number` chunks of batches, uint8 `[chunk, B, h, w, c]`."""
  size = args.chunk * args.batch_size
  images = paper_step.images_of(args.photographs, number * size)
  return images.reshape(number, args.chunk, args.batch_size, *images.shape[1:])


# === Where TensorFlow is ===


def _time_training(args):
  chunk = tf.constant(_chunks(args, 1)[0])
  rows = []
  for precision in ('float32', 'mixed_bfloat16'):
    for xla in (True, False):
      # A new model each time: a step changes its weights.
      functions = _functions(args, precision, xla)
      step = tf.function(functions.train, jit_compile=xla)
      start = time.perf_counter()
      step(chunk).numpy()
      compiled = time.perf_counter() - start
      # The first call, timed above, compiles.
      seconds = _median_seconds(lambda: step(chunk), args.calls) / args.chunk
      rows.append({
          'precision': precision, 'xla': xla, 'seconds_to_compile': compiled,
          'steps_per_second': 1. / seconds,
          'images_per_second': args.batch_size / seconds})
  return rows


def _bindings(args, steps):
  bindings = [*paper_step.bindings(args.factor), f'train.steps = {steps}',
              'train.split = "train"', 'train.sample_every = None',
              f'train.batch_size = {args.batch_size}',
              f'train.checkpoint_every = {args.chunk}',
              f'train.validate_every = {4 * args.chunk}']
  if args.photographs:
    return bindings + [f'images.path = {str(args.photographs)!r}']
  return bindings + ['synthetic.image_shape = (64, 64, 3)']


def _train(args, run_dir, steps, strategy=None):
  source = 'images' if args.photographs else 'synthetic'
  bindings = _bindings(args, steps)
  if strategy:
    # Keras can do no XLA under a strategy.
    bindings += [f'train.strategy = {strategy!r}', 'train.xla = False']
  configuration.parse([paper_step.FILE, f'datasets/{source}.gin'], bindings)
  return training.train(run_dir)


def _largest_difference(model, other):
  return max(float(np.max(np.abs(a.numpy() - b.numpy()))) for a, b in zip(
      model.trainable_variables, other.trainable_variables))


def _resume(args, folder):
  """Compares a run of 2 n steps with one that was resumed after n."""
  n = 2 * args.chunk
  whole = _train(args, folder / 'whole', 2 * n)
  _train(args, folder / 'halves', n)
  halves = _train(args, folder / 'halves', 2 * n)
  return {'steps': 2 * n,
          'largest_difference': _largest_difference(whole, halves)}


def _many_gpus(args, folder):
  devices = tf.config.list_physical_devices('GPU')
  if len(devices) < 2:
    return None
  start = time.perf_counter()
  _train(args, folder / 'mirrored', 4 * args.chunk, 'mirrored')
  return {'gpus': len(devices), 'steps': 4 * args.chunk,
          'seconds_with_start': time.perf_counter() - start}


def _serve(args, run_dir):
  """Exports, verifies (the export does), and times `decode` by batch size."""
  path = serving.export(run_dir, run_dir / 'export')
  served = serving.ServedModel(path)
  rows = []
  for size in paper_step.BATCH_SIZES:
    latents = np.random.default_rng(1).normal(
        size=(size, served.latent_dim)).astype(np.float32)
    seconds = []
    for _ in range(args.calls + 2):
      start = time.perf_counter()
      served.decode(latents)
      seconds.append(time.perf_counter() - start)
    # The first call of a batch size traces.
    rows.append(_row(size, statistics.median(seconds[2:])))
  return rows


def _row(size, seconds):
  return {'batch_size': size, 'milliseconds': 1e3 * seconds,
          'images_per_second': size / seconds}


def _forward(net):
  return lambda images: net.network(
      inception.preprocess(images), training=False)


def _features(args):
  net = inception.inception('768', args.inception)
  step = tf.function(_forward(net))
  images = tf.constant(paper_step.images_of(args.photographs, 64))
  return [_row(64, _median_seconds(lambda: step(images), args.calls))]


def _host():
  names = [tf.config.experimental.get_device_details(d).get('device_name', '?')
           for d in tf.config.list_physical_devices('GPU')]
  return {'way': 'TensorFlow', 'devices': names or ['CPU'],
          'system': platform.platform(), 'tensorflow': tf.__version__,
          'keras': keras.__version__, 'pgak': version.__version__}


def _measure(args):
  result = _host() | {
      'factor': args.factor, 'batch_size': args.batch_size, 'not_run': [],
      'images': 'photographs' if args.photographs else 'noise'}
  result['train'] = _time_training(args)
  with tempfile.TemporaryDirectory() as folder:
    folder = pathlib.Path(folder)
    result['resumed'] = _resume(args, folder)
    result['served'] = _serve(args, folder / 'whole')
    result['mirrored'] = _many_gpus(args, folder)
  if result['mirrored'] is None:
    result['not_run'].append('several GPUs: there are not')
  if args.inception:
    result['features'] = _features(args)
  else:
    result['not_run'].append('features: --inception is not given')
  return result


# === For where it is not ===


def _save(args):
  folder = stablehlo.Folder(args.save)
  chunk = _chunks(args, 2)
  kept = {p: _functions(args, p) for p in ('float32', 'mixed_bfloat16')}
  folder.share(*(f.model.variables for f in kept.values()))
  references = {'images': chunk}
  for precision, functions in kept.items():
    folder.save(f'train_{precision}', functions.train, [chunk[0]])
    for size in paper_step.BATCH_SIZES:
      folder.save(f'decode_{precision}_{size}', functions.decode,
                  [functions.latents(size)])
      references[f'latents_{size}'] = functions.latents(size)
    references[f'decoded_{precision}'] = functions.decode(
        tf.constant(functions.latents(8))).numpy()
  if args.inception:
    net = inception.inception('768', args.inception)
    images = references['feature_images'] = paper_step.images_of(
        args.photographs, 64)
    folder.save('features', _forward(net), [images])
    references['features'] = _forward(net)(
        tf.constant(images)).numpy()
  # The values of the weights, before the steps below change them.
  folder.close(**references)
  terms = {}
  for precision, functions in kept.items():
    # Reference values of the terms, for gpu_jax.py to compare with.
    step = tf.function(functions.train)  # XLA is slow on a CPU here.
    terms[precision] = step(tf.constant(chunk[0])).numpy().tolist()
  (folder.path / 'about.json').write_text(json.dumps(
      _host() | {
          'factor': args.factor, 'batch_size': args.batch_size,
          'chunk': args.chunk, 'names': kept['float32'].names, 'terms': terms,
          'batch_sizes': paper_step.BATCH_SIZES, 'calls': args.calls,
          'images': 'photographs' if args.photographs else 'noise'}))


def main():
  """Times, or saves."""
  args = _parsed()
  if args.save:
    _save(args)
    return
  result = _measure(args)
  text = json.dumps(result, indent=2)
  pathlib.Path(args.output).write_text(text, encoding='utf-8')
  print(text)


if __name__ == '__main__':
  main()

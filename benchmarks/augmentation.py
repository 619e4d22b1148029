"""What changing the training images at random buys, measured small.

Trains an RAE on few 32x32 images, 250 photographs of faces and 250 images of
CIFAR-10, each by `modern` and by `augmented`, with two seeds. It prints the
mean squared error of reconstructions of the training images and of 1,000
others, in pixels of [0, 1], and the Frechet distance of 1,000 samples from a
Gaussian fitted to the latents to those others, by the features of a net that
nobody trained.

What is made is kept in --output, so the same command goes on where one was
stopped. A run takes about 20 seconds of one core.

  python benchmarks/augmentation.py --output=augmentation \
    --data_dir=~/tensorflow_datasets --faces=img_align_celeba.zip --crop=108
"""
import argparse
import json
import pathlib
import time

import numpy as np

import pgak
from pgak import data
from pgak import files
from pgak.metrics import reconstruction

__all__ = ['RECIPES', 'SEEDS', 'SETTINGS', 'measured', 'prepare', 'table']

RECIPES = ('modern', 'augmented')
SEEDS = (0, 1)
FEW, HELD_OUT = 250, 1000
# Small nets, and averages that forget the first steps of a short run.
SETTINGS = ('base_filters = 8', 'train.batch_size = 32', 'train.xla = False',
            'adam.ema_decay = 0.99',
            'train.sample_every = None', 'train.diagnostics = False')


def prepare(folder, data_dir, faces, crop):
  """Writes the sets once, and returns `{name: flags of train}`.

  Args:
    folder: path.
    data_dir: folder of TensorFlow Datasets, with CIFAR-10.
    faces: folder or zip of photographs, of which the first 250 are trained on
      and the last 1,000 held out.
    crop: pixels of the square in their middle.
  """
  cifar = data.cifar10(data_dir)
  photographs = data.images(faces, (32, 32, 3), crop)
  few = {'faces_250': (photographs.split('all'),) * 2,
         'cifar10_250': (cifar.split('train'), cifar.split('test'))}
  flags = {}
  for name, (train, test) in few.items():
    path = pathlib.Path(folder, f'{name}.npz')
    if not path.exists():
      with files.replacing(path) as part, open(part, 'wb') as file:
        np.savez(file, x_train=train.read(np.arange(FEW)),
                 x_test=test.read(np.arange(len(test) - HELD_OUT, len(test))))
    flags[name] = dict(data=str(path))
  return flags


def measured(run_dir, recipe, seed, steps, flags):
  """Trains one run and measures it.

  Returns:
    Dictionary of `train` and `held_out`, mean squared errors, `distance`, and
    `seconds` of the processor's time.
  """
  begin = time.process_time()
  pgak.train(
      run_dir, gin_param=SETTINGS, model='rae', network='conv_32',
      recipe=recipe, latent_dim=64, steps=steps, seed=seed, **flags)
  rows = pgak.evaluate(
      run_dir, 'quick', features=('random',), prior='gaussian',
      metrics=('frechet',),
      gin_param=["quick.split = 'test'", 'quick.num_samples = 1000'])
  model = pgak.load(run_dir)
  dataset = data.from_file(flags['data'])
  errors = {
      name: float(reconstruction.reconstruction_mse(
          model, dataset.split(split)))
      for name, split in (('train', 'train'), ('held_out', 'test'))}
  distance, = [float(r['value']) for r in rows
               if r['metric'].startswith('frechet')]
  return errors | {'distance': distance,
                   'seconds': time.process_time() - begin}


def table(found):
  """Returns the lines of a Markdown table, a row for each set and recipe.

  Args:
    found: `{set: {recipe: [dictionary for each seed]}}`, as of `measured`.
  """
  lines = ['| images | recipe | training MSE | held-out MSE | gap | distance |',
           '|---|---|---|---|---|---|']
  for name, recipes in found.items():
    for recipe, runs in recipes.items():
      cells = [_cell([r[key] for r in runs], digits) for key, digits in (
          ('train', 5), ('held_out', 5))]
      gaps = [r['held_out'] - r['train'] for r in runs]
      cells += [_cell(gaps, 5), _cell([r['distance'] for r in runs], 4)]
      lines.append(f'| {name} | {recipe} | {" | ".join(cells)} |')
  return lines


def _cell(values, digits):
  return ', '.join(f'{v:.{digits}f}' for v in values)


def main():
  parser = argparse.ArgumentParser(description=__doc__.split('\n', 1)[0])
  parser.add_argument('--output', required=True)
  parser.add_argument('--data_dir', required=True)
  parser.add_argument('--faces', required=True)
  parser.add_argument('--crop', type=int, default=108)
  parser.add_argument('--steps', type=int, default=600)
  flags = parser.parse_args()
  folder = pathlib.Path(flags.output)
  folder.mkdir(parents=True, exist_ok=True)
  sets = prepare(folder, flags.data_dir, flags.faces, flags.crop)
  found = {}
  for name in sets:
    for recipe in RECIPES:
      for seed in SEEDS:
        path = folder / f'{name}_{recipe}_{seed}.json'
        if not path.exists():
          run = measured(folder / path.stem, recipe, seed, flags.steps,
                         sets[name])
          with files.replacing(path) as part:
            part.write_text(json.dumps(run))
        found.setdefault(name, {}).setdefault(recipe, []).append(
            json.loads(path.read_text()))
  print('\n'.join(table(found)))


if __name__ == '__main__':
  main()

"""Pictures and arrays of a trained model's images, from a run or an export."""
import os
import pathlib

import gin
import numpy as np

from pgak import checkpoints
from pgak import configuration
from pgak import errors
from pgak import images as images_lib
from pgak import run_directory
from pgak import sampling
from pgak import served_model

__all__ = ['KINDS', 'sample', 'sample_export']

KINDS = ('samples', 'interpolation', 'reconstruction')


@gin.configurable(denylist=['run_dir', 'output'])
def sample(run_dir, output, kind='samples', num_samples=64, seed=0,
           checkpoint='latest', prior='own'):
  """Draws from a run's model and writes a picture or an array.

  Args:
    run_dir: path of the run directory, whose configuration gin holds.
    output: a `.png` file for a grid, or `.npz` for `images`, uint8
      `[N, h, w, C]`, and for samples their `latents`.
    kind: 'samples' from the prior; 'interpolation' in rows of 8 between images
      of the validation split; 'reconstruction', each beside its original.
    num_samples: number of images, but for originals beside them.
    seed: int that decides the latents, or which validation images are taken.
    checkpoint: 'latest', 'best' or a step.
    prior: 'own', or the name of another prior, which is fitted if need be; see
      `densities`.
  """
  _check(output, kind)
  run = run_directory.RunDirectory(run_dir)
  model = checkpoints.load_configured(run, checkpoint, prior)
  if kind == 'samples':
    batches = sampling.generate(model, num_samples, seed)
    _write(output, np.concatenate(list(batches)),
           latents=model.prior.sample(num_samples, seed).numpy())
    return
  rows = -(-num_samples // 8)
  wanted = num_samples if kind == 'reconstruction' else 2 * rows
  originals = _validation_images(wanted, seed)
  if kind == 'reconstruction':
    made = sampling.reconstruct(model, originals)
    pairs = np.stack([originals, made], 1).reshape(-1, *made.shape[1:])
    _write(output, pairs if output.endswith('.png') else made, columns=8,
           originals=originals)
  else:
    _write(output, sampling.interpolations(model, originals, steps=8),
           columns=8)


def sample_export(export_dir, output, kind='samples', num_samples=64, seed=0):
  """Draws from an export; the arguments are those of `sample`.

  An export holds no data, so interpolations go between its own samples.
  """
  _check(output, kind)
  served = served_model.ServedModel(export_dir)
  if kind == 'reconstruction':
    raise errors.UserError(
        'An export holds no images to reconstruct: use --run_dir for '
        '--kind=reconstruction.')
  if kind == 'samples':
    _write(output, served.sample(num_samples, seed))
    return
  rows = -(-num_samples // 8)
  start, end = np.split(served.sample(2 * rows, seed), 2)
  lines = served.interpolate(start, end, 8)
  _write(output, lines.reshape(-1, *start.shape[1:]), columns=8)


def _check(output, kind):
  if kind not in KINDS:
    raise errors.UserError(f'There is no kind {kind!r}: choose one of '
                           f'{", ".join(KINDS)}.')
  if not output.endswith(('.png', '.npz')):
    raise errors.UserError(f'{output} must end with .png for a picture or '
                           '.npz for an array.')
  if pathlib.Path(output).exists():
    raise errors.UserError(f'{output} exists: choose another --output, or '
                           'move the file away.')


def _validation_images(number, seed):
  dataset = configuration.setting('train.dataset')()
  array = dataset.split(configuration.setting('train.validation_split'))
  chosen = np.random.RandomState(seed).permutation(len(array))
  return array.read(np.resize(chosen, number))


def _write(output, images, columns=None, **arrays):
  try:
    if output.endswith('.png'):
      images_lib.write_png(output, sampling.picture(images, columns))
    else:
      _write_arrays(pathlib.Path(output), images=images, **arrays)
  except OSError as e:
    raise errors.UserError(
        f'{output} cannot be written ({e.strerror}): choose another --output.'
    ) from e
  print(f'Wrote {len(images)} images to {output}.')


def _write_arrays(path, **arrays):
  path.parent.mkdir(parents=True, exist_ok=True)
  part = path.with_name(f'.{os.getpid()}.{path.name}')
  np.savez(part, **arrays)
  os.replace(part, path)

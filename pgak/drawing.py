"""Pictures and arrays of a trained model's images, from a run or an export."""
from typing import Literal

import csv
import pathlib

import gin
import numpy as np

from pgak import charts
from pgak import checkpoints
from pgak import clouds
from pgak import configuration
from pgak import data
from pgak import densities
from pgak import errors
from pgak import files
from pgak import gin_files
from pgak import images as images_lib
from pgak import priors
from pgak import run_directory
from pgak import sampling
from pgak import served_model
from pgak import settings
from pgak import translation
from pgak.latent_tools import views

__all__ = ['KINDS', 'against_bindings', 'sample', 'sample_export']

# How many images, or pairs for paths, where nothing else is said.
KINDS = {'samples': 64, 'interpolation': 64, 'reconstruction': 64,
         'attribute': 64, 'latents': 10000, 'paths': 1, 'log_density': 64,
         'ood': 10000}
_STEPS = 8
_LARGEST_CLOUD = 20000


@settings.configurable(denylist=['run_dir', 'output'])
def sample(run_dir: settings.Path, output,
           kind: Literal[tuple(KINDS)] = 'samples',
           num_samples: settings.Count | None = None, seed: settings.Seed = 0,
           checkpoint: settings.Checkpoint = 'latest',
           prior: priors.Spec = 'own',
           space: Literal['zT', 'z0', 'both'] | None = None,
           attribute: str | None = None, strength: float = 1.,
           against: settings.reference('@fashion_mnist') | None = None):
  """Draws from a run's model and writes a picture, an array or a table.

  Args:
    run_dir: path of the run directory, whose configuration gin holds.
    output: a `.png` file for a picture, `.npz` for all that is in it by name,
      such as `images`, uint8 `[N, h, w, C]`, or float32 `[N, D]` of a model of
      vectors, and for samples their `latents`;
      or, for log-densities, `.csv` for a row an image.
    kind: 'samples' from the prior; 'interpolation' in rows of 8 between images
      of the validation split, or, without an encoder, between draws of the
      prior; 'reconstruction', each beside its original;
      'attribute', added in rows of 8 to validation images without it;
      'latents' of validation images beside the prior; 'paths' between two
      validation images; 'log_density', the least and most likely validation
      images; 'ood', their log-densities and those of another set.
    num_samples: number of images, but for originals beside them; for 'paths'
      of pairs. None for as many as is usual for the kind.
    seed: int that decides the latents, or which validation images are taken.
    checkpoint: 'latest', 'best' or a step.
    prior: 'own', or the name of another prior, which is fitted if need be; see
      `densities`.
    space: in which paths go: 'zT', 'z0' or 'both'. By default 'zT' for
      'interpolation', and all that there are for 'attribute'.
    attribute: its name, such as 'Eyeglasses', or 'label=7'.
    strength: how much of the attribute's vector the end of a row has.
    against: for 'ood', a function that makes the other data set.

  Raises:
    errors.UserError: if that cannot be drawn.
  """
  _check(output, kind)
  if kind == 'attribute' and attribute is None:
    raise errors.UserError('--kind=attribute needs --attribute.')
  if kind == 'ood' and against is None:
    raise errors.UserError('--kind=ood needs --against.')
  run = run_directory.RunDirectory(run_dir)
  model = checkpoints.load_configured(run, checkpoint, prior)
  number = num_samples or _usual(kind, model)
  if kind not in ('samples', 'interpolation'):
    model.require_encoder(f'--kind={kind}')
  if translation.is_conditional(model):
    _write(output, _translations(model, kind, number, seed))
    return
  if images_lib.are_vectors(model.image_shape):
    _write(output, _vectors(model, kind, number, seed))
    return
  draw = {'samples': _samples, 'interpolation': _interpolation,
          'reconstruction': _reconstruction, 'attribute': _attribute,
          'latents': _latents, 'paths': _paths, 'log_density': _log_density,
          'ood': _out_of_distribution}[kind]
  options = {'interpolation': {'space': space or 'zT'},
             'attribute': {'name': attribute, 'strength': strength,
                           'space': space},
             'ood': {'against': against}}.get(kind, {})
  _write(output, draw(model, number, seed, **options))


def _translations(model, kind, number, seed):
  """Rows of a condition, its validation image and what the model makes."""
  array = _split('validation')
  columns = {'samples': _STEPS - 2, 'reconstruction': 1}.get(kind)
  if columns is None:
    raise errors.UserError(
        f'{model.name} makes images given conditions, so there is no --kind='
        f'{kind} of it: choose samples or reconstruction.')
  chosen = np.random.RandomState(seed).permutation(len(array))
  pairs = array.read_pairs(np.resize(chosen, -(-number // columns)))
  rows = (translation.reconstruction_rows(model, *pairs)
          if kind == 'reconstruction' else
          translation.sample_rows(model, *pairs, columns, seed))
  made = rows[:, 2:].reshape(-1, *rows.shape[2:])[:number]
  return views.View({'images': made, 'originals': pairs[0],
                     'conditions': pairs[1]},
                    rows.reshape(-1, *rows.shape[2:]), rows.shape[1])


def _usual(kind, model):
  """How many images are drawn where nothing is said."""
  as_cloud = images_lib.are_vectors(model.image_shape) and KINDS[kind] == 64
  return clouds.NUMBER if as_cloud else KINDS[kind]


def _vectors(model, kind, number, seed):
  """Vectors beside the validation split's, as clouds; or their latents."""
  if kind == 'latents':
    return _latents(model, number, seed)
  if kind not in ('samples', 'reconstruction'):
    raise errors.UserError(
        f'{model.name} makes vectors, of which there is no --kind={kind}: '
        'choose samples, reconstruction or latents.')
  array = _split('validation')
  chosen = np.random.RandomState(seed).permutation(len(array))[:number]
  originals, shades = array.read(chosen), array.unrolled[chosen, 0]
  if kind == 'reconstruction':
    made = sampling.reconstruct(model, originals)
    return views.View(
        {'images': made, 'originals': originals},
        chart=clouds.reconstruction(originals, made, shades))
  view = _samples(model, number, seed)
  return views.View(view.arrays, chart=clouds.samples(
      originals, view.arrays['images'], shades))


def _samples(model, number, seed):
  images = np.concatenate(list(sampling.generate(model, number, seed)))
  latents = model.prior.sample(number, seed).numpy()
  return views.View({'images': images, 'latents': latents}, images)


def _reconstruction(model, number, seed):
  originals = _validation_images(number, seed)
  made = sampling.reconstruct(model, originals)
  pairs = np.stack([originals, made], 1).reshape(-1, *made.shape[1:])
  return views.View({'images': made, 'originals': originals}, pairs, 8)


def _interpolation(model, number, seed, space):
  if not model.has_encoder:
    if space != 'zT':
      model.require_encoder(f'--space={space}')
    made = sampling.prior_interpolations(model, -(-number // _STEPS), _STEPS,
                                         seed)
    return views.View({'images': made}, made, _STEPS)
  originals = _validation_images(2 * -(-number // _STEPS), seed)
  return views.interpolation(model, originals,
                             views.spaces_of(space, model.prior), _STEPS)


def _paths(model, number, seed):
  cloud = densities.encode(model, _split('train'), max_latents=_LARGEST_CLOUD)
  return views.path_plot(model, cloud, _validation_images(2 * number, seed))


def _attribute(model, number, seed, name, strength, space):
  shown = views.spaces_of(space, model.prior)
  train, validation = _split('train'), _split('validation')
  mask = data.attribute_mask(train, name)
  without = np.flatnonzero(~data.attribute_mask(validation, name))
  if not len(without):
    raise errors.UserError(
        f'All images of the split {validation.split} have the attribute '
        f'{name}, so it can be added to none: choose another --attribute.')
  chosen = np.random.RandomState(seed).permutation(without)
  originals = validation.read(np.resize(chosen, -(-number // _STEPS)))
  return views.attribute(model, densities.encode(model, train), mask, originals,
                         strength, shown, _STEPS)


def _latents(model, number, seed):
  array = _split('validation')
  labels = array.labels
  if labels is not None:
    labels = labels[densities.positions(len(array), number)]
  return views.latents(model.prior,
                       densities.encode(model, array, max_latents=number),
                       labels, seed)


def _log_density(model, number, seed):
  del seed  # All of the split are ranked.
  array = _split('validation')
  return views.log_densities(model.prior, densities.encode(model, array),
                             array.read, number, array.labels)


def _out_of_distribution(model, number, seed, against):
  del seed
  dataset = settings.made(against, 'sample.against', data.DatasetLike)
  if tuple(dataset.image_shape) != tuple(model.image_shape):
    raise errors.UserError(
        f'The images of {dataset.name} are of the shape '
        f'{tuple(dataset.image_shape)}, and the model\'s of '
        f'{tuple(model.image_shape)}: choose another --against.')
  arrays = _split('validation'), dataset.split('validation')
  encoded = [densities.encode(model, a, max_latents=number) for a in arrays]
  return views.out_of_distribution(
      model.prior, *encoded, [a.name for a in arrays],
      [densities.positions(len(a), number) for a in arrays])


# === Data ===


def against_bindings(run, against, imports=()):
  """Binds the data set that another one is told from.

  It is bound within a scope of its own, so that it may be of the run's kind
  with other settings, such as another folder of images.

  Args:
    run: `RunDirectory`.
    against: name of a data set, such as 'fashion_mnist', or a gin file that
      binds `train.dataset`.

  Returns:
    List of bindings for `configuration.parse_run`.

  Raises:
    errors.UserError: if there is no such data set or file.
  """
  file = against if against.endswith('.gin') else f'datasets/{against}.gin'
  known = sorted({path.stem for folder in gin_files.folders()
                  for path in pathlib.Path(folder, 'datasets').glob('*.gin')})
  if file != against and against not in known:
    raise errors.UserError(
        f'There is no data set {against!r} for --against: choose one of '
        f'{", ".join(known)}, or a gin file that binds train.dataset'
        f'{errors.similar(against, known) or "."}')
  configuration.check_trusted(run, imports)
  configuration.parse([str(run.config_file)], imports=imports)
  own = configuration.bindings_of(gin.config_str())
  configuration.parse([str(run.config_file), file], imports=imports)
  found = configuration.bindings_of(gin.config_str())
  if found == own and file == against:
    raise errors.UserError(f'{file} changes nothing of the data set of the run:'
                           ' bind train.dataset in it, or its settings.')
  name = found['train.dataset'].strip('@()')
  bindings = [f'sample.against = @against/{name}']
  for setting, value in found.items():
    if setting.startswith(f'{name}.'):
      # The shape of the model's images is the run's, and so is the data_dir.
      if value.startswith('%') and value[1:] not in own:
        value = found[value[1:]]
      bindings.append(f'against/{setting} = {value}')
  return bindings


def _split(name):
  setting = {'train': 'train.split',
             'validation': 'train.validation_split'}[name]
  dataset = configuration.setting('train.dataset')()
  return dataset.split(configuration.setting(setting, name))


def _validation_images(number, seed):
  array = _split('validation')
  chosen = np.random.RandomState(seed).permutation(len(array))
  return array.read(np.resize(chosen, number))


# === Exports ===


def sample_export(export_dir, output, kind='samples', num_samples=None, seed=0):
  """Draws from an export; the arguments are those of `sample`.

  An export holds no data, so interpolations go between its own samples.
  """
  _check(output, kind)
  served = served_model.ServedModel(export_dir)
  if kind not in ('samples', 'interpolation'):
    raise errors.UserError(
        f'An export holds no images of its data set: use --run_dir for '
        f'--kind={kind}.')
  num_samples = num_samples or _usual(kind, served)
  if images_lib.are_vectors(served.image_shape):
    _write(output, _served_vectors(served, kind, num_samples, seed))
    return
  if kind == 'samples':
    images = served.sample(num_samples, seed)
    _write(output, views.View({'images': images}, images))
    return
  latents = served.sample_latents(2 * -(-num_samples // _STEPS), seed)
  lines = _served_lines(served, *np.split(latents, 2))
  _write(output, views.View({'images': lines}, lines, _STEPS))


def _served_vectors(served, kind, number, seed):
  if kind != 'samples':
    raise errors.UserError(
        f'The export makes vectors, of which there is no --kind={kind}: use '
        '--kind=samples.')
  vectors = served.sample(number, seed)
  return views.View({'images': vectors}, chart=charts.panels(
      [clouds.cloud(vectors, 'samples')], ''))


def _served_lines(served, start, end):
  """Lines between samples: between their latents, or where these are from."""
  if not served.has_encoder:
    return served.decode(sampling.lines(start, end, _STEPS))
  between = served.interpolate(served.decode(start), served.decode(end), _STEPS)
  return between.reshape(-1, *between.shape[2:])


# === Files ===


def _check(output, kind):
  if kind not in KINDS:
    raise errors.UserError(f'There is no kind {kind!r}: choose one of '
                           f'{", ".join(KINDS)}.')
  if output.endswith('.csv') and kind in ('log_density', 'ood'):
    pass
  elif not output.endswith(('.png', '.npz')):
    raise errors.UserError(
        f'{output} must end with .png for a picture or .npz for an array, or, '
        'for log_density and ood, .csv for a table.')
  if files.local(output).exists():
    raise errors.UserError(f'{output} exists: choose another --output, or '
                           'move the file away.')


def _write(output, view):
  path = files.local(output)
  try:
    with files.replacing(path) as part:
      if output.endswith('.png'):
        part.write_bytes(view.chart or images_lib.encode_png(
            sampling.picture(view.grid, view.columns)))
      elif output.endswith('.npz'):
        with part.open('wb') as file:
          np.savez(file, **view.arrays)
      else:
        _write_table(part, view.table)
  except OSError as e:
    raise errors.UserError(
        f'{output} cannot be written ({e.strerror}): choose another --output.'
    ) from e
  if view.text:
    print(view.text)
  print(f'Wrote {_content(output, view)} to {output}.')


def _write_table(path, table):
  with open(path, 'w', newline='', encoding='utf-8') as file:
    writer = csv.writer(file)
    writer.writerow(table)
    writer.writerows(zip(*(column.tolist() for column in table.values())))


def _content(output, view):
  if output.endswith('.csv'):
    return f'{len(view.table["index"])} rows'
  return 'a chart' if view.grid is None and output.endswith('.png') else (
      _count(view.arrays['images']) if 'images' in view.arrays
      else ', '.join(view.arrays))


def _count(images):
  return f'{len(images)} {"vectors" if images.ndim == 2 else "images"}'

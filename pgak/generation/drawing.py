"""Pictures and arrays of a trained model's images, from a run."""
from typing import Literal

import numpy as np

from pgak import capabilities
from pgak import data
from pgak import errors
from pgak import priors
from pgak import settings
from pgak.data import kinds
from pgak.generation import asked
from pgak.generation import conditional
from pgak.generation import drawn
from pgak.generation import latent_figures
from pgak.generation import paths
from pgak.generation import sampling
from pgak.pictures import scatter
from pgak.priors import ex_post
from pgak.runs import checkpoints
from pgak.runs import data_set
from pgak.runs import run_directory

__all__ = ['KINDS', 'STEPS', 'TABLE', 'sample', 'usual_number',
           'usual_priors']

# How many images, or pairs for paths, by default.
KINDS = {'samples': 64, 'interpolation': 64, 'reconstruction': 64,
         'attribute': 64, 'latents': 10000, 'paths': 1, 'log_density': 64,
         'ood': 10000}
STEPS = 8
# The kinds that show samples of the prior, or its density.
_OF_A_DENSITY = ('samples', 'latents', 'log_density', 'ood')
_FILLS_A_CHART = kinds.Table({kinds.Vectors: scatter.NUMBER})
# Enough to show the distribution; more would take long to encode.
_LARGEST_CLOUD = 20000


@settings.configurable(module='pgak.drawing',
                       denylist=['run_dir', 'output', 'data'])
def sample(run_dir: settings.Path, output,
           kind: Literal[tuple(KINDS)] = 'samples', *,
           num_samples: settings.Count | None = None, seed: settings.Seed = 0,
           checkpoint: settings.Checkpoint = 'latest',
           prior: priors.Spec | None = None,
           label: settings.Whole | None = None, attributes: str | None = None,
           space: Literal['zT', 'z0', 'both', 'all'] | None = None,
           attribute: str | None = None, strength: float = 1.,
           against: settings.reference('@fashion_mnist') | None = None,
           line: Literal[tuple(paths.LINES)] | None = None,
           overwrite: bool = False, data=None):
  """Draws from a run's model and writes a picture, an array or a table.

  Args:
    run_dir: path of the run directory, whose configuration gin holds.
    output: a `.png` file for a picture; a folder, ending with a slash, for one
      file per image (see `drawn.write`); an `.npz` file for named arrays, such
      as `images`, uint8 `[N, h, w, C]`, or float32 `[N, D]` of a model of
      vectors, and `latents` of samples; or, for log-densities, a `.csv` file
      with one line per image.
    kind: 'samples' from the prior; 'interpolation' in rows of 8 between images
      of the validation split, or, without an encoder, between samples of the
      prior; 'reconstruction', each beside its original;
      'attribute', added in rows of 8 to validation images without it;
      'latents' of validation images beside the prior; 'paths' between two
      validation images; 'log_density', the least and most likely validation
      images; 'ood', their log-densities and those of another set.
    num_samples: number of images, not counting originals beside them; for
      'paths' of pairs. None for the number in `KINDS`.
    seed: int that decides the latents, or which validation images are taken.
    checkpoint: 'latest', 'best' or a step.
    prior: 'own', or the name of another prior, which is fitted if need be; see
      `priors.ex_post`. None for the model's own where training matches latents
      and prior; else 'gmm' for the kinds that use the prior.
    label: for 'samples', the class to sample, for a prior that is conditional
      on labels.
    attributes: for 'samples', what they have or, with =0, lack, such as
      'Smiling,Male=0', for a prior that is conditional on attributes.
    space: in which paths go: 'zT', 'z0', 'both', or 'all' for those behind
      each coupling of a flow, too. By default 'zT' for 'interpolation', and
      both for 'attribute'.
    attribute: its name, such as 'Eyeglasses', or 'label=7'.
    strength: how much of the attribute's vector the end of a row has.
    against: for 'ood', a function that makes the other data set.
    line: for 'interpolation', 'straight' or 'spherical' in each space; None for
      straight in 'zT' and spherical in 'z0'.
    overwrite: whether what is there is replaced.
    data: function of the model to a split, of other data or of the run's,
      whose images take the place of the validation images; None for those. See
      `own_data`.

  Returns:
    The name of the density that was chosen where `prior` is None, or None for
    the model's own.

  Raises:
    errors.UserError: if that cannot be drawn.
  """
  # Before the model is loaded and anything is made.
  drawn.check_output(output, kind, KINDS, overwrite)
  if kind == 'attribute' and attribute is None:
    raise errors.UserError('--kind=attribute needs --attribute.')
  if kind == 'ood' and against is None:
    raise errors.UserError('--kind=ood needs --against.')
  asked.given(1, label, attributes)
  run = run_directory.RunDirectory(run_dir)
  of_a_density = prior is None and kind in _OF_A_DENSITY
  model = checkpoints.load_configured(
      run, checkpoint, 'own' if prior is None and not of_a_density else prior)
  number = num_samples or usual_number(kind, model)
  shown = data and data(model)
  if shown and kind == 'reconstruction' and num_samples is None:
    number = min(number, len(shown))
  if kind not in ('samples', 'interpolation'):
    model.require(f'--kind={kind}', 'encode')
  for flag, value in (('--label', label), ('--attributes', attributes)):
    if value is not None:
      _require_conditions(model, kind, flag)
  wanted = asked.given(number, label, attributes)
  options = {'samples': {} if wanted is None else {'given': wanted},
             'interpolation': {'space': space or 'zT', 'line': line},
             'attribute': {'name': attribute, 'strength': strength,
                           'space': space},
             'ood': {'against': against}}.get(kind, {})
  draw = _drawing(model, kind)
  if shown is not None and (
      draw in (_samples, _image_samples)
      or draw is _interpolation and model.lacks('encode')):
    raise errors.UserError(
        f'--kind={kind} of {model.name} shows no images of data: leave out '
        '--data and --split.')
  with data_set.showing(shown):
    made = draw(model, number, seed, **options)
  drawn.write(output, made)
  is_fitted = (of_a_density
               and capabilities.name_of(model.prior) == ex_post.USUAL)
  return ex_post.USUAL if is_fitted else None


def _require_conditions(model, kind, flag):
  if kind != 'samples':
    raise errors.UserError(f'{flag} goes with --kind=samples, not {kind}.')
  if 'condition' in model.can:
    raise errors.UserError(f'{model.name} draws given conditions, not labels: '
                           f'leave out {flag}.')
  model.require(flag, 'condition')


def usual_priors(kind):
  """Returns the names of what may stand for the prior where none is given.

  Args:
    kind: one of `KINDS`.

  Returns:
    List, by the class of the model in gin's present configuration.
  """
  return checkpoints.usual_priors() if kind in _OF_A_DENSITY else ['own']


def _drawing(model, kind):
  """Returns the function for a kind of drawing of a model's kind of data."""
  known = TABLE.of(model.kind)
  if kind not in known:
    *first, last = known
    raise errors.UserError(
        f'{model.name} makes {model.kind.made}, of which there is no --kind='
        f'{kind}: choose {", ".join(first)}{" or " if first else ""}{last}.')
  return known[kind]


def usual_number(kind, model):
  """Returns how many examples are drawn by default.

  Args:
    kind: one of `KINDS`.
    model: a model or an export, with a `kind` of data.
  """
  pictures = KINDS['samples']
  # A chart of 64 points shows no distribution.
  fills = _FILLS_A_CHART.of(model.kind) or pictures
  return fills if KINDS[kind] == pictures else KINDS[kind]


# === Any kind of data ===


def _samples(model, number, seed, given=None):
  latents = np.asarray(model.draw_latents(number, seed, given))  # [N, H]
  images = np.concatenate(
      list(sampling.generate(model, number, seed, latents=latents)))
  return drawn.Drawn({'images': images, 'latents': latents})


# === Images ===


def _image_samples(model, number, seed, given=None):
  arrays = _samples(model, number, seed, given).arrays
  return drawn.Drawn(arrays, arrays['images'])


def _reconstruction(model, number, seed):
  originals = _validation_images(number, seed)
  made = model.reconstruct(originals).numpy()
  # An original, its reconstruction, the next original, and so on.
  pairs = np.stack([originals, made], 1).reshape(-1, *made.shape[1:])
  return drawn.Drawn({'images': made, 'originals': originals}, pairs, 8)


def _interpolation(model, number, seed, space, line):
  if model.lacks('encode'):
    if space != 'zT':
      model.require(f'--space={space}', 'encode')
    # Rounded up: a path is never cut.
    made = sampling.prior_interpolations(model, -(-number // STEPS), STEPS,
                                         seed, line == 'spherical')
    return drawn.Drawn({'images': made}, made, STEPS)
  originals = _validation_images(2 * -(-number // STEPS), seed)
  return latent_figures.interpolation(
      model, originals, latent_figures.spaces_of(space, model.prior), STEPS,
      line)


def _paths(model, number, seed):
  cloud = ex_post.encode(
      model, data_set.split('train'), max_latents=_LARGEST_CLOUD)
  return latent_figures.path_plot(
      model, cloud, _validation_images(2 * number, seed))


def _attribute(model, number, seed, name, strength, space):
  shown = latent_figures.spaces_of(space, model.prior)
  train, validation = map(data_set.split, ('train', 'validation'))
  mask = data.attribute_mask(train, name)
  if not mask.any():
    raise errors.UserError(
        f'No image of the split {train.split} has the attribute {name!r}; '
        f'there are {", ".join(data.attribute_names(train))}.')
  without = np.flatnonzero(~data.attribute_mask(validation, name))
  if not len(without):
    raise errors.UserError(
        f'All images of the split {validation.split} have the attribute '
        f'{name}, so it can be added to none: choose another --attribute.')
  # RandomState's stream is fixed for ever; that of default_rng may change.
  chosen = np.random.RandomState(seed).permutation(without)
  # np.resize repeats images where there are too few.
  originals = validation.read(np.resize(chosen, -(-number // STEPS)))
  return latent_figures.attribute(
      model, ex_post.encode(model, train), mask, originals, strength, shown,
      STEPS)


def _latents(model, number, seed):
  array = data_set.split('validation')
  labels = array.labels
  if labels is not None:
    # The positions that `encode` chooses for the same number.
    labels = labels[ex_post.positions(len(array), number)]
  return latent_figures.latents(
      model.prior, ex_post.encode(model, array, max_latents=number), labels,
      seed)


def _log_density(model, number, seed):
  del seed  # The whole split is ranked.
  array = data_set.split('validation')
  return latent_figures.log_densities(
      model.prior, ex_post.encode(model, array), array.read, number,
      array.labels)


def _out_of_distribution(model, number, seed, against):
  del seed
  dataset = settings.made(against, 'sample.against', data.DatasetLike)
  if tuple(dataset.image_shape) != tuple(model.image_shape):
    raise errors.UserError(
        f'The images of {dataset.name} are of the shape '
        f'{tuple(dataset.image_shape)}, and the model\'s of '
        f'{tuple(model.image_shape)}: choose another --against.')
  arrays = data_set.split('validation'), dataset.split('validation')
  encoded = [ex_post.encode(model, a, max_latents=number) for a in arrays]
  return latent_figures.out_of_distribution(
      model.prior, *encoded, [a.name for a in arrays],
      [ex_post.positions(len(a), number) for a in arrays])


# === Pairs ===


def _pair_samples(model, number, seed):
  """Rows of a condition, its validation image and samples."""
  columns = STEPS - 2  # Beside a condition and its image.
  pairs = _validation_pairs(-(-number // columns), seed)
  return _rows(conditional.sample_rows(model, *pairs, columns, seed), pairs,
               number)


def _pair_reconstruction(model, number, seed):
  """Rows of a condition, its validation image and the reconstruction."""
  pairs = _validation_pairs(number, seed)
  return _rows(conditional.reconstruction_rows(model, *pairs), pairs, number)


def _rows(rows, pairs, number):
  # Without the condition and the original of each row.
  made = rows[:, 2:].reshape(-1, *rows.shape[2:])[:number]
  return drawn.Drawn(
      {'images': made, 'originals': pairs[0], 'conditions': pairs[1]},
      rows.reshape(-1, *rows.shape[2:]), rows.shape[1])


def _validation_pairs(number, seed):
  array = data_set.split('validation')
  chosen = np.random.RandomState(seed).permutation(len(array))
  return array.read_pairs(np.resize(chosen, number))


# === Vectors ===


def _vector_samples(model, number, seed, given=None):
  """Samples beside vectors of the validation split."""
  originals, shades = _validation_vectors(number, seed)
  arrays = _samples(model, number, seed, given).arrays
  return drawn.Drawn(arrays, chart=scatter.samples(
      originals, arrays['images'], shades))


def _vector_reconstruction(model, number, seed):
  """Vectors of the validation split beside their reconstructions."""
  originals, shades = _validation_vectors(number, seed)
  made = model.reconstruct(originals).numpy()
  return drawn.Drawn({'images': made, 'originals': originals},
                     chart=scatter.reconstruction(originals, made, shades))


def _validation_vectors(number, seed):
  array = data_set.split('validation')
  chosen = np.random.RandomState(seed).permutation(len(array))[:number]
  return array.read(chosen), data.vector_shades(array, chosen)


# === Data ===


def _validation_images(number, seed):
  array = data_set.split('validation')
  chosen = np.random.RandomState(seed).permutation(len(array))
  return array.read(np.resize(chosen, number))


# Kind of data -> `{kind of drawing: function of a model, a number and a seed}`.
TABLE = kinds.Table({
    kinds.Kind: {'samples': _samples},
    kinds.Images: {
        'samples': _image_samples, 'interpolation': _interpolation,
        'reconstruction': _reconstruction, 'attribute': _attribute,
        'latents': _latents, 'paths': _paths, 'log_density': _log_density,
        'ood': _out_of_distribution},
    kinds.Pairs: {
        'samples': _pair_samples, 'reconstruction': _pair_reconstruction},
    kinds.Vectors: {
        'samples': _vector_samples, 'reconstruction': _vector_reconstruction,
        'latents': _latents},
})

"""The commands as functions, for a notebook or a script.

They take the commands' flags as keywords of the same names, one string where a
list of them has one entry, and leave gin's configuration empty.

```python
import pgak

pgak.train('runs/digits', data='digits', model='rae', steps=2000)
scores = pgak.evaluate('runs/digits', 'quick', prior='gmm')
model = pgak.load('runs/digits', prior='gmm')
images = model.sample(16, seed=1)   # uint8 [16, 8, 8, 1]
```
"""
import contextlib
import functools
import os
from typing import Annotated

import gin

from pgak import errors
from pgak import files
from pgak import registry
from pgak import settings
from pgak.runs import configuration
from pgak.runs import gin_files
from pgak.runs import gin_text
from pgak.runs import packs
from pgak.runs import run_directory

__all__ = ['compare', 'encode', 'evaluate', 'export', 'pack', 'train']

_NameOrPath = Annotated[str | os.PathLike,
                        settings.Says('a name or a path in quotes')]


@contextlib.contextmanager
def _configured(run_dir, gin_param, imports):
  """Reads a run's configuration into gin, and clears it afterwards."""
  registry.register()
  try:
    run = run_directory.RunDirectory(packs.folder(run_dir))
    configuration.parse_run(run, gin_param, registry.run_roots, imports)
    yield
  finally:
    gin.clear_config()


def _folder(run_dir, given):
  """Returns a run directory; of a packed run, one that is soon gone."""
  found = packs.folder(run_dir)
  if found is not run_dir and given.get('output', '') is None:
    raise errors.UserError(f'{run_dir} is a packed run, which is not written '
                           'to: give --output.')
  return found


def _given(function, gin_param, own, **arguments):
  """Returns the arguments that gin's bindings do not decide.

  Args:
    function: name that gin knows.
    gin_param: the caller's bindings.
    own: `{name: default}` of what the run does not decide.
    **arguments: those of the call, None where it does not say.
  """
  found = {name: v for name, v in arguments.items() if v is not None}
  # These only the caller binds: anyone may have made the run.
  return {name: default for name, default in own.items()
          if not gin_text.is_bound(f'{function}.{name}', gin_param)} | found


@functools.partial(settings.checked, name='train')
def _flags(data: _NameOrPath | None = None, model: _NameOrPath | None = None,
           network: _NameOrPath | None = None,
           recipe: _NameOrPath | None = None,
           size: str | settings.Count | None = None,
           latent_dim: settings.Count | None = None,
           steps: settings.Count | None = None,
           seed: settings.Seed | None = None,
           warm_start: settings.Path | None = None,
           attributes: settings.Path | None = None,
           download: bool | None = None,
           data_dir: settings.Path | None = None):
  """Returns the flags of `train` that are given, as its command has them."""
  return {name: os.fspath(value) if isinstance(value, os.PathLike) else value
          for name, value in locals().items() if value is not None}


@settings.several('gin_file', 'gin_param', 'imports')
def train(run_dir, gin_file=(), gin_param=(), imports=(), **flags):
  """Trains a model in a run directory, or resumes the run that is there.

  Args:
    run_dir: path of the run directory.
    gin_file: names of gin files, the later wins; without any all is chosen from
      the data, as `pgak_train --data=...` does.
    gin_param: settings as gin writes them, such as 'train.batch_size = 32'.
    imports: modules of your own, such as one with a model.
    **flags: those of `pgak_train`: data, model, network, recipe, size,
      latent_dim, steps, seed, warm_start, attributes, download, data_dir;
      None for one that is not given.

  Returns:
    The trained model.

  Raises:
    errors.UserError: names the setting that is wrong, and the way out.
    TypeError: for a keyword that is no flag.
  """
  from pgak.training import bindings
  from pgak.training import composition
  # A keyword that Python itself would refuse, were the flags spelled out.
  unknown = set(flags) - set(composition.FLAGS)
  if unknown:
    raise TypeError(f'train() has no flag {sorted(unknown)[0]!r}: it has '
                    f'{", ".join(composition.FLAGS)}.')
  registry.register()
  made = composition.composed(run_dir, _flags(**flags), gin_file, imports)
  twice = bindings.twice(made.settings, gin_param)
  if twice:
    raise errors.UserError(f'{twice}.')
  made.params += gin_param
  try:
    made.parse(imports, registry.train_roots)
    for line in made.summary():
      print(line)
    return composition.train(run_dir, made, imports)
  finally:
    gin.clear_config()


@settings.several('metrics', 'features', 'gin_param', 'imports')
def evaluate(run_dir, protocol=None, *, checkpoint=None, prior=None,
             metrics=None, latents=None, gin_param=(), imports=(),
             features=None, output=None):
  """Measures a run and appends the scores to its `scores.csv`.

  What is None is as the run or `gin_param` binds it, such as `evaluate.prior`.

  Args:
    run_dir: path of the run directory, or of a packed run.
    protocol: a name, such as 'quick', the default, or what makes a `Protocol`.
    checkpoint: 'latest', the default, 'best', 'all' or a step.
    prior: 'own', or another density by its name or class, or a list of those;
      by default the protocol's.
    metrics: names; by default the protocol's.
    latents: whether to measure how latents of data and samples match, too.
    gin_param: settings as gin writes them, such as 'quick.num_samples = 500'.
    imports: modules of your own that the run was trained with.
    features: instead of the protocol's: 'random', 'classifier', levels of
      Inception such as '768', or paths of nets (see `pgak.metrics.own_net`).
    output: path of another .csv for the scores; by default they are kept in the
      run, and those of a packed run nowhere.

  Returns:
    List of `scores.Score`; `pandas.DataFrame(map(dict, scores))` is a table.

  Raises:
    errors.UserError: as `evaluation.evaluate` does.
  """
  from pgak import evaluation
  with _configured(run_dir, gin_param, imports):
    return evaluation.evaluate(run_dir, **_given(
        'evaluate', gin_param, {'output': None}, output=output,
        protocol=protocol, checkpoint=checkpoint, prior=prior, metrics=metrics,
        latents=latents, features=features))


@settings.several('gin_param', 'imports')
def encode(run_dir, data, output, *, checkpoint='latest', prior=None,
           data_dir=None, overwrite=False, gin_param=(), imports=()):
  """Writes the latents of pictures, arrays or a data set.

  Args:
    run_dir: path of the run directory, or of a packed run.
    data: a folder, zip or tar of pictures, a .npy or .npz file, the name of a
      data set, or 'tfds:NAME'.
    output: path of the file, .npz or .csv; see `encoding.write`.
    checkpoint: 'latest', 'best' or a step.
    prior: 'own', or another density by its name, whose log-density is written,
      fitted to the latents of the training images if need be. None for the
      model's own, where training makes latents and prior alike.
    data_dir: folder of TensorFlow Datasets.
    overwrite: whether a file that is there is replaced.
    gin_param: settings as gin writes them.
    imports: modules of your own that the run was trained with.

  Returns:
    `pathlib.Path` of the file.

  Raises:
    errors.UserError: if the data do not fit the model, which may have no
      encoder, or if the density has no log-density and was asked for.
  """
  from pgak.generation import encoding
  encoding.check_output(output, overwrite)
  registry.register()
  number = encoding.encode_run(
      run_directory.RunDirectory(packs.folder(run_dir)), str(data), output,
      checkpoint, prior, data_dir, gin_param, imports)
  print(f'Wrote latents of {number} examples to {output}.')
  return files.local(output)


@settings.several('gin_param', 'imports')
def export(run_dir, output=None, checkpoint=None, prior=None, gin_param=(),
           imports=(), **others):
  """Exports a checkpoint of a run for TensorFlow Serving.

  What is None is as the run or `gin_param` binds it, such as `export.prior`;
  where to write, and whether to verify, only the caller says.

  Args:
    run_dir: path of the run directory, or of a packed run.
    output: folder of the versions, `export` in the run if it is not packed.
    checkpoint: 'latest', the default, 'best' or a step.
    prior: what `generate` draws from; by default 'own', or 'gmm' for a model
      that is not trained towards its prior.
    gin_param: settings as gin writes them.
    imports: modules of your own that the run was trained with.
    **others: the others of `serving.export`, such as verified.

  Returns:
    `pathlib.Path` of the version's folder.

  Raises:
    errors.UserError: as `serving.export` does.
  """
  from pgak import serving
  own = {'output': None, 'version': None, 'overwrite': False, 'verified': True}
  with _configured(run_dir, gin_param, imports):
    given = _given('export', gin_param, own, output=output,
                   checkpoint=checkpoint, prior=prior, **others)
    return serving.export(_folder(run_dir, given), **given)


def pack(run_dir, output, checkpoint='latest', overwrite=False):
  """Writes a run as a zip to give away; `pgak.load` opens it.

  It has the configuration, one checkpoint without optimizers, fitted densities,
  scores and a model card, and no path of this machine.

  Args:
    run_dir: path of the run directory.
    output: path of the zip.
    checkpoint: 'latest', 'best' or a step.
    overwrite: whether a file that is there is replaced.

  Returns:
    `pathlib.Path` of the zip.

  Raises:
    errors.UserError: as `packs.pack` does.
  """
  run = run_directory.RunDirectory(run_dir)
  step = packs.pack(run, output, checkpoint, overwrite)
  print(f'Packed {run.path} at step {step} into {output}.')
  return files.local(output)


@settings.several('features', 'imports')
def compare(one, other=None, *, number=10000, size=None, features=None, seed=0,
            inception=None, data_dir=None, imports=(), save_statistics=None,
            overwrite=False):
  """Measures how far two sets of images are apart.

  Args:
    one: a folder, zip or tar of pictures; a .npy or .npz file; a data set by
      its name, 'mnist' or 'mnist:train'; a run directory or the folder of an
      export, whose samples are taken; statistics that were saved; or uint8
      `[N, h, w, C]`.
    other: likewise; None to save the statistics of `one` alone.
    number: the most images of each that take part: of files and arrays
      random ones, of a named data set the first, as protocols take them.
    size: pixels of a side that pictures in files are brought to, 64 or '48x64';
      by default that of the other side.
    features: names as `evaluator.feature_net` takes them; by default those that
      saved statistics are of, or else 'random', and Inception's '768' where its
      weights are available.
    seed: int, decides samples.
    inception: path of the weights of Inception-2015.
    data_dir: folder of TensorFlow Datasets.
    imports: modules that a run was trained with.
    save_statistics: path of an .npz file for mean and covariance of the
      features of `one`; see `sides.save`.
    overwrite: whether such a file that is there is replaced.

  Returns:
    List of `comparison.Distance`, empty without `other`.

  Raises:
    errors.UserError: if a side is none of these, or sizes differ.
  """
  from pgak.evaluation import comparison
  from pgak.evaluation import side_readers
  from pgak.evaluation import sides as sides_lib
  registry.register()
  if save_statistics is not None:
    sides_lib.check_output(save_statistics, overwrite)
  elif other is None:
    raise errors.UserError('Give two sides, or save_statistics= for one.')
  for module in imports:
    gin_files.import_module(module)  # It may register layers of a net.
  reader = side_readers.SideReader(_makers(imports), number, seed, data_dir)
  sides = reader.read([one] if other is None else [one, other], size)
  if len(sides) == 2:
    comparison.check_shapes(*sides)
  names = _names(sides, features, inception)
  nets = _nets(names, inception)
  collected = [side.collect(nets) for side in sides]
  if save_statistics is not None:
    sides_lib.save(save_statistics, sides[0], collected[0], names)
    print(f'{sides_lib.line(sides[0].described())}: the statistics are in '
          f'{save_statistics}.')
  return [] if other is None else comparison.distances(sides, collected, seed)


def _makers(imports):
  """Returns the kinds of folders that make images, run directories first."""
  from pgak import serving
  from pgak.evaluation import side_readers
  from pgak.runs import checkpoints
  from pgak.serving import versions

  def of_run(path, number, seed):
    model = checkpoints.load(path, imports=imports, prior=None)
    return model.sample(number, seed).numpy()

  return [
      side_readers.Maker(lambda path: (path / 'config.gin').is_file(), of_run),
      side_readers.Maker(
          lambda path: path.is_dir() and versions.is_export(path),
          lambda path, *how: serving.ServedModel(path).sample(*how))]


def _names(sides, features, inception):
  """Returns the names of the features that sides are compared by."""
  from pgak.metrics import inception_weights
  kept = next((side.asked for side in sides if side.statistics), None)
  has_weights = inception or inception_weights.is_here()
  return features or kept or ('random', *['768'] * bool(has_weights))


def _nets(names, inception):
  from pgak.evaluation import evaluator
  try:
    # A setting of gin is the one door to the weights: `feature_net` reads it.
    configuration.parse_part(f'inception.weights = {inception!r}')
    return [evaluator.feature_net(name, None) for name in names]
  finally:
    gin.clear_config()

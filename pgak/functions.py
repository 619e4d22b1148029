"""The commands as functions, for a notebook or a script.

They take the commands' flags as keywords of the same names, and leave gin's
configuration empty.

```python
import pgak

pgak.train('runs/digits', data='digits', model='rae', steps=2000)
scores = pgak.evaluate('runs/digits', 'quick', prior='gmm')
model = pgak.load('runs/digits', prior='gmm')
images = model.sample(16, seed=1)   # uint8 [16, 8, 8, 1]
```
"""
import contextlib

import gin

from pgak import registry
from pgak.runs import configuration
from pgak.runs import run_directory

__all__ = ['evaluate', 'export', 'train']


@contextlib.contextmanager
def _configured(run_dir, gin_param, imports):
  """Reads a run's configuration into gin, and clears it afterwards."""
  registry.register()
  try:
    configuration.parse_run(run_directory.RunDirectory(run_dir), gin_param,
                            registry.run_roots, imports)
    yield
  finally:
    gin.clear_config()


def train(run_dir, gin_file=(), gin_param=(), imports=(), **flags):
  """Trains a model in a run directory, or resumes the run that is there.

  Args:
    run_dir: path of the run directory.
    gin_file: names of gin files, the later wins; without any all is chosen from
      the data, as `pgak_train --data=...` does.
    gin_param: settings as gin writes them, such as 'train.batch_size = 32'.
    imports: modules of your own, such as one with a model.
    **flags: those of `pgak_train`: data, model, network, recipe, size,
      latent_dim, steps, seed, attributes, download, data_dir.

  Returns:
    The trained model.

  Raises:
    errors.UserError: names the setting that is wrong, and the way out.
    TypeError: for a keyword that is no flag.
  """
  from pgak.training import composition
  unknown = set(flags) - set(composition.FLAGS)
  if unknown:
    raise TypeError(f'train() has no flag {sorted(unknown)[0]!r}: it has '
                    f'{", ".join(composition.FLAGS)}.')
  registry.register()
  made = composition.composed(run_dir, flags, gin_file, imports)
  made.params += gin_param
  try:
    made.parse(imports, registry.train_roots)
    for line in made.summary():
      print(line)
    return composition.train(run_dir, made, imports)
  finally:
    gin.clear_config()


def evaluate(run_dir, protocol='quick', checkpoint='latest', prior=None,
             metrics=None, latents=False, gin_param=(), imports=()):
  """Measures a run and appends the scores to its `scores.csv`.

  Args:
    run_dir: path of the run directory.
    protocol: a protocol's name, a `Protocol`, or a function that makes one.
    checkpoint: 'latest', 'best', 'all' or a step.
    prior: 'own', or another density by its name or class, or a list of those;
      by default the protocol's.
    metrics: names; by default the protocol's.
    latents: whether to measure how latents of data and samples match, too.
    gin_param: settings as gin writes them, such as 'quick.num_samples = 500'.
    imports: modules of your own that the run was trained with.

  Returns:
    List of `scores.Score`; `pandas.DataFrame(map(dict, scores))` is a table.

  Raises:
    errors.UserError: as `evaluation.evaluate` does.
  """
  from pgak import evaluation
  with _configured(run_dir, gin_param, imports):
    return evaluation.evaluate(run_dir, checkpoint, protocol, prior, metrics,
                               latents)


def export(run_dir, output=None, checkpoint='latest', prior='own',
           gin_param=(), imports=(), **settings):
  """Exports a checkpoint of a run for TensorFlow Serving.

  Args:
    run_dir: path of the run directory.
    output: folder that holds the versions; by default `export` in the run.
    checkpoint: 'latest', 'best' or a step.
    prior: what `generate` draws from.
    gin_param: settings as gin writes them.
    imports: modules of your own that the run was trained with.
    **settings: the others of `serving.export`, such as verified.

  Returns:
    `pathlib.Path` of the version's folder.

  Raises:
    errors.UserError: as `serving.export` does.
  """
  from pgak import serving
  with _configured(run_dir, gin_param, imports):
    return serving.export(run_dir, output, checkpoint, prior, **settings)

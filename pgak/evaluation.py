"""Measures a trained model by a protocol and says the whole protocol.

A Frechet distance means nothing without the choices that made it: feature net,
number of samples, reference images, crop, resize, rounding, batch-norm mode,
prior. So every row of a score holds all of them, and rows with different
choices never stand in one table.

Example:

```python
run = run_directory.RunDirectory('runs/vpga')
configuration.parse_run(run)
rows = evaluation.evaluate(run.path, checkpoint='best', protocol='quick')
print(evaluation.format_table(rows))
```
"""
import copy

import gin
import numpy as np

from pgak import checkpoints
from pgak import errors
from pgak import run_directory
from pgak import sampling
from pgak.metrics import classifier
from pgak.metrics import features
from pgak.metrics import frechet
from pgak.metrics import inception
from pgak.metrics import latent_match
from pgak.metrics import protocols
from pgak.metrics import reconstruction
from pgak.metrics import reference

__all__ = ['FrechetEvaluator', 'evaluate', 'feature_net', 'format_table',
           'frechet_scorer']

_MAX_TRAINING_IMAGES = 60000


def feature_net(level, dataset):
  """Makes the features of a distance.

  Args:
    level: a level of `inception.LEVELS`, or 'classifier'.
    dataset: the `data.Dataset` that a classifier is trained on.

  Returns:
    A `features.FeatureNet`.
  """
  if level != 'classifier':
    return gin.get_configurable(inception.inception)(level)
  train = dataset.split('train')
  number = min(len(train), _MAX_TRAINING_IMAGES)
  labels = classifier.require_labels(dataset.name, train.labels)
  return gin.get_configurable(classifier.classifier)(
      dataset.name, train.read(np.arange(number)), labels[:number])


@gin.register(denylist=['dataset'])
class FrechetEvaluator:
  """Scores models of one data set; the reference is measured once, when made.

  Example:

  ```python
  evaluator = evaluation.FrechetEvaluator(data.digits(), 'quick')
  evaluator.score(model)   # {'frechet_digits_classifier': 31.4}
  ```
  """

  def __init__(self, dataset, protocol='quick'):
    """Makes the nets and the reference statistics.

    Args:
      dataset: a `data.Dataset`.
      protocol: a `Protocol`, a function that returns one, or a name out of
        `protocols.NAMES`.

    Raises:
      UserError: if the protocol cannot be had for this data set.
    """
    self.dataset = dataset
    self.protocol = protocols.resolve(protocol)
    self.array = dataset.split(self.protocol.split)
    self.num_references = reference.count(
        self.array, self.protocol.num_references)
    self.num_samples = self.protocol.num_samples or self.num_references
    self.nets = [feature_net(f, dataset) for f in self.protocol.features]
    self.references = [
        reference.moments(net, self.array, self.num_references)
        for net in self.nets]

  def score(self, model):
    """Generates images once and measures them with every net.

    Args:
      model: a `GenerativeAutoencoder`; samples come from its `prior`.

    Returns:
      Dictionary from the distance's name to its value.
    """
    found = [frechet.Moments(net.size) for net in self.nets]
    batches = sampling.generate(
        model, self.num_samples, self.protocol.seed,
        batch_size=self.protocol.batch_size,
        batch_norm=self.protocol.batch_norm, rounding=self.protocol.rounding)
    for images in features.prefetch(batches):
      for net, moments in zip(self.nets, found):
        for rows in net([np.asarray(images)]):
          moments.update(rows)
    return {net.metric: frechet.distance(real, fake)
            for net, real, fake in zip(self.nets, self.references, found)}

  def rows(self, model, step, ema=None, latents=False):
    """Measures a model: the distances and `reconstruction_mse`.

    Args:
      model: a `GenerativeAutoencoder`.
      step: int, the checkpoint's step.
      ema: whether the weights are the averages of training; by default whether
        the model's optimizers keep some.
      latents: whether to measure `latent_match`, too.

    Returns:
      List of dictionaries with the keys `run_directory.SCORE_COLUMNS`.
    """
    if ema is None:
      ema = any(o.use_ema for o in model.optimizers.values())
    number = min(self.num_references, self.num_samples)
    common = dict(step=step, ema=ema)
    rows = [self._row(metric=net.metric, value=value, net=net,
                      prior=model.prior.name, **common)
            for net, value in zip(self.nets, self.score(model).values())]
    error = reconstruction.reconstruction_mse(model, self.array, number)
    rows.append(self._row(metric='reconstruction_mse', value=error,
                          features='pixels', num_samples=number, **common))
    if latents:
      images = self.array.read(np.arange(number))
      matches = latent_match.latent_match(model, images, self.protocol.seed)
      rows += [self._row(metric=name, value=value, features='latents',
                         num_samples=number, prior='standard_normal', **common)
               for name, value in matches.items()]
    return rows

  def _row(self, step, metric, value, ema, net=None, features=None,
           num_samples=None, prior='none'):
    made = self.array.preprocessing
    resizes = [made.get('resize'), net.resize if net else None]
    return dict(zip(run_directory.SCORE_COLUMNS, (
        step, metric, value, self.dataset.name,
        net.name if net else features, prior, ema,
        self.num_samples if net else num_samples, self._split(num_samples),
        made.get('crop') or 'none',
        '+'.join(r for r in resizes if r and r != 'none') or 'none',
        self.protocol.rounding if net else 'none',
        self._batch_norm() if net else 'inference',
        self.protocol.seed, self.protocol.name)))

  def _split(self, num_images):
    number = num_images or self.num_references
    whole = number == len(self.array)
    return self.array.split + ('' if whole else f'[:{number}]')

  def _batch_norm(self):
    # In train mode the size of the batches decides the score, too.
    mode = self.protocol.batch_norm
    return f'train/{self.protocol.batch_size}' if mode == 'train' else mode


@gin.register(denylist=['dataset'])
def frechet_scorer(dataset, protocol='quick', latents=True):
  """Makes the function that measures a model during its training.

  Args:
    dataset: a `data.Dataset`.
    protocol: as for `FrechetEvaluator`, made here, before training starts.
    latents: whether to measure `latent_match`, too.

  Returns:
    Function of a model and its step to rows of scores.csv.
  """
  evaluator = FrechetEvaluator(dataset, protocol)
  return lambda model, step: evaluator.rows(model, step, latents=latents)


def _dataset(run):
  """Makes the data set that gin's configuration names."""
  try:
    named = gin.query_parameter('train.dataset')
  except ValueError as error:
    raise errors.UserError(
        f'{run.config_file} binds no `train.dataset` that gin has read: call '
        'configuration.parse_run first, or use pgak_evaluate.') from error
  # A copy of gin's reference is the function that it names.
  return copy.deepcopy(named)()


def _steps(run, checkpoint):
  """Returns the steps that `checkpoint` means."""
  latest = run.resolve_checkpoint(
      'latest' if checkpoint == 'all' else checkpoint)
  return run.checkpoints() if checkpoint == 'all' else [latest]


def _fit(prior, model, dataset):
  """Makes a prior by its name or class, fitted to the latents of `train`."""
  prior = checkpoints.prior_class(prior)(model.latent_dim)
  if hasattr(prior, 'fit'):
    train = dataset.split('train')
    number = reference.count(train, _MAX_TRAINING_IMAGES)
    prior.fit(np.concatenate([np.asarray(model.encode(images))
                              for images in reference.read(train, number)]))
  return prior


@gin.configurable(denylist=['run_dir'])
def evaluate(run_dir, checkpoint='latest', protocol='quick', prior='own',
             latents=False):
  """Measures checkpoints of a run and appends the scores to its `scores.csv`.

  Gin's configuration must be the run's, with what is to be changed (see
  `configuration.parse_run`).

  Args:
    run_dir: path of the run directory; nothing else is needed.
    checkpoint: 'latest', 'best', 'all' or a step.
    protocol: a name out of `protocols.NAMES`, or a function that returns a
      `Protocol`.
    prior: 'own' for the model's, or the class of another one or its name; one
      that can be fitted is fitted to the latents of the training images, and
      the decoder's batch norm is then re-estimated on it.
    latents: whether to measure `latent_match`, too.

  Returns:
    List of rows, dictionaries with the keys `run_directory.SCORE_COLUMNS`: the
    distances of the protocol and `reconstruction_mse` on [0, 1], for each
    checkpoint.

  Raises:
    UserError: if the run, the checkpoint, the data set or the features cannot
      be had.
  """
  run = run_directory.RunDirectory(run_dir)
  steps = _steps(run, checkpoint)
  dataset = _dataset(run)
  evaluator = FrechetEvaluator(dataset, protocol)
  rows = []
  for step in steps:
    model = checkpoints.load_configured(run, step)
    if prior != 'own':
      model.prior = _fit(prior, model, dataset)
      sampling.reestimate_batch_norm(model, dataset.split('train'))
    measured = evaluator.rows(model, step, latents=latents)
    run.append_scores(measured)
    rows += measured
  return rows


def format_table(rows):
  """Returns rows as text, each set of choices under its own scores.

  Args:
    rows: dictionaries with the keys `run_directory.SCORE_COLUMNS`.
  """
  columns = ('metric',) + run_directory.SCORE_COLUMNS[3:]

  def choices(row):
    return tuple((c, row[c]) for c in columns)

  lines = []
  groups = {}
  for row in rows:
    groups.setdefault(choices(row), []).append(row)
  for group, members in groups.items():
    (_, metric), *rest = group
    lines += [f'{"step":>10}  {metric}']
    lines += [f'{row["step"]:>10}  {float(row["value"]):.6g}'
              for row in members]
    lines += ['  ' + ', '.join(f'{c} {v}' for c, v in rest[i:i + 4])
              for i in range(0, len(rest), 4)] + ['']
  return '\n'.join(lines)

"""Linear separability of a model's latent spaces by attributes."""
import dataclasses

import gin
import numpy as np

from pgak import capabilities
from pgak import data
from pgak import settings
from pgak.metrics import attribute_classifiers as classifiers_lib
from pgak.metrics import metric
from pgak.metrics import separability as separability_lib

__all__ = ['Separations', 'attribute_net', 'separations', 'spaces',
           'values_of']

# Latents that a flow inverts at once.
_BATCH = 10000


@settings.register(module='pgak.evaluation.separations',
                   denylist=['dataset', 'make'])
def attribute_net(dataset, attributes: tuple[str, ...] | None = None,
                  make=classifiers_lib.attribute_classifiers):
  """Makes the classifiers of a data set's attributes.

  They are trained on the split `train`; their accuracy is that on the split
  `validation`, or `test` where there is none.

  Args:
    dataset: a `data.Dataset` with attributes, or with labels, whose classes are
      the attributes 'label=0', 'label=1' ...
    attributes: names of those that count; None for all.
    make: function that trains them, with the arguments of
      `attribute_classifiers` that have no default.

  Returns:
    An `attribute_classifiers.AttributeClassifiers`.

  Raises:
    UserError: if the data set has no attributes or none of that name.
  """
  train, held_out = dataset.split('train'), dataset.split('validation')
  names = (tuple(attributes) if attributes else
           train.attribute_names or data.attribute_names(train))
  masks = data.attribute_masks(train, names or None)
  # Registered, not replaced: the module's own function knows no bindings.
  return gin.get_configurable(make)(
      dataset.name, names, train, masks, held_out,
      data.attribute_masks(held_out, names))


@dataclasses.dataclass(frozen=True)
class Separations:
  """What is measured of one prior.

  Attributes:
    classifiers: the `AttributeClassifiers`.
    share: float64 `[A]`, shares of the images with each attribute.
    spaces: dictionary from a space's name to its `separability.Separability`.
    prefix: string that the names of all scores begin with.
  """
  classifiers: classifiers_lib.AttributeClassifiers
  share: np.ndarray
  spaces: dict
  prefix: str = ''

  @property
  def values(self):
    """Dictionary from a score's name to its value."""
    values = {}
    for name, found in self.spaces.items():
      metric = f'{self.prefix}separability_{name}'
      values[metric] = found.value
      if found.deviation is not None:
        values[f'{metric}_std'] = found.deviation
      values[f'{metric}_svm_accuracy'] = found.accuracy.mean()
      if np.isfinite(found.held_out_accuracy).any():
        values[f'{metric}_svm_held_out'] = np.nanmean(found.held_out_accuracy)
      # Of the labels alone, so that it is the same in each space.
      values[f'{self.prefix}separability_failed'] = int(found.failed.sum())
    return values

  @property
  def table(self):
    """A header, and a row for each attribute."""
    header = ['attribute', 'classifier_accuracy', 'majority', 'share_of_images']
    columns = [self.classifiers.names, self.classifiers.accuracy,
               self.classifiers.majority, self.share]
    for name, found in self.spaces.items():
      header += [f'bits_{name}', f'svm_accuracy_{name}', f'svm_held_out_{name}']
      columns += [found.entropies, found.accuracy, found.held_out_accuracy]
    return [header, *([row[0], *(f'{x:.5g}' for x in row[1:])]
                      for row in zip(*columns))]


def spaces(prior, latents, couplings=False):
  """Returns the latent spaces of a prior, a dictionary of float `[N, H]`.

  The decoder's latents are `zT`, and `z0` are the samples of N(0, I) that a
  flow maps to them; without a flow the one space is `z`.

  Args:
    prior: a prior, see `pgak.priors`.
    latents: float `[N, H]`, its draws.
    couplings: whether to add `z1`, `z2` ..., the points behind each of a flow's
      couplings but the last.
  """
  if 'base' not in capabilities.of_prior(prior):
    # There is nothing before the decoder's latents to measure.
    return {'z': np.asarray(latents)}

  def mapped(**further):
    return np.concatenate([
        np.asarray(prior.latent_to_base(latents[i:i + _BATCH], **further))
        for i in range(0, len(latents), _BATCH)])

  between = range(1, getattr(prior, 'couplings', 0)) if couplings else ()
  return {'zT': np.asarray(latents), 'z0': mapped(),
          **{f'z{t}': mapped(coupling=t) for t in between}}


@settings.register(module='pgak.evaluation.separations',
                   denylist=['context', 'options', 'prefix'])
def separations(context, options=None, prefix='', couplings: bool = False):
  """Measures a model with the prior that it has.

  Args:
    context: see `metric`, with the scope 'prior'; `prepared` are the
      `AttributeClassifiers` of its data set.
    options: dictionary of settings of `separability` that this takes, whatever
      a configuration has.
    prefix: string that the names of all scores begin with.
    couplings: whether the spaces between the couplings of a flow are measured,
      too; see `spaces`.

  Returns:
    `Separations`.
  """
  latents = context.prior.sample(context.num_samples, context.seed)  # [N, H]
  logits = context.prepared.logits(context.generate(latents))  # [N, A]
  separability = gin.get_configurable(separability_lib.separability)
  return Separations(
      context.prepared, (logits > 0.).mean(0),
      {name: separability(points, logits, context.seed, **(options or {}))
       for name, points in spaces(context.prior, latents, couplings).items()},
      prefix)


def _prepared(dataset):
  return gin.get_configurable(attribute_net)(dataset)


@metric.register('separability', scope='prior', prepare=_prepared,
                 roots=('attribute_net', 'attribute_classifiers',
                        'separations', 'separability'),
                 better={'separability_*_*': 'neither',
                         'separability_z*': 'lower',
                         'separability_*': 'neither', 'attribute_*': 'neither'})
def _compute(context):
  yield from values_of(context, gin.get_configurable(separations)(context))


def values_of(context, found):
  """Yields the `metric.Value`s of `Separations`."""
  net = found.classifiers
  for name, value in found.values.items():
    yield metric.Value(name, value, features=net.name, split='train',
                       made=True, table=found.table)
  held_out = context.dataset.split('validation')
  # A separability is worth as much as the classifiers' labels: their accuracy
  # stands beside it, as a score of real images.
  quality = {'attribute_accuracy': net.accuracy.mean(),
             'attribute_majority': net.majority.mean()}
  for name, value in quality.items():
    yield metric.Value(name, value, features=net.name, images='data',
                       prior='none', num_samples=len(held_out),
                       split=held_out.split)

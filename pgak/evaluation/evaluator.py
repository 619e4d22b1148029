"""Measures models of one data set by one protocol."""
import gin

from pgak import capabilities
from pgak import errors
from pgak import priors
from pgak import settings
from pgak.data import decoding
from pgak.data import mixed_order
from pgak.evaluation import context as context_lib
from pgak.evaluation import examples_by_kind
from pgak.evaluation import files as files_lib
from pgak.evaluation import protocols
from pgak.metrics import classifier
from pgak.metrics import feature_sets
from pgak.metrics import inception
from pgak.metrics import metric as metric_lib
from pgak.metrics import own_net
from pgak.metrics import random_net
from pgak.metrics import reference
from pgak.priors import ex_post
from pgak.runs import scores

__all__ = ['Evaluator', 'feature_net']

_OF_A_CLASSIFIER = ('classifier', 'classifier_or_random')
# What a model cannot be without for examples of a kind.
_NEEDS_OF_IMAGES = {'reconstructions': ('encode',),
                    'interpolations': ('encode',)}


def feature_net(level, dataset):
  """Makes the features of a distance.

  Args:
    level: a level of `inception.LEVELS`; 'random' for `random_net`;
      'classifier', or 'classifier_or_random' for whichever there is; or the
      path of a net of one's own, see `own_net`.
    dataset: the `data.Dataset` that a classifier is trained on; None for none.

  Returns:
    A `features.FeatureNet`.

  Raises:
    UserError: if there are no such features, or they are not available.
  """
  if level == 'random':
    return gin.get_configurable(random_net.random_net)()
  if own_net.is_path(level):
    return gin.get_configurable(own_net.own_net)(level)
  if level not in _OF_A_CLASSIFIER:
    known = ('random', 'classifier', *inception.LEVELS)
    if level not in known:
      raise errors.UserError(
          f'There are no features {level!r}: choose one of {", ".join(known)}, '
          'or give the path of a .keras file or of a SavedModel\'s folder'
          f'{errors.similar(level, known) or "."}')
    return gin.get_configurable(inception.inception)(level)
  if dataset is None:
    raise errors.UserError(
        'The classifier is of a data set, and here is none: choose random, a '
        'level of Inception or the path of a net instead.')
  if level == 'classifier_or_random' and not classifier.has_classes(
      dataset.split('train').labels):
    return feature_net('random', dataset)
  return classifier.of_data_set(dataset)


# The split is the run's.
@settings.register(denylist=['dataset', 'trained_on'])
class Evaluator:
  """Scores models of one data set; the reference is measured once, when made.

  Examples of each kind are made once and pass each feature net once; what that
  leaves serves all metrics. It knows no metric but by its `metric.Metric`.

  Example:

  ```python
  evaluator = evaluation.Evaluator(data.digits(), 'quick')
  evaluator.score(model)   # {'frechet_digits_classifier': 31.4}
  ```
  """

  def __init__(self, dataset, protocol: protocols.Spec = 'quick',
               trained_on: str = 'train'):
    """Makes the nets and measures the reference.

    Args:
      dataset: a `data.Dataset`, or another of a kind in
        `examples_by_kind.TABLE`.
      protocol: a `Protocol`, a function that returns one, or its name.
      trained_on: name of the split that the models were trained on.

    Raises:
      UserError: if the protocol is not available for this data set.
    """
    # References and encoded examples are the first of their splits.
    dataset = mixed_order.of_data_set(dataset)
    self.protocol = protocols.resolve(protocol)
    self.source = examples_by_kind.examples_for(dataset, self.protocol)
    self.source.trained_on = trained_on
    named = [metric_lib.find(name, self.source.of)
             for name in self.protocol.metrics
             if name not in self.source.always]
    self.metrics = [*named, *metric_lib.implied(self.source.of)]
    self.keeps = frozenset(what for m in self.metrics for what in m.keeps)
    if 'examples' in self.keeps:
      self.source.keep(reference.MAXIMUM_ROWS)
    # Only the named ones: an implied metric uses the nets that are there.
    uses_nets = any(m.keeps or m.scope == 'features' for m in named)
    self.nets = [feature_net(level, dataset)
                 for level in self.protocol.features if uses_nets]
    # Here, so that missing weights or labels end the command before anything is
    # measured.
    self.prepared = {m.name: m.prepare(dataset) for m in named if m.prepare}
    self.references = feature_sets.of_references(
        self.nets, self.source.array, self.source.num_references,
        'features' in self.keeps)

  def score(self, model):
    """Measures what the model makes, of its own prior alone.

    Args:
      model: a `GenerativeModel`.

    Returns:
      Dictionary from the score's name to its value, of the first kind of
      examples of the protocol, samples if they are among them; of several nets
      the last one's where both give one of that name.

    Raises:
      UserError: if the protocol has no examples.
    """
    kinds = self.protocol.images
    if not kinds:
      raise errors.UserError(
          f'The protocol {self.protocol.name} makes no images, and a score is '
          'of those: call `rows(model, step)` instead.')
    images = 'samples' if 'samples' in kinds else kinds[0]
    # Step and averages stand in scores alone, which are dropped here.
    made = _Measurement(self, model, 0, False, None).of_examples(images)
    return {score.metric: score.value for score in made}

  def rows(self, model, step, ema=None, latents=False, attach=None,
           folder=None, leave_out=None):
    """Measures a model by the whole protocol.

    Args:
      model: a `GenerativeModel`.
      step: int, the checkpoint's step.
      ema: whether the weights are the averages of training; by default whether
        the model's optimizers keep some.
      latents: whether to measure `latent_match`, too.
      attach: function of the model and a prior's name or class that gives the
        model that prior; by default only the model's own is measured.
      folder: path where curves and pictures are written; None for nowhere.
      leave_out: function of a metric's name and a sentence, which is called
        where there are too few examples for it; None to raise the sentence.

    Returns:
      List of `scores.Score`.

    Raises:
      UserError: if something cannot be measured.
    """
    if ema is None:
      ema = any(o.use_ema for o in model.optimizers.values())
    measurement = _Measurement(self, model, step, ema, folder, leave_out)
    without = self.left_out(model, latents)
    # First what needs the model as it was loaded: another prior may come with
    # other statistics of batch norm.
    of_model = measurement.of_model(self.asked(latents))
    rows = []
    for images in self.protocol.images:
      if images != 'samples' and images not in without:
        rows += measurement.of_examples(images)
    # The own one comes first, see `priors_of`: attaching another replaces it.
    for prior in self.priors_of(model) if attach else ['own']:
      if prior in without:
        continue
      if prior != 'own':
        attach(model, prior)
      if 'samples' in self.protocol.images:
        rows += measurement.of_examples('samples')
      rows += measurement.of_prior()
    return rows + of_model

  def left_out(self, model, latents=False):
    """Returns what the protocol asks for and a model cannot do.

    Args:
      model: a `GenerativeModel`.
      latents: whether `latent_match` is asked for, too.

    Returns:
      `{name: reason}` of kinds of examples, of metrics, and of densities that
      would be fitted to latents.
    """
    needs = {name: _NEEDS_OF_IMAGES.get(name, ())
             for name in self.protocol.images}
    # An implied metric was not asked for, so its absence is no news.
    needs |= {m.name: m.needs for m in self.asked(latents) if not m.implied}
    needs |= {p: ('encode',) for p in self.protocol.priors
              if p not in (protocols.OWN_OR_GAUSSIAN, protocols.OWN_OR_MIXTURE)
              and 'fit' in capabilities.of_prior(priors.prior_class(p))}
    found = {name: reason for name, wanted in needs.items()
             if (reason := model.lacks(*wanted))}
    return found | {m.name: f'Training saw all of {self.source.dataset.name}'
                    for m in self.metrics if self.lacks(m) and not m.implied}

  def lacks(self, metric):
    """Whether there are not the examples that a metric compares with."""
    return metric.held_out and self.source.unseen is None

  def is_fitted(self, model):
    """Whether a density of a model's latents stands for its own prior."""
    return (protocols.OWN_OR_MIXTURE in self.protocol.priors
            and capabilities.is_unmatched(model))

  def asked(self, latents):
    """Returns the metrics, with `latent_match` if it is asked for, too."""
    name = 'latent_match'
    # Data of a kind for which there is no such metric counts as having it.
    has_it = (name in self.protocol.metrics
              or name not in metric_lib.names(self.source.of))
    if not latents or has_it:
      return self.metrics
    return [*self.metrics, metric_lib.find(name, self.source.of)]

  def priors_of(self, model):
    """Returns the protocol's priors as a model has them, its own first."""
    # The column N of [1, table 1] of `protocols`: N(0, I) where training
    # matches the latents to it, a fitted Gaussian elsewhere.
    own = (getattr(model, 'matches_prior', True)
           or getattr(model, 'learns_prior', False))
    meant = {
        protocols.OWN_OR_GAUSSIAN: 'own' if own else 'gaussian',
        protocols.OWN_OR_MIXTURE:
            ex_post.USUAL if self.is_fitted(model) else 'own'}
    names = [meant.get(p, p) for p in self.protocol.priors]
    return sorted(dict.fromkeys(names), key=lambda p: p != 'own')


class _Measurement:
  """One model at one step, as an evaluator measures it, scope by scope."""

  def __init__(self, evaluator, model, step, ema, folder, leave_out=None):
    self._evaluator = evaluator
    self._source = evaluator.source
    self._protocol = evaluator.protocol
    self._model = model
    self._step = step
    self._ema = ema
    self._files = files_lib.Files(folder, step)
    self._leave_out = leave_out
    self._latents = {}

  def of_model(self, metrics):
    return self._measured('model', self._context(context_lib.Context), metrics)

  def of_prior(self):
    return self._measured('prior', self._context(context_lib.PriorContext),
                          self._evaluator.metrics)

  def of_examples(self, images):
    """Makes examples of a kind and measures them, and their features."""
    metrics = [m for m in self._evaluator.metrics
               if m.scope in ('examples', 'features')]
    if not metrics:
      return []
    made = self._source.make(images, self._model, self._latents_of)
    found = feature_sets.collect(
        self._evaluator.nets, made, 'features' in self._evaluator.keeps,
        'probabilities' in self._evaluator.keeps)
    rows = []
    # `collect` has used the batches up; `made` keeps the first examples.
    for real, fake in zip(self._evaluator.references, found):
      rows += self._measured('features', self._context(
          context_lib.FeaturesContext, images, real, fake), metrics)
    if self._files.folder:
      self._source.write(self._files, images, self._model, made.examples)
    return rows + self._measured('examples', self._context(
        context_lib.ExamplesContext, images, made, found), metrics)

  def _context(self, kind, *more):
    return kind(self._model, self._source, self._latents, *more)

  def _latents_of(self, number):
    return self._context(context_lib.Context).latents(number)

  def _measured(self, scope, context, metrics):
    rows = []
    for metric in metrics:
      if (metric.scope != scope or self._model.lacks(*metric.needs)
          or self._evaluator.lacks(metric)):
        continue
      # One context serves all metrics of a scope.
      context.prepared = self._evaluator.prepared.get(metric.name)
      try:
        for value in metric.compute(context):
          # The file's name is made of the score's choices.
          score = self._score(metric, context, value)
          self._files.write_parts(metric.name, value, score)
          rows.append(score)
      except errors.UnavailableError as e:
        if self._leave_out is None:
          raise
        self._leave_out(metric.name, errors.reason(e, length=None))
    return rows

  def _score(self, metric, context, value):
    """Returns a value with every choice that made it."""
    # Where a value has None, the scope decides.
    chosen = {**context.defaults, **{
        name: given for name in ('features', 'images', 'prior', 'num_samples',
                                 'split', 'made')
        if (given := getattr(value, name)) is not None}}
    images, made, net = chosen['images'], chosen['made'], chosen['features']
    choices = self._source.array.preprocessing
    # Two resizes decide a score: that of the data set and that of the net's
    # input.
    resizes = [decoding.resize_name(choices), getattr(net, 'resize', None)]
    protocol = self._protocol
    return scores.Score(
        step=self._step, metric=value.name, value=value.value,
        dataset=self._source.dataset.name, features=getattr(net, 'name', net),
        images=images, prior=chosen['prior'], ema=self._ema,
        num_samples=chosen['num_samples'], split=chosen['split'],
        crop=choices.get('crop') or 'none',
        resize='+'.join(r for r in resizes if r and r != 'none') or 'none',
        rounding=protocol.rounding if made else 'none',
        batch_norm=self._batch_norm() if made else 'inference',
        # Interpolations are of encoded images: the seed of samples plays no
        # part.
        seed=(protocol.interpolation_seed if images == 'interpolations'
              else protocol.seed),
        protocol=protocol.name, better=metric.better_of(value.name, images),
        error='' if value.error is None else value.error)

  def _batch_norm(self):
    # In train mode the size of the batches decides the score, too.
    mode = self._protocol.batch_norm
    return f'train/{self._protocol.batch_size}' if mode == 'train' else mode

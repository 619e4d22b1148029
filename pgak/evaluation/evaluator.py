"""Measures models of one data set by one protocol."""
import functools

import gin
import numpy as np

from pgak import settings
from pgak.data import decoding
from pgak.evaluation import attribute_separability
from pgak.evaluation import examples
from pgak.evaluation import feature_metrics
from pgak.evaluation import files as files_lib
from pgak.evaluation import latent_topology
from pgak.evaluation import nearest_images
from pgak.evaluation import protocols
from pgak.metrics import classifier
from pgak.metrics import feature_sets
from pgak.metrics import inception
from pgak.metrics import latent_match
from pgak.metrics import lpips
from pgak.metrics import reconstruction
from pgak.metrics import reference
from pgak.priors import ex_post
from pgak.runs import run_directory

__all__ = ['Evaluator', 'feature_net', 'label']

_MAX_TRAINING_IMAGES = 60000
_MAX_LATENTS = 10000
_SHOWN = 64


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


@settings.register(denylist=['dataset'])
class Evaluator:
  """Scores models of one data set; the reference is measured once, when made.

  Images of each kind are made once and pass each feature net once; what that
  leaves serves all metrics.

  Example:

  ```python
  evaluator = evaluation.Evaluator(data.digits(), 'quick')
  evaluator.score(model)   # {'frechet_digits_classifier': 31.4}
  ```
  """

  def __init__(self, dataset, protocol: protocols.Spec = 'quick'):
    """Makes the nets and measures the reference.

    Args:
      dataset: a `data.Dataset`.
      protocol: a `Protocol`, a function that returns one, or a name out of
        `protocols.NAMES`.

    Raises:
      UserError: if the protocol is not available for this data set.
    """
    self.dataset = dataset
    self.protocol = protocols.resolve(protocol)
    self.array = dataset.split(self.protocol.split)
    self.encoded = (dataset.split(self.protocol.encoded_split)
                    if self.protocol.encoded_split else self.array)
    self.num_references = reference.count(
        self.array, self.protocol.num_references)
    self.num_samples = self.protocol.num_samples or self.num_references
    self.num_encoded = min(self.num_samples, len(self.encoded))
    if not self.protocol.encoded_split:
      self.num_encoded = min(self.num_samples, self.num_references)
    self.nets = [feature_net(f, dataset) for f in self.protocol.features
                 if feature_metrics.NEED_FEATURES.intersection(
                     self.protocol.metrics)]
    self.attribute_net = (
        gin.get_configurable(attribute_separability.attribute_net)(dataset)
        if 'separability' in self.protocol.metrics else None)
    self.lpips = None
    if 'lpips' in self.protocol.metrics:
      self.lpips = gin.get_configurable(lpips.LPIPS)()
      self.lpips.check_size(dataset.image_shape[:2])
    self.keep_rows = bool(
        feature_metrics.NEED_ROWS.intersection(self.protocol.metrics))
    self.references = feature_sets.of_references(
        self.nets, self.array, self.num_references, self.keep_rows)

  def score(self, model):
    """Measures samples of the model's own prior alone.

    Args:
      model: a `GenerativeAutoencoder`; samples come from its `prior`.

    Returns:
      Dictionary from the score's name to its value; of several nets the last
      one's where both give one of that name.
    """
    found, _ = self._collected(model, 'samples')
    return {name: value for _, _, measured in self._measured(found)
            for name, value in measured.values.items()}

  def rows(self, model, step, ema=None, latents=False, attach=None,
           folder=None):
    """Measures a model by the whole protocol.

    Args:
      model: a `GenerativeAutoencoder`.
      step: int, the checkpoint's step.
      ema: whether the weights are the averages of training; by default whether
        the model's optimizers keep some.
      latents: whether to measure `latent_match`, too.
      attach: function of the model and a prior's name or class that gives the
        model that prior; by default only the model's own is measured.
      folder: path where curves and pictures of neighbours are written, below
        `prd/` and `neighbours/`; None for nowhere.

    Returns:
      List of dictionaries with the keys `run_directory.SCORE_COLUMNS`.
    """
    if ema is None:
      ema = any(o.use_ema for o in model.optimizers.values())
    row = functools.partial(self._row, step, ema)
    files = files_lib.Files(folder, step)
    left_out = examples.left_out(model, self.protocol, latents)
    # First what needs the model as it was loaded: another prior may come with
    # other statistics of batch norm.
    rest = self._encoded_rows(model, row, latents)
    rows = []
    for kind in self.protocol.images:
      if kind != 'samples' and kind not in left_out:
        rows += self._image_rows(model, kind, row, files)
    for prior in self._priors(model) if attach else ['own']:
      if prior in left_out:
        continue
      if prior != 'own':
        attach(model, prior)
      if 'samples' in self.protocol.images:
        rows += self._image_rows(model, 'samples', row, files)
      rows += self._separability_rows(model, row, files)
      rows += self._likelihood_rows(model, row)
    return rows + rest

  def _priors(self, model):
    """The protocol's priors, the model's own first."""
    own = (getattr(model, 'matches_prior', True)
           or getattr(model, 'learns_prior', False))
    normal = 'own' if own else 'gaussian'
    names = [normal if p == protocols.OWN_OR_GAUSSIAN else p
             for p in self.protocol.priors]
    return sorted(dict.fromkeys(names), key=lambda p: p != 'own')

  def _number(self, kind):
    return self.num_samples if kind == 'samples' else self.num_encoded

  def _collected(self, model, kind):
    """Makes images of a kind and passes them through the nets, once.

    Returns:
      `([Collected], first images)`, uint8 `[n, h, w, C]`.
    """
    batches = examples.images_of(
        kind, model, self.protocol, self.encoded, self._number(kind))
    kept = examples.First(batches, nearest_images.MAXIMUM_SAMPLES)
    tells = not feature_metrics.NEED_PROBABILITIES.isdisjoint(
        self.protocol.metrics)
    return feature_sets.collect(
        self.nets, kept, self.keep_rows, tells), kept.images

  def _measured(self, found):
    """Yields `(net, metric, Measured)` of all metrics of collected features."""
    for real, fake in zip(self.references, found):
      for metric in self.protocol.metrics:
        silent = (metric in feature_metrics.NEED_PROBABILITIES
                  and fake.probabilities is None)
        if metric in feature_metrics.MEASURES and not silent:
          yield fake.net, metric, feature_metrics.MEASURES[metric](
              real, fake, self.protocol.seed)

  def _image_rows(self, model, kind, row, files):
    if not self.nets:
      return []
    prior = label(model.prior) if kind == 'samples' else 'none'
    settings = dict(images=kind, prior=prior)
    if kind == 'interpolations':
      settings['seed'] = self.protocol.interpolation_seed
    found, first = self._collected(model, kind)
    rows = []
    for net, _, measured in self._measured(found):
      rows += [row(metric=name, value=value, net=net,
                   num_samples=measured.num_fake,
                   split=self._compared(kind, measured.num_real), **settings)
               for name, value in measured.values.items()]
      files.write_curve(measured.curve, kind, prior, net.name)
    if kind == 'samples':
      files.write_grid(first[:_SHOWN], prior)
    if 'neighbours' in self.protocol.metrics and kind == 'samples':
      rows += self._neighbour_rows(found, first, row, files, settings)
    return rows

  def _neighbour_rows(self, found, first, row, files, settings):
    rows = []
    for result in nearest_images.neighbourhoods(
        self.dataset, self.encoded, first, found):
      rows += [row(metric=name, value=value, net=result.net,
                   features='pixels', num_samples=len(first),
                   split=result.split, made=True, **settings)
               for name, value in result.scores.items()]
      files.write_picture(result.picture, 'samples', settings['prior'],
                          result.net.name if result.net else 'pixels')
    return rows

  def _encoded_rows(self, model, row, latents):
    """Of reconstructions and latents; none of a model without an encoder."""
    if model.lacks('encode'):
      return []
    rows = self._pixel_rows(model, row) + self._lpips_rows(model, row)
    rows += self._topology_rows(model, row)
    return rows + (self._latent_match_rows(model, row) if latents else [])

  def _pixel_rows(self, model, row):
    number, metrics = self.num_encoded, self.protocol.metrics
    if 'reconstruction' in metrics:
      values = reconstruction.reconstruction(model, self.encoded, number)
    elif 'reconstruction_mse' in metrics:
      values = {'reconstruction_mse': reconstruction.reconstruction_mse(
          model, self.encoded, number)}
    else:
      values = {}
    return [row(metric=name, value=value, features='pixels',
                num_samples=number, images='reconstructions',
                split=examples.span(self.encoded, number))
            for name, value in values.items()]

  def _lpips_rows(self, model, row):
    if self.lpips is None:
      return []
    number = self.num_encoded
    value = reconstruction.perceptual_distance(
        self.lpips, model, self.encoded, number)
    return [row(metric=self.lpips.label, value=value,
                features=self.lpips.backbone, num_samples=number,
                images='reconstructions',
                split=examples.span(self.encoded, number))]

  def _topology_rows(self, model, row):
    if 'topology' not in self.protocol.metrics:
      return []
    values, number = latent_topology.measure(model, self.encoded)
    return [row(metric=name, value=value, features='latents',
                num_samples=number, images='data',
                split=examples.span(self.encoded, number))
            for name, value in values.items()]

  def _latent_match_rows(self, model, row):
    number = self.num_encoded
    images = self.encoded.read(np.arange(number))
    matches = latent_match.latent_match(model, images, self.protocol.seed)
    return [row(metric=name, value=value, features='latents',
                num_samples=number, images='data', prior='standard_normal',
                split=examples.span(self.encoded, number))
            for name, value in matches.items()]

  def _separability_rows(self, model, row, files):
    net = self.attribute_net
    if net is None:
      return []
    found = attribute_separability.measure(
        model, net, self.protocol, self.num_samples)
    prior = label(model.prior)
    files.write_separations(found, prior)
    rows = [row(metric=name, value=value, features=net.name, images='samples',
                prior=prior, num_samples=self.num_samples, split='train',
                made=True) for name, value in found.values.items()]
    held_out = self.dataset.split('validation')
    quality = {'attribute_accuracy': net.accuracy.mean(),
               'attribute_majority': net.majority.mean()}
    return rows + [
        row(metric=name, value=value, features=net.name, images='data',
            num_samples=len(held_out), split=held_out.split)
        for name, value in quality.items()]

  def _likelihood_rows(self, model, row):
    """Log-likelihood of training and held-out latents: memorisation shows."""
    if model.lacks('fit'):
      return []
    train = self.dataset.split('train')
    number = min(len(train), len(self.encoded), _MAX_LATENTS)
    values = ex_post.log_likelihoods(model, train, self.encoded, number)
    names = 'log_likelihood_train', 'log_likelihood_held_out'
    return [row(metric=name, value=value, features='latents', images='data',
                num_samples=number, prior=label(model.prior),
                split=f'{train.split} vs {self.encoded.split}')
            for name, value in zip(names, values or ())]

  def _row(self, step, ema, metric, value, images, split, num_samples,
           net=None, features=None, prior='none', seed=None, made=None):
    # Whether pixels that the model has made were measured, after rounding.
    made = (net is not None and images != 'data') if made is None else made
    choices = self.array.preprocessing
    resizes = [decoding.resize_name(choices), net.resize if net else None]
    return dict(zip(run_directory.SCORE_COLUMNS, (
        step, metric, value, self.dataset.name,
        net.name if net else features, images, prior, ema, num_samples, split,
        choices.get('crop') or 'none',
        '+'.join(r for r in resizes if r and r != 'none') or 'none',
        self.protocol.rounding if made else 'none',
        self._batch_norm() if made else 'inference',
        self.protocol.seed if seed is None else seed, self.protocol.name)))

  def _compared(self, kind, number):
    """The reference, after the images that were encoded where others were."""
    real = examples.span(self.array, number)
    made_of = examples.span(self.encoded, self.num_encoded)
    apart = kind != 'samples' and self.protocol.encoded_split
    return f'{made_of} vs {real}' if apart else real

  def _batch_norm(self):
    # In train mode the size of the batches decides the score, too.
    mode = self.protocol.batch_norm
    return f'train/{self.protocol.batch_size}' if mode == 'train' else mode


def label(prior):
  """Returns what scores call a prior."""
  return getattr(prior, 'label', prior.name)

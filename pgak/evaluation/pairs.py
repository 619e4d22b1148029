"""Measures models of images given conditions, by one protocol.

Two images are made for each condition of the split: how far the two are apart
is the diversity, and the first of them are compared with the real images.
"""
import functools

import numpy as np
import tensorflow as tf

from pgak import data
from pgak.evaluation import evaluator as evaluator_lib
from pgak.evaluation import examples
from pgak.evaluation import files as files_lib
from pgak.generation import conditional
from pgak.metrics import feature_sets
from pgak.metrics import frechet
from pgak.metrics import inception_score
from pgak.metrics import lpips

__all__ = ['PairEvaluator', 'mean_terms']

_KIND = 'translations'
_SPLITS = 10
_BATCH = 500
_SHOWN = 12


class PairEvaluator(evaluator_lib.Evaluator):
  """Scores models of one data set of pairs.

  What it measures of the images that are made for the split's conditions:

  * `diversity_<distance>`: mean distance of two images for one condition, and
    `..._se`, its standard error over conditions; the distance is that of the
    feature nets' activations and, with the metric 'lpips', LPIPS;
  * `classifier_score`, the inception score by a classifier of the data set, and
    `..._se`, its standard error over 10 parts of the images;
  * the Frechet distance from the real images;

  and of the real pairs: `reconstruction_mae`, the mean absolute error of pixels
  in [0, 255] of latents that are the encoder's draws; for a model with a KL
  term `kl`, in nats an image; for one with a learned prior `prior_nll`, in nats
  a latent number.
  """

  def score(self, model):
    return {row['metric']: row['value'] for row in self.rows(model, 0)}

  def rows(self, model, step, ema=None, latents=False, attach=None,
           folder=None):
    """As `Evaluator.rows`; such models have no prior but their own."""
    del latents, attach
    if ema is None:
      ema = any(o.use_ema for o in model.optimizers.values())
    conditions = self.array.read_conditions(np.arange(self.num_samples))
    first, second = (
        np.concatenate(list(conditional.generate(
            model, conditions, 2 * self.protocol.seed + i,
            rounding=self.protocol.rounding))) for i in range(2))
    row = functools.partial(self._row, step, ema, images=_KIND, made=True,
                            prior=model.prior.label,
                            split=examples.span(self.array, self.num_samples),
                            num_samples=self.num_samples)
    self._write_picture(model, step, folder)
    return (self._quality_rows(first, row)
            + self._diversity_rows(first, second, row)
            + self._term_rows(model, step, ema))

  def _quality_rows(self, images, row):
    tells = 'inception_score' in self.protocol.metrics
    found = feature_sets.collect(self.nets, _batches(images), False, tells)
    rows = []
    for real, fake in zip(self.references, found):
      if fake.probabilities is not None:
        name = ('inception_score' if fake.net.metric == 'fid'
                else 'classifier_score')
        mean, deviation = inception_score.inception_score(
            fake.probabilities, _SPLITS)
        rows += [row(metric=name, value=mean, net=fake.net),
                 row(metric=f'{name}_se', value=deviation / _SPLITS**0.5,
                     net=fake.net)]
      if 'frechet' in self.protocol.metrics:
        rows.append(row(
            metric=fake.net.metric, net=fake.net,
            value=frechet.distance(real.moments, fake.moments)))
    return rows

  def _diversity_rows(self, first, second, row):
    distances = [(net.name, net.name, functools.partial(_of_features, net))
                 for net in self.nets]
    if self.lpips is not None:
      distances.append((self.lpips.label, self.lpips.backbone, self.lpips))
    rows = []
    for name, features, distance in distances:
      mean, error = lpips.diversity(
          distance, zip(_batches(first), _batches(second)))
      rows += [row(metric=f'diversity_{name}', value=mean, features=features),
               row(metric=f'diversity_{name}_se', value=error,
                   features=features)]
    return rows

  def _term_rows(self, model, step, ema):
    """Mean terms of real pairs, as the model's objective has them."""
    means = mean_terms(model, self.array, self.num_samples)
    error = means['reconstruction_mae']
    low, high = model.value_range
    values = {'reconstruction_mae': (error * 255. / (high - low), 'pixels')}
    if 'kl' in means:  # The term is divided by the number of latents.
      values['kl'] = means['kl'] * model.latent_dim, 'latents'
    if 'prior_nll' in means:
      values['prior_nll'] = means['prior_nll'], 'latents'
    split = examples.span(self.array, self.num_samples)
    return [self._row(step, ema, metric=name, value=value, features=features,
                      num_samples=self.num_samples, split=split,
                      images='reconstructions' if features == 'pixels'
                      else 'data')
            for name, (value, features) in values.items()]

  def _write_picture(self, model, step, folder):
    shown = np.arange(min(_SHOWN, self.num_samples))
    if folder:
      rows = conditional.sample_rows(
          model, *self.array.read_pairs(shown), seed=self.protocol.seed)
      files_lib.Files(folder, step).write_translations(
          conditional.picture(rows), model.prior.label)


def _batches(images):
  for first in range(0, len(images), _BATCH):
    yield images[first:first + _BATCH]


def _of_features(net, images, others):
  """Distances of features, float64 `[B]`."""
  one, other = (np.concatenate(list(net([x]))) for x in (images, others))
  return np.linalg.norm(one.astype(np.float64) - other, axis=1)


def mean_terms(model, array, number):
  """Means of a model's terms and of the pixels' absolute error."""

  @tf.function(reduce_retracing=True)
  def measure(batch, index):
    noise = model.draw_noise(batch, index, 'evaluation')
    terms = model.terms(batch, noise, training=False)
    latents = model.encoder([batch['images'], batch['conditions']],
                            training=False) + noise['posterior']
    made = model.render(latents, batch['conditions'])
    terms['reconstruction_mae'] = tf.reduce_mean(
        tf.abs(made - batch['images']), [1, 2, 3])
    return {name: tf.reduce_sum(values) for name, values in terms.items()}

  total = {}
  batches = data.batches(array, _BATCH, model.value_range, limit=number)
  for index, batch in enumerate(batches):
    for name, value in measure(batch, tf.constant(index, tf.int64)).items():
      total[name] = total.get(name, 0.) + float(value)
  return {name: value / number for name, value in total.items()}

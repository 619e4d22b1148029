"""The numbers of the contract test, worked out in NumPy from the model alone.
"""
import re

import numpy as np
import pytest
from scipy import linalg
from scipy import stats
import tensorflow as tf

from pgak.generation import conditional
from pgak.priors import ex_post
from pgak.runs import configuration

__all__ = ['alike', 'check_rows', 'features', 'floats', 'frechet', 'frozen_kl',
           'read', 'split', 'typed']


def split(name):
  """Returns a split of the data set that gin's configuration names."""
  return configuration.setting('train.dataset')().split(name)


def read(array, number):
  """Returns the first examples, as the model's verbs take them: a tuple."""
  places = np.arange(min(number, len(array)))
  if hasattr(array, 'read_pairs'):
    return array.read_pairs(places)
  return (array.read(places),)


def alike(made, expected):
  """Whether two arrays are of one kind and hold the same examples.

  An image may be a grey level off where its number lay on an edge.
  """
  made, expected = np.asarray(made), np.asarray(expected)
  assert (made.dtype, made.shape) == (expected.dtype, expected.shape)
  assert made.size and np.isfinite(made).all()
  if made.dtype != np.uint8:
    np.testing.assert_allclose(made, expected, rtol=1e-3, atol=1e-4)
    return
  difference = np.abs(made.astype(int) - expected)
  # A plane of one grey may lie on an edge as a whole.
  assert difference.max() <= 1 and difference.mean() < 0.25


def floats(examples, value_range):
  """uint8 to float64 in the range; vectors as they are."""
  examples = np.asarray(examples, np.float64)
  if value_range is None:
    return examples
  low, high = value_range
  return low + examples / 255. * (high - low)


def frozen_kl(mean, log_variance):
  """KL of N(mean, variance) from N(0, I), divided by the latent size."""
  mean, log_variance = (np.asarray(x, np.float64) for x in (mean, log_variance))
  return 0.5 * np.mean(mean**2 + np.exp(log_variance) - 1. - log_variance)


# === Scores ===


def features(images, level):
  """What `tiny_evaluation.flat_net` makes of uint8 `[N, 8, 8, 1]`."""
  side = 4 if level == '64' else 2
  tiles = np.reshape(images / 255., [-1, 8 // side, side, 8 // side, side])
  return tiles.mean((2, 4)).reshape(len(images), -1)


def frechet(one, other):
  """The Frechet distance of features, `[N, F]` and `[M, F]`."""
  first, second = (np.cov(x, rowvar=False) for x in (one, other))
  root = linalg.sqrtm(first @ second).real
  apart = one.mean(0) - other.mean(0)
  return apart @ apart + np.trace(first + second - 2. * root)


def check_rows(run, rows):
  """Holds scores against their own definition, wherever it is short.

  Args:
    run: `contract.Run`, whose configuration gin has.
    rows: of its scores.

  Returns:
    How many of them were worked out anew.
  """
  assert rows
  models = {}
  found = 0
  for row in map(typed, rows):
    assert np.isfinite(row['value']), row
    check = _CHECKS.get(row['metric'].split('_flat_')[0])
    if check and (row['images'], row['prior']) not in _SKIPPED:
      density = 'gaussian' if row['prior'] == 'gaussian' else 'own'
      if density not in models:
        models[density] = run.model(prior=density)
      found += check(models[density], row) is not None
  return found


def typed(row):
  """A row of scores.csv, which holds text, with its numbers."""
  return row | {'value': float(row['value']), 'seed': int(row['seed']),
                'num_samples': int(row['num_samples'])}


# A mixture is not fitted again.
_SKIPPED = {('samples', f'gmm_{n}') for n in (2, 10)}


def _examples(row):
  """The examples that a row's `split` names; of two, the last one's."""
  name, number = re.fullmatch(r'(?:.* vs )?(\w+)(?:\[:(\d+)\])?',
                              row['split']).groups()
  array = split(name)
  return read(array, int(number or len(array)))


def _check_frechet(model, row):
  level = row['metric'].split('_flat_')[1]
  real, = _examples(row)[:1]
  if row['images'] == 'samples':
    latents = model.prior.sample(row['num_samples'], row['seed'])
    value = frechet(features(_rendered(model, latents, row['rounding']), level),
                    features(real, level))
    assert row['value'] == pytest.approx(value, rel=1e-3, abs=1e-5)
    return value
  if row['images'] == 'data':  # The real images themselves.
    assert abs(row['value']) < 1e-5
    return 0.
  return None


def _rendered(model, latents, rounding):
  low, high = model.value_range
  made = np.asarray(model.decoder(latents, training=False), np.float64)
  levels = np.clip((made - low) * 255. / (high - low), 0., 255.)
  return np.floor(levels + 1e-3) if rounding == 'truncate' else np.rint(levels)


def _check_mse(model, row):
  """Before rounding, of images on [0, 1]."""
  real, = _examples(row)
  made = np.asarray(model.decoder(model.encode(real), training=False))
  if model.value_range is not None:
    low, high = model.value_range
    real, made = real / 255., (made - low) / (high - low)
  value = np.mean((made.astype(np.float64) - real)**2)
  assert row['value'] == pytest.approx(value, rel=1e-3)
  return value


def _check_mae(model, row):
  """In grey levels, of the encoder's draws given the conditions."""
  pairs = [floats(x, model.value_range).astype(np.float32)
           for x in _examples(row)]
  noise = model.draw_noise(dict(zip(('images', 'conditions'), pairs)), 0,
                           'evaluation')['posterior']
  latents = model.encoder(pairs) + noise
  made = np.asarray(model.render(latents, tf.constant(pairs[1])))
  value = np.mean(np.abs(made - pairs[0])) * 127.5
  assert row['value'] == pytest.approx(value, rel=1e-3)
  return value


def _check_diversity(model, row):
  """The mean distance of two images for one condition."""
  if row['metric'].endswith('_se'):
    return None
  conditions = _examples(row)[1]
  first, second = (features(np.concatenate(list(
      conditional.generate(model, conditions, seed))), 'classifier')
                   for seed in (0, 1))
  value = np.mean(np.linalg.norm(first - second, axis=1))
  assert value > 0. and row['value'] == pytest.approx(value, rel=1e-3)
  return value


def _check_covered(model, row):
  del model
  assert (0.8 if row['images'] == 'data' else 0.) <= row['value'] <= 1.
  return row['value']


def _check_likelihood(model, row):
  """Of the Gaussian that has the latents' mean and covariance."""
  if row['prior'] != 'gaussian':
    return None
  latents = []
  for name in row['split'].split(' vs '):  # Chosen at random, once for all.
    everything = np.asarray(model.encode(read(split(name), 10000)[0]))
    latents.append(everything[ex_post.positions(
        len(everything), row['num_samples'])])
  measured = latents['held_out' in row['metric']]
  everything = np.asarray(model.encode(read(split('train'), 10000)[0]))
  value = stats.multivariate_normal(
      everything.mean(0), np.cov(everything, rowvar=False)).logpdf(
          measured).mean()
  assert row['value'] == pytest.approx(value, rel=2e-2, abs=2e-2)
  return value


_CHECKS = {'frechet': _check_frechet, 'reconstruction_mse': _check_mse,
           'mse': _check_mse, 'reconstruction_mae': _check_mae,
           'diversity': _check_diversity, 'coverage': _check_covered,
           'log_likelihood_train': _check_likelihood,
           'log_likelihood_held_out': _check_likelihood}

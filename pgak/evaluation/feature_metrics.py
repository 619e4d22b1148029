"""Metrics of collected features by the names that a protocol calls them."""
import dataclasses

from pgak.metrics import class_shares
from pgak.metrics import frechet
from pgak.metrics import inception_score
from pgak.metrics import kernel_distance
from pgak.metrics import prd
from pgak.metrics import precision_recall

__all__ = ['MEASURES', 'Measured', 'NEED_FEATURES', 'NEED_PROBABILITIES',
           'NEED_ROWS']


@dataclasses.dataclass
class Measured:
  """What a metric says of two sets of images.

  Attributes:
    values: `{name of the score: value}`.
    num_fake: measured images that took part.
    num_real: references that took part.
    curve: `(precision, recall)` where the metric has one, or None.
  """
  values: dict
  num_fake: int
  num_real: int
  curve: tuple | None = None


def _frechet(real, fake, seed):
  del seed
  return Measured({fake.net.metric: frechet.distance(real.moments,
                                                     fake.moments)},
                  fake.moments.count, real.moments.count)


def _prd(real, fake, seed):
  curve = prd.curve(real.rows, fake.rows, seed=seed)
  number = min(len(real.rows), len(fake.rows))
  return Measured(prd.prd(*curve), number, number, curve)


def _precision_recall(real, fake, seed):
  del seed
  return _of_rows(
      precision_recall.precision_recall(real.rows, fake.rows), real, fake)


def _kernel_distance(real, fake, seed):
  # Only pool_3 features make a KID, as they alone make an FID.
  name = {'fid': 'kid', 'fid_768': 'kid_768'}.get(
      fake.net.metric, fake.net.metric.replace('frechet', 'kernel'))
  mean, deviation = kernel_distance.kernel_distance(
      real.rows, fake.rows, seed=seed)
  return _of_rows({name: mean, f'{name}_std': deviation}, real, fake)


def _inception_score(real, fake, seed):
  del seed
  name = 'inception_score' if fake.net.metric == 'fid' else 'classifier_score'
  # Of all images, where they are kept: the published score is of 50,000.
  probabilities = (fake.net.probabilities(fake.rows)
                   if fake.probabilities is None else fake.probabilities)
  mean, deviation = inception_score.inception_score(probabilities)
  return Measured({name: mean, f'{name}_std': deviation}, len(probabilities),
                  len(real.rows))


def _class_shares(real, fake, seed):
  del seed
  return Measured(class_shares.class_shares(fake.probabilities),
                  len(fake.probabilities), real.moments.count)


def _of_rows(values, real, fake):
  return Measured(values, len(fake.rows), len(real.rows))


# Name -> function of the real and the measured `Collected`, and a seed, to
# `Measured`.
MEASURES = {'frechet': _frechet, 'prd': _prd,
            'precision_recall': _precision_recall, 'kid': _kernel_distance,
            'inception_score': _inception_score, 'class_shares': _class_shares}

# Those that pass images through the protocol's feature nets.
NEED_FEATURES = frozenset(MEASURES) | {'neighbours'}

# Those that compare features one by one.
NEED_ROWS = frozenset(MEASURES) - {'frechet', 'class_shares'} | {'neighbours'}

# Those of the nets that tell classes, where there are several nets.
NEED_PROBABILITIES = frozenset({'inception_score', 'class_shares'})

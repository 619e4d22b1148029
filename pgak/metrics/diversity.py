"""Diversity: the mean distance of two samples of one condition."""
import functools

import numpy as np

from pgak.metrics import lpips
from pgak.metrics import metric

__all__ = []

# Pairs whose images go through a net at once.
_BATCH = 500
_BETTER = {'*_se': 'neither', 'diversity_*': 'higher'}


def _batches(images):
  for first in range(0, len(images), _BATCH):
    yield images[first:first + _BATCH]


def _of_features(net, images, others):
  """Distances of features, float64 `[B]`."""
  # [B, D] each. The features of similar images nearly cancel, so they are
  # subtracted in float64.
  one, other = (np.concatenate(list(net([x]))) for x in (images, others))
  return np.linalg.norm(one.astype(np.float64) - other, axis=1)


def _values(context, name, features, distance):
  pairs = zip(_batches(context.examples), _batches(context.others))
  mean, error = lpips.diversity(distance, pairs)
  yield metric.Value(f'diversity_{name}', mean, error, features)
  yield metric.Value(f'diversity_{name}_se', error, features=features)


@metric.register('diversity', scope='examples', of='pairs', implied=True,
                 better=_BETTER)
def _compute(context):
  for net in context.nets:
    yield from _values(context, net.name, net.name,
                       functools.partial(_of_features, net))


@metric.register('lpips', scope='examples', of='pairs',
                 prepare=lpips.prepared, roots=('LPIPS',), better=_BETTER)
def _by_lpips(context):
  net = context.prepared
  yield from _values(context, net.label, net.backbone, net)

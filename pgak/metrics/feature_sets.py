"""The features of one set of images, as one pass leaves them for all metrics.
"""
import dataclasses

import numpy as np

from pgak.metrics import features
from pgak.metrics import frechet
from pgak.metrics import reference

__all__ = ['Collected', 'collect', 'of_references']


@dataclasses.dataclass
class Collected:
  """The features of a set of images.

  Attributes:
    net: the `features.FeatureNet` that made them.
    moments: `frechet.Moments` of all images.
    rows: float32 `[n, D]`, those of the first images, `reference.MAXIMUM_ROWS`
      at the most; None where no metric needs them.
    probabilities: float32 `[N, K]`, the classes' of all images; None where no
      metric needs them or the net tells none.
  """
  net: features.FeatureNet
  moments: frechet.Moments
  rows: np.ndarray | None = None
  probabilities: np.ndarray | None = None


def collect(nets, batches, keep_rows=True, keep_probabilities=False):
  """Passes images once through every net.

  Args:
    nets: list of `features.FeatureNet`.
    batches: iterable of uint8 `[b, h, w, C]`.
    keep_rows: whether to keep the features besides their moments.
    keep_probabilities: whether to keep the probabilities of classes, of those
      nets that tell some.

  Returns:
    List of `Collected`, one a net.

  Raises:
    UserError: if a feature is not finite, or no net tells classes whose
      probabilities are kept.
  """
  moments = [frechet.Moments(net.size) for net in nets]
  kept = [[] for _ in nets]
  told = [[] if tells else None
          for tells in _tell_classes(nets, keep_probabilities)]
  room = reference.MAXIMUM_ROWS
  for images in features.prefetch(batches):
    for net, found, rows, odds in zip(nets, moments, kept, told):
      new = np.concatenate(list(net([np.asarray(images)])))
      found.update(new)
      rows.append(new[:max(room, 0)] if keep_rows else new[:0])
      if odds is not None:
        odds.append(net.probabilities(new).astype(np.float32))
    room -= len(images)
  return [Collected(net, found, np.concatenate(rows) if keep_rows else None,
                    None if odds is None else np.concatenate(odds))
          for net, found, rows, odds in zip(nets, moments, kept, told)]


def _tell_classes(nets, wanted):
  """Returns of which nets probabilities are kept; raises if it is of none."""
  tell = [wanted and net.head is not None for net in nets]
  if wanted and nets and not any(tell):
    nets[0].require_classes()
  return tell


def of_references(nets, array, limit=None, keep_rows=True):
  """Returns what `collect` would of real images, from the cache if there.

  Args:
    nets: list of `features.FeatureNet`.
    array: a `data.ImageArray`.
    limit: takes the first so many images; None for all.
    keep_rows: whether the features themselves are needed.

  Returns:
    List of `Collected`, one a net.
  """
  found = []
  for net in nets:
    rows = reference.rows(net, array, limit) if keep_rows else None
    moments = reference.moments(net, array, limit, rows)
    found.append(Collected(net, moments, rows))
  return found

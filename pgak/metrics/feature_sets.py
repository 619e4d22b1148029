"""The features of one set of images, made in one pass for all metrics."""
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
    probabilities: float32 `[N, K]`, those of the classes, of all images; None
      where no metric needs them or the net has no classes.
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
      nets that have classes.

  Returns:
    List of `Collected`, one per net.

  Raises:
    UserError: if a feature is not finite, or if probabilities are wanted and no
      net has classes.
  """
  moments = [frechet.Moments(net.size) for net in nets]
  kept = [[] for _ in nets]
  classes = [[] if wanted else None
             for wanted in _have_classes(nets, keep_probabilities)]
  room = reference.MAXIMUM_ROWS
  # The model makes the next batch while the nets run. All nets see a batch
  # before the next one is taken, since images can be made only once.
  for images in features.prefetch(batches):
    for net, found, first, shares in zip(nets, moments, kept, classes):
      new = np.concatenate(list(net([np.asarray(images)])))  # [b, D]
      found.update(new)
      first.append(new[:max(room, 0)] if keep_rows else new[:0])
      if shares is not None:
        shares.append(net.probabilities(new).astype(np.float32))
    room -= len(images)
  return [Collected(net, found, np.concatenate(first) if keep_rows else None,
                    None if shares is None else np.concatenate(shares))
          for net, found, first, shares in zip(nets, moments, kept, classes)]


def _have_classes(nets, wanted):
  """Returns for each net whether to keep probabilities; raises if for none."""
  have = [wanted and net.head is not None for net in nets]
  if wanted and nets and not any(have):
    nets[0].require_classes()
  return have


def of_references(nets, array, limit=None, keep_rows=True):
  """Returns what `collect` would of real images, from the cache if there.

  Args:
    nets: list of `features.FeatureNet`.
    array: a `data.ImageArray`.
    limit: takes the first so many images; None for all.
    keep_rows: whether the features themselves are needed.

  Returns:
    List of `Collected`, one per net.
  """
  found = []
  for net in nets:
    rows = reference.rows(net, array, limit) if keep_rows else None
    # The features are passed on, so that images are not read twice where all of
    # them were kept.
    moments = reference.moments(net, array, limit, rows)
    found.append(Collected(net, moments, rows))
  return found

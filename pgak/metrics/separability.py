"""Linear separability of attributes in a latent space.

#### References

[1]: Tero Karras, Samuli Laine, Timo Aila. A Style-Based Generator Architecture
     for Generative Adversarial Networks. CVPR, 2019.
"""
import dataclasses
import warnings

import numpy as np

from pgak import errors
from pgak import settings

__all__ = ['Separability', 'conditional_entropy', 'joint', 'kept', 'score',
           'separability']


@dataclasses.dataclass(frozen=True)
class Separability:
  """Separability of one latent space by A attributes.

  Attributes:
    value: `2^(sum_i H_i)`, 1 where a plane separates each attribute without
      error.
    deviation: its standard error, or None; see `separability`.
    entropies: float64 `[A]`, the H_i in bits.
    accuracy: float64 `[A]`, shares of the kept latents on their label's side.
    held_out_accuracy: float64 `[A]`, the same of the second half of the kept
      latents for planes that were fitted to the first; NaN where that fails.
    failed: boolean `[A]`, where all kept latents have one label, so that there
      is nothing to separate and the entropy is 0.
  """
  value: float
  deviation: float | None
  entropies: np.ndarray
  accuracy: np.ndarray
  held_out_accuracy: np.ndarray
  failed: np.ndarray


def kept(logits):
  """Returns the half of the images that a classifier is most confident of.

  With p = softmax([l, -l]) the confidence max(p) grows with |l|.

  Args:
    logits: float `[N]` of one attribute.

  Returns:
    Positions of the N // 2 images with the highest confidence, highest first;
    ties in their order.
  """
  logits = np.asarray(logits)
  return np.argsort(-np.abs(logits), kind='stable')[:len(logits) // 2]


def joint(sides, labels, weights=None):
  """Returns the shares of each pair of side and label.

  Args:
    sides: boolean `[N]`, the side of the plane, X.
    labels: boolean `[N]`, the classifier's label, Y.
    weights: float32 `[B, N]`, integers, how often each counts; or None to count
      each once.

  Returns:
    float64 `[2, 2]`, or `[B, 2, 2]` with weights: rows are X, columns are Y.
  """
  # 0 to 3: the cell of the table, row by row.
  cells = 2 * np.asarray(sides, int) + np.asarray(labels, int)
  # Integers below 2^24 are exact in float32, whose product is quicker.
  cells = np.eye(4, dtype=np.float32)[cells]  # [N, 4], one-hot
  counts = cells.sum(0) if weights is None else weights @ cells
  counts = counts.astype(np.float64)
  return (counts / counts.sum(-1, keepdims=True)).reshape(
      *counts.shape[:-1], 2, 2)


def conditional_entropy(table):
  """Returns H(Y|X) in bits of joint shares `[..., 2, 2]`, rows X, columns Y.

  `H(Y|X) = -sum_xy p(x, y) log2(p(x, y) / p(x))`.
  """
  table = np.asarray(table, np.float64)
  given = table.sum(-1, keepdims=True)
  # Where a cell is empty: log2(1) = 0, the limit of p log p.
  share = np.divide(table, given, out=np.ones_like(table), where=table > 0.)
  # Rounding can leave an entropy of 0 slightly negative.
  return np.maximum(-(table * np.log2(share)).sum((-2, -1)), 0.)


def score(entropies):
  """Returns `2^(sum_i H_i)` over the last axis of entropies in bits."""
  return np.exp2(np.sum(entropies, -1))


@settings.register(denylist=['latents', 'logits', 'seed'])
def separability(latents, logits, seed: settings.Seed = 0,
                 standardise: bool = True, bootstraps: settings.Whole = 100,
                 held_out: bool = True):
  """Measures by the protocol of [1] how linear attributes are in latents.

  For each attribute the half of the latents that its classifier is most
  confident of is kept, and scikit-learn's `LinearSVC` with its own settings is
  fitted to predict the classifier's labels of them. H_i is the conditional
  entropy of the label given the plane's side, on the same latents. Where all
  kept latents have one label, H_i is 0.

  The latents are standardised first, which changes no plane that could be found
  but gives the SVM's regularisation the same weight in spaces of different
  scale; [1] does not. For latents from N(0, I) it changes nothing.

  Args:
    latents: float `[N, H]`.
    logits: float `[N, A]` of the images that are made of them.
    seed: int, decides the bootstrap.
    standardise: whether to divide each dimension by its standard deviation,
      after taking off its mean.
    bootstraps: number of resamples of the latents, with replacement and the
      same for all attributes, for the standard error; 0 for none. Planes and
      classifiers stay as they are, so their own variance is left out.
    held_out: whether to fit and test the planes on two halves of the kept
      latents, too.

  Returns:
    A `Separability`.

  Raises:
    UserError: if numbers are not finite or there are fewer than four latents.
  """
  latents, logits = _checked(latents, logits)
  if standardise:
    scale = latents.std(0)
    # A latent that never varies stays 0.
    latents = (latents - latents.mean(0)) / np.where(scale > 0., scale, 1.)
  weights = _weights(len(latents), bootstraps, seed)
  planes = [_Plane(latents, column, weights, held_out) for column in logits.T]
  deviation = None
  if bootstraps:
    drawn = score(np.stack([p.drawn_entropies for p in planes], -1))  # [B]
    deviation = float(drawn.std(ddof=1))
  entropies = np.array([p.entropy for p in planes])
  return Separability(
      float(score(entropies)), deviation, entropies,
      np.array([p.accuracy for p in planes]),
      np.array([p.held_out_accuracy for p in planes]),
      np.array([p.failed for p in planes]))


class _Plane:
  """The plane of one attribute."""

  def __init__(self, latents, logits, weights, held_out):
    chosen = kept(logits)
    x, labels = latents[chosen], logits[chosen] > 0.  # [n, H], [n]
    sides = _sides(x, labels, x)
    self.failed = sides is None
    # As in the authors' code, an SVM that cannot be fitted counts as perfect.
    sides = labels if self.failed else sides
    self.accuracy = float((sides == labels).mean())
    self.entropy = float(conditional_entropy(joint(sides, labels)))
    if weights is not None:
      self.drawn_entropies = conditional_entropy(
          joint(sides, labels, weights[:, chosen]))
    self.held_out_accuracy = np.nan
    if held_out:
      # Every other one, so that both halves are classified as confidently.
      predicted = _sides(x[::2], labels[::2], x[1::2])
      if predicted is not None:
        self.held_out_accuracy = float((predicted == labels[1::2]).mean())


def _sides(latents, labels, others):
  """Fits a plane; returns the sides of other latents, or None if it fails."""
  from sklearn import exceptions
  from sklearn import svm
  # LinearSVC raises for one class.
  if labels.all() or not labels.any():
    return None
  with warnings.catch_warnings():
    warnings.simplefilter('ignore', exceptions.ConvergenceWarning)
    # Its solver permutes the data at random.
    return svm.LinearSVC(random_state=0).fit(latents, labels).predict(others)


def _weights(number, bootstraps, seed):
  """Returns how often each latent is drawn, float32 `[bootstraps, number]`."""
  if not bootstraps:
    return None
  if bootstraps < 2:
    raise errors.UserError(
        f'separability.bootstraps = {bootstraps} must be 0 or at least 2.')
  generator = np.random.default_rng(seed)
  draws = (generator.integers(0, number, number) for _ in range(bootstraps))
  return np.stack([np.bincount(d, minlength=number) for d in draws]).astype(
      np.float32)


def _checked(latents, logits):
  latents, logits = np.asarray(latents, np.float64), np.asarray(logits)
  if len(latents) < 4:
    raise errors.UnavailableError(
        f'Separability of {len(latents)} latents means nothing; set '
        '--num_samples to some thousands.')
  if not (np.isfinite(latents).all() and np.isfinite(logits).all()):
    raise errors.UserError(
        'Some latents or images are not finite, so there is no separability: '
        "the model's weights are damaged.")
  return latents, logits

"""Inception score: confident about each image, diverse over the classes.

#### References

[1]: Tim Salimans, Ian Goodfellow, Wojciech Zaremba, Vicki Cheung, Alec Radford,
     Xi Chen. Improved Techniques for Training GANs. NIPS, 2016.
"""
import numpy as np

from pgak import errors

__all__ = ['inception_score']


def _score(probabilities):
  """`exp(E KL(p(y|x) || p(y)))`; 0 log 0 is 0."""
  def logarithm(p):
    return np.log(np.where(p > 0., p, 1.))

  marginal = probabilities.mean(0)
  divergence = probabilities * (logarithm(probabilities) - logarithm(marginal))
  return np.exp(divergence.sum(1).mean())


def inception_score(probabilities, splits=10):
  """The score of class probabilities, [1, sec. 4], over parts of the images.

  Args:
    probabilities: float `[N, K]`, the rows add up to 1.
    splits: int, parts in the order of the images. As in the authors' code the
      i-th is that from `i N // splits` up to `(i + 1) N // splits`.

  Returns:
    `(mean, standard deviation)` over the parts; a score is in `[1, K]`.

  Raises:
    UserError: with fewer images than parts, or if a number is not finite.
  """
  probabilities = np.asarray(probabilities, np.float64)
  if len(probabilities) < splits:
    raise errors.UserError(
        f'The inception score of {splits} parts needs as many images, and '
        f'there are {len(probabilities)}; raise the number of samples.')
  if not np.isfinite(probabilities).all():
    raise errors.UserError(
        'The inception score needs finite probabilities, and some are not: the '
        'model or the feature net is damaged.')
  edges = [i * len(probabilities) // splits for i in range(splits + 1)]
  scores = [_score(probabilities[a:b]) for a, b in zip(edges, edges[1:])]
  return float(np.mean(scores)), float(np.std(scores))

"""Inception score: confident about each image, diverse over the classes.

#### References

[1]: Tim Salimans, Ian Goodfellow, Wojciech Zaremba, Vicki Cheung, Alec Radford,
     Xi Chen. Improved Techniques for Training GANs. NIPS, 2016.
"""
import numpy as np

from pgak import errors
from pgak.metrics import metric

__all__ = ['inception_score']


def _score(probabilities):
  """`exp(E KL(p(y|x) || p(y)))`; 0 log 0 is 0."""
  def logarithm(p):
    # log 1 = 0 in the place of log 0.
    return np.log(np.where(p > 0., p, 1.))

  marginal = probabilities.mean(0)  # [K]
  divergence = probabilities * (logarithm(probabilities) - logarithm(marginal))
  return np.exp(divergence.sum(1).mean())


def inception_score(probabilities, splits=10):
  """The inception score of class probabilities, [1, sec. 4], by parts.

  Args:
    probabilities: float `[N, K]`, which add up to 1 over the classes.
    splits: int, parts in the order of the images. As in the authors' code the
      i-th is that from `i N // splits` up to `(i + 1) N // splits`.

  Returns:
    `(mean, standard deviation)` over the parts; a score is in `[1, K]`.

  Raises:
    UserError: with fewer images than parts, or if a number is not finite.
  """
  probabilities = np.asarray(probabilities, np.float64)
  if len(probabilities) < splits:
    raise errors.UnavailableError(
        f'The inception score of {splits} parts needs as many images, and '
        f'there are {len(probabilities)}; raise the number of samples.')
  if not np.isfinite(probabilities).all():
    raise errors.UserError(
        'The inception score needs finite probabilities, and some are not: the '
        'model or the feature net is damaged.')
  # Parts that differ by one image at the most; none is left out.
  edges = [i * len(probabilities) // splits for i in range(splits + 1)]
  scores = [_score(probabilities[a:b]) for a, b in zip(edges, edges[1:])]
  return float(np.mean(scores)), float(np.std(scores))


_BETTER = {'*_std': 'neither', '*_se': 'neither', 'inception_score': 'higher',
           'classifier_score': 'higher'}
_SPLITS = 10


def _name(net):
  # Inception-2015 alone makes an inception score.
  return 'inception_score' if net.metric == 'fid' else 'classifier_score'


@metric.register('inception_score', scope='features', better=_BETTER,
                 keeps=('features', 'probabilities'))
def _compute(context):
  # Of all images: the published score is of 50,000.
  probabilities = context.fake.probabilities
  if probabilities is None:
    return
  name = _name(context.fake.net)
  mean, deviation = inception_score(probabilities, _SPLITS)
  numbers = dict(num_samples=len(probabilities),
                 split=context.compared(len(context.real.rows)))
  # The parts are independent, so their mean has 1/sqrt(10) of their deviation.
  yield metric.Value(name, mean, error=deviation / _SPLITS**0.5, **numbers)
  yield metric.Value(f'{name}_std', deviation, **numbers)


@metric.register('inception_score', scope='features', of='pairs',
                 better=_BETTER, keeps=('probabilities',))
def _of_pairs(context):
  if context.fake.probabilities is None:
    return
  name = _name(context.fake.net)
  mean, deviation = inception_score(context.fake.probabilities, _SPLITS)
  error = deviation / _SPLITS**0.5
  yield metric.Value(name, mean, error=error)
  yield metric.Value(f'{name}_se', error)

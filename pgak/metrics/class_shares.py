"""Shares of classes among samples, to detect mode collapse."""
import numpy as np

from pgak import errors
from pgak.metrics import metric

__all__ = ['class_shares']


def class_shares(probabilities, confidence=0.9):
  """Shares of images that are classified confidently, in all and by class.

  Args:
    probabilities: float `[N, K]`, which add up to 1 over the classes.
    confidence: an image counts for its likeliest class if that has a larger
      probability than this.

  Returns:
    Dictionary of floats: `confident_share`, the images that count among
    all, and `smallest_class_share`, those that count for the class with the
    fewest among all, 1 / K at the most.

  Raises:
    UserError: if there are no images, or a number is not finite.
  """
  probabilities = np.asarray(probabilities, np.float64)
  if not len(probabilities):
    raise errors.UserError('The shares of classes need images, and there are '
                           'none; raise the number of samples.')
  if not np.isfinite(probabilities).all():
    raise errors.UserError(
        'The shares of classes need finite probabilities, and some are not: '
        'the model or the feature net is damaged.')
  confident = probabilities.max(1) > confidence  # [N]
  # A blurred image has a likeliest class, too: without the threshold a model
  # that makes no digit at all would seem to make each.
  counts = np.bincount(probabilities[confident].argmax(1),
                       minlength=probabilities.shape[1])
  return {'confident_share': float(confident.mean()),
          'smallest_class_share': float(counts.min() / len(probabilities))}


@metric.register('class_shares', scope='features', keeps=('probabilities',),
                 better={'*_share': 'higher'})
def _compute(context):
  # A net without classes, among several nets of a protocol.
  if context.fake.probabilities is None:
    return
  for name, value in class_shares(context.fake.probabilities).items():
    yield metric.Value(name, value)

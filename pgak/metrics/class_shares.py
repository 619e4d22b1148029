"""Whether samples are of all classes: what a collapsed model leaves out."""
import numpy as np

from pgak import errors
from pgak.metrics import metric

__all__ = ['class_shares']


def class_shares(probabilities, confidence=0.9):
  """Shares of images that a classifier is sure of, in all and by class.

  Args:
    probabilities: float `[N, K]`, the rows add up to 1.
    confidence: an image counts for its likeliest class if that has a larger
      probability than this.

  Returns:
    Dictionary of floats: `confident_share`, of all images those that count, and
    `smallest_class_share`, of all images those that count for the class with
    the fewest, 1 / K at the most.

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
  sure = probabilities.max(1) > confidence
  counts = np.bincount(probabilities[sure].argmax(1),
                       minlength=probabilities.shape[1])
  return {'confident_share': float(sure.mean()),
          'smallest_class_share': float(counts.min() / len(probabilities))}


@metric.register('class_shares', scope='features', keeps=('probabilities',),
                 better={'*_share': 'higher'})
def _compute(context):
  if context.fake.probabilities is None:
    return
  for name, value in class_shares(context.fake.probabilities).items():
    yield metric.Value(name, value)

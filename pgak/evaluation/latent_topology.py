"""Whether a model's codes keep the neighbourhoods of the images."""
import numpy as np
from scipy.spatial import distance

from pgak.evaluation import examples
from pgak.metrics import reference
from pgak.metrics import topology

__all__ = ['MAXIMUM_IMAGES', 'measure']

MAXIMUM_IMAGES = 2000


def measure(model, array):
  """Measures the topology of the codes of the first images, by their pixels.

  Args:
    model: a `GenerativeAutoencoder`; a stochastic encoder counts by its mean.
    array: a `data.ImageArray`, or one of vectors.

  Returns:
    `(values, number)`: the dictionary of `topology.topology` with its k, with
    `geodesic_correlation` where the array has `unrolled`, and of how many
    images it is.

  Raises:
    UserError: if a code is not finite, or there are too few images.
  """
  number = reference.count(array, MAXIMUM_IMAGES)
  codes = examples.encoded(model, array, number)
  values = topology.topology(array.read(np.arange(number)), codes)
  unrolled = getattr(array, 'unrolled', None)
  if unrolled is not None:
    values['geodesic_correlation'] = topology.geodesic_correlation(
        distance.pdist(unrolled[:number]), codes)
  return values, number

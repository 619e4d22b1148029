"""Authenticity: share of samples that are no noisy copies of training images.

A sample x with the nearest training example t is authentic [1] if it is farther
from t than t is from the nearest other training example t':

  authenticity = 1/N sum_i [|x_i - t_i| > |t_i - t'_i|].

For samples of the data's own distribution it is no constant (about a half, less
where training examples are many for their dimension), so that of the test
examples stands beside it: copies have 0, and a model whose samples are less
authentic than test examples is nearer to its training examples than it should
be. [1] takes the features of a net; here each space has its own value.

#### References

[1]: Ahmed M. Alaa, Boris van Breugel, Evgeny Saveliev, Mihaela van der Schaar.
     How Faithful is your Synthetic Data? Sample-level Metrics for Evaluating
     and Auditing Generative Models. ICML, 2022.
"""
import numpy as np

from pgak import errors
from pgak.metrics import metric
from pgak.metrics import training_neighbours

__all__ = ['authenticity']


def authenticity(space):
  """Returns the authenticity of samples and of test examples, two floats.

  Args:
    space: a `training_neighbours.Space`.

  Raises:
    UserError: with fewer than two training examples.
  """
  if not np.isfinite(space.gaps).all():
    raise errors.UnavailableError(
        'Authenticity needs two training examples or more: take a larger data '
        'set.')
  # A copy of an example that the data have twice is at 0 from both: strictly.
  return tuple(float(np.mean(found.nearest[0] > found.gaps))
               for found in (space, space.real))


@metric.register('authenticity', scope='examples', held_out=True,
                 of=('images', 'vectors'),
                 keeps=('features', 'examples'),
                 better={'authenticity*': 'neither'})
def _compute(context):
  if context.images != 'samples':
    return
  for space in training_neighbours.spaces(context):
    counts = len(space.samples), len(space.real.test)
    names = 'authenticity', 'authenticity_of_test'
    for name, value, count in zip(names, authenticity(space), counts):
      yield metric.Value(name, value, features=space.real.features,
                         num_samples=count, split=space.real.split,
                         error=float(np.sqrt(value * (1. - value) / count)))

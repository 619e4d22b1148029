"""The three-sample test of data-copying: samples, test and training examples.

With d(x) the distance of x to its nearest training example, samples x_1 .. x_m
and test examples y_1 .. y_n, the statistic of Mann and Whitney is

  U = sum_ij [d(x_i) > d(y_j)],  a tie counting a half,
  Z_U = (U - m n / 2) / sqrt(m n (m + n + 1) / 12),

about N(0, 1) for samples of the data's own distribution, and far below 0 for
copies. Space is cut into cells, by k-means of the training examples, since a
model may copy in one region and miss another: with P_n(c) and Q_m(c) the shares
of test examples and of samples in a cell c, and Z_U(c) of those in it and of
the distances to the training examples in it, [1] has

  C_T = sum_c P_n(c) Z_U(c) / sum_c P_n(c),  over c with Q_m(c) >= tau.

`C_T << 0` is data-copying, `C_T >> 0` samples that are farther from the
training examples than data is. If samples are as data, it has mean 0 and the
standard deviation `sqrt(sum_c P_n(c)^2) / sum_c P_n(c)`, the score's error,
about `1 / sqrt(k)`; `LEAST`, -3 as in a single test, is the bound that pgak
names. In the features of nets and in latents, as [1] has it for images, not in
pixels.

#### References

[1]: Casey Meehan, Kamalika Chaudhuri, Sanjoy Dasgupta. A Non-Parametric Test to
     Detect Data-Copying in Generative Models. AISTATS, 2020.
"""
import numpy as np

from pgak import errors
from pgak.metrics import clusters
from pgak.metrics import distances
from pgak.metrics import metric
from pgak.metrics import training_neighbours

__all__ = ['LEAST', 'NUM_CELLS', 'mann_whitney', 'three_sample_test']

NUM_CELLS = 20
LEAST = -3.
# Of samples, test and training examples in a cell, so that its Z is about
# normal: with samples, the tau of [1] is 20 / m.
_FEWEST = 20
_USUAL = 50


def mann_whitney(samples, test):
  """Returns Z_U of two sets of distances, a float.

  Args:
    samples: float `[m]`.
    test: float `[n]`.
  """
  m, n = len(samples), len(test)
  ordered = np.sort(test)
  # Half of those that are equal: the mean of both counts.
  below = (np.searchsorted(ordered, samples, 'left')
           + np.searchsorted(ordered, samples, 'right')) / 2.
  return float((below.sum() - m * n / 2.)
               / np.sqrt(m * n * (m + n + 1.) / 12.))


def three_sample_test(samples, test, train, num_cells=NUM_CELLS, seed=0):
  """Returns C_T and its standard error under the hypothesis, two floats.

  Args:
    samples: float `[m, D]`.
    test: float `[n, D]`.
    train: float `[N, D]`.
    num_cells: int k of k-means; fewer where `_USUAL` times as many exceed one
      of the three. If no cell has enough of each, all is one cell.
    seed: int, decides the cells.

  Raises:
    UserError: if there are none of one of them.
  """
  sets = [np.asarray(vectors, np.float32) for vectors in (samples, test, train)]
  fewest = min(map(len, sets))
  if not fewest:
    raise errors.UnavailableError(
        'The three-sample test needs samples, test and training examples, and '
        'of one there are none: raise the number of samples.')
  number = min(num_cells, max(fewest // _USUAL, 1))
  found = [(len(parts[1]), _of_cell(*parts))
           for parts in _cells(sets, number, seed)
           if min(map(len, parts)) >= _FEWEST]
  weights, values = np.transpose(found or [(1., _of_cell(*sets))])
  return (float(weights @ values / weights.sum()),
          float(np.sqrt(np.square(weights).sum()) / weights.sum()))


def _of_cell(samples, test, train):
  """Z_U in a cell, by the training examples in it."""
  to_train, _ = distances.closest(np.concatenate([samples, test]), [
      train[i:i + distances.BLOCK]
      for i in range(0, len(train), distances.BLOCK)])
  return mann_whitney(to_train[:len(samples)], to_train[len(samples):])


def _cells(sets, number, seed):
  """Returns the parts of the three sets in each cell, a list of lists."""
  (means,) = clusters.fits(sets[-1], number, [seed], starts=3)
  labels = [means.predict(vectors) for vectors in sets]
  return [[vectors[of == cell] for vectors, of in zip(sets, labels)]
          for cell in range(number)]


@metric.register('three_sample_test', scope='examples', held_out=True,
                 of=('images', 'vectors'), keeps=('features', 'examples'),
                 better={'three_sample_test': 'neither'})
def _compute(context):
  if context.images != 'samples':
    return
  for space in training_neighbours.spaces(context):
    known = space.real
    if known.features == 'pixels':
      continue
    value, error = three_sample_test(
        space.samples, known.test, np.concatenate(list(known.train())),
        seed=context.seed)
    yield metric.Value('three_sample_test', value, features=known.features,
                       num_samples=len(space.samples), split=known.split,
                       error=error)

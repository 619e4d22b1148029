"""Mini-batch k-means of features, as scikit-learn has it."""
from concurrent import futures
import os
import warnings

import numpy as np

__all__ = ['fits']


def fits(vectors, number, seeds, starts):
  """Returns a fitted `sklearn.cluster.MiniBatchKMeans` for each seed.

  Each is fitted by one thread of its own: products of mini-batches are small,
  and threads that share one wait for each other longer than they work, above
  all where other processes use the cores. The fits do not depend on how many
  run at once.

  Args:
    vectors: float `[N, D]`.
    number: int, clusters.
    seeds: ints; those from 2^32 on, which scikit-learn does not take, count
      modulo 2^32.
    starts: int, k-means++ starts, of which the best is taken.
  """
  # Imported here, because it takes a second, and few commands need it.
  from sklearn import cluster
  from sklearn import exceptions
  import threadpoolctl
  vectors = np.asarray(vectors)

  def fit(seed):
    means = cluster.MiniBatchKMeans(number, n_init=starts,
                                    random_state=seed % 2**32)
    # OpenMP's limit is that of the thread that sets it.
    with threadpoolctl.threadpool_limits(1, 'openmp'):
      return means.fit(vectors)

  with warnings.catch_warnings(), threadpoolctl.threadpool_limits(1, 'blas'):
    # Fewer different vectors than clusters leave some clusters empty, which is
    # right here.
    warnings.simplefilter('ignore', exceptions.ConvergenceWarning)
    with futures.ThreadPoolExecutor(os.cpu_count()) as threads:
      return list(threads.map(fit, seeds))

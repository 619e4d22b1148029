"""k-means with a k-means++ start: the first components of a mixture.

#### References

[1]: David Arthur, Sergei Vassilvitskii. k-means++: The Advantages of Careful
     Seeding. SODA, 2007.
"""
import numpy as np
import tensorflow as tf

from pgak.priors import distances

__all__ = ['assignments']


_squared_distances = tf.function(distances.squared, reduce_retracing=True)


@tf.function(reduce_retracing=True)
def _lloyd(points, centres):
  """One iteration: each centre becomes the mean of its points."""
  labels = tf.argmin(_squared_distances(points, centres), 1)
  number = tf.shape(centres)[0]
  counts = tf.math.unsorted_segment_sum(
      tf.ones_like(points[:, :1]), labels, number)
  sums = tf.math.unsorted_segment_sum(points, labels, number)
  # A centre without points stays where it is.
  moved = tf.where(counts > 0., sums / tf.maximum(counts, 1.), centres)
  return moved, tf.reduce_sum(tf.square(moved - centres))


def _starts(points, number, generator):
  """Chooses distant points as centres, `[number, H]`.

  Each next centre is drawn with probability proportional to its squared
  distance to the nearest centre so far. Of a few candidates the one that leaves
  the smallest sum of squares is taken, the greedy variant of [1].
  """
  # As many candidates as scikit-learn draws.
  trials = 2 + int(np.log(number))
  chosen = [int(generator.integers(len(points)))]
  constant = tf.constant(points)
  nearest = _squared_distances(constant, points[chosen]).numpy()[:, 0]  # [N]
  for _ in range(1, number):
    # Where all points are centres already, any point is as good.
    total = np.cumsum(nearest if nearest.sum() > 0. else np.ones(len(points)))
    # By the inverse of the cumulative distribution.
    drawn = np.searchsorted(total, generator.random(trials) * total[-1])
    # Rounding may put a candidate beyond the last.
    drawn = np.minimum(drawn, len(points) - 1)
    found = _squared_distances(constant, points[drawn]).numpy()  # [N, trials]
    left = np.minimum(found.T, nearest)  # [trials, N]
    best = int(left.sum(1).argmin())
    chosen.append(int(drawn[best]))
    nearest = left[best]
  return points[chosen]


def assignments(points, number, seed=0, max_iterations=100, tolerance=1e-4):
  """Assigns points to clusters by Lloyd's iterations.

  Args:
    points: float64 `[N, H]`.
    number: int, the number of clusters K.
    seed: int that decides the start.
    max_iterations: int.
    tolerance: the iterations end when the centres' squared moves add up to less
      than this share of the points' mean variance.

  Returns:
    Ints `[N]` in `[0, K)`; a cluster may be empty where points coincide.
  """
  points = points - points.mean(0)  # Distances lose digits far from the origin.
  centres = _starts(points, number, np.random.default_rng(seed))
  smallest_move = tolerance * points.var(0).mean()
  points, centres = tf.constant(points), tf.constant(centres)
  for _ in range(max_iterations):
    centres, move = _lloyd(points, centres)
    if move <= smallest_move:
      break
  return tf.argmin(_squared_distances(points, centres), 1).numpy()

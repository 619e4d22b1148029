"""A velocity net's flow as functions in a graph, on any number of points."""
import numpy as np
import tensorflow as tf

from pgak import noise
from pgak.priors import continuous_flow
from pgak.priors import fitted

__all__ = ['EXACT_DIMENSIONS', 'FINE_STEPS', 'VelocityFlow']

# Up to so many the exact trace costs little.
EXACT_DIMENSIONS = 8
# Points whose paths are followed at once.
_ROWS = 1000
# Steps of the reference, and number of samples, for Heun's error.
FINE_STEPS = 256
_COMPARED = 200


class VelocityFlow:
  """Transports points forwards and backwards in time, and gives their density.

  Each function is traced once.

  Args:
    net: `velocity_net.VelocityNet`.
    guidance: g of points with labels, `v(none) + g (v(y) - v(none))`.
  """

  def __init__(self, net, guidance=1.):
    self.net = net
    self.guidance = guidance
    self.is_exact = net.size <= EXACT_DIMENSIONS
    # By name and arguments, so that each graph is traced once.
    self._functions = {}

  def forwards(self, points, steps, labels=None):
    """Transports points from time 0 to 1, by steps of Heun's method.

    Args:
      points: float32 `[B, H]`.
      steps: int.
      labels: int32 `[B]` from 0 to K - 1, or None.

    Returns:
      float32 `[B, H]`.
    """
    return self._called('forwards', self._moved, [points], labels, steps, False)

  def backwards(self, points, steps, labels=None):
    """Transports points from time 1 to 0; see `forwards`."""
    return self._called('backwards', self._moved, [points], labels, steps, True)

  def solver_error(self, steps, seed):
    """Compares samples by some steps with those by `FINE_STEPS`.

    Args:
      steps: int.
      seed: int64 `[2]`, of the 200 samples of N(0, I), see `noise.normal`.

    Returns:
      Root mean square difference of their elements, a float.
    """
    base = noise.normal([_COMPARED, self.net.size], seed)
    difference = self.forwards(base, steps) - self.forwards(base, FINE_STEPS)
    return float(tf.sqrt(tf.reduce_mean(tf.square(difference))))

  def log_densities(self, points, keys, steps, probes, labels=None):
    """Returns the log-density of points at time 1, and its standard error.

    Args:
      points: as for `forwards`.
      keys: float32 `[B, H]`, of which the probes are a function: the points as
        a user gives them, because a graph rounds what is computed of them in
        another way.
      steps: as for `forwards`.
      probes: int, k; or 'exact'. Of at most 8 dimensions the trace is exact all
        the same.
      labels: as for `forwards`.

    Returns:
      `(mean, standard error)` over the probes, each float32 `[B]`. The error is
      0 where the trace is exact, and NaN of one probe.
    """
    found = self._called(f'log_densities_{probes}', self._estimates,
                         [points, keys], labels, steps, probes)
    mean = tf.reduce_mean(found, 1)
    if self._takes_exact(probes):
      return mean, tf.zeros_like(mean)
    # 0 / 0 for one estimate.
    return mean, tf.math.reduce_std(found, 1) / np.sqrt(np.float32(probes - 1))

  def _moved(self, steps, is_back, points, labels=None):
    return continuous_flow.transport(
        self._velocity(labels), points, steps, is_back)

  def _estimates(self, steps, number, points, keys, labels=None):
    signs = None if self._takes_exact(number) else continuous_flow.probes(
        keys, number)
    return tf.transpose(continuous_flow.log_densities(
        self._velocity(labels), points, steps, signs))

  def _takes_exact(self, probes):
    return self.is_exact or probes == 'exact'

  def _velocity(self, labels):
    """Returns the function of points and a time to velocities."""
    if labels is None or self.guidance == 1.:
      # g = 1 is the net with labels: one pass, and a density.
      return lambda points, time: self.net(points, time, labels)

    def guided(points, time):
      free = self.net(points, time)
      return free + self.guidance * (self.net(points, time, labels) - free)

    return guided

  def _called(self, name, method, points, labels, steps, option):
    """Calls a method in a graph, on a batch of points at a time."""
    tensors = points if labels is None else [*points, labels]
    key = name, len(tensors)
    if key not in self._functions:

      def some(steps, *tensors):
        return fitted.in_chunks(
            lambda *chunk: method(steps, option, *chunk), list(tensors), _ROWS)

      # Of any batch: else each size would trace its own graph.
      specs = ([tf.TensorSpec([None, self.net.size], tf.float32)] * len(points)
               + [tf.TensorSpec([None], tf.int32)])
      self._functions[key] = tf.function(some, input_signature=[
          tf.TensorSpec([], tf.int32), *specs[:len(tensors)]])
    return self._functions[key](tf.constant(steps, tf.int32), *tensors)

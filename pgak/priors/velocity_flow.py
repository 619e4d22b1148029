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
    guidance: g of points with conditions, `v(none) + g (v(y) - v(none))`.
  """

  def __init__(self, net, guidance=1.):
    self.net = net
    self.guidance = guidance
    self.is_exact = net.size <= EXACT_DIMENSIONS
    # By name and arguments, so that each graph is traced once.
    self._functions = {}

  def forwards(self, points, steps, *given, begin=0.):
    """Transports points from time `begin` to 1, by steps of Heun's method.

    Args:
      points: float32 `[B, H]`.
      steps: int.
      *given: conditions as the net takes them, `[B]` or `[B, 2 A]` each; see
        `conditions.Conditions.codes`.
      begin: float in [0, 1).

    Returns:
      float32 `[B, H]`.
    """
    return self._called(f'forwards_{begin}', self._moved, [points], given,
                        steps, {'begin': begin})

  def backwards(self, points, steps, *given):
    """Transports points from time 1 to 0; see `forwards`."""
    return self._called('backwards', self._moved, [points], given, steps,
                        {'backwards': True})

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

  def log_densities(self, points, keys, steps, probes, *given):
    """Returns the log-density of points at time 1, and its standard error.

    Args:
      points: as for `forwards`.
      keys: float32 `[B, H]`, of which the probes are a function: the points as
        a user gives them, because a graph rounds what is computed of them in
        another way.
      steps: as for `forwards`.
      probes: int, k; or 'exact'. Of at most 8 dimensions the trace is exact all
        the same.
      *given: as for `forwards`.

    Returns:
      `(mean, standard error)` over the probes, each float32 `[B]`. The error is
      0 where the trace is exact, and NaN of one probe.
    """
    found = self._called(f'log_densities_{probes}', self._estimates,
                         [points, keys], given, steps, probes)
    mean = tf.reduce_mean(found, 1)
    if self._takes_exact(probes):
      return mean, tf.zeros_like(mean)
    # 0 / 0 for one estimate.
    return mean, tf.math.reduce_std(found, 1) / np.sqrt(np.float32(probes - 1))

  def _moved(self, steps, options, points, *given):
    return continuous_flow.transport(
        self._velocity(given), points, steps, **options)

  def _estimates(self, steps, number, points, keys, *given):
    signs = None if self._takes_exact(number) else continuous_flow.probes(
        keys, number)
    return tf.transpose(continuous_flow.log_densities(
        self._velocity(given), points, steps, signs))

  def _takes_exact(self, probes):
    return self.is_exact or probes == 'exact'

  def _velocity(self, given):
    """Returns the function of points and a time to velocities."""
    if not given or self.guidance == 1.:
      # g = 1 is the net with conditions: one pass, and a density.
      return lambda points, time: self.net(points, time, *given)

    def guided(points, time):
      free = self.net(points, time)
      return free + self.guidance * (self.net(points, time, *given) - free)

    return guided

  def _called(self, name, method, points, given, steps, option):
    """Calls a method in a graph, on a batch of points at a time."""
    tensors = [*points, *given]
    key = name, len(tensors)
    if key not in self._functions:

      def some(steps, *tensors):
        return fitted.in_chunks(
            lambda *chunk: method(steps, option, *chunk), list(tensors), _ROWS)

      # Of any batch: else each size would trace its own graph.
      specs = ([tf.TensorSpec([None, self.net.size], tf.float32)] * len(points)
               + [tf.TensorSpec([None, *x.shape[1:]], x.dtype)
                  for x in given])
      self._functions[key] = tf.function(some, input_signature=[
          tf.TensorSpec([], tf.int32), *specs])
    return self._functions[key](tf.constant(steps, tf.int32), *tensors)

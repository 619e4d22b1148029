"""The regression of flow matching, to which a velocity net is fitted.

See `flow_matching.FlowMatching` for the equations and their sources.
"""
import hashlib
from typing import Literal

import numpy as np
import tensorflow as tf

from pgak import noise as noise_lib
from pgak.priors import conditions
from pgak.priors import coupling as coupling_lib
from pgak.priors import net_fitting

__all__ = ['Coupling', 'Regression', 'Times']

Coupling = Literal['independent', 'optimal']
Times = Literal['logit_normal', 'uniform']

# By default as many steps as 200 passes take, and at most 5,000.
_PASSES = 200
_MOST_STEPS = 5000
# The most latents that are held out, and pairs of noise and time for each.
_WATCHED = 2000
_PAIRS = 4


class Regression:
  """`E |v(x_t, t, y) - (x_1 - x_0)|^2 / H`, of latents and of held-out ones.

  Args:
    points: float32 `[N, H]`, standardised latents.
    labels: int32 `[N]` from 0 to K, K for an unknown one; a net without labels
      ignores them.
    seed: int that decides what is held out and all noise.
    batch_size: points in a step, drawn with replacement.
    times: distribution of t in a step, see `FlowMatching`.
    noise: standard deviation of the noise that is added to the points.
    unlabelled: share of the points whose label is dropped.
    coupling: of noise and points in a step, see `FlowMatching`.
    attributes: int32 `[N, A]`, 1 or -1; None for none, A = 0.
    evidence: function of such attributes, some 0, to what the net is given.

  Attributes:
    number: int, how many points are trained on.
    train: `(points, labels, attributes)` of these, tensors.
    watched: the same of what is held out, each four times.
  """

  def __init__(self, points, labels, seed, batch_size, times, noise,
               unlabelled, coupling='independent', attributes=None,
               evidence=None):
    self.seed = seed
    self.times = times
    self.noise = noise
    self.unlabelled = unlabelled
    self.coupling = coupling
    self._evidence = evidence
    train, watched = net_fitting.held_out(len(points), seed)
    # Latents beyond those that are watched would be held out for nothing.
    train = np.concatenate([train, watched[_WATCHED:]])
    # Several pairs of noise and time make the loss of each point less noisy.
    watched = np.repeat(watched[:_WATCHED], _PAIRS)
    self.number = len(train)
    self.batch_size = min(batch_size, self.number)
    if attributes is None:
      attributes = np.zeros([len(points), 0], np.int32)
    self.train, self.watched = (
        tuple(tf.constant(x[rows]) for x in (points, labels, attributes))
        for rows in (train, watched))

  @property
  def can_compile(self):
    """Whether XLA is to compile the loss; see `minimise_averaged`."""
    # Optimal coupling calls SciPy, which XLA cannot compile. Attributes need
    # Cholesky factors, by which XLA makes a step a fifth slower.
    return self.coupling == 'independent' and not self.train[2].shape[1]

  @property
  def usual_steps(self):
    """The default number of steps, int."""
    return min(-(-_PASSES * self.number // self.batch_size), _MOST_STEPS)

  def digest(self, fit_settings):
    """Returns a string that changes with the data and the fit's settings."""
    # The noise is none where the latents are samples.
    text = repr([self.noise, sorted(fit_settings.items())])
    found = hashlib.sha256(text.encode())
    for array in (*self.train, *self.watched):
      found.update(np.ascontiguousarray(array.numpy()).tobytes())
    return found.hexdigest()

  def loss(self, net, step):
    """Returns the loss of a batch, a scalar.

    Args:
      net: `velocity_net.VelocityNet`.
      step: int64 scalar tensor of at least 1, which decides the batch.
    """
    # In float32 the product could round up to N, which is no index.
    drawn = noise_lib.uniform([self.batch_size], self._seed(step, 'order'),
                              tf.float64)
    chosen = tf.cast(drawn * self.number, tf.int32)
    points, *given = (tf.gather(x, chosen) for x in self.train)
    return self._loss(net, points, *given, self._drawn_times(step), step)

  def held_out_loss(self, net):
    """Returns the loss of the held-out points, a scalar.

    Each is seen with four pairs of noise and time, always the same. Their times
    are uniform, whatever training draws, one in each quarter of [0, 1].
    """
    # Step 0, which no training step has, so that the noise is its own.
    number = self.watched[1].shape[0]
    quarters = tf.constant(np.arange(number) % _PAIRS, tf.float32)
    offsets = noise_lib.uniform([number], self._seed(0, 'times'))
    # Batches as in training, of different points.
    batches = np.arange(number) // _PAIRS // self.batch_size
    return self._loss(net, *self.watched, (quarters + offsets) / _PAIRS, 0,
                      batches * _PAIRS + np.arange(number) % _PAIRS)

  def _seed(self, step, name):
    return noise_lib.seed(self.seed, step, f'flow_matching_{name}')

  def _drawn_times(self, step):
    seed = self._seed(step, 'times')
    if self.times == 'uniform':
      return noise_lib.uniform([self.batch_size], seed)
    return tf.sigmoid(noise_lib.normal([self.batch_size], seed))

  def _loss(self, net, points, labels, attributes, times, step, batches=None):
    shape = tf.shape(points)
    base = noise_lib.normal(shape, self._seed(step, 'base'))
    if self.noise:
      points += self.noise * noise_lib.normal(shape, self._seed(step, 'noise'))
    if self.coupling == 'optimal':
      # Before labels are dropped: any coupling within labels leaves the noise
      # of all points as it was, too.
      base = coupling_lib.coupled(
          base, points, _kinds(labels, attributes, batches))
    if net.num_classes:
      dropped = noise_lib.uniform(
          shape[:1], self._seed(step, 'labels')) < self.unlabelled
      # So that the net learns the latents as a whole, too: for samples without
      # a label, and for guidance.
      labels = tf.where(dropped, net.num_classes, labels)
    given = [labels]
    if attributes.shape[1]:
      given.append(self._evidence(conditions.dropped(
          attributes, self._seed(step, 'attributes'), self.unlabelled)))
    share = times[:, tf.newaxis]
    moved = net((1. - share) * base + share * points, times, *given)
    # x_1 - x_0 is the velocity of the straight line from noise to point.
    return tf.reduce_mean(tf.square(moved - (points - base)))


def _kinds(labels, attributes, batches):
  """Returns all that noise may not depend on, int32 `[B, 1 + A]` or one more.
  """
  kinds = [labels[:, tf.newaxis], attributes]
  if batches is not None:
    kinds.append(tf.constant(batches, tf.int32, [len(batches), 1]))
  return tf.concat(kinds, 1)

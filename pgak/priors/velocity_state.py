"""A velocity net and what conditions it has learned: a fitted flow's state."""
import numpy as np
import tensorflow as tf

from pgak.priors import conditions
from pgak.priors import fitted
from pgak.priors import velocity_flow
from pgak.priors import velocity_net

__all__ = ['VelocityState']


class VelocityState(fitted.FittedPrior):
  """The state of a density that is a net's flow, and the labels it has learned.

  A class that derives from it sets `width`, `blocks`, `seed`, `guidance` and
  `conditional`, and then calls `_begin`.
  """

  def _begin(self):
    self.net = None
    self.flow = None
    self.conditions = conditions.Conditions()
    # In the object, not in the class: labels and guidance decide.
    self.can = self._abilities()

  @property
  def takes_labels(self):
    """Whether `fit` takes the data's labels and attributes."""
    return self.conditional

  takes_attributes = takes_labels

  @property
  def classes(self):
    """The labels that it has learned, int64 `[K]`, increasing."""
    return self.conditions.classes

  @property
  def attributes(self):
    """Names of the attributes that it has learned, a tuple."""
    return self.conditions.attributes

  @property
  def arrays(self):
    weights = () if self.net is None else self.net.weights
    return ('mean', 'scale', *self.conditions.state()) + tuple(
        f'weight_{i}' for i in range(len(weights)))

  def _new_net(self):
    return velocity_net.VelocityNet(
        self.latent_dim, self.width, self.blocks, len(self.classes), self.seed,
        len(self.attributes), dtype='float32')

  def _build(self, learned):
    """Makes the net anew, and its flow."""
    self.conditions = learned
    self.net = self._new_net()
    self.flow = velocity_flow.VelocityFlow(self.net, self.guidance)

  def load_state(self, arrays):
    """Loads the result of another prior's `state`; returns self.

    Raises:
      ValueError: if that is not the state of such a prior.
    """
    if 'classes' in arrays:
      learned = conditions.of_state(arrays)
      # The numbers of labels and attributes decide the net's shape.
      if self.net is None or self.conditions.sizes != learned.sizes:
        self._build(learned)
      self.conditions = learned
    return super().load_state(arrays)

  def _use_state(self):
    state = self.state()
    self.net.set_weights(
        [state[n] for n in self.arrays if n.startswith('weight_')])
    self._mean, self._scale = (
        state[n].astype(np.float32) for n in ('mean', 'scale'))
    self.can = self._abilities()

  def _abilities(self):
    """Returns its capabilities; see `pgak.capabilities`."""
    names = {'base': True, 'fit': True, 'condition': any(self.conditions.sizes),
             'log_density': self.guidance == 1.}
    return frozenset(name for name, can in names.items() if can)

  def _codes(self, given, batch):
    return self.conditions.codes(given, batch.shape[0] or tf.shape(batch)[0])

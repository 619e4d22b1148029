"""A masked autoregressive flow.

#### References

[1]: George Papamakarios, Theo Pavlakou, Iain Murray. Masked Autoregressive
     Flow for Density Estimation. NIPS, 2017.
[2]: Mathieu Germain, Karol Gregor, Iain Murray, Hugo Larochelle. MADE: Masked
     Autoencoder for Distribution Estimation. ICML, 2015.
"""
from absl import logging
import keras
import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from pgak.priors import flow

__all__ = ['AutoregressiveFlow', 'MaskedDense']


class AutoregressiveFlow(flow.Flow):
  """A flow that transforms each dimension given those before it.

  In each of its maps, eqs. 3 and 4 of [1],

  ```none
  y[i] = x[i] * exp(s_i(y[:i])) + t_i(y[:i])
  ```

  All s and t of a map come from one net with masked weights [2], so that a
  density takes one pass; a sample takes H passes, one per dimension. Between
  maps the order of dimensions is reversed. The flow starts as the identity, but
  for the order. That s and t depend on all of y[:i] takes at least H - 1 units
  in each hidden layer; with n units they depend on the first n dimensions.

  Args:
    size: number of dimensions H, at least 2.
    num_couplings: number of maps, int.
    hidden_units: units of each net's hidden layers.
    seed: int that decides the nets' weights.
  """

  def __init__(self, size, num_couplings=4, hidden_units=(256, 256), seed=0,
               **kwargs):
    super().__init__(**kwargs)
    if size < 2:
      raise ValueError(
          'An autoregressive flow needs at least 2 latent dimensions: raise '
          '`latent_dim`, or choose another prior.')
    self.size = size
    self.num_couplings = num_couplings
    self.hidden_units = tuple(hidden_units)
    self.seed = seed
    self._check_units()
    generator = np.random.default_rng(seed)
    self.nets = [self._net(generator) for _ in range(num_couplings)]

  def _check_units(self):
    # No error, nor other masks: flows of such sizes were trained.
    fewest = min(self.hidden_units, default=self.size)
    if fewest < self.size - 1:
      logging.warning(
          'With %d units in a hidden layer the maps of a masked flow of %d '
          'dimensions depend on the first %d of them alone: for all, set '
          '`FlowPrior.hidden_units` to at least %d each.', fewest, self.size,
          fewest, self.size - 1)

  def build(self, input_shape=None):
    for net in self.nets:
      net.build((None, self.size))
    self.built = True

  def _net(self, generator):
    """Builds a net of points `[B, H]` to shifts and log-scales `[B, 2 H]`."""
    layers, degrees = [], np.arange(self.size)
    for units in self.hidden_units:
      # A unit of degree d sees the dimensions 0 to d.
      # Degrees in turn, not at random: each dimension has as many units. H - 1
      # is left out, since no output may depend on the last dimension.
      following = np.arange(units) % (self.size - 1)
      layers.append(MaskedDense(
          # [in, out]
          degrees[:, None] <= following, 'relu', dtype=self.dtype_policy,
          kernel_initializer=keras.initializers.HeNormal(
              seed=int(generator.integers(1 << 31)))))
      degrees = following
    outputs = np.tile(np.arange(self.size), 2)  # Shifts, then log-scales.
    layers.append(MaskedDense(
        # Strict in the last layer: y[i] depends on the dimensions before i
        # alone.
        degrees[:, None] < outputs, dtype=self.dtype_policy,
        kernel_initializer='zeros'))
    return keras.Sequential(layers)

  def bijector(self):
    """Returns the map as a TFP bijector: forward is from N(0, I) to points."""
    backwards = list(range(self.size))[::-1]
    return flow.chain(
        [tfp.bijectors.MaskedAutoregressiveFlow(
            shift_and_log_scale_fn=lambda x, net=net, **kwargs:
            flow.bounded(net(x))) for net in self.nets],
        [backwards] * len(self.nets))

  def get_config(self):
    names = ('size', 'num_couplings', 'hidden_units', 'seed')
    return super().get_config() | {n: getattr(self, n) for n in names}


class MaskedDense(keras.layers.Layer):
  """A dense layer with a fixed mask of weights that are 0.

  Args:
    mask: bool `[inputs, units]`, True where there is a weight.
    activation: name of the activation, or None.
    kernel_initializer: as for `keras.layers.Dense`.
  """

  def __init__(self, mask, activation=None, kernel_initializer='he_normal',
               **kwargs):
    super().__init__(**kwargs)
    self.mask = np.asarray(mask)
    self.activation = keras.activations.get(activation)
    self.kernel_initializer = keras.initializers.get(kernel_initializer)

  def build(self, input_shape):
    self.kernel = self.add_weight(
        name='kernel', shape=self.mask.shape,
        initializer=self.kernel_initializer)
    self.bias = self.add_weight(name='bias', shape=self.mask.shape[1:],
                                initializer='zeros')

  def get_config(self):
    return super().get_config() | {
        'mask': self.mask.tolist(),
        'activation': keras.activations.serialize(self.activation),
        'kernel_initializer': keras.initializers.serialize(
            self.kernel_initializer)}

  def call(self, x):
    # In each call, so that an optimizer cannot move a masked weight away from
    # 0.
    mask = tf.constant(self.mask, self.compute_dtype)
    return self.activation(tf.matmul(x, self.kernel * mask) + self.bias)

"""A normalising flow of affine couplings.

#### References

[1]: Laurent Dinh, Jascha Sohl-Dickstein, Samy Bengio. Density Estimation Using
     Real NVP. ICLR, 2017.
"""
import keras
import numpy as np
import tensorflow_probability as tfp

from pgak.priors import flow

__all__ = ['CouplingFlow']


class CouplingFlow(flow.Flow):
  """A flow that transforms one half of the dimensions, given the other half.

  Each coupling scales and shifts one half of the dimensions by the outputs of a
  net that sees the other half (eqs. 7 and 8 of [1]),

  ```none
  y_1 = x_1,   y_2 = x_2 * exp(s(x_1)) + t(x_1)
  ```

  Between the two couplings of a pair the order is reversed, so that a pair
  transforms all dimensions; between pairs it is a fixed random one. The map
  starts as the identity, but for the order.

  Args:
    size: number of dimensions H, at least 2.
    num_couplings: int.
    hidden_units: units of each net's hidden layers.
    seed: int that decides the nets' weights and the order of the dimensions.
  """

  def __init__(self, size, num_couplings=4, hidden_units=(256, 256), seed=0,
               **kwargs):
    super().__init__(**kwargs)
    if size < 2:
      raise ValueError(
          'A coupling needs at least 2 latent dimensions: raise '
          '`latent_dim`, or choose another prior.')
    self.size = size
    self.num_couplings = num_couplings
    self.hidden_units = tuple(hidden_units)
    self.seed = seed
    self.masked = size // 2
    # The orders are no weights: the seed must make the same ones again.
    generator = np.random.default_rng(seed)
    # Of two dimensions, a random order could undo the reversal.
    self.orders = [
        generator.permutation(size).tolist() if i % 2 and size > 2 else
        list(range(size))[::-1] for i in range(num_couplings)]
    self.nets = [self._net(generator) for _ in range(num_couplings)]

  def build(self, input_shape=None):
    for net in self.nets:
      net.build((None, self.masked))
    self.built = True

  def _net(self, generator):
    def initializer():
      return keras.initializers.HeNormal(seed=int(generator.integers(1 << 31)))
    hidden = [keras.layers.Dense(units, 'relu', dtype=self.dtype_policy,
                                 kernel_initializer=initializer())
              for units in self.hidden_units]
    # Zeros, so that shifts and log-scales begin at 0: the identity.
    last = keras.layers.Dense(2 * (self.size - self.masked),
                              dtype=self.dtype_policy,
                              kernel_initializer='zeros')
    return keras.Sequential([*hidden, last])

  def bijector(self):
    """Returns the map as a TFP bijector: forward is from N(0, I) to points."""
    return self._chained(lambda net, masked: net(masked))

  def _chained(self, call):
    """Chains the couplings; `call(net, masked)` asks a coupling's net."""
    return flow.chain(
        [tfp.bijectors.RealNVP(
            num_masked=self.masked,
            # `net=net`: else every coupling would call the last net of the
            # loop.
            shift_and_log_scale_fn=lambda x, _, net=net, **kwargs:
            flow.bounded(call(net, x))) for net in self.nets], self.orders)

  def get_config(self):
    names = ('size', 'num_couplings', 'hidden_units', 'seed')
    return super().get_config() | {n: getattr(self, n) for n in names}

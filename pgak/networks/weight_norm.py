"""Layers of the variational U-Net: weight-normalised convolution, dropout.

#### References

[1]: Tim Salimans, Diederik P. Kingma. Weight normalization. NIPS, 2016.
"""
import contextlib

import keras
from keras import layers
from keras import ops
import tensorflow as tf

from pgak import noise
from pgak import replicas
from pgak.networks import nested

__all__ = ['RepeatableDropout', 'WeightNormConv2D', 'set_by_data']

# For a filter whose outputs are all alike.
_VARIANCE_FLOOR = 1e-10


@keras.saving.register_keras_serializable('pgak')
class WeightNormConv2D(layers.Layer):
  """A convolution with the kernel `g v / |v|`, [1, eq. 2], one g per filter.

  v is initialised as normal, and g as `gain`: with gain 1, independent inputs
  of variance 1 give outputs of variance 1. Within `set_by_data` a call sets g
  and the offset b by its inputs, [1, sec. 3]: with m and s the mean and the
  standard deviation of `v * x / |v|` over the batch and its pixels,
  `g = gain / s` and `b = -gain m / s`, so that each filter's outputs have mean
  0 and deviation `gain`.

  Args:
    filters: int.
    kernel_size: int.
    strides: int.
    gain: the initial g.
    seed: int that decides v, or None for Keras's own.
    **kwargs: as for a Keras layer.
  """

  def __init__(self, filters, kernel_size=3, strides=1, gain=1., seed=None,
               **kwargs):
    super().__init__(**kwargs)
    self.filters = filters
    self.kernel_size = kernel_size
    self.strides = strides
    self.gain = gain
    self.seed = seed
    self._is_set_by_data = False

  def build(self, input_shape):
    size = self.kernel_size
    self.v = self.add_weight(
        name='v', shape=(size, size, input_shape[-1], self.filters),
        initializer=keras.initializers.RandomNormal(stddev=0.05,
                                                    seed=self.seed))
    self.g = self.add_weight(name='g', shape=(self.filters,),
                             initializer=keras.initializers.Constant(self.gain))
    self.bias = self.add_weight(name='bias', shape=(self.filters,),
                                initializer='zeros')
    self.built = True

  def call(self, inputs):
    v = ops.convert_to_tensor(self.v)
    # Inside the root, whose derivative at 0 is infinite.
    norm = ops.sqrt(ops.sum(ops.square(v), (0, 1, 2)) + 1e-12)  # [filters]
    if self._is_set_by_data:
      self._set(ops.conv(ops.cast(inputs, v.dtype), v / norm, self.strides,
                         'same'))
    kernel = ops.cast(v * (self.g / norm), inputs.dtype)
    return ops.conv(inputs, kernel, self.strides, 'same') + ops.cast(
        self.bias, inputs.dtype)

  def _set(self, outputs):
    mean, variance = ops.moments(outputs, (0, 1, 2))  # [filters]
    scale = self.gain / ops.sqrt(variance + _VARIANCE_FLOOR)
    self.g.assign(scale)
    self.bias.assign(-mean * scale)

  def compute_output_shape(self, input_shape):
    batch, height, width, _ = input_shape
    return (batch, -(-height // self.strides), -(-width // self.strides),
            self.filters)

  def get_config(self):
    names = ('filters', 'kernel_size', 'strides', 'gain', 'seed')
    return super().get_config() | {n: getattr(self, n) for n in names}


@contextlib.contextmanager
def set_by_data(*nets):
  """Within it, a call of a net sets its `WeightNormConv2D` by the inputs.

  Layer by layer, in the order of the call, which must be eager.

  Args:
    *nets: functional `keras.Model`s.
  """
  found = [layer for net in nets for layer in nested.layers_of(net)
           if isinstance(layer, WeightNormConv2D)]
  for layer in found:
    layer._is_set_by_data = True
  try:
    yield
  finally:
    for layer in found:
      layer._is_set_by_data = False


@keras.saving.register_keras_serializable('pgak')
class RepeatableDropout(layers.Layer):
  """Dropout whose masks are a function of a seed and its count of calls.

  Keras's own masks differ inside and outside XLA, and are the same on every
  replica. The count is state, so that a run that is resumed goes on with it.

  Args:
    rate: share of the inputs that are 0 in training, in [0, 1).
    seed: int; two layers of one net have two seeds.
    **kwargs: as for a Keras layer.
  """

  def __init__(self, rate, seed, **kwargs):
    super().__init__(**kwargs)
    if not 0. <= rate < 1.:
      raise ValueError(f'`dropout` must be in [0, 1), not {rate}.')
    self.rate = rate
    self.seed = seed

  def build(self, input_shape):
    self.count = self.add_weight(
        name='count', shape=(), dtype='int64', initializer='zeros',
        trainable=False, aggregation='only_first_replica')
    self.built = True

  def call(self, inputs, training=None):
    if not training or not self.rate:
      return inputs
    # For the global batch, so that replicas have masks of their own.
    draws = replicas.draw(
        noise.uniform, tf.shape(inputs)[0], inputs.shape[1:],
        noise.seed(self.seed, self.count.value, 'dropout'), tf.float32)
    self.count.assign(self.count + 1)
    kept = tf.cast(draws >= self.rate, inputs.dtype)
    # Scaled in training, so that inference needs no factor.
    return inputs * kept / (1. - self.rate)

  def compute_output_shape(self, input_shape):
    return input_shape

  def get_config(self):
    return super().get_config() | {'rate': self.rate, 'seed': self.seed}

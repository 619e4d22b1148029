"""Spectral normalisation: a layer whose kernel is divided by its norm.

Unlike `keras.layers.SpectralNormalization`, which assigns W / s(W) to the
kernel on every training call, it divides when it is called: gradients pass
through s(W), the kernel stays the optimizer's, and two calls in a step see the
same norm.

#### References

[1]: Takeru Miyato, Toshiki Kataoka, Masanori Koyama, Yuichi Yoshida. Spectral
     normalization for generative adversarial networks. ICLR, 2018.
"""
import keras
from keras import layers
from keras import ops

from pgak.networks import blocks
from pgak.networks import nested

__all__ = ['SpectralNormalization', 'maybe_normalised',
           'update_spectral_norms']


@keras.saving.register_keras_serializable('pgak')
class SpectralNormalization(layers.Wrapper):
  """Calls a layer with the kernel `W / s(W)`.

  W is the kernel as a matrix `[the rest, last axis]` and `s(W) = |W u|`, its
  largest singular value if the unit vector u is its first right singular
  vector. A model's train step calls `update` before each phase that updates
  the kernel: one step of the power method, [1, sec. 2.1]. Nothing else changes
  u, and no gradient goes into it.

  Args:
    layer: a layer with a `kernel`, such as Conv2D, Conv2DTranspose or Dense.
    **kwargs: as for a Keras layer; the precision is that of `layer`.
  """

  def __init__(self, layer, **kwargs):
    # A head in float32 under a mixed policy stays there.
    kwargs.setdefault('dtype', layer.dtype_policy)
    super().__init__(layer, **kwargs)

  def build(self, input_shape=None):
    super().build(input_shape)
    # float32 under any policy; a checkpoint keeps it, or norms would start
    # anew.
    self.u = self.add_weight(
        name='u', shape=(self.layer.kernel.shape[-1],), dtype='float32',
        initializer=_random_direction, trainable=False)

  def norm(self):
    """Returns s(W), a scalar tensor."""
    matrix = self._matrix()
    return ops.norm(ops.matmul(matrix, ops.cast(self.u, matrix.dtype)[:, None]))

  def update(self):
    """Takes one step of the power method: `u = normalize(W^T W u)`."""
    # u and v are constants in [1]: the gradient goes through W alone.
    matrix = ops.stop_gradient(self._matrix())
    column = ops.cast(self.u, matrix.dtype)[:, None]
    product = ops.matmul(ops.transpose(matrix), ops.matmul(matrix, column))
    self.u.assign(ops.cast(_normalised(product[:, 0]), 'float32'))

  def call(self, inputs, training=None):
    del training
    return blocks.with_kernel(
        self.layer, lambda w: w / ops.cast(self.norm(), w.dtype), inputs)

  def compute_output_shape(self, input_shape):
    return self.layer.compute_output_shape(input_shape)

  def _matrix(self):
    kernel = self.layer.kernel
    return ops.reshape(kernel.value, (-1, kernel.shape[-1]))  # [rest, last]


def maybe_normalised(layer, wanted):
  """Returns a layer, wrapped in spectral normalisation if that is wanted."""
  return SpectralNormalization(layer) if wanted else layer


def update_spectral_norms(net):
  """Takes one step of the power method in all such layers of a net."""
  for layer in nested.layers_of(net):
    # A frozen layer stays as it is.
    if isinstance(layer, SpectralNormalization) and layer.trainable:
      layer.update()


def _random_direction(shape, dtype=None):
  # With a seed: Keras's own generator cannot be made while the variables of a
  # symbolic call are initialised, where nothing else has made it before.
  return _normalised(keras.random.normal(shape, dtype=dtype, seed=0))


def _normalised(vector):
  # A kernel of zeros has no direction; it must not get a NaN.
  return vector / ops.maximum(ops.norm(vector), 1e-12)

"""What normalising flows share: a map from N(0, I), as a Keras layer.
"""
import keras
import tensorflow as tf
import tensorflow_probability as tfp

__all__ = ['Flow', 'bounded', 'chain', 'moved']

# Bound of the logarithm of a scale: unbounded ones overflow in training.
LARGEST_LOG_SCALE = 3.


class Flow(keras.layers.Layer):
  """An invertible map from N(0, I) to points, and so a density of points.

  The layer owns the nets: a bijector would hide them from Keras. So the layer
  can be a part of a model, trained together with the others. A subclass has
  `size`, the number of dimensions H, and makes the map in `bijector`.
  """

  def bijector(self):
    """Returns the map as a TFP bijector: forward is from N(0, I) to points."""
    raise NotImplementedError

  def after(self, coupling):
    """Returns the part of the map behind its first t couplings, from z_t on.

    Args:
      coupling: t, from 0 (the whole map, from z_0) to the number of couplings
        T (the identity, from z_T).
    """
    maps = self.bijector().bijectors
    # TFP's chain has the last map first, and `chain` makes two of a coupling.
    maps = maps[:len(maps) - 2 * coupling]
    return tfp.bijectors.Chain(maps) if maps else tfp.bijectors.Identity()

  def distribution(self):
    """Returns the distribution of points, a TFP distribution on `[H]`."""
    normal = tfp.distributions.MultivariateNormalDiag(
        tf.zeros([self.size], self.compute_dtype),
        tf.ones([self.size], self.compute_dtype))
    # Made anew in each call: a bijector that is kept as an attribute would hide
    # the nets' variables from Keras.
    return tfp.distributions.TransformedDistribution(normal, self.bijector())

  def call(self, points):
    """Returns the log-density of points `[B, H]`, `[B]`."""
    return self.distribution().log_prob(points)


def moved(distribution, mean, scale):
  """Returns the TFP distribution of `mean + scale * x`, `[H]`.

  Args:
    distribution: of x, a TFP distribution on `[H]`.
    mean: `[H]`.
    scale: `[H]`, above 0.
  """
  return tfp.distributions.TransformedDistribution(
      distribution, tfp.bijectors.Chain([
          tfp.bijectors.Shift(mean), tfp.bijectors.Scale(scale)]))


def bounded(outputs):
  """Splits a net's outputs `[..., 2 n]` into shift and bounded log-scale."""
  shift, log_scale = tf.split(outputs, 2, -1)
  # Smooth, and the identity near 0, unlike a clip.
  return shift, LARGEST_LOG_SCALE * tf.tanh(log_scale / LARGEST_LOG_SCALE)


def chain(maps, orders):
  """Chains bijectors from N(0, I) to points, with a reordering after each.

  Args:
    maps: `tfp.bijectors.Bijector`s, the first first.
    orders: for each, the order of the H dimensions behind it.
  """
  chained = []
  for bijector, order in zip(maps, orders, strict=True):
    chained += [bijector, tfp.bijectors.Permute(order)]
  # TFP applies the last of a chain first.
  return tfp.bijectors.Chain(chained[::-1])

"""Running mean and standard deviation of latents, to standardise them by."""
import keras
import tensorflow as tf

from pgak import replicas

__all__ = ['RunningMoments']

# Added to variances, so that a constant dimension can be divided by its scale.
SMALLEST_VARIANCE = 1e-8


class RunningMoments(keras.layers.Layer):
  """A layer with the running moments of each dimension of the latents.

  They are state, which no gradient changes.

  Args:
    latent_dim: number of latent dimensions H.
    momentum: share of the moments that a step keeps; the first steps average
      over all before them.
    **kwargs: as for a Keras layer.
  """

  def __init__(self, latent_dim, momentum=0.99, **kwargs):
    super().__init__(**kwargs)
    self.latent_dim = latent_dim
    self.momentum = momentum
    self.mean = self._state('mean', (latent_dim,), 'zeros')
    self.variance = self._state('variance', (latent_dim,), 'ones')
    self.count = self._state('count', (), 'zeros')

  def _state(self, name, shape, initializer):
    return self.add_weight(name=name, shape=shape, initializer=initializer,
                           trainable=False, aggregation='only_first_replica')

  def follow(self, latents):
    """Updates the running moments by a batch of latents `[B, H]`.

    With weight r for the batch, of mean b and variance v, the moments of the
    mixture: `m' = m + r (b - m)` and
    `s'^2 = (1 - r) (s^2 + r (b - m)^2) + r v`.
    """
    latents = tf.stop_gradient(latents)
    # The mean of all replicas first: the variance is about that one.
    mean = replicas.mean(tf.reduce_mean(latents, 0))
    variance = replicas.mean(
        tf.reduce_mean(tf.math.squared_difference(latents, mean), 0))
    # 1 / n until that is below 1 - momentum: an average of all that was seen.
    rate = tf.maximum(1. - self.momentum, 1. / (self.count + 1.))
    # Before `mean` is assigned: the variance needs the old one.
    moved = mean - self.mean
    self.variance.assign((1. - rate) * (
        self.variance + rate * tf.square(moved)) + rate * variance)
    self.mean.assign(self.mean + rate * moved)
    self.count.assign(self.count + 1.)

  @property
  def scale(self):
    """The standard deviation, float `[H]`, not 0."""
    return tf.sqrt(self.variance + SMALLEST_VARIANCE)

  def standardised(self, latents):
    """Returns `(z - m) / s`, float `[B, H]`."""
    return (latents - self.mean) / self.scale

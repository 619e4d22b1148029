"""Noise on the latents of a deterministic encoder, in training alone.

A density that is fitted to latents misses them by a little, and its samples lie
beside the latents that the decoder was trained on. Noise on the latents while
training makes the decoder answer for their neighbourhood, too.
"""
import tensorflow as tf

from pgak import noise as noise_lib
from pgak import replicas

__all__ = ['NoisyLatents', 'with_noise']


def with_noise(latents, size, normal):
  """Adds noise in proportion to each latent dimension's standard deviation.

  `z[i] + size * s[i] * n[i]`, with s the standard deviation of a latent
  dimension over the batch (of all replicas) and n from N(0, I). No gradient
  passes through s. In units of s the encoder cannot escape the noise by larger
  latents, as it could escape a noise of one absolute size, and the setting
  means the same for every net. Statistics of the batch need no state, so that
  checkpoints hold what they held without it.

  Args:
    latents: `[B, H]`.
    size: float, the noise's standard deviation in units of s.
    normal: `[B, H]`, samples of N(0, I).

  Returns:
    `[B, H]`.
  """
  fixed = tf.stop_gradient(latents)
  mean = replicas.mean(tf.reduce_mean(fixed, 0))
  variance = replicas.mean(tf.reduce_mean(tf.square(fixed - mean), 0))
  # A bfloat16 policy has latents of another type than the noise.
  return latents + tf.cast(
      size * tf.sqrt(variance), latents.dtype) * tf.cast(normal, latents.dtype)


class NoisyLatents:
  """For models with the setting `latent_noise`; it stands before their base.

  A subclass sets `latent_noise`, 0 for none, and calls `noisy` on the latents
  that it decodes.
  """

  latent_noise = 0.

  @property
  def noise_shapes(self):
    shapes = super().noise_shapes
    if not self.latent_noise:
      return shapes
    return shapes | {'latents': (noise_lib.normal, (self.latent_dim,))}

  def noisy(self, latents, noise, training):
    """Returns the latents to decode: with noise, but for a validation.

    Args:
      latents: `[B, H]`.
      noise: as `draw_noise` gives it.
      training: whether it is a train step.
    """
    if not (self.latent_noise and training):
      return latents
    return with_noise(latents, self.latent_noise, noise['latents'])

"""Losses as pure functions of tensors.

Every loss is a mean per element (of pixels and channels, or of latent
dimensions) and is returned for each example, `[B]`; the model averages over
the batch. The papers write sums over D numbers of an image or H of a latent;
each docstring says by which factor its equation differs.

Shapes: images `[B, H, W, C]`, latents and all that belongs to them `[B, H]`.

#### References

[1]: Zijun Zhang, Ruixiang Zhang, Zongpeng Li, Yoshua Bengio, Liam Paull.
     Perceptual Generative Autoencoders. ICML, 2020.
"""
import math

import tensorflow as tf

__all__ = ['expansion', 'kl', 'latent_nll', 'latent_reconstruction',
           'reconstruction', 'relative_error']


def _mean_per_example(values):
  return tf.reduce_mean(values, list(range(1, values.shape.rank)))


def reconstruction(images, reconstructed):
  """Mean squared error of images, [1, eq. 1].

  `mean{ (x_hat[i] - x[i])**2 : i=1...D }`: 2 / D times the paper's summand.

  Args:
    images: float `[B, ...]`.
    reconstructed: float, the same shape.

  Returns:
    float `[B]`.
  """
  return _mean_per_example(tf.math.squared_difference(reconstructed, images))


def latent_reconstruction(latents, reconstructed):
  """Mean squared error of latents, [1, eqs. 2 and 3]; 2 / H of the summand."""
  return _mean_per_example(tf.math.squared_difference(reconstructed, latents))


def latent_nll(latents):
  """Negative log-density of latents under N(0, I) per dimension, [1, eq. 6].

  `mean{ z[j]**2 / 2 + log(2 pi) / 2 : j=1...H }`: the paper's eq. 6 leaves the
  constant out and is otherwise H times this.

  Args:
    latents: float `[B, H]`.

  Returns:
    float `[B]`.
  """
  return 0.5 * _mean_per_example(tf.square(latents)) + (
      0.5 * math.log(2. * math.pi))


def expansion(mapped, mapped_perturbed, perturbation_norm2):
  """Log-expansion of a map h along a perturbation d, [1, eq. 7] divided by H.

  `log(sum{ (h(z + d) - h(z))[j]**2 : j=1...H } / |d|**2) / 2`. Its mean over d
  bounds `log|det dh/dz| / H` from above as d shrinks, [1, eq. 8].

  The difference of nearly equal numbers needs full float32.

  Args:
    mapped: `h(z)`, float `[B, H]`.
    mapped_perturbed: `h(z + d)`, float `[B, H]`.
    perturbation_norm2: `|d|**2`, float `[B]`.

  Returns:
    float `[B]`.
  """
  moved2 = tf.reduce_sum(
      tf.math.squared_difference(mapped_perturbed, mapped), -1)
  # Two latents that round to the same number must not give log 0.
  moved2 = tf.maximum(moved2, tf.constant(1e-30, moved2.dtype))
  return 0.5 * (tf.math.log(moved2) - tf.math.log(perturbation_norm2))


def relative_error(mapped, mapped_perturbed, scale):
  """Squared error of latents in units of `scale`, [1, eq. 12]'s L_vr.

  `mean{ ((h(z + d) - h(z))[j] / scale[j])**2 : j=1...H }`: the Gaussian
  likelihood of variance `scale**2 / 2` per dimension, without its constant.

  Args:
    mapped: `h(z)`, float `[B, H]`.
    mapped_perturbed: `h(z + d)`, float `[B, H]`.
    scale: float, broadcast against `[B, H]`.

  Returns:
    float `[B]`.
  """
  return _mean_per_example(tf.square((mapped_perturbed - mapped) / scale))


def kl(mean, log_variance):
  """KL(N(mean, diag(exp(log_variance))) || N(0, I)) per dimension, [1, eq. 12].

  `mean{ (m**2 + s**2 - 1 - log s**2) / 2 : j=1...H }`.

  Args:
    mean: float `[B, H]`.
    log_variance: float `[B, H]`.

  Returns:
    float `[B]`, not negative.
  """
  return 0.5 * _mean_per_example(
      tf.square(mean) + tf.exp(log_variance) - 1. - log_variance)

"""Losses as pure functions of tensors.

Every loss is a mean per element (of pixels and channels, or of latent
dimensions) and is returned for each example, `[B]`; the model averages over
the batch. The papers write sums over D elements of an image or H of a latent;
each docstring says by which factor its equation differs.

Shapes: images `[B, H, W, C]`, latents and all that belongs to them `[B, H]`.

#### References

[1]: Zijun Zhang, Ruixiang Zhang, Zongpeng Li, Yoshua Bengio, Liam Paull.
     Perceptual Generative Autoencoders. ICML, 2020.
[2]: Partha Ghosh, Mehdi S. M. Sajjadi, Antonio Vergari, Michael Black,
     Bernhard Schoelkopf. From Variational to Deterministic Autoencoders.
     ICLR, 2020.
[3]: Ilya Tolstikhin, Olivier Bousquet, Sylvain Gelly, Bernhard Schoelkopf.
     Wasserstein Auto-Encoders. ICLR, 2018.
[4]: Yujia Li, Kevin Swersky, Richard S. Zemel. Generative Moment Matching
     Networks. ICML, 2015.
[5]: Justin Johnson, Alexandre Alahi, Li Fei-Fei. Perceptual Losses for
     Real-Time Style Transfer and Super-Resolution. ECCV, 2016.
"""
import math

import tensorflow as tf

__all__ = ['FEATURE_DISTANCES', 'SCALES', 'absolute_error', 'discrimination',
           'expansion', 'feature_error', 'gaussian_log_density',
           'hinge_discrimination', 'jacobian_norm2', 'kl', 'latent_l2',
           'latent_nll', 'latent_reconstruction', 'mmd', 'moment_matching',
           'reconstruction', 'relative_error', 'sum_of_squares']

FEATURE_DISTANCES = {'l2': tf.math.squared_difference,
                     'l1': lambda a, b: tf.abs(a - b)}

# The scales s of the inverse multiquadratic kernel in the RAE authors' code.
SCALES = (0.1, 0.2, 0.5, 1., 2., 5., 10.)


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


def absolute_error(images, reconstructed):
  """Mean absolute error of images, `mean{ |x_hat[i] - x[i]| : i=1...D }`.

  Args:
    images: float `[B, ...]`.
    reconstructed: float, the same shape.

  Returns:
    float `[B]`.
  """
  return _mean_per_example(tf.abs(reconstructed - images))


def feature_error(features, others, weights, distance='l2', relative=False):
  """Error of images in the features of a net, [5, eq. 2].

  `sum{ w[l] mean{ d(phi[l][i], phi'[l][i]) : i } : layers l }`, d the squared
  or the absolute difference; the means are over positions and channels.

  Args:
    features: list of float `[B, h, w, C]`, the layers' activations.
    others: list of float, like `features`.
    weights: numbers w, one per layer.
    distance: 'l2' or 'l1'.
    relative: whether to divide each layer's mean by that of `d(phi[i], 0)`, so
      that nets and layers whose activations have other scales compare.

  Returns:
    float `[B]`.
  """
  def between(a, b):
    return _mean_per_example(FEATURE_DISTANCES[distance](a, b))

  def unit(a):
    # Where nothing is active there is no scale to divide by.
    return between(a, tf.zeros_like(a)) + 1e-12 if relative else 1.

  # In units of the data's features, and not of those that are compared with
  # them, which the model could change.
  return tf.add_n([w * between(a, b) / unit(a)
                   for w, a, b in zip(weights, features, others)])


def latent_reconstruction(latents, reconstructed, distance='l2'):
  """Mean squared error of latents, [1, eqs. 2 and 3]; 2 / H of the summand.

  Args:
    latents: float `[B, H]`.
    reconstructed: float `[B, H]`.
    distance: 'l2', or 'l1' for absolute differences: [1, sec. 3.1] allows other
      norms. Its minimum is then a median, not the mean of theorem 1.

  Returns:
    float `[B]`.
  """
  return _mean_per_example(FEATURE_DISTANCES[distance](reconstructed, latents))


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
  # Of the whole latent, and not per element: the logarithm is of its norm.
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


def gaussian_log_density(log_variance, normal):
  """Log-density of `z = mean + exp(log_variance / 2) normal` at that sample.

  `-sum{ log s[j] + n[j]**2 / 2 + log(2 pi) / 2 : j=1...H }`: log q(z | x) of a
  stochastic encoder, in nats, a sum and no mean.

  Args:
    log_variance: float `[B, H]`.
    normal: the samples n of N(0, I), float `[B, H]`.

  Returns:
    float `[B]`.
  """
  # By the sample n of N(0, I), and not by z: no division by s.
  return -0.5 * tf.reduce_sum(
      log_variance + tf.square(normal) + math.log(2. * math.pi), -1)


def latent_l2(latents):
  """Mean square of latents, [2, eqs. 14 and 15].

  `mean{ z[j]**2 : j=1...H }`: 2 / H of the paper's `|z|**2 / 2`.

  Args:
    latents: float `[B, H]`.

  Returns:
    float `[B]`.
  """
  return _mean_per_example(tf.square(latents))


def sum_of_squares(tensors):
  """`sum{ w**2 }` over all elements of some tensors, [2, eq. 16]: a scalar.

  A sum and no mean, as weight decay is.
  """
  return tf.add_n([tf.reduce_sum(tf.square(t)) for t in tensors])


def jacobian_norm2(tape, latents, images, probe):
  """Squared norm of a decoder's Jacobian per element, [2, eq. 17], estimated.

  With `J = d images / d latents`, `[D, H]`, and a probe v of independent
  elements of mean 0 and variance 1, `E |J^T v|**2 = sum{ J[i, j]**2 }`, so that
  `mean{ (J^T v)[j]**2 : j=1...H } / D` is an unbiased estimate of the mean
  square of J: `1 / (D H)` times the paper's norm. Batch norm in training mode
  makes an example's images depend on all latents of the batch; J is then that
  of the whole batch.

  Args:
    tape: `tf.GradientTape` that watched `latents` while they were decoded.
    latents: float `[B, H]`.
    images: what they were decoded to, float `[B, ...]`, D elements each.
    probe: float, the shape of `images`; signs have the least variance.

  Returns:
    float `[B]`.
  """
  size = images.shape[1:].num_elements()
  pulled_back = tape.gradient(images, latents, output_gradients=probe)  # J^T v
  return _mean_per_example(tf.square(pulled_back)) / size


def mmd(latents, prior_latents, kernel='imq', scales=SCALES):
  """Maximum mean discrepancy of two sets of latents, [3, sec. 4], unbiased.

  `sum{ k(z[i], z[j]) + k(p[i], p[j]) : i != j } / (B (B - 1))
   - 2 sum{ k(z[i], p[j]) : i, j } / B**2`; it may be negative. Of one example
  the first sum is empty, and no estimate; it is left out. The kernel is
  the inverse multiquadratic `sum{ C / (C + |a - b|**2) : s in scales }` or the
  Gaussian `sum{ exp(-|a - b|**2 / C) : s in scales }`, with `C = 2 H s`, the
  expected squared distance of two samples of N(0, I) times s.

  Args:
    latents: float `[B, H]`.
    prior_latents: float `[B, H]`, samples from the prior.
    kernel: 'imq' or 'rbf'.
    scales: numbers s.

  Returns:
    float scalar.
  """
  size = tf.cast(tf.shape(latents)[0], latents.dtype)

  def similarity(a, b):
    return _kernel(_squared_distances(a, b), 2. * a.shape[-1], kernel, scales)

  def off_diagonal(a):
    # A point is at distance 0 of itself, where each kernel is 1.
    return tf.reduce_sum(similarity(a, a)) - size * len(scales)

  within = off_diagonal(latents) + off_diagonal(prior_latents)
  across = tf.reduce_sum(similarity(latents, prior_latents))
  # One example has no other: the sum of its pairs is 0.
  pairs = tf.maximum(size * (size - 1.), 1.)
  # Unbiased, so it may be negative: neither a root nor an absolute value.
  return within / pairs - 2. * across / tf.square(size)


def moment_matching(latents, generated, bandwidths, relative=True):
  """Root of the maximum mean discrepancy, biased, [4, eqs. 3 and 6].

  `sqrt(mean k(z, z') + mean k(g, g') - 2 mean k(z, g) + 1e-10)` over all pairs,
  also of a point with itself, so the root's argument is never negative. The
  kernel is `sum{ exp(-|a - b|**2 / (2 s)) : s = w H v, w in bandwidths }` with
  v the mean variance of a dimension of `latents`, a constant to the gradient:
  the expected squared distance of two of them is 2 H v. With `relative` False
  it is that of [4] as written, `s = sigma**2` with sigma in bandwidths.

  Args:
    latents: float `[B, H]`, of data.
    generated: float `[B', H]`.
    bandwidths: numbers w; or sigma, in the latents' own units.
    relative: which of the two.

  Returns:
    float scalar.
  """
  if relative:
    variance = tf.reduce_mean(tf.math.reduce_variance(latents, 0))
    # By the data's own scale: latents of any unit are compared alike.
    unit = tf.stop_gradient(variance) * latents.shape[-1]
    # Of one example, or of equal ones, it is 0.
    unit = tf.maximum(unit, 1e-12)
    scales = [w * unit for w in bandwidths]
  else:
    scales = [sigma**2 for sigma in bandwidths]

  def similarity(a, b):
    distances2 = _squared_distances(a, b)
    return tf.reduce_mean(tf.add_n(
        [tf.exp(-distances2 / (2. * scale)) for scale in scales]))

  squared = (similarity(latents, latents) + similarity(generated, generated)
             - 2. * similarity(latents, generated))
  # Rounding may give a little less than 0; and 1e-10, as in the authors' code,
  # keeps the root's derivative finite.
  return tf.sqrt(tf.maximum(squared, 0.) + 1e-10)


def discrimination(positive, negative):
  """Logistic loss of a discriminator between two sets.

  `log(1 + exp(-P(p))) + log(1 + exp(P(n)))`, P a logit.

  Args:
    positive: logits of the set that is to have large ones, float `[B, 1]`.
    negative: logits of the set that is to have small ones, the same shape.

  Returns:
    float, the same shape.
  """
  # `softplus`, which does not overflow as log(1 + exp) would.
  return tf.nn.softplus(-positive) + tf.nn.softplus(negative)


def hinge_discrimination(positive, negative):
  """Hinge loss of a discriminator between two sets.

  `max(0, 1 - d(p)) + max(0, 1 + d(n))`: beyond 1 the gradient is 0.

  Args:
    positive: outputs for the set that is to have large ones, of any shape.
    negative: outputs for the set that is to have small ones, the same shape.

  Returns:
    float, the same shape.
  """
  return tf.nn.relu(1. - positive) + tf.nn.relu(1. + negative)


def _kernel(distances2, size, kernel, scales):
  if kernel == 'imq':
    return tf.add_n([size * s / (size * s + distances2) for s in scales])
  if kernel == 'rbf':
    return tf.add_n([tf.exp(-distances2 / (size * s)) for s in scales])
  raise ValueError(f'`kernel` must be imq or rbf, not {kernel!r}.')


def _squared_distances(a, b):
  # Differences, not |a|^2 + |b|^2 - 2 a b, which would lose the digits of
  # small distances.
  return tf.reduce_sum(
      tf.math.squared_difference(a[:, tf.newaxis], b[tf.newaxis]), -1)

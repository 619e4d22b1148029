"""A Gaussian mixture, fitted to latents by expectation maximisation."""

import numpy as np
import tensorflow as tf

from pgak import errors
from pgak import settings
from pgak.priors import fitted
from pgak.priors import k_means
from pgak.priors import mixtures

__all__ = ['GaussianMixture']

# Added to a component's count, so that one that lost all latents still has a
# mean: as in scikit-learn, so that both take the same steps.
_EPSILON = 10. * np.finfo(np.float64).eps


@settings.register(denylist=['latent_dim'])
class GaussianMixture(mixtures.Mixture):
  """A mixture of K normal distributions, the RAE paper's ex-post density.

  An iteration computes how much of each latent belongs to each component and
  then the components' moments by these shares:

  ```none
  r_nk = w_k N(z_n; m_k, C_k) / sum_j w_j N(z_n; m_j, C_j),   N_k = sum_n r_nk
  w_k = N_k / N,   m_k = 1/N_k sum_n r_nk z_n
  C_k = 1/N_k sum_n r_nk (z_n - m_k)(z_n - m_k)^T + r I
  ```

  It starts from a k-means clustering and ends when the mean log-likelihood
  changes by less than `tolerance`. It computes in float64, for a batch of
  latents and all K components at a time.

  Args:
    latent_dim: number of latent dimensions H.
    num_components: K.
    covariance: 'full' or 'diagonal'.
    max_iterations: int; the paper takes at most 100.
    tolerance: nats per latent.
    regularisation: r as a share of the latents' mean variance.
    seed: int that decides the start.

  Attributes:
    iterations: how many the fit took.
    log_likelihood: nats per latent, of those that it was fitted to, before
      the last of the iterations.

  Raises:
    errors.UserError: if a setting is out of its range.

  Example:

  ```python
  prior = priors.GaussianMixture(latent_dim=8, num_components=10)
  prior.fit(latents)           # [N, 8]
  prior.sample(16, seed=0)     # float32 [16, 8]
  prior.log_prob(latents)      # [N]
  ```
  """

  name = 'gmm'

  def __init__(self, latent_dim: settings.Count,
               num_components: settings.Count = 10,
               covariance: mixtures.Covariance = 'full',
               max_iterations: settings.Count = 100,
               tolerance: settings.NonNegative = 1e-3,
               regularisation: settings.NonNegative = 1e-6,
               seed: settings.Seed = 0):
    super().__init__(latent_dim)
    self.num_components = num_components
    self.covariance = covariance
    self.max_iterations = max_iterations
    self.tolerance = tolerance
    self.regularisation = regularisation
    self.seed = seed
    self.iterations = 0
    self.log_likelihood = None

  def _size_label(self):
    return mixtures.label(self)

  def fit(self, latents, responsibilities=None):
    """Fits it to latents; returns self.

    Args:
      latents: array `[N, H]`.
      responsibilities: `[N, K]`, the share of each latent in each component,
        to start from instead of k-means.

    Raises:
      errors.UserError: if there are fewer latents than components, or if
        `fitted.checked` refuses them.
    """
    latents = fitted.checked(latents, self.latent_dim)
    mixtures.check_number(self, latents)
    if responsibilities is None:
      labels = k_means.assignments(latents, self.num_components, self.seed)
      responsibilities = np.eye(self.num_components)[labels]  # One-hot.
    # The moments lose digits where the mean is far from the origin.
    centre = latents.mean(0)
    weights, means, factors = self._iterate(
        tf.constant(latents - centre),
        tf.constant(responsibilities, tf.float64),
        tf.constant(fitted.smallest_variance(latents, self.regularisation),
                    tf.float64))
    return self.load_state({'weights': weights.numpy(),
                            'means': means.numpy() + centre,
                            'factors': factors.numpy()})

  def _iterate(self, latents, responsibilities, smallest):
    shape = [self.num_components, self.latent_dim]
    rows = max(mixtures.MAX_NUMBERS // (shape[0] * shape[1]), 1)
    full = self.covariance == 'full'
    moments = tf.function(_Moments(shape, full, rows))
    try:
      # Half an iteration: the moments of the clusters.
      sums, _ = moments(latents, responsibilities=responsibilities)
      found = _maximise(*sums, smallest)
      before = -np.inf
      for self.iterations in range(1, self.max_iterations + 1):
        sums, likelihood = moments(latents, parameters=found)
        found = _maximise(*sums, smallest)
        self.log_likelihood = float(likelihood) / len(latents)
        if abs(self.log_likelihood - before) < self.tolerance:
          break
        before = self.log_likelihood
    # Other invalid arguments are faults of ours and pass through.
    except tf.errors.InvalidArgumentError as e:
      if 'Cholesky' not in str(e):
        raise
      _require_finite(np.nan, self)
    _require_finite(found[2].numpy(), self)
    return found


def _require_finite(factors, prior):
  # The factor of a matrix that has none is an error on a CPU, NaN on a GPU.
  if not np.isfinite(factors).all():
    raise errors.UserError(
        'A covariance of the mixture is not positive definite: raise '
        f'{type(prior).__name__}.regularisation = {prior.regularisation:g}.')


class _Moments:
  """Sums over latents, a batch at a time: the E step and half the M step.

  Args:
    shape: `[K, H]`.
    full: whether covariances are full.
    rows: latents in a batch.
  """

  def __init__(self, shape, full, rows):
    self.shape = shape
    self.full = full
    self.rows = rows

  def __call__(self, latents, responsibilities=None, parameters=None):
    """Returns `(counts [K], sums [K, H], sums of squares), log-likelihood`.

    Args:
      latents: `[N, H]`.
      responsibilities: `[N, K]`; if None, those of a mixture.
      parameters: its weights, means and factors.
    """
    if parameters is not None:
      weights, means, factors = parameters
      inverses = mixtures.whiteners(factors)
    components, size = self.shape
    last = [size] if self.full else []
    counts = tf.zeros([components], tf.float64)
    sums = tf.zeros([components, size], tf.float64)
    squares = tf.zeros([components, size] + last, tf.float64)
    likelihood = tf.zeros([], tf.float64)
    # Batches, since shares times latents are N K H elements.
    for first in tf.range(0, tf.shape(latents)[0], self.rows):
      batch = latents[first:first + self.rows]
      if parameters is None:
        shares = responsibilities[first:first + self.rows]
      else:
        joint = mixtures.log_joint(batch, weights, means, inverses)  # [b, K]
        evidence = tf.reduce_logsumexp(joint, -1, keepdims=True)
        shares = tf.exp(joint - evidence)  # Each latent's add up to 1.
        likelihood += tf.reduce_sum(evidence)
      counts += tf.reduce_sum(shares, 0)
      sums += tf.matmul(shares, batch, transpose_a=True)
      squares += self._squares(shares, batch)
    return (counts, sums, squares), likelihood

  def _squares(self, shares, batch):
    if not self.full:
      return tf.matmul(shares, tf.square(batch), transpose_a=True)
    components, size = self.shape
    # One matrix product for all components, `[K H, b] [b, H]`.
    shared = tf.reshape(shares[:, :, tf.newaxis] * batch[:, tf.newaxis],
                        [-1, components * size])
    return tf.reshape(tf.matmul(shared, batch, transpose_a=True),
                      [components, size, size])


@tf.function
def _maximise(counts, sums, squares, smallest):
  """The rest of the M step: weights, means and factors from the sums."""
  counts += _EPSILON
  means = sums / counts[:, tf.newaxis]
  if squares.shape.rank == 2:
    variances = squares / counts[:, tf.newaxis] - tf.square(means)
    # E[z^2] - E[z]^2 can round below 0.
    factors = tf.sqrt(tf.maximum(variances, 0.) + smallest)
  else:
    covariances = (squares / counts[:, tf.newaxis, tf.newaxis]
                   - means[:, :, tf.newaxis] * means[:, tf.newaxis])
    identity = tf.eye(means.shape[1], dtype=means.dtype)
    factors = tf.linalg.cholesky(covariances + smallest * identity)
  return counts / tf.reduce_sum(counts), means, factors

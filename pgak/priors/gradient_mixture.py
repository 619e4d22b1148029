"""A Gaussian mixture, fitted to latents by gradient descent through TFP."""
import keras
import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from pgak import batches
from pgak import errors
from pgak import settings
from pgak.priors import fitted
from pgak.priors import k_means
from pgak.priors import mixtures

__all__ = ['GradientMixture']


@settings.register(denylist=['latent_dim'])
class GradientMixture(mixtures.Mixture):
  """The mixture of `GaussianMixture`, its likelihood descended by Adam.

  `tfp.math.minimize` descends the mean negative log-likelihood of a
  `tfd.MixtureSameFamily` whose parameters are free numbers:

  ```none
  w = softmax(a),   C_k = L_k L_k^T,   diag L_k = softplus(b_k) + s
  ```

  L_k is made by `tfb.FillScaleTriL`, so that it has a positive diagonal, at
  least s: a floor of the variance, without which a component could shrink onto
  one latent and its likelihood would have no bound. It starts from a k-means
  clustering, as expectation maximisation does, on standardised latents.

  Expectation maximisation needs fewer passes and no rate. This way shows what a
  user of TFP goes on from, and can be stopped at any step.

  Args:
    latent_dim: number of latent dimensions H.
    num_components: K.
    covariance: 'full' or 'diagonal'.
    steps: of Adam, each over all latents.
    learning_rate: of Adam.
    smallest_scale: s, in standard deviations of the latents.
    max_latents: the most latents that are fitted, random ones where there are
      more, since each step holds N x K x H numbers.
    seed: int that decides the start.

  Attributes:
    log_likelihood: nats a latent, of the latents that it was fitted to, before
      the last step.

  Raises:
    errors.UserError: if a setting is out of its range.
  """

  name = 'gmm_gradient'

  def __init__(self, latent_dim: settings.Count,
               num_components: settings.Count = 10,
               covariance: mixtures.Covariance = 'full',
               steps: settings.Count = 300,
               learning_rate: settings.Positive = 2e-2,
               smallest_scale: settings.Positive = 1e-3,
               max_latents: settings.Count = 10000,
               seed: settings.Seed = 0):
    super().__init__(latent_dim)
    self.num_components = num_components
    self.covariance = covariance
    self.steps = steps
    self.learning_rate = learning_rate
    self.smallest_scale = smallest_scale
    self.max_latents = max_latents
    self.seed = seed
    self.log_likelihood = None

  def _size_label(self):
    return mixtures.label(self)

  def fit(self, latents):
    """Fits it to latents, an array `[N, H]`; returns self.

    Raises:
      errors.UserError: if there are fewer latents than components, if
        `fitted.checked` refuses them, or if the rate is so large that the
        likelihood is no number.
    """
    latents = fitted.checked(latents, self.latent_dim)
    latents = latents[batches.positions(len(latents), self.max_latents)]
    mixtures.check_number(self, latents)
    standard = fitted.standardiser(latents)
    points = (latents - standard['mean']) / standard['scale']
    distribution = self._distribution(points)
    losses = tfp.math.minimize(
        lambda: -tf.reduce_mean(distribution.log_prob(points)), self.steps,
        keras.optimizers.Adam(self.learning_rate))
    self.log_likelihood = float(
        -losses[-1] - np.log(standard['scale']).sum())
    if not np.isfinite(losses[-1]):
      raise errors.UserError(
          'The likelihood of the mixture is no number any more: lower '
          f'GradientMixture.learning_rate = {self.learning_rate:g}.')
    return self.load_state(self._moved(distribution, standard))

  def _distribution(self, points):
    """The TFP distribution to descend, its start the moments of k-means."""
    labels = k_means.assignments(points, self.num_components, self.seed)
    shares = np.eye(self.num_components)[labels]
    counts = shares.sum(0) + 1.
    means = shares.T @ points / counts[:, None]
    # One variance for all of a cluster's dimensions: a cluster of few latents
    # has no full covariance.
    spread = [np.mean((points[labels == k] - m) ** 2) if (labels == k).any()
              else 1. for k, m in enumerate(means)]
    scales = np.sqrt(np.maximum(spread, (2. * self.smallest_scale) ** 2))
    ones = np.ones([self.num_components, self.latent_dim])
    bijectors, distributions = tfp.bijectors, tfp.distributions
    floor = np.float64(self.smallest_scale)
    if self.covariance == 'full':
      start = scales[:, None, None] * np.eye(self.latent_dim)
      positive = bijectors.FillScaleTriL(diag_shift=floor)
      family = distributions.MultivariateNormalTriL
    else:
      start = scales[:, None] * ones
      positive = bijectors.Chain([bijectors.Shift(floor), bijectors.Softplus()])
      family = distributions.MultivariateNormalDiag
    return distributions.MixtureSameFamily(
        distributions.Categorical(logits=tf.Variable(np.log(counts))),
        family(tf.Variable(means),
               tfp.util.TransformedVariable(start, positive)))

  def _moved(self, distribution, standard):
    """Returns the state, of the latents' own scale."""
    normal = distribution.components_distribution
    means = normal.mean().numpy() * standard['scale'] + standard['mean']
    if self.covariance == 'full':
      factors = standard['scale'][:, None] * normal.scale_tril.numpy()
    else:
      factors = standard['scale'] * normal.stddev().numpy()
    return {'weights': distribution.mixture_distribution.probs_parameter()
                       .numpy(),
            'means': means, 'factors': factors}

"""A Bayesian Gaussian mixture, which finds how many components it needs."""
import warnings
from typing import Literal

import numpy as np
from sklearn import exceptions
from sklearn import mixture

from pgak import settings
from pgak.priors import fitted
from pgak.priors import mixtures

__all__ = ['BayesianGaussianMixture']

_COVARIANCES = {'full': 'full', 'diagonal': 'diag'}
_WEIGHTS = ('dirichlet_process', 'dirichlet_distribution')


@settings.register(denylist=['latent_dim'])
class BayesianGaussianMixture(mixtures.Mixture):
  """A mixture with a Dirichlet prior on its weights, fitted variationally.

  scikit-learn's `BayesianGaussianMixture` fits it. The density is the mixture
  with the posterior's mean parameters; components that the latents do not need
  have a weight of almost 0.

  Args:
    latent_dim: number of latent dimensions H.
    num_components: the most components, K.
    covariance: 'full' or 'diagonal'.
    weights: 'dirichlet_process' or 'dirichlet_distribution'.
    concentration: of the prior of the weights, above 0: the lower, the fewer
      components are used; None for 1 / K.
    max_iterations: int.
    tolerance: nats; the fit ends when the bound changes by less.
    regularisation: what is added to variances, as a share of the latents' mean
      variance.
    seed: int that decides the start.

  Raises:
    errors.UserError: if a setting is out of its range.

  #### References

  [1]: David M. Blei, Michael I. Jordan. Variational Inference for Dirichlet
       Process Mixtures. Bayesian Analysis 1(1), 2006.
  """

  name = 'bayesian_gmm'

  def __init__(self, latent_dim: settings.Count,
               num_components: settings.Count = 10,
               covariance: mixtures.Covariance = 'full', *,
               weights: Literal[tuple(_WEIGHTS)] = 'dirichlet_process',
               concentration: settings.Positive | None = None,
               max_iterations: settings.Count = 100,
               tolerance: settings.NonNegative = 1e-3,
               regularisation: settings.NonNegative = 1e-6,
               seed: settings.Seed = 0):
    super().__init__(latent_dim)
    self.num_components = num_components
    self.covariance = covariance
    self.weights = weights
    self.concentration = concentration
    self.max_iterations = max_iterations
    self.tolerance = tolerance
    self.regularisation = regularisation
    self.seed = seed

  def _size_label(self):
    return mixtures.label(self)

  def fit(self, latents):
    """Fits it to latents, an array `[N, H]`; returns self.

    Raises:
      errors.UserError: if there are fewer latents than components, or if
        `fitted.checked` refuses them.
    """
    latents = fitted.checked(latents, self.latent_dim)
    mixtures.check_number(self, latents)
    # About 0, where the moments lose fewest digits.
    centre = latents.mean(0)
    found = self._model(latents - centre)
    with warnings.catch_warnings():
      # A fit that ends at `max_iterations` is used all the same.
      warnings.simplefilter('ignore', exceptions.ConvergenceWarning)
      # scikit-learn wants two latents; a duplicate changes nothing.
      found.fit(np.repeat(latents - centre, 2 if len(latents) == 1 else 1, 0))
    # As `mixtures` has them; scikit-learn keeps variances where they are
    # diagonal.
    factors = (np.linalg.cholesky(found.covariances_)
               if self.covariance == 'full' else np.sqrt(found.covariances_))
    return self.load_state({'weights': found.weights_,
                            'means': found.means_ + centre,
                            'factors': factors})

  def _model(self, centred):
    smallest = fitted.smallest_variance(centred, self.regularisation)
    # The latents' own covariance, regularised: scikit-learn's default prior is
    # singular where the latents fill no volume.
    covariance = (centred.T @ centred / len(centred)
                  + smallest * np.eye(self.latent_dim))
    if self.covariance == 'diagonal':
      covariance = np.diag(covariance)
    return mixture.BayesianGaussianMixture(
        n_components=self.num_components,
        covariance_type=_COVARIANCES[self.covariance], tol=self.tolerance,
        reg_covar=smallest, max_iter=self.max_iterations,
        weight_concentration_prior_type=self.weights,
        weight_concentration_prior=self.concentration,
        covariance_prior=covariance, random_state=self.seed)

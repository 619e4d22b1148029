"""Latents ranked by their density under a prior.

The density is that of an image's latents, not of the image: an image that the
encoder maps close to the mode of the prior is likely, however odd it looks.
"""
import numpy as np
from sklearn import metrics

from pgak import capabilities
from pgak.generation import spaces
from pgak.priors import round_trips

__all__ = ['auroc', 'log_density']


def log_density(prior, latents):
  """Log-density of latents under a prior.

  Args:
    prior: a prior with `log_prob`; of one whose samples make round trips the
      density is that of the prior before them.
    latents: z_T, float `[N, H]`.

  Returns:
    float64 `[N]`, nats.

  Raises:
    errors.UserError: if the prior has no density.
  """
  prior = round_trips.before(prior)
  capabilities.require('a log-density', ['log_density'],
                       capabilities.of_prior(prior),
                       prior=f'the prior {capabilities.label_of(prior)}')
  return spaces.in_batches(prior.log_prob, latents, 1000).astype(np.float64)


def auroc(inside, outside):
  """How well a log-density separates one set from another.

  The area under the ROC curve of detecting `outside` by a log-density below a
  threshold: the probability that one of `outside` has a
  lower one than one of `inside`, ties counted half.

  Args:
    inside: log-densities, float `[N]`; NaN, as for a latent that the prior
      cannot evaluate, ranks lowest.
    outside: log-densities, float `[M]`.

  Returns:
    float in [0, 1]: 1 if all of `outside` are lower, 1/2 for equal
    distributions.
  """
  scores = np.concatenate([inside, outside]).astype(np.float64)
  lowest = np.finfo(np.float64).min
  # scikit-learn refuses NaN and infinities.
  scores = np.nan_to_num(scores, nan=lowest, neginf=lowest)
  is_outside = np.repeat([False, True], [len(inside), len(outside)])
  # Negative, because a high score must mean outside.
  return float(metrics.roc_auc_score(is_outside, -scores))

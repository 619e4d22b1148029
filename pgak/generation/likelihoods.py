"""Latents ranked by their density under a prior.

It is the density of an image's latents that is known, not of the image: what
the encoder maps to the middle of the latents is likely, however odd it looks.
"""
import numpy as np
from sklearn import metrics

from pgak import capabilities
from pgak.generation import spaces

__all__ = ['auroc', 'log_density']


def log_density(prior, latents):
  """Log-density of latents under a prior.

  Args:
    prior: a prior with `log_prob`.
    latents: z_T, float `[N, H]`.

  Returns:
    float64 `[N]`, nats.

  Raises:
    errors.UserError: if the prior has no density.
  """
  capabilities.require('a log-density', ['log_density'],
                       capabilities.of_prior(prior),
                       prior=f'the prior {prior.label}')
  return spaces.in_batches(prior.log_prob, latents, 1000).astype(np.float64)


def auroc(inside, outside):
  """How well a log-density tells one set from another.

  The area under the curve of true over false alarms, an alarm being a
  log-density below a threshold: the probability that one of `outside` has a
  lower one than one of `inside`, ties counted half.

  Args:
    inside: log-densities, float `[N]`; what is not a number, as of a latent
      beyond the reach of the prior, ranks lowest.
    outside: log-densities, float `[M]`.

  Returns:
    float in [0, 1]: 1 if all of `outside` are lower, 1/2 if nothing is told
    apart.
  """
  scores = np.concatenate([inside, outside]).astype(np.float64)
  lowest = np.finfo(np.float64).min
  scores = np.nan_to_num(scores, nan=lowest, neginf=lowest)
  is_outside = np.repeat([False, True], [len(inside), len(outside)])
  return float(metrics.roc_auc_score(is_outside, -scores))

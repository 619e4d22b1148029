"""Whether latents lie on a sphere, as batch norm is said to project them.

#### References

[1]: Generative Model without Prior Distribution Matching. 2021. Section on
     batch norm of the codes (eq. 11).
"""
import numpy as np

from pgak.metrics import metric

__all__ = ['effective_dimensions', 'variation']

_MOST_LATENTS = 10000


def variation(latents):
  """Returns the coefficient of variation of |z|^2 about the latents' mean.

  Its standard deviation over its mean. 0 is a sphere; independent normal
  latents have `sqrt(2 / H)`, so that they near one as H grows; latents of rank
  one have sqrt(2), whatever H is.

  Args:
    latents: float `[N, H]`, N at least 2, not all the same.
  """
  latents = np.asarray(latents, np.float64)
  squares = np.square(latents - latents.mean(0)).sum(-1)  # [N]
  return float(squares.std() / squares.mean())


def effective_dimensions(latents):
  """Returns `(tr C)^2 / tr C^2`, from 1 (rank one) to H (independent).

  C is the latents' covariance. Where each dimension has variance 1, as after
  batch norm, it is `H^2 / tr C^2`.

  Args:
    latents: float `[N, H]`, N at least 2, not all the same.
  """
  covariance = np.atleast_2d(np.cov(np.asarray(latents, np.float64).T))
  return float(np.trace(covariance) ** 2 / np.square(covariance).sum())


@metric.register('latent_norms', scope='model', of=('images', 'vectors'),
                 needs=('encode',), better={'latent_norm_*': 'neither',
                                            'latent_effective_*': 'neither'})
def _compute(context):
  latents = context.latents(min(_MOST_LATENTS, context.num_encoded))
  latents = np.reshape(latents, [len(latents), -1])
  for name, function in (('latent_norm_variation', variation),
                         ('latent_effective_dimensions', effective_dimensions)):
    yield metric.Value(name, function(latents), features='latents',
                       prior='none', num_samples=len(latents))

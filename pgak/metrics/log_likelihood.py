"""Log-likelihood of a fitted prior on training and held-out latents."""
import numpy as np

from pgak import capabilities
from pgak.data import mixed_order
from pgak.metrics import metric
from pgak.priors import ex_post
from pgak.priors import round_trips

__all__ = []

# Of each split, unless the density says that fewer must do.
_MAXIMUM_LATENTS = 10000


@metric.register('log_likelihood', scope='prior', of=('images', 'vectors'),
                 needs=('fit',), implied=True, held_out=True,
                 better={'log_likelihood_*': 'neither'})
def _compute(context):
  """The one of training latents is much larger if the prior memorises.

  Its standard error is over the latents, so it includes that of a density which
  is estimated for each of them.
  """
  # A prior is fitted to the split as it is read, see `ex_post`.
  train, held_out = mixed_order.unmixed(context.train), context.held_out
  prior = round_trips.before(context.model.prior)
  # Equally many of both, so that both means are equally precise; and of the
  # training latents those that it was fitted to.
  most = (getattr(prior, name, None) for name in (
      'measured_latents', 'max_fitted', 'max_latents'))
  number = min(len(train), len(held_out), _MAXIMUM_LATENTS, *filter(None, most))
  found = ex_post.log_likelihoods(context.model, train, held_out, number)
  names = 'log_likelihood_train', 'log_likelihood_held_out'
  # None for a prior without a density.
  for name, values in zip(names, found or ()):
    values = np.asarray(values, np.float64)
    yield metric.Value(
        name, values.mean(), error=_standard_error(values), features='latents',
        images='data', num_samples=number, prior=(
            None if prior is context.model.prior
            else capabilities.label_of(prior)),
        split=f'{train.split} vs {held_out.split}')


def _standard_error(values):
  if len(values) < 2:
    return None
  return values.std(ddof=1) / np.sqrt(len(values))

"""Log-likelihood of a fitted prior on training and held-out latents."""
from pgak.metrics import metric
from pgak.priors import ex_post

__all__ = []

# Of each split, unless the density says that fewer must do.
_MAXIMUM_LATENTS = 10000


@metric.register('log_likelihood', scope='prior', of=('images', 'vectors'),
                 needs=('fit',), implied=True,
                 better={'log_likelihood_*': 'neither'})
def _compute(context):
  """The one of training latents is much larger if the prior memorises."""
  train, held_out = context.dataset.split('train'), context.encoded
  # Equally many of both, so that both means are equally precise.
  number = min(len(train), len(held_out), getattr(
      context.model.prior, 'measured_latents', _MAXIMUM_LATENTS))
  values = ex_post.log_likelihoods(context.model, train, held_out, number)
  names = 'log_likelihood_train', 'log_likelihood_held_out'
  # None for a prior without a density.
  for name, value in zip(names, values or ()):
    yield metric.Value(
        name, value, features='latents', images='data', num_samples=number,
        split=f'{train.split} vs {held_out.split}')

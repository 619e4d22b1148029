"""Log-density of latents that a fitted density has seen and has not."""
from pgak.metrics import metric
from pgak.priors import ex_post

__all__ = []

_MAXIMUM_LATENTS = 10000


@metric.register('log_likelihood', scope='prior', of=('images', 'vectors'),
                 needs=('fit',), implied=True,
                 better={'log_likelihood_*': 'neither'})
def _compute(context):
  """The first is much the larger for a density that memorises."""
  train, held_out = context.dataset.split('train'), context.encoded
  number = min(len(train), len(held_out), _MAXIMUM_LATENTS)
  values = ex_post.log_likelihoods(context.model, train, held_out, number)
  names = 'log_likelihood_train', 'log_likelihood_held_out'
  for name, value in zip(names, values or ()):
    yield metric.Value(
        name, value, features='latents', images='data', num_samples=number,
        split=f'{train.split} vs {held_out.split}')

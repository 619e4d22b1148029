"""A model's own loss terms on real pairs, in plain units."""
import tensorflow as tf

from pgak import data
from pgak.metrics import metric

__all__ = ['mean_terms']

_BATCH = 500


def mean_terms(model, array, number):
  """Means of a model's terms and of the pixels' absolute error.

  Args:
    model: a `ConditionalAutoencoder`.
    array: a split of pairs.
    number: how many pairs are measured, from the first on; their latents are
      samples of the posterior.

  Returns:
    `{name: float}`: the terms, and `reconstruction_mae` in the value range.
  """

  # The last batch is smaller, which is no reason for another graph.
  @tf.function(reduce_retracing=True)
  def measure(batch, index):
    # By the batch's position, as a tensor: a Python number would be traced anew
    # for each batch.
    noise = model.draw_noise(batch, index, 'evaluation')
    terms = model.terms(batch, noise, training=False)
    _, latents = model.mean_and_sample(batch, noise['posterior'])
    made = model.render(latents, batch['conditions'])  # [B, h, w, C]
    terms['reconstruction_mae'] = tf.reduce_mean(
        tf.abs(made - batch['images']), [1, 2, 3])
    # Sums, so that a smaller last batch counts by its size.
    return {name: tf.reduce_sum(values) for name, values in terms.items()}

  total = {}
  batches = data.batches(array, _BATCH, model.value_range, limit=number)
  for index, batch in enumerate(batches):
    for name, value in measure(batch, tf.constant(index, tf.int64)).items():
      total[name] = total.get(name, 0.) + float(value)
  return {name: value / number for name, value in total.items()}


@metric.register('terms', scope='model', of='pairs', implied=True,
                 better={'reconstruction_mae': 'lower', 'kl': 'neither',
                         'prior_nll': 'neither'})
def _compute(context):
  model = context.model
  means = mean_terms(model, context.encoded, context.num_encoded)
  low, high = model.value_range
  # In units of a grey level, whatever the value range.
  yield metric.Value(
      'reconstruction_mae', means['reconstruction_mae'] * 255. / (high - low),
      features='pixels', images='reconstructions')
  if 'kl' in means:
    # In nats per image: the term is divided by the latent size.
    yield metric.Value('kl', means['kl'] * model.latent_dim,
                       features='latents')
  if 'prior_nll' in means:
    yield metric.Value('prior_nll', means['prior_nll'], features='latents')

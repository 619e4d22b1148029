"""The model's own answers, with which an export's are compared."""
import numpy as np
import tensorflow as tf

from pgak.models import lines

__all__ = ['calls']

# All 64 bits of a seed count, and some are negative.
SEEDS = (2, 3, (5 << 32) + 2, -7)
_ROWS = len(SEEDS)


def calls(served):
  """Asks the model itself: `{signature: (inputs, outputs)}`, NumPy arrays.

  Images stand in for the files of a tensor whose name ends in `_bytes`. They
  are computed in a graph on the CPU, as the export's own outputs are when the
  two are compared: eager mode and a GPU round otherwise, in bfloat16 by as
  much as a grey level.

  Args:
    served: `signatures.Endpoints`.
  """
  given = _conditions(served)
  with tf.device('CPU:0'):
    found = _of_draws(served, given)
    latents = found['decode'][0]['latents']
    found |= _of_prior(served, latents)
    if 'encode' in served.model.can:
      made, = found['decode'][1].values()
      found |= _of_encoder(served, made, given)
  found['serving_default'] = found['generate']
  most = min(_ROWS, served.max_batch)
  there = {*served.signatures(), 'serving_default'}
  return {name: tf.nest.map_structure(lambda x: np.asarray(x)[:most], call)
          for name, call in found.items() if name in there}


def _conditions(served):
  """The conditions of all rows, `{}` of a model that takes none."""
  if 'condition' not in served.model.kind.can:
    return {}
  drawn = np.random.default_rng(1).integers(
      0, 256, (_ROWS, *served.model.condition_shape))
  return {'conditions': drawn.astype(np.uint8)}


def _of_draws(served, given):
  """The calls with seeds; each row is drawn alone, as `sample` does."""
  model, noun = served.model, served.noun
  seed = {'seed': np.int64(SEEDS), **given}
  drawn = tf.concat([_draw(model, *row) for row in zip(*seed.values())], 0)
  decoded = tf.function(model.decode)(drawn, *given.values())
  return {
      'generate': (seed, {noun: decoded}),
      'generate_png': (seed, {'image_bytes': decoded}),
      'sample_latents': (seed, {'latents': drawn}),
      'decode': ({'latents': drawn, **given}, {noun: decoded}),
  }


def _draw(model, seed, *given):
  if given:
    floats = model.condition(given[0][np.newaxis])
    return model.draw_latents(None, int(seed), floats)
  return tf.cast(model.prior.sample(1, int(seed)), tf.float32)


def _of_encoder(served, made, given):
  """The calls that need an encoder, of made images and of noise."""
  model, noun = served.model, served.noun
  encode = tf.function(model.encode)
  decode = tf.function(model.decode)
  images = np.concatenate([made[:_ROWS - 2], _noise(model)])
  pair = {noun: images, **given}
  encoded = encode(*pair.values())
  reconstructed = decode(encoded, *given.values())
  found = {
      'encode': (pair, {'latents': encoded}),
      'encode_image': ({'image_bytes': images}, {'latents': encoded}),
      'reconstruct': (pair, {noun: reconstructed}),
  }
  if given:
    return found
  weight = np.linspace(0., 1., _ROWS, dtype=np.float32)
  ends = {'start': images, 'end': images[::-1], 'weight': weight}
  for name, spherical in (('interpolate', False),
                          ('interpolate_spherical', True)):
    if name in served.signatures():
      points = lines.at(encoded, encoded[::-1], weight, spherical)
      found[name] = ends, {noun: decode(points)}
  return found


def _noise(model):
  """Two examples that no model has made."""
  low, high = model.kind.value_range or (-1., 1.)
  drawn = np.random.default_rng(0).uniform(low, high, (2, *model.kind.shape))
  return model.kind.to_users(tf.constant(drawn, tf.float32)).numpy()


def _of_prior(served, latents):
  """The calls that not every prior answers."""
  prior, there = served.model.prior, served.signatures()
  found = {}
  if 'log_prob' in there:
    found['log_prob'] = {'latents': latents}, {
        'log_prob': prior.log_prob(latents)}
  if 'latent_to_base' in there:
    base = prior.latent_to_base(latents)
    # Where the inverse is a flow's, it need not be the last bit of `latents`.
    back = prior.base_to_latent(tf.identity(base))
    found['latent_to_base'] = {'latents': latents}, {'base': base}
    found['base_to_latent'] = {'base': base}, {'latents': back}
  return found | _of_classes(served, latents) | _of_attributes(served)


def _of_classes(served, latents):
  """The calls given a label; each row is drawn alone."""
  there, model = served.signatures(), served.model
  label = np.arange(_ROWS, dtype=np.int32) % max(len(served.labels), 1)
  found = {}
  if 'generate_class' in there:
    given = [served.labels[i] for i in label]
    drawn = tf.concat([model.prior.sample(None, int(s), [y])
                       for s, y in zip(SEEDS, given)], 0)
    found['generate_class'] = {'seed': np.int64(SEEDS), 'label': label}, {
        served.noun: tf.function(model.decode)(drawn)}
  if 'log_prob_class' in there:
    found['log_prob_class'] = {'latents': latents, 'label': label}, {
        'log_prob': model.prior.log_prob(latents, given)}
  return found


def _of_attributes(served):
  """The call given attributes; each row is drawn alone."""
  if 'generate_attributes' not in served.signatures():
    return {}
  model, number = served.model, len(served.attributes)
  # Present, absent and unknown in each column, in another order in each row.
  given = np.int32([[(row + column) % 3 - 1 for column in range(number)]
                    for row in range(_ROWS)])
  drawn = tf.concat([model.prior.sample(None, int(s), y[np.newaxis])
                     for s, y in zip(SEEDS, given)], 0)
  return {'generate_attributes': (
      {'seed': np.int64(SEEDS), 'attributes': given},
      {served.noun: tf.function(model.decode)(drawn)})}

"""How much one request to an export may ask for; its graph refuses the rest.

`metadata.json` has a signature's bounds beside its inputs and outputs:

    "bounds": {"batch": [0, 1024], "steps": [2, 1024],
               "batch * steps": [0, 1024]}

`batch` is the number of rows of every input that has any; the other names are
those of inputs, or of a product. Both ends are allowed. Besides, all inputs
with rows have equally many, no float is NaN or infinite, and each has the shape
that is written there.
"""
import functools

import tensorflow as tf

from pgak import batches
from pgak import counts

__all__ = ['checked', 'equally_many', 'stated']


def checked(function, specs, bounds):
  """Makes a function check its inputs when it runs, before it makes anything.

  TensorFlow holds a signature's shapes against the dimensions of nothing that
  a server is sent, and a wrong one can end the server's process.

  Args:
    function: takes a tensor for each of `specs`.
    specs: list of named `tf.TensorSpec`; those with rows have the shape
      `[None, ...]`, the others `[]`.
    bounds: `{name: (least, most)}`, as in `metadata.json`.

  Returns:
    A function of the same inputs, which raises `InvalidArgumentError` with a
    sentence for the first of them that is refused.
  """
  @functools.wraps(function)
  def check(*inputs):
    inputs = {spec.name: tf.ensure_shape(tensor, spec.shape)
              for tensor, spec in zip(inputs, specs)}
    with tf.control_dependencies(_checks(inputs, bounds)):
      inputs = [tf.identity(tensor) for tensor in inputs.values()]
    return function(*inputs)

  return check


def stated(metadata, signature):
  """Returns the bounds of an export's signature, `{name: [least, most]}`.

  Version 0.4 wrote down `max_count` alone, of which these follow; its graphs
  have no others.

  Args:
    metadata: what `metadata.json` holds.
    signature: string.
  """
  described = metadata.get('signatures', {}).get(signature, {})
  most = metadata['max_count']
  old = {'interpolate': {'steps': [2, most], 'batch * steps': [0, most]},
         'sample_latents': {'count': [0, 100 * most]}}
  return described.get('bounds', old.get(signature, {}))


def equally_many(names):
  """Returns the beginning of what is said of inputs that are not.

  Their numbers of rows follow it.
  """
  named = ' and '.join(f'`{name}`' for name in names)
  return f'{named} must be equally many, but are'


def _checks(inputs, bounds):
  """Returns the last of a chain of assertions, so that one sentence is said."""
  done = []
  for make in (lambda: _same_number(inputs),
               *(lambda n=n: _within(inputs, n, *bounds[n]) for n in bounds),
               *(lambda n=n: _finite(inputs, n) for n in inputs
                 if inputs[n].dtype.is_floating)):
    with tf.control_dependencies(done):
      done = [tf.debugging.Assert(*make())]
  return done


def _sizes(inputs):
  """Returns the number of rows of each input that has any, `{name: int64}`."""
  return {name: tf.shape(tensor, tf.int64)[0]
          for name, tensor in inputs.items() if tensor.shape.rank}


def _same_number(inputs):
  sizes = _sizes(inputs)
  numbers = [*sizes.values()] or [tf.zeros([], tf.int64)]
  return tf.reduce_all(tf.equal(numbers, numbers[0])), [
      equally_many(sizes), *numbers]


def _within(inputs, name, least, most):
  value = tf.ones([], tf.int64)
  for factor in name.split(' * '):
    value *= (next(iter(_sizes(inputs).values())) if factor == 'batch'
              else tf.cast(inputs[factor], tf.int64))
  return (value >= least) & (value <= most), [
      counts.sentence(name, least, most), value]


def _finite(inputs, name):
  broken = batches.broken_rows(inputs[name])
  return tf.equal(broken, 0), [batches.finite_sentence(name), broken]

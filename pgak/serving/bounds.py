"""How much one request to an export may ask for; its graph refuses the rest.

`metadata.json` has a signature's bounds beside its inputs and outputs:

    "bounds": {"batch": [0, 1024], "weight": [0, 1]}

`batch` is the number of rows; the other names are those of inputs, each number
of which is within the bounds. Both ends are allowed. Besides, all inputs have
equally many rows, no float is NaN or infinite, and each has the shape that is
written there. A server that merges requests checks what it has merged.
"""
import functools

import numpy as np
import tensorflow as tf

from pgak import batches
from pgak import counts
from pgak import errors

__all__ = ['checked', 'equally_many', 'require']


def checked(function, specs, bounds):
  """Makes a function check its inputs when it runs, before it makes anything.

  TensorFlow does not check the shapes of a request against the signature; a
  wrong shape can crash the server. The checks work only outside of XLA.

  Args:
    function: takes a tensor for each of `specs`.
    specs: list of named `tf.TensorSpec`, each of a shape `[None, ...]`.
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


def require(described, inputs):
  """Makes the checks of a signature before a request is sent.

  Args:
    described: what `metadata.json` holds of the signature.
    inputs: `{name: NumPy array}`, all of its inputs.

  Raises:
    errors.UserError: with a sentence for the first that would be refused.
  """
  for name, array in inputs.items():
    shape = described['inputs'][name]['shape']
    if array.ndim != len(shape) or any(
        n not in (None, m) for n, m in zip(shape, array.shape)):
      written = str(shape).replace('None', 'B')
      raise errors.UserError(
          f'`{name}` must have the shape {written}, but has '
          f'{list(array.shape)}.')
  sizes = [len(array) for array in inputs.values()]
  if len(set(sizes)) > 1:
    raise errors.UserError(
        f'{equally_many(inputs)} {" and ".join(map(str, sizes))}.')
  for name, (least, most) in described['bounds'].items():
    values = np.asarray(sizes[:1] if name == 'batch' else inputs[name])
    outside = values[~((values >= least) & (values <= most))]
    if outside.size:
      raise errors.UserError(
          f'{counts.sentence(name, least, most)} {outside[0]}.')
  for name, array in inputs.items():
    if array.dtype.kind == 'f':
      batches.require_finite(tf.constant(array), name)


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


def _same_number(inputs):
  numbers = [tf.shape(tensor, tf.int64)[0] for tensor in inputs.values()]
  return tf.reduce_all(tf.equal(numbers, numbers[0])), [
      equally_many(inputs), *numbers]


def _within(inputs, name, least, most):
  if name == 'batch':
    values = tf.shape(next(iter(inputs.values())), tf.int64)[:1]
  else:
    values = inputs[name]
  # Written so that what is not a number is outside.
  outside = tf.logical_not((values >= least) & (values <= most))
  return tf.logical_not(tf.reduce_any(outside)), [
      counts.sentence(name, least, most), tf.boolean_mask(values, outside)]


def _finite(inputs, name):
  broken = batches.broken_rows(inputs[name])
  return tf.equal(broken, 0), [batches.finite_sentence(name), broken]

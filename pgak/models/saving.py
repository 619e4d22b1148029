"""Saving and loading a model: `model.save`, `save_weights`, and back again.

A `.keras` file holds the constructor's arguments, what else was set (the value
range, `image_error`, a prior that was fitted afterwards, the number of round
trips of its draws), what `compile` was given, and the weights with those of the
optimizers, so that training goes on where it was. The arrays of a fitted prior
are in the file of the weights, and not among the model's variables: a run's
checkpoints do not hold them.
"""
import inspect

import keras
import numpy as np

from pgak import capabilities
from pgak import errors
from pgak import priors

__all__ = ['MadeWith', 'Saved', 'register']

# Begins the names of the prior's arrays in the file of the weights.
_PRIOR = 'prior.'


class _FileError(errors.UserError, ValueError):
  """A model cannot be written to a file, or be read from that one."""


def register(*objects):
  """Registers classes and functions with Keras, under the package pgak.

  Args:
    *objects: classes with `get_config`, or functions. Each stays as it is, so
      that it may be registered with gin before or after.
  """
  for thing in objects:
    keras.saving.register_keras_serializable('pgak')(thing)


class MadeWith:
  """A model's prior and range, apart from Keras's tracking of attributes.

  Attributes:
    prior: the prior that the constructor gave it.
    value_range: `(low, high)`, or None for that of the decoder's activation.
  """

  def __init__(self, prior, value_range):
    self.prior = prior
    self.value_range = value_range


class Saved:
  """A model's configuration and state, as Keras's files keep them."""

  def get_config(self):
    """Returns the constructor's arguments, and what was set besides.

    Raises:
      ValueError: if something has no name that a file could keep.
    """
    # Where the argument and the attribute are not the same thing.
    other = {'weights': self.term_weights, 'updates': self.table.rows,
             'prior': self.made_with.prior}
    config = {n: other[n] if n in other else self._argument(n)
              for n in _arguments(type(self))}
    if self.made_with.value_range:
      config['value_range'] = tuple(self.made_with.value_range)
    # In the instance: the class's own is made with the class.
    if 'image_error' in vars(self):
      config['image_error'] = self.image_error
    prior = self.prior
    if isinstance(prior, priors.RoundTrips):
      config['round_trips'] = prior.trips
      prior = prior.prior
    if prior is not self.made_with.prior:
      config['attached_prior'] = prior
    return {n: _serialized(v, n, self) for n, v in config.items()}

  def _argument(self, name):
    # Of a term's name it is the weight, unless an attribute says otherwise.
    if name in self.term_weights:
      return getattr(self, name, self.term_weights[name])
    if not hasattr(self, name):
      raise _FileError(
          f'`{name}`, an argument of {type(self).__name__}, is no attribute of '
          f'the model, so that a file cannot hold it: set `self.{name}` in '
          '`__init__`.')
    return getattr(self, name)

  @classmethod
  def from_config(cls, config):
    config = {n: keras.saving.deserialize_keras_object(v)
              for n, v in config.items()}
    taken = _arguments(cls)
    # No constructor takes them, unless a subclass's does.
    later = {n: config.pop(n)
             for n in ('image_error', 'attached_prior', 'round_trips')
             if n in config and n not in taken}
    model = cls(**config)
    if 'image_error' in later:
      model.image_error = later['image_error']
    if 'attached_prior' in later:
      model.prior = later['attached_prior']
    if 'round_trips' in later:
      model.prior = priors.RoundTrips(model.prior, model, later['round_trips'])
    return model

  # === The arrays of a prior that was fitted ===

  def get_build_config(self):
    """Returns the shapes of the arrays of a fitted prior."""
    # Keras reads it before the weights, so that their shapes can be checked.
    return {'prior': {n: list(a.shape) for n, a in self._prior_state().items()}}

  def build_from_config(self, config):
    """Notes the shapes that the arrays in the file of the weights must have."""
    self.made_with.shapes = (config or {}).get('prior') or {}

  def save_own_variables(self, store):
    # By number, as Keras's own layers are stored.
    for i, variable in enumerate(self._own_variables()):
      store[str(i)] = variable
    for name, array in self._prior_state().items():
      store[_PRIOR + name] = array

  def load_own_variables(self, store):
    own, names = self._own_variables(), list(store.keys())
    numbered = [n for n in names if not n.startswith(_PRIOR)]
    if len(numbered) != len(own):
      raise _FileError(
          f'The file holds {len(numbered)} variables of the model itself, and '
          f'{self.name} has {len(own)}: load it into the model that wrote it.')
    for i, variable in enumerate(own):
      variable.assign(store[str(i)])
    self._load_prior({n.removeprefix(_PRIOR): np.asarray(store[n])
                      for n in names if n.startswith(_PRIOR)})

  def load_weights(self, filepath, *args, **kwargs):
    """Loads weights as `keras.Model.load_weights`, whose arguments it takes.

    Raises:
      UserError: if the file holds those of another model or prior.
    """
    try:
      super().load_weights(filepath, *args, **kwargs)
    except _FileError:
      raise
    except (KeyError, ValueError) as e:
      raise _FileError(
          f'{filepath} does not fit {self.name} with the prior '
          f'{capabilities.name_of(self.prior)} ({errors.reason(e)}): build the '
          'model as the one was that wrote it, or load a .keras file, which '
          'builds it.') from e

  def _own_variables(self):
    """The model's variables that are no part's; none of a run in progress."""
    variables = self._trainable_variables + self._non_trainable_variables
    return [v for v in variables if v is not getattr(self, 'plateau', None)]

  def _prior_state(self):
    """`{name: array}` of a prior that was fitted to latents, or empty."""
    fitted = getattr(self.prior, 'is_fitted', False)
    return dict(self.prior.state()) if fitted else {}

  def _load_prior(self, arrays):
    wanted = getattr(self.made_with, 'shapes', {})
    known = getattr(self.prior, 'shapes', dict)()
    if not arrays and not wanted:
      return
    # Either the names differ, or the shapes of some array do.
    wrong = set(arrays) ^ set(wanted or known or arrays) or [
        n for n, a in arrays.items()
        if not (_fits(a, wanted.get(n)) and _fits(a, known.get(n)))]
    if wrong or not hasattr(self.prior, 'load_state'):
      found = ', '.join(f'{n} {list(a.shape)}' for n, a in arrays.items())
      raise _FileError(
          'The file holds another prior than the '
          f'{capabilities.name_of(self.prior)} of {self.name} (its arrays are '
          f'{found or "missing"}): give the model a prior with the settings of '
          'the one that was saved, or load a .keras file, which makes it.')
    self.prior.load_state(arrays)


def _arguments(cls):
  """Names of the constructor's arguments, a list."""
  parameters = inspect.signature(cls.__init__).parameters.values()
  return [p.name for p in parameters if p.name != 'self'
          and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]


def _fits(array, shape):
  """Whether an array has a shape, in which None stands for any size."""
  return shape is None or (array.ndim == len(shape) and all(
      n in (None, size) for n, size in zip(shape, array.shape)))


def _serialized(value, name, model):
  """Returns a value as Keras writes it, if Keras can make it again."""
  # For a layer Keras itself raises an error that names what is missing.
  # Numbers, lists and dictionaries need no registration.
  if (callable(value) or name.endswith('prior')) and not isinstance(
      value, keras.layers.Layer):
    _require_registered(value, name, model)
  return keras.saving.serialize_keras_object(value)


def _require_registered(value, name, model):
  thing = value if inspect.isroutine(value) else type(value)
  if thing.__module__.split('.')[0] == 'keras':
    return
  shown = getattr(thing, '__qualname__', thing.__name__)
  if not (inspect.isroutine(value) or hasattr(value, 'get_config')):
    raise _FileError(
        f'`{name}` of {model.name} is a {shown}, which has no `get_config`, so '
        'that a file cannot hold it: write one, and register the class by '
        '@keras.saving.register_keras_serializable().')
  # What is registered has its package in its name.
  if keras.saving.get_registered_name(thing) == thing.__name__:
    raise _FileError(
        f'`{name}` of {model.name} is {shown}, which no file can name: define '
        'it at the top of a module, with '
        '@keras.saving.register_keras_serializable() above it.')

"""Base class and helper functions of priors that are fitted after training."""
import inspect
import typing

import numpy as np
import tensorflow as tf

from pgak import errors
from pgak.priors import mapped_noise

__all__ = ['FittedPrior', 'checked', 'in_chunks', 'shapes_of',
           'smallest_variance', 'standardiser']


def checked(latents, latent_dim):
  """Returns latents as float64 `[N, H]`, if a density can be fitted to them.

  Args:
    latents: array `[N, H]`.
    latent_dim: H.

  Raises:
    errors.UserError: if there are none, if they have another shape, or if some
      are not finite.
  """
  latents = np.asarray(latents, np.float64)
  if latents.ndim != 2 or latents.shape[1] != latent_dim:
    raise errors.UserError(
        f'The density is for latents of shape [N, {latent_dim}], and these '
        f'have the shape {list(latents.shape)}: give one row a latent.')
  if not len(latents):
    raise errors.UserError('There are no latents to fit a density to: choose '
                           'a split that is not empty.')
  broken = np.count_nonzero(~np.isfinite(latents).all(1))
  if broken:
    raise errors.UserError(
        f'{broken} of {len(latents)} latents are NaN or infinite, so no '
        'density can be fitted to them: look at the images, or choose a '
        'checkpoint from before the training diverged.')
  return latents


def smallest_variance(latents, share):
  """Returns a float to add to variances, so that none is 0.

  A share of the latents' mean variance, so that a density does not depend on
  their unit; and, for latents that are all equal, the resolution of float32.
  """
  # 1e-14 is about the square of float32's relative resolution.
  resolution = 1e-14 * (float(np.square(latents).max()) + 1e-10)
  return share * float(latents.var(0).mean()) + resolution


def standardiser(latents):
  """Returns the mean and standard deviation of each dimension, to divide by.

  Returns:
    `{'mean': [H], 'scale': [H]}`, float64, no scale 0.
  """
  smallest = smallest_variance(latents, 1e-6)
  return {'mean': latents.mean(0),
          'scale': np.sqrt(latents.var(0) + smallest)}


def in_chunks(function, tensors, size):
  """Calls a function on a part of a batch at a time, which bounds its memory.

  Args:
    function: takes tensors `[b, ...]`; gives a tensor `[b, ...]` of the first
      tensor's dtype, each of whose b entries depends on its own inputs alone.
    tensors: list of tensors `[B, ...]`; B may be 0 or unknown.
    size: the largest b, int.

  Returns:
    Tensor `[B, ...]`.
  """
  number = tf.shape(tensors[0])[0]
  # At least 1: an empty batch is one chunk of padding.
  rows = tf.clip_by_value(number, 1, size)
  chunks = tf.maximum(-(-number // rows), 1)

  def cut(tensor):
    # `map_fn` needs chunks of one size: the last is padded, and cut at the end.
    missing = chunks * rows - number
    padded = tf.pad(
        tensor, [[0, missing]] + [[0, 0]] * (tensor.shape.rank - 1))
    return tf.reshape(padded, [chunks, rows, *tensor.shape[1:]])

  outputs = tf.map_fn(lambda chunk: function(*chunk),
                      [cut(t) for t in tensors],
                      fn_output_signature=tensors[0].dtype)
  shape = tf.concat([[chunks * rows], tf.shape(outputs)[2:]], 0)
  return tf.ensure_shape(tf.reshape(outputs, shape)[:number],
                         [None, *outputs.shape[2:]])


def shapes_of(names, latent_dim, variables):
  """Returns `{name: shape}` of a mean, a scale and a net's variables."""
  return dict(zip(names, [(latent_dim,)] * 2 + [
      tuple(v.shape) for v in variables], strict=True))


def _as_annotated(value, annotation):
  """Returns a whole number as a float where its setting is one.

  1 and 1.0 are the same setting, so its label and its file are to be, too.
  """
  return float(value) if type(value) is int and _is_float(annotation) else value


def _is_float(annotation):
  return annotation is float or any(
      map(_is_float, typing.get_args(annotation)))


class FittedPrior(mapped_noise.MappedNoise):
  """Base class of the priors with `fit`: their settings and their state.

  The arguments of a subclass's constructor are its settings, each an attribute
  of the same name. `fit` calls `load_state` with its result.

  Attributes:
    source: what it was fitted to, 'means' of the encoder or 'samples' of its
      posterior.
    max_fitted: to the latents of how many images at most, where a user said so;
      else None.
  """

  name = None
  # Names of the arrays that `state` returns.
  arrays = ()
  # Names of the settings that decide samples and densities, but not the fit.
  after_fit = ()
  # `{name: value}` of settings that the prior did not always have, at the value
  # that means what was done before: densities kept by earlier versions remain
  # those of the same settings.
  added_settings = {}
  # Whether `fit` is to be given the latents' labels, where there are some.
  takes_labels = False
  # The same of their attributes, `{name: booleans [N]}`.
  takes_attributes = False
  # Whether `fit` takes the path of a file that keeps an unfinished fit.
  can_resume = False

  def __init__(self, latent_dim):
    self.latent_dim = latent_dim
    self.source = 'means'
    self.max_fitted = None
    self._state = None

  @property
  def label(self):
    """The name with the settings that decide a score."""
    return self._size_label() + self._source_label() + self._limit_label()

  @property
  def fit_label(self):
    """The label without what a file's name has in its digest, or not at all."""
    return self.label.removesuffix(self._limit_label())

  def _source_label(self):
    return '_of_samples' if self.source == 'samples' else ''

  def _limit_label(self):
    return f'_of_{self.max_fitted}_latents' if self.max_fitted else ''

  def _size_label(self):
    return self.name

  @property
  def settings(self):
    """`{name: value}` of the constructor's arguments, but for `latent_dim`."""
    # From the signature, so that a new argument cannot be forgotten here.
    arguments = inspect.signature(type(self).__init__).parameters
    return {n: _as_annotated(getattr(self, n), argument.annotation)
            for n, argument in arguments.items()
            if n not in ('self', 'latent_dim')}

  @property
  def fit_settings(self):
    """The settings that decide the fit, together with the latents."""
    return {n: v for n, v in self.settings.items() if n not in self.after_fit
            and (n, v) not in self.added_settings.items()}

  @property
  def is_fitted(self):
    return self._state is not None

  def shapes(self):
    """Returns the shapes of the arrays of `state`, `{name: shape}`.

    None stands for any size. It is empty where no shape is known beforehand.
    """
    return {}

  def get_config(self):
    """Returns the settings, as Keras's files keep them; `state` is apart."""
    limit = {'max_fitted': self.max_fitted} if self.max_fitted else {}
    return {'latent_dim': self.latent_dim, **self.settings,
            'source': self.source, **limit}

  @classmethod
  def from_config(cls, config):
    config = dict(config)
    source = config.pop('source', 'means')
    limit = config.pop('max_fitted', None)
    made = cls(**config)
    made.source = source
    made.max_fitted = limit
    return made

  def state(self):
    """Returns the result of `fit`, `{name: NumPy array}`.

    Raises:
      errors.UserError: if the prior is not fitted.
    """
    if self._state is None:
      raise errors.UserError(
          f'The prior {self.name} is not fitted to latents yet: call its '
          '`fit`, or load the model with --prior.')
    return self._state

  def load_state(self, arrays):
    """Loads the result of another prior's `state`; returns self.

    Raises:
      ValueError: if that is not the state of such a prior.
    """
    missing = set(self.arrays) - set(arrays)
    if missing:
      raise ValueError(f'The state of {self.name} has no {sorted(missing)}.')
    # Only these: a file may hold arrays of other versions.
    self._state = {n: np.asarray(arrays[n]) for n in self.arrays}
    self._use_state()
    return self

  def _use_state(self):
    """Makes what `sample` and `log_prob` need of the state."""

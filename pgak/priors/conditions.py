"""What a density learns of latents besides: their labels and attributes.

A label is one of K classes, an attribute is present or absent, and of a latent
any of them may be unknown. In tensors present, absent and unknown are 1, -1 and
0. What a net is given of attributes a with mean m and covariance C, of which
those in S are known, is the best linear prediction of all of them,

    e = C[:, S] C[S, S]^-1 (a - m)[S]

and which of them are known. If the mean of latents is linear in their
attributes, then it is linear in e for every S: what is learned of some subsets
holds for the others.
"""
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from pgak import errors
from pgak import noise as noise_lib
from pgak.priors import class_labels

__all__ = ['Conditions', 'dropped', 'learned', 'of_state', 'require_number']

_NO_CLASSES = np.zeros([0], np.int64)
# Added to the variances, so that attributes that exclude each other, given
# together, are not taken for a large multiple of what the latents have shown.
_RIDGE = 0.02
# The name of the label beside the attributes' names.
_LABEL = 'label'
_REFIT = ('fit it to data with {0}, with FlowMatching.conditional = True; a '
          'run fits it again if its file in densities/ is removed')


class Conditions(NamedTuple):
  """The labels and attributes that a density has learned.

  Attributes:
    classes: int64 `[K]`, increasing; empty without labels.
    attributes: names, a tuple of A strings.
    moments: float32 `[A + 1, A]`, the mean of the attributes and their
      covariance; None without attributes.
  """
  classes: np.ndarray = _NO_CLASSES
  attributes: tuple = ()
  moments: np.ndarray | None = None

  @property
  def sizes(self):
    """`(K, A)`."""
    return len(self.classes), len(self.attributes)

  def state(self):
    """Returns arrays of numbers, which a file holds; see `of_state`."""
    names = '\n'.join(self.attributes).encode()
    return {'classes': self.classes} | (
        {'attributes': np.frombuffer(names, np.uint8),
         'attribute_moments': self.moments} if names else {})

  def evidence(self, attributes):
    """Returns what a net is given of attributes.

    Args:
      attributes: int32 `[B, A]`, 1, -1 or 0.

    Returns:
      float32 `[B, 2 A]`: e, within what attributes can be, and 1 for known.
    """
    mean, covariance = self.moments[:1], self.moments[1:]
    signs = tf.cast(attributes, tf.float32)
    known = tf.abs(signs)  # [B, A]
    both = known[:, :, tf.newaxis] * known[:, tf.newaxis]
    # Those of the identity stand for unknown rows and columns.
    factor = tf.linalg.cholesky(both * covariance + tf.linalg.diag(1. - known))
    weights = tf.linalg.cholesky_solve(
        factor, (known * (signs - mean))[:, :, tf.newaxis])
    expected = tf.squeeze(weights, 2) @ covariance
    return tf.concat(
        [tf.clip_by_value(expected, -1. - mean, 1. - mean), known], 1)

  def number(self, n, given):
    """Returns how many samples there are, where something is given.

    Args:
      n: int; or None, or their number, where `given` has as many rows.
      given: as for `codes`.

    Raises:
      errors.UserError: if n is another number, or nothing says how many.
    """
    values = given.values() if isinstance(given, Mapping) else [given]
    arrays = [x for x in values if np.ndim(x)]
    if not arrays:
      if n is None and given is not None:
        raise errors.UserError('One value for all draws does not say how many '
                               'there are: give `n`, too.')
      return n
    shape = tf.convert_to_tensor(arrays[0]).shape
    number = tf.shape(arrays[0])[0] if shape[0] is None else shape[0]
    is_labels = shape.rank == 1 and arrays[0] is given
    require_number(n, number, 'labels' if is_labels else 'attributes')
    return number

  def codes(self, given, number):
    """Returns what is given as a `VelocityNet` takes it.

    Args:
      given: labels, integers `[B]` or one for all; attributes, booleans
        `[B, A]`, or integers, 1, -1 or 0 for unknown; a dictionary of their
        names, and of 'label', to a value for all or to B of them, 1 for what
        has the attribute and 0 for what has not; or None.
      number: B, an int or an integer scalar tensor.

    Returns:
      `()` for None; `(labels int32 [B],)`, each from 0 to K, K for unknown; or,
      of a density with attributes, `(labels, evidence float32 [B, 2 A])`.

    Raises:
      errors.UserError: if a label, an attribute or a value is none of those
        that were learned. (A graph does not check: there an unknown label is
        the first class.)
    """
    if given is None:
      return ()
    labels, attributes = self.read(given, number)
    return (labels, self.evidence(attributes)) if self.attributes else (labels,)

  def read(self, given, number):
    """Returns `(labels int32 [B], attributes int32 [B, A])`; see `codes`."""
    if isinstance(given, Mapping):
      return self._of_names(given, number)
    given = tf.convert_to_tensor(given)
    if given.shape.rank == 2:
      return self._both(None, self._signs(given), number)
    labels = self._positions(_rows(given, number, _LABEL))
    return self._both(labels, None, number)

  def _of_names(self, given, number):
    values = dict(given)
    labels = None
    if _LABEL in values and _LABEL not in self.attributes:
      labels = self._positions(_rows(values.pop(_LABEL), number, _LABEL))
    for name in values:
      self._require_attribute(name)
    signs = [_rows(_sign(values[n], n), number, n) if n in values
             else tf.zeros([number], tf.int32) for n in self.attributes]
    return self._both(labels, tf.stack(signs, 1) if signs else None, number)

  def _both(self, labels, attributes, number):
    if labels is None:
      labels = tf.fill([number], len(self.classes))
    if attributes is None:
      attributes = tf.zeros([number, len(self.attributes)], tf.int32)
    return labels, attributes

  def _positions(self, given):
    if not len(self.classes):
      raise errors.UserError(
          'This density was fitted without labels, so that none can be given: '
          f'{_REFIT.format("labels")}.')
    return class_labels.positions(given, self.classes)

  def _signs(self, given):
    self._require_attributes()
    known = len(self.attributes)
    if given.shape[1] != known:
      raise errors.UserError(
          f'Attributes have the shape [B, {known}], and these have '
          f'{given.shape.as_list()}: give a column for each of '
          f'{", ".join(self.attributes)}.')
    if given.dtype == tf.bool:
      return tf.where(given, 1, -1)
    signs = tf.cast(given, tf.int32) if given.dtype.is_integer else None
    # A graph cannot raise by its data, see `class_labels.positions`.
    if signs is None or tf.executing_eagerly() and np.any(np.abs(signs) > 1):
      raise errors.UserError(
          'Attributes are booleans, or integers, 1 for present, -1 for absent '
          'and 0 for unknown: give these alone.')
    return signs

  def _require_attributes(self):
    if not self.attributes:
      raise errors.UserError(
          'This density was fitted without attributes, so that none can be '
          f'given: {_REFIT.format("attributes")}.')

  def _require_attribute(self, name):
    self._require_attributes()
    if name not in self.attributes:
      raise errors.UserError(
          f'There is no attribute {name!r}: choose from those in which the '
          f'latents differ, {", ".join(self.attributes)}'
          f'{errors.similar(name, self.attributes) or "."}')


def require_number(n, number, what):
  """Raises UserError unless there is something given for each draw.

  Args:
    n: how many draws, None for as many as something is given for.
    number: for how many something is given; a graph may not know either.
    what: string, what is given, in the plural.
  """
  if isinstance(n, int) and isinstance(number, int) and n != number:
    raise errors.UserError(
        f'{n} draws are asked for and {number} {what} given: leave out `n`, '
        f'or give as many {what}.')


def learned(number, labels=None, attributes=None):
  """Returns what a density learns of the latents that it is fitted to.

  An attribute that all of them have, or none, is left out: nothing shows what
  it is.

  Args:
    number: N, how many latents there are.
    labels: integers `[N]`, -1 for an unknown one, or None.
    attributes: `{name: booleans [N]}`, or None.

  Returns:
    `(Conditions, labels int32 [N], attributes int32 [N, A])`: positions among
    the classes, K for an unknown label, 0 without labels; and 1 or -1.

  Raises:
    errors.UserError: if there are more or fewer values than latents, or other
      values.
  """
  classes, positions = _NO_CLASSES, np.zeros([number], np.int32)
  if labels is not None:
    classes, positions = class_labels.numbered(labels, number)
  values = {str(name): np.asarray(x) for name, x in (attributes or {}).items()}
  for name, x in values.items():
    if x.shape != (number,) or not np.isin(x, (0, 1)).all():
      raise errors.UserError(
          f'{number} latents need as many values of the attribute {name}, 0 or '
          f'1, and these are {x.dtype} of the shape {list(x.shape)}: give one '
          'for each latent.')
  signs = {name: np.where(x, 1, -1) for name, x in values.items()
           if x.any() and not x.all()}
  columns = np.stack([*signs.values()], 1) if signs else np.zeros([number, 0])
  moments = np.concatenate([columns.mean(0)[np.newaxis], np.cov(
      columns.T).reshape(2 * columns.shape[1:]) + _RIDGE * np.eye(len(signs))
                            ]).astype(np.float32) if signs else None
  return (Conditions(classes, tuple(signs), moments), positions,
          columns.astype(np.int32))


def of_state(arrays):
  """Returns the `Conditions` of the arrays of `Conditions.state`."""
  names = np.asarray(arrays.get('attributes', ()), np.uint8).tobytes().decode()
  return Conditions(np.asarray(arrays['classes']),
                    tuple(names.split('\n')) if names else (),
                    arrays['attribute_moments'] if names else None)


def dropped(attributes, seed, share):
  """Makes attributes unknown at random, so that any subset is learned.

  Of a share of the latents all of them. Of each other latent an attribute stays
  known with probability `A^-u`, u uniform on [0, 1): between one attribute
  alone and all of them, small and large subsets are equally frequent on a
  logarithmic scale.

  Args:
    attributes: int32 `[B, A]`.
    seed: int64 `[2]`, see `noise.seed`.
    share: float in [0, 1].

  Returns:
    int32 `[B, A]`, 0 where unknown.
  """
  rows, columns = tf.unstack(tf.shape(attributes))
  # [B, A + 2]: what decides about all of them, u, and one for each attribute.
  drawn = noise_lib.uniform([rows, columns + 2], seed)
  known = tf.cast(columns, tf.float32) ** -drawn[:, 1:2]
  stays = (drawn[:, :1] >= share) & (drawn[:, 2:] < known)
  return tf.where(stays, attributes, 0)


def _rows(value, number, name):
  """Returns one value for each of `number` rows, int32 or int64 `[B]`."""
  value = tf.convert_to_tensor(value)
  if value.shape.rank == 1 and isinstance(number, int) and (
      value.shape[0] not in (None, number)):
    raise errors.UserError(
        f'{name} is given {value.shape[0]} times for {number} draws: give one '
        'for all, or as many.')
  return tf.broadcast_to(value, [number])


def _sign(value, name):
  found = np.asarray(value)
  if found.ndim > 1 or not np.isin(found, (0, 1)).all():
    raise errors.UserError(
        f'The attribute {name} is 1 where it is present and 0 where it is '
        f'absent, not {value!r}: give one of these, or leave it out for '
        'either.')
  return np.where(found, 1, -1).astype(np.int32)

"""Labels of latents: whole numbers, and their positions among the classes."""
import numpy as np
import tensorflow as tf

from pgak import errors

__all__ = ['numbered', 'positions']

# The label of an example whose label is not known, as TFDS has it.
_UNKNOWN = -1


def numbered(labels, number):
  """Returns the classes and each label's position among them.

  Args:
    labels: integers `[N]`; -1 is no class, but stands for an unknown one.
    number: N, how many latents there are.

  Returns:
    `(classes, positions)`: int64 `[K]`, increasing, and int32 `[N]`, K for an
    unknown label.

  Raises:
    errors.UserError: if they are not as many whole numbers.
  """
  labels = np.asarray(labels)
  if labels.shape != (number,) or labels.dtype.kind not in 'iu':
    raise errors.UserError(
        f'{number} latents need as many labels, whole numbers, and these are '
        f'{labels.dtype} of the shape {list(labels.shape)}: give one label for '
        'each latent.')
  # int64, since a file keeps the classes and must compare with any labels.
  labels = labels.astype(np.int64)
  known = labels != _UNKNOWN
  classes = np.unique(labels[known])
  found = np.where(known, np.searchsorted(classes, labels), len(classes))
  return classes, found.astype(np.int32)


def positions(labels, classes):
  """Returns the positions of labels among the classes, int32 `[B]`.

  Args:
    labels: integers `[B]`, or a tensor of them.
    classes: int64 `[K]`.

  Raises:
    errors.UserError: if they are no integers, or if one is not among the
      classes. (A graph does not check that: there an unknown label is the first
      class.)
  """
  labels = tf.convert_to_tensor(labels)
  if not labels.dtype.is_integer:
    raise errors.UserError(f'Labels are integers, and these are '
                           f'{labels.dtype.name}: give whole numbers.')
  labels = tf.cast(labels, tf.int64)
  matches = tf.equal(labels[:, tf.newaxis], tf.constant(classes, tf.int64))
  # A graph cannot raise by its data: TensorFlow's assertions do nothing in XLA.
  if tf.executing_eagerly():
    known = np.any(matches, 1)
    if not known.all():
      raise errors.UserError(
          f'There is no label {int(labels[int(np.argmin(known))])}: choose '
          f'from those of the latents, {", ".join(str(c) for c in classes)}.')
  return tf.argmax(matches, 1, tf.int32)

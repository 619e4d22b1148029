"""Labels of arrays as whole numbers, and their classes' names."""
import numpy as np

from pgak import errors

__all__ = ['lacking', 'whole_numbers']


def whole_numbers(labels, counts, name):
  """Brings the labels of all splits to whole numbers of at least 0.

  The classes are those of all splits together. Strings, and numbers below 0,
  are numbered in their order, and become the names of the classes.

  Args:
    labels: `{split: array}`: whole numbers or strings, `[N]` or `[N, 1]`, or
      one-hot `[N, K]`.
    counts: `{split: N}`.
    name: of what holds them, for the error.

  Returns:
    `({split: int64 [N]}, names)`; the names are a tuple, empty where the
    numbers are the names.

  Raises:
    UserError: if they are none, or not one for each example.
  """
  flat = {split: _flat(np.asarray(values), counts[split], name)
          for split, values in labels.items()}
  classes = np.unique(np.concatenate(list(flat.values())))
  # Numbers from 0 on stay as they are, even with gaps: users know them.
  if classes.dtype.kind == 'i' and classes[0] >= 0:
    return flat, ()
  return {split: np.searchsorted(classes, values).astype(np.int64)
          for split, values in flat.items()}, tuple(map(str, classes))


def lacking(splits, names=()):
  """Says which classes the training split lacks, or returns ''.

  Args:
    splits: `{split: integers [N]}`.
    names: of the classes, or empty.
  """
  if not len(splits.get('train', ())):
    return ''
  known = set(np.unique(splits['train']).tolist())
  every = set(np.unique(np.concatenate(list(splits.values()))).tolist())
  missing = [names[k] if names else str(k) for k in sorted(every - known)
             if k >= 0]  # TFDS has -1 where labels are secret.
  if not missing:
    return ''
  return ('The split train has no example of '
          f'{"class" if len(missing) == 1 else "the classes"} '
          f'{", ".join(missing)}, which other splits have')


def _flat(labels, count, name):
  """Returns int64 or strings `[N]`."""
  if labels.ndim == 2 and labels.shape[1] == 1:
    labels = labels[:, 0]
  # One-hot: a single 1 for each example, and zeros.
  elif labels.ndim == 2 and labels.dtype.kind in 'biuf' and np.all(
      (labels == 0) | (labels == 1)) and np.all(labels.sum(1) == 1):
    labels = labels.argmax(1)
  if labels.shape != (count,):
    raise errors.UserError(
        f'The labels of {name} have the shape {list(labels.shape)}, and there '
        f'are {count} examples: give one label for each, or set arrays.labels '
        '= False.')
  if labels.dtype.kind == 'S':
    try:
      return np.char.decode(labels, 'utf-8')
    except UnicodeDecodeError as error:
      raise errors.UserError(
          f'The labels of {name} are bytes and no text in UTF-8 ({error}): '
          'give them as strings, or leave them out by arrays.labels = False.'
      ) from error
  if labels.dtype.kind == 'U':
    return labels
  if labels.dtype.kind not in 'biuf' or np.any(labels != np.floor(labels)):
    raise errors.UserError(
        f'The labels of {name} are no whole numbers or strings, but '
        f'{labels.dtype}: leave them out by arrays.labels = False.')
  return labels.astype(np.int64)

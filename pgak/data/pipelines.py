"""Images from a split to a training step, as `tf.data`."""
import os

import numpy as np
import tensorflow as tf

from pgak import errors
from pgak import noise
from pgak.data import kinds

__all__ = ['ORDER', 'batches', 'order', 'train_batches',
           'validation_batches', 'without_autotuning']

# The version of the data's order in a run's config.json. Runs of 0.4 and before
# have no entry and go on in theirs, 1.
ORDER = 2

# Two reader threads suffice for 2 ms steps; more help augmentation on machines
# with an accelerator, where CPU cores are idle. Eight batches ahead bridge a
# pause of the machine.
_READERS = max(2, min(8, (os.cpu_count() or 1) // 2))
_BATCHES_AHEAD = 8


def order(positions, length, seed, version=ORDER):
  """Returns the example at each position of an endless shuffled sequence.

  Position p belongs to epoch p // length. Each epoch is a permutation of all
  examples: a block cipher of 8 rounds, of which any position is computed alone,
  keyed by 96 Philox bits of the seed and the epoch.

  Args:
    positions: int64 tensor of one epoch, `[B]`.
    length: int or int64 scalar tensor, number of examples.
    seed: the same, the run's seed.
    version: 2; or 1 for the order of 0.4, whose keys were the seed and the
      epoch themselves, in 4 rounds: its epochs and seeds are alike (at 60,000
      examples they correlate by 0.9) and come again after 256 or 512.

  Returns:
    int64 tensor `[B]` in `[0, length)`.
  """
  # A batch never crosses the end of an epoch.
  epoch = positions[0] // length
  last = tf.cast(length - 1, tf.int64)
  if version == 1:
    key = tf.stack([tf.cast(seed, tf.int64), epoch])
    return tf.random.experimental.index_shuffle(positions % length, key, last)
  # Philox bits, since raw keys give nearly the same order in every epoch.
  key = tf.random.stateless_uniform(
      [3], noise.seed(seed, epoch, 'epoch'), minval=None, maxval=None,
      dtype=tf.uint32, alg='philox')
  return tf.raw_ops.RandomIndexShuffle(
      index=positions % length, seed=key, max_index=last, rounds=8)


def train_batches(array, batch_size, seed, start_step=0, value_range=(-1., 1.),
                  augmenter=None, *, replica_slots=None, labels=False,
                  order_version=ORDER, beside=None):
  """Makes the endless data set that a model is trained on.

  The batch of a step is a function of `(seed, step)`: each epoch is a
  permutation of the split, of which floor(n / batch_size) whole batches are
  taken. A data set that starts at a later step jumps there at once and yields
  the same batches as one that starts at step 0.

  Args:
    array: an `ImageArray`.
    batch_size: int, the global batch size.
    seed: int, the run's seed.
    start_step: int, the step whose batch comes first.
    value_range: `(low, high)` of the floats.
    augmenter: None, or a function of images, float32 `[B, h, w, c]` in
      [0, 255], and a seed, int64 `[2]`, as `augmentation.augmenter` returns.
      It sees the global batch, so that replicas do not change what it draws.
    replica_slots: None, or `(number of replicas in all, slots of this worker)`:
      the data set then yields, step by step and slot by slot, the contiguous
      slice `slot` of the global batch, for
      `tf.distribute.Strategy.distribute_datasets_from_function`.
    labels: whether to yield `(images, labels)`.
    order_version: as in `order`.
    beside: None, or a function of the positions of a batch in the split, int64
      `[B]`, and the step, to a tensor `[B, ...]` that comes behind the images.

  Returns:
    A `tf.data.Dataset` of float32 `[B, h, w, c]`, or of pairs with int64 `[B]`,
    or with what is `beside`.
    For a `VectorArray` the images are vectors, float32 `[B, D]`; for a
    `PairArray` they are `{'images', 'conditions'}`, both float32.

  Raises:
    UserError: if the split has fewer images than a batch, if the replicas do
      not divide the batch, or if labels are wanted of a set without any.
  """
  _check_batch(array, batch_size)
  _check_augmenter(array, augmenter)
  load = _loader(array, labels)
  kind = kinds.of(array).in_range(value_range)
  # Whole batches alone, so that every step has one shape.
  steps_per_epoch = len(array) // batch_size

  def batch(step):
    epoch, step_in_epoch = step // steps_per_epoch, step % steps_per_epoch
    # An epoch's last examples are left out; another epoch has others there.
    first = epoch * len(array) + step_in_epoch * batch_size
    positions = first + tf.range(batch_size, dtype=tf.int64)
    indices = order(positions, len(array), seed, order_version)
    examples, *rest = load(indices, batch_size)
    if beside is not None:
      rest.append(beside(indices, step))
    levels = None
    if augmenter is not None:
      examples = augmenter(tf.cast(examples, tf.float32),
                           noise.seed(seed, step, 'augmentation'))
      levels = (0., 255.)
    return kind.to_model(examples, levels), *rest

  # `range` needs an end; this one is beyond any run, without overflow.
  last_step = np.iinfo(np.int64).max // batch_size
  dataset = tf.data.Dataset.range(start_step, last_step)
  # Deterministic: threads may finish in any order, steps may not.
  dataset = dataset.map(batch, _READERS, deterministic=True)
  if replica_slots is not None:
    dataset = _slices(dataset, batch_size, *replica_slots)
  # A strategy's workers need not ask one another whether it has ended.
  dataset = dataset.apply(
      tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY))
  return _finish(dataset, labels or beside is not None)


def batches(array, batch_size, value_range=(-1., 1.), limit=None,
            labels=False):
  """Makes a data set that yields a split once, in its own order.

  Args:
    array: an `ImageArray`.
    batch_size: int; the last batch may be smaller.
    value_range: `(low, high)` of the floats.
    limit: None, or the number of images to stop after.
    labels: whether to yield `(images, labels)`.

  Returns:
    A `tf.data.Dataset` of float32 `[<= B, h, w, c]`, or of pairs with int64
    labels, whose cardinality is known.

  Raises:
    UserError: if labels are wanted of a set without any.
  """
  length = len(array) if limit is None else min(limit, len(array))
  load = _loader(array, labels)
  kind = kinds.of(array).in_range(value_range)

  def batch(first):
    chosen = tf.range(first, tf.minimum(first + batch_size, length))
    examples, *rest = load(chosen, None)
    return kind.to_model(examples), *rest

  dataset = tf.data.Dataset.range(0, length, batch_size)
  return _finish(
      dataset.map(batch, _READERS, deterministic=True), labels)


def validation_batches(array, value_range, replicas=1, largest=500):
  """Makes a data set of batches of one size, which leaves out few images.

  Args:
    array: an `ImageArray`.
    value_range: `(low, high)` of the floats.
    replicas: int, which divides the size of a batch.
    largest: int, the size is at most this.

  Returns:
    A `tf.data.Dataset`, as `batches` makes it.

  Raises:
    UserError: if there are fewer images than replicas.
  """
  number = -(-len(array) // largest)
  # Of one size, since the mean of a smaller last batch would count too much.
  size = len(array) // number // replicas * replicas
  if not size:
    raise errors.UserError(
        f'The split {array.split} of {array.name} has {len(array)} images, '
        f'fewer than the {replicas} replicas: choose another '
        '`train.validation_split`, or one device.')
  return batches(array, size, value_range, limit=number * size)


def _check_batch(array, batch_size):
  if len(array) < batch_size:
    raise errors.UserError(
        f'The split {array.split} of {array.name} has {len(array)} images, '
        f'fewer than the batch size {batch_size}; set train.batch_size to at '
        f'most {len(array)}.')


def _check_augmenter(array, augmenter):
  if augmenter is not None and 'pixels' not in kinds.of(array).can:
    raise errors.UserError(
        f'{array.name} holds {kinds.of(array).name}, and an augmenter changes '
        'images: set train.augmenter = None.')
  if augmenter is not None and 'condition' in kinds.of(array).can:
    raise errors.UserError(
        f'An augmenter would change the images of {array.name} and not what '
        'they are conditioned on: set train.augmenter = None.')


def _loader(array, labels):
  """Returns a function of indices `[B]` to the examples there, and labels."""
  if labels and array.labels is None:
    raise errors.UserError(
        f'The data set {array.name} has no labels; choose one that has.')
  # All in memory, 8 bytes each, unlike the images.
  all_labels = tf.constant(array.labels, tf.int64) if labels else None
  read = getattr(array, 'examples', array.read)

  def load(indices, batch_size):
    spec = kinds.of(array).spec(batch_size)
    parts = tf.nest.flatten(spec)
    found = tf.numpy_function(
        lambda i: tf.nest.flatten(read(i)), [indices],
        [part.dtype for part in parts])
    examples = tf.nest.pack_sequence_as(spec, [
        # Lost above.
        tf.ensure_shape(x, part.shape) for x, part in zip(found, parts)])
    return (examples, *((tf.gather(all_labels, indices),) if labels else ()))

  return load


def _slices(dataset, batch_size, num_replicas, slots):
  """Cuts each global batch into the slices of this worker's replicas."""
  if batch_size % num_replicas:
    raise errors.UserError(
        f'The batch size {batch_size} cannot be shared by {num_replicas} '
        'replicas; set train.batch_size to a multiple of their number.')
  size = batch_size // num_replicas

  def cut(*batch):
    return tf.nest.map_structure(
        lambda x: tf.stack([x[slot * size:(slot + 1) * size]
                            for slot in slots]), batch)

  # `stack` then `unbatch`: one global batch becomes a slice per slot.
  return dataset.map(cut).unbatch()


def _finish(dataset, has_more):
  if not has_more:
    dataset = dataset.map(lambda first: first)
  return without_autotuning(dataset).prefetch(_BATCHES_AHEAD)


def without_autotuning(dataset):
  """Returns a `tf.data.Dataset` without the thread that tunes it.

  That thread sleeps in periods that double from 10 ms to a minute, and closing
  an iterator waits until it wakes: a pass may take twice its time.
  """
  options = tf.data.Options()
  options.autotune.enabled = False
  return dataset.with_options(options)

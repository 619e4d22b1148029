"""What the replicas of a training step share: means and noise."""
import tensorflow as tf

__all__ = ['draw', 'logs', 'mean']


def mean(values):
  """Averages over replicas the values that each computed on its share."""
  context = tf.distribute.get_replica_context()
  if context is None or context.num_replicas_in_sync == 1:
    return values
  # A mean of means: all replicas have equally many examples.
  return context.all_reduce(tf.distribute.ReduceOp.MEAN, values)


def draw(function, size, shape, seed, dtype):
  """Draws for the global batch and returns this replica's slice of it.

  Args:
    function: one of `pgak.noise`, such as `noise.normal`.
    size: examples in the replica's batch, int or scalar tensor.
    shape: shape of one example's draws.
    seed: int64 tensor `[2]`, as `noise.seed` makes it.
    dtype: float type.

  Returns:
    Tensor `[size, *shape]`, what one device would draw for these examples.
  """
  context = tf.distribute.get_replica_context()
  number = context.num_replicas_in_sync if context else 1
  values = function([size * number, *shape], seed, dtype)
  if number == 1:
    return values
  # The data set gives replica r the r-th slice of the global batch, too.
  first = context.replica_id_in_sync_group * size
  return values[first:first + size]


def logs(values):
  """Returns scalars by name as `fit` logs them: `[1]` with several workers."""
  if isinstance(tf.distribute.get_strategy(),
                tf.distribute.MultiWorkerMirroredStrategy):
    # There `fit` reduces every log over its first axis.
    return {name: value[tf.newaxis] for name, value in values.items()}
  return values

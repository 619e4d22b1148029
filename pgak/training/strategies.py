"""On which devices a run trains: TensorFlow's strategies, and their batches."""
import json
import os

import tensorflow as tf

from pgak import errors

__all__ = ['NAMES', 'distributed', 'distribution', 'is_chief']

NAMES = ('one_device', 'mirrored', 'multi_worker')


def distribution(strategy):
  """Returns the `tf.distribute.Strategy` of a name out of `NAMES`.

  Raises:
    UserError: if the workers cannot be told from the environment.
  """
  if strategy == 'mirrored':
    devices = (tf.config.list_logical_devices('GPU')
               or tf.config.list_logical_devices('CPU'))
    return tf.distribute.MirroredStrategy([d.name for d in devices])
  if strategy == 'multi_worker':
    _check_cluster(os.environ.get('TF_CONFIG', ''))
    return tf.distribute.MultiWorkerMirroredStrategy()
  return tf.distribute.get_strategy()


def _check_cluster(text):
  try:
    found = json.loads(text)
    known = isinstance(found['cluster'], dict) and 'task' in found
  except (KeyError, TypeError, ValueError, RecursionError):
    known = False
  if not known:
    raise errors.UserError(
        "`train.strategy = 'multi_worker'` needs the environment variable "
        'TF_CONFIG, which lists the workers and says which one this is: '
        '{"cluster": {"worker": ["HOST:PORT", ...]}, "task": {"type": "worker",'
        ' "index": 0}}.')


def is_chief(strategy):
  """Whether this process is the one that writes files."""
  resolver = strategy.cluster_resolver
  if not resolver:
    return True
  first = 'chief' if 'chief' in resolver.cluster_spec().jobs else 'worker'
  return (resolver.task_type, resolver.task_id) == (first, 0)


def distributed(strategy, make_batches):
  """Gives every replica its slice of the global batch.

  Args:
    strategy: `tf.distribute.Strategy`.
    make_batches: function of None, or of `(number of replicas, those of this
      worker)`, to a `tf.data.Dataset`.
  """
  replicas = strategy.num_replicas_in_sync
  if replicas == 1:
    return make_batches(None)

  def worker_batches(context):
    local = replicas // context.num_input_pipelines
    first = context.input_pipeline_id * local
    return make_batches((replicas, list(range(first, first + local))))

  return strategy.distribute_datasets_from_function(worker_batches)

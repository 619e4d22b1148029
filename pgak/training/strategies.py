"""The devices that a run trains on: TensorFlow's strategies, their batches."""
import dataclasses
import json
import os

import tensorflow as tf

from pgak import errors
from pgak.training import compilation

__all__ = ['NAMES', 'PRECISIONS', 'Hardware', 'distributed', 'is_chief']

NAMES = ('one_device', 'mirrored', 'multi_worker')
PRECISIONS = ('float32', 'mixed_bfloat16')


@dataclasses.dataclass(frozen=True)
class Hardware:
  """Devices, precision and compilation of a run.

  Each is the setting of `train` of the same name, which has its default.

  Args:
    strategy: a name out of `NAMES`.
    xla: whether XLA compiles the step; None for only on one device, and there
      where it pays.
    precision: one of `PRECISIONS`.
    steps_per_execution: int above 0, steps in one call of the compiled
      function.

  Raises:
    errors.UserError: if Keras cannot do what they ask for together.
  """

  strategy: str
  xla: bool | None
  precision: str
  steps_per_execution: int

  def __post_init__(self):
    # With jit_compile Keras 3 fails under a strategy, and several workers
    # abort; steps_per_execution fails, too.
    if self.strategy != 'one_device' and (
        self.xla or self.steps_per_execution != 1):
      raise errors.UserError(
          f"`train.strategy = '{self.strategy}'` needs `train.xla = False` and "
          '`train.steps_per_execution = 1`: Keras can do neither of them '
          'there.')

  def compiles(self, model):
    """Whether XLA compiles the steps of a built model."""
    if self.xla is None:
      return self.strategy == 'one_device' and compilation.pays(model)
    return self.xla

  def distribution(self):
    """Returns the `tf.distribute.Strategy`.

    Raises:
      errors.UserError: if the environment does not name the workers.
    """
    return _distribution(self.strategy)


def _distribution(strategy):
  if strategy == 'mirrored':
    devices = (tf.config.list_logical_devices('GPU')
               or tf.config.list_logical_devices('CPU'))
    # Named, because by default it takes GPUs alone; logical CPUs serve for
    # tests.
    return tf.distribute.MirroredStrategy([d.name for d in devices])
  if strategy == 'multi_worker':
    # TensorFlow would train alone without a sentence.
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
  # A cluster without a chief has worker 0 in its place.
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
    # One pipeline per worker: it makes the slices of its own replicas.
    local = replicas // context.num_input_pipelines
    first = context.input_pipeline_id * local
    return make_batches((replicas, list(range(first, first + local))))

  return strategy.distribute_datasets_from_function(worker_batches)

"""Runs of a few steps on the digits with nets of a few weights, for tests."""
import pathlib

import gin
import numpy as np
import pytest
import tensorflow as tf

from pgak import errors
from pgak import registry
from pgak import training
from pgak.runs import configuration
from pgak.runs import run_directory

__all__ = ['SETTINGS', 'assert_same', 'content', 'events', 'flags', 'parse',
           'refused', 'saved', 'train']

registry.register()

# Without XLA, which takes longer to compile a step than such a run.
SETTINGS = (
    'base_filters = 2',
    'conv_digits_encoder.dense_units = 6',
    'conv_digits_decoder.dense_units = 6',
    'latent_dim = 3',
    'train.batch_size = 16',
    'train.optimizer = @sgd',
    'train.learning_rate_schedule = None',
    'train.xla = False',
    'sgd.learning_rate = 0.1',
)


def parse(*bindings, files=('models/ae.gin',), imports=()):
  """Parses the quickstart, tiny, with files and bindings on top of it."""
  configuration.parse(['quickstart.gin', *files], [*SETTINGS, *bindings],
                      imports, registry.train_roots)


def train(run_dir, *bindings, files=('models/ae.gin',), imports=()):
  """Trains a tiny quickstart in this process; returns the model."""
  parse(*bindings, files=files, imports=imports)
  try:
    return training.train(run_dir, imports=imports)
  finally:
    gin.clear_config()


def flags(*bindings, files=('models/ae.gin',)):
  """Returns the flags of a train command for a tiny quickstart."""
  return [*(f'--gin_file={f}' for f in ('quickstart.gin', *files)),
          *(f'--gin_param={b}' for b in (*SETTINGS, *bindings))]


def saved(run_dir, step):
  """Returns all that a run's checkpoint holds: `{name: array}`."""
  run = run_directory.RunDirectory(run_dir)
  reader = tf.train.load_checkpoint(run.checkpoint_prefix(step))
  return {name: np.asarray(reader.get_tensor(name))
          for name in reader.get_variable_to_shape_map()
          if name != '_CHECKPOINTABLE_OBJECT_GRAPH'}


def events(folder):
  """Returns `{tag: {step: value}}` of a folder of event files."""
  found = {}
  for path in sorted(pathlib.Path(folder).iterdir()):
    for record in tf.data.TFRecordDataset(str(path)):
      event = tf.compat.v1.Event.FromString(record.numpy())
      for value in event.summary.value:
        found.setdefault(value.tag, {})[event.step] = tf.make_ndarray(
            value.tensor)
  return found


def content(folder):
  """Returns `{path: bytes}` of all files but the lock."""
  return {p.relative_to(folder): p.read_bytes()
          for p in sorted(folder.rglob('*'))
          if p.is_file() and p.name != '.lock'}


def assert_same(run_dir, other, step):
  """Compares all that the checkpoints of two runs hold, bit for bit."""
  found, expected = (saved(d, step) for d in (run_dir, other))
  assert set(found) == set(expected)
  for name, value in expected.items():
    np.testing.assert_array_equal(found[name], value, err_msg=name)


def refused(*arguments, match, **settings):
  """Trains as `train` does; returns the error, which must match."""
  with pytest.raises(errors.UserError, match=match) as caught:
    train(*arguments, **settings)
  return str(caught.value)

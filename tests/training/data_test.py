"""Which images training, validation and the galleries see, with which weights.
"""
import itertools

import gin
import numpy as np
import pytest
import tensorflow as tf
import tiny_runs

import pgak
from pgak import data
from pgak.generation import sampling
from pgak.models import batch_norm
from pgak.runs import checkpoints
from pgak.runs import run_directory
from pgak.training import strategies

# Trained at 0.1 with momentum: the averages lag behind, as the test needs it.
SETTINGS = ('train.steps = 4', 'train.log_every = 1',
            'train.validate_every = 3', 'train.sample_every = 3',
            'train.checkpoint_every = 1', 'train.keep_checkpoints = 9',
            'sgd.ema_decay = 0.5')


@pytest.fixture(name='run_dir', scope='module')
def _run_dir(tmp_path_factory):
  path = tmp_path_factory.mktemp('runs') / 'run'
  tiny_runs.train(path, *SETTINGS)
  return path


def logged(run_dir, part):
  """Returns `{step: loss}` of the events of a part of the run."""
  path, = (run_dir / 'events' / part).iterdir()
  return {event.step: float(tf.make_ndarray(value.tensor))
          for event in tf.compat.v1.train.summary_iterator(str(path))
          for value in event.summary.value if value.tag == 'loss'}


def loss(model, floats):
  """The autoencoder's only term."""
  made = model.decoder(model.encode_mean(floats))
  return float(tf.reduce_mean(tf.square(made - floats)))


def unaveraged(run_dir, step):
  """The model with the weights that training goes on with."""
  tiny_runs.parse(*SETTINGS)
  try:
    model = checkpoints.build(**checkpoints.build_settings())
    if step:
      checkpoints.restore(model, run_directory.RunDirectory(run_dir), step)
    return model
  finally:
    gin.clear_config()


def floats_of(split):
  array = data.digits().split(split)
  return array.kind.in_range((-1., 1.)).to_model(
      array.read(np.arange(len(array))))


def test_a_point_of_the_training_curve_is_of_its_batches_alone(run_dir):
  batches = itertools.islice(iter(data.train_batches(
      data.digits().split('train'), 16, seed=0)), 4)
  # With a validation between 3 and 4, whose images must not count.
  expected = [loss(unaveraged(run_dir, step), batch)
              for step, batch in enumerate(batches)]
  found = logged(run_dir, 'train')
  assert list(found) == [1, 2, 3, 4]
  assert list(found.values()) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize('step', [3, 4])
def test_validation_is_of_held_out_images_by_averaged_weights(run_dir, step):
  model = pgak.load(run_dir, step)
  expected = loss(model, floats_of('test'))
  assert logged(run_dir, 'validation')[step] == pytest.approx(
      expected, rel=1e-4)
  # Neither other images nor other weights give that.
  for other in (loss(model, floats_of('train')),
                loss(unaveraged(run_dir, step), floats_of('test'))):
    assert other != pytest.approx(expected, rel=1e-3)


def test_galleries_show_held_out_images_by_averaged_weights(run_dir):
  model = pgak.load(run_dir, 3)
  images = data.digits().split('test').read(np.arange(32))
  expected = sampling.reconstruction_picture(model, images)
  found = tf.io.decode_png(
      (run_dir / 'samples/reconstructions_00000003.png').read_bytes())
  difference = np.abs(found.numpy().astype(int) - expected)
  assert difference.max() <= 1  # A grey level of rounding.


def test_all_settings_of_splits_are_heeded(tmp_path, monkeypatch):
  """What is trained on, what is validated, and what is shown."""
  seen = {}
  make_batches = data.train_batches

  def batches(array, *arguments, **settings):
    seen['trained'] = array.split
    return make_batches(array, *arguments, **settings)

  def validation(images, *unused):
    seen['validated'] = images.split
    raise KeyboardInterrupt

  monkeypatch.setattr(data, 'train_batches', batches)
  monkeypatch.setattr(data, 'validation_batches', validation)
  with pytest.raises(KeyboardInterrupt):
    tiny_runs.train(tmp_path / 'run', 'train.split = "test"',
                    'train.validation_split = "train"')
  assert seen == {'validated': 'train'}
  monkeypatch.undo()
  monkeypatch.setattr(data, 'train_batches', batches)
  tiny_runs.train(tmp_path / 'other', 'train.split = "test"',
                  'train.validation_split = "train"', 'train.steps = 1')
  assert seen['trained'] == 'test'


class Distribution:
  """What `_distributed` knows of a strategy: 4 replicas on 2 workers."""

  num_replicas_in_sync = 4

  def distribute_datasets_from_function(self, function):
    return [function(Context(i)) for i in range(2)]


class Context:

  num_input_pipelines = 2

  def __init__(self, input_pipeline_id):
    self.input_pipeline_id = input_pipeline_id


def test_each_worker_gets_its_own_share_of_the_batch():
  assert strategies.distributed(Distribution(), lambda slots: slots) == [
      (4, [0, 1]), (4, [2, 3])]


def test_statistics_are_those_of_data_before_a_part_is_frozen(
    tmp_path, monkeypatch):
  """Between two stages, which end at no checkpoint."""
  calls = []
  reestimate = batch_norm.reestimate

  def record(model, images, *arguments):
    calls.append((int(model.step.numpy()), model.stage, images.split))
    reestimate(model, images, *arguments)

  monkeypatch.setattr(batch_norm, 'reestimate', record)
  tiny_runs.train(
      tmp_path / 'run', 'train.steps = 5', 'GMMN.autoencoder_steps = 3',
      'LatentGenerator.units = (8,)', 'batch_norm = True',
      'train.checkpoint_every = 2', files=['models/gmmn.gin'])
  # At 2, 4 and 5 for a checkpoint; at 3 as the first stage ends. What is
  # measured and shown at step 5 has those of its checkpoint.
  assert calls == [(2, 0, 'train'), (3, 0, 'train'), (4, 1, 'train'),
                   (5, 1, 'train')]

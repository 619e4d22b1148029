"""Tests of training: whole runs of a few steps, in this process."""
import tracemalloc

import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny_runs
from tiny_runs import events
from tiny_runs import refused

import pgak
from pgak import data
from pgak import errors
from pgak.models import batch_norm
from pgak.runs import run_directory
from pgak.training import loop


# === What a run leaves ===


@pytest.fixture(name='finished', scope='module')
def _finished(tmp_path_factory):
  """A VPGA after 12 steps, with all that a run can hold."""
  path = tmp_path_factory.mktemp('runs') / 'vpga'
  tiny_runs.train(
      path, 'train.steps = 12', 'train.checkpoint_every = 4',
      'train.keep_checkpoints = 2', 'train.log_every = 3',
      'train.validate_every = 6', 'train.sample_every = 6',
      'train.score_every = 8', 'train.best_by = "reconstruction_mse"',
      'quick.num_samples = 70', 'classifier.steps = 20', files=())
  return path


def test_a_run_explains_itself(finished):
  run = run_directory.RunDirectory(finished)
  assert {p.name for p in finished.iterdir() if p.name[0] != '.'} == {
      'checkpoints', 'config.gin', 'config.json', 'diagnostics.json', 'events',
      'samples', 'scores.csv'}
  config = run.config
  assert config['seed'] == 0 and config['imports'] == []
  assert config['data']['name'] == 'digits'
  assert config['data']['split'] == 'train'
  assert config['data']['examples'] == 1500
  assert config['data']['fingerprint'] == (
      data.digits().split('train').fingerprint)
  assert config['versions']['tensorflow'] == tf.__version__
  assert 'train.model = @VPGA' in run.config_gin
  # Defaults are told as well as bindings.
  assert 'train.clip_norm = None' in run.config_gin


def test_checkpoints_are_kept_by_number(finished):
  run = run_directory.RunDirectory(finished)
  assert run.checkpoints() == [8, 12]


def test_terms_are_drawn_for_training_and_validation(finished):
  names = {'loss', 'reconstruction', 'latent_reconstruction',
           'variational_reconstruction', 'kl'}
  train = events(finished / 'events' / 'train')
  assert set(train) - {'config'} == names
  assert sorted(train['loss']) == [3, 6, 9, 12]
  validation = events(finished / 'events' / 'validation')
  assert set(validation) - {'config'} == names
  assert sorted(validation['loss']) == [6, 12]
  for curves in (train, validation):
    for step, loss in curves['loss'].items():
      expected = (curves['reconstruction'][step]
                  + 3e-2 * curves['latent_reconstruction'][step]
                  + 2e-2 * curves['variational_reconstruction'][step]
                  + 4e-2 * curves['kl'][step])
      assert loss == pytest.approx(float(expected), rel=1e-5)


def test_galleries_are_written(finished):
  names = ('samples', 'reconstructions', 'interpolations')
  assert {p.name for p in (finished / 'samples').iterdir()} == {
      f'{name}_{step:08d}.png' for name in names for step in (6, 12)}
  images = events(finished / 'events' / 'images')
  assert set(images) == set(names)
  for name in names:
    shapes = {tf.io.decode_png((finished / 'samples' / f'{name}_{s:08d}.png')
                               .read_bytes()).shape for s in (6, 12)}
    assert len(shapes) == 1


def test_scores_are_measured_and_the_best_is_marked(finished):
  run = run_directory.RunDirectory(finished)
  rows = run.scores()
  assert [r['step'] for r in rows[:1] + rows[-1:]] == ['8', '12']
  metrics = {r['metric'] for r in rows}
  assert {'frechet_digits_classifier', 'reconstruction_mse',
          'latent_match_prior_data'} <= metrics
  curves = events(finished / 'events' / 'scores')
  assert set(curves) == metrics
  best = run.best
  assert best['metric'] == 'reconstruction_mse'
  by_step = {int(r['step']): float(r['value']) for r in rows
             if r['metric'] == 'reconstruction_mse'}
  assert best['value'] == pytest.approx(by_step[best['step']])


def test_a_finished_run_exits_at_once_and_changes_nothing(finished, capsys):
  before = tiny_runs.content(finished)
  tiny_runs.train(
      finished, 'train.steps = 12', 'train.checkpoint_every = 4',
      'train.keep_checkpoints = 2', 'train.log_every = 3',
      'train.validate_every = 6', 'train.sample_every = 6', files=())
  assert 'is finished: 12 of 12 steps' in capsys.readouterr().out
  after = tiny_runs.content(finished)
  changed = {str(p) for p in set(before) | set(after)
             if before.get(p) != after.get(p)}
  # They tell the new intervals.
  assert changed <= {'config.gin', 'config.json'}


# === Learning ===


def test_the_loss_falls(tmp_path, capsys):
  tiny_runs.train(tmp_path / 'run', 'train.steps = 120',
                  'train.log_every = 40', 'base_filters = 8',
                  'conv_digits_encoder.dense_units = 32',
                  'conv_digits_decoder.dense_units = 32')
  out = capsys.readouterr().out
  about, density, *progress = out.splitlines()
  assert about.startswith('Parameters: encoder ')
  assert density.startswith('ae is not trained towards its prior')
  numbers = [line.split()[1] for line in progress if 'ms/step' in line]
  assert (numbers[0], numbers[-1]) == ('40/120', '120/120')
  for part in ('train', 'validation'):
    loss = events(tmp_path / 'run' / 'events' / part)['reconstruction']
    assert all(np.isfinite(v) for v in loss.values())
  loss = events(tmp_path / 'run' / 'events' / 'train')['reconstruction']
  assert loss[120] < loss[80] < loss[40]
  assert loss[120] < 0.7 * loss[40]


def test_the_seed_decides_the_run(tmp_path):
  for name, seed in (('one', 1), ('two', 2)):
    tiny_runs.train(tmp_path / name, 'train.steps = 2', f'train.seed = {seed}')
  one, two = (tiny_runs.saved(tmp_path / n, 2) for n in ('one', 'two'))
  assert any(np.abs(one[n] - two[n]).max() > 1e-2 for n in one
             if one[n].shape == (3, 3, 1, 2))


def test_the_augmenter_changes_what_is_learned(tmp_path):
  tiny_runs.train(tmp_path / 'plain', 'train.steps = 2')
  tiny_runs.train(tmp_path / 'flipped', 'train.steps = 2',
                  'train.augmenter = @augmenter()',
                  'augmenter.rotation = 0.05')
  plain, flipped = (tiny_runs.saved(tmp_path / n, 2)
                    for n in ('plain', 'flipped'))
  assert any(np.any(plain[n] != flipped[n]) for n in plain)
  text = run_directory.RunDirectory(tmp_path / 'flipped').config_gin
  assert 'augmenter.rotation = 0.05' in text
  # A run without one is not a run with one.
  assert 'train.augmenter' in refused(
      tmp_path / 'flipped', 'train.steps = 4', match='other settings of')


def test_weights_are_clipped(tmp_path):
  tiny_runs.train(tmp_path / 'run', 'train.steps = 1', 'sgd.momentum = 0.',
                  'train.clip_norm = 1e-3', 'sgd.learning_rate = 1.')
  model = pgak.load(tmp_path / 'run')
  tiny_runs.parse()
  keras.utils.set_random_seed(0)
  from pgak.runs import checkpoints
  start = checkpoints.build(**checkpoints.build_settings())
  for part, net in model.parts.items():
    moved = np.concatenate([
        np.ravel(a.numpy() - b.numpy()) for a, b in zip(
            net.trainable_variables, start.parts[part].trainable_variables)])
    assert np.linalg.norm(moved) == pytest.approx(1e-3, rel=1e-2)


def test_batch_norm_is_saved_as_inference_will_need_it(tmp_path):
  run_dir = tmp_path / 'run'
  model = tiny_runs.train(run_dir, 'train.steps = 4', 'batch_norm = True',
                          'sgd.ema_decay = 0.5')
  loaded = pgak.load(run_dir)
  layer = next(layer for layer in loaded.decoder.layers
               if hasattr(layer, 'moving_variance'))
  saved = [layer.moving_mean.numpy(), layer.moving_variance.numpy()]
  # Of the averaged weights, on the laws of inference, and not by training.
  batch_norm.reestimate(loaded, data.digits().split('train'))
  np.testing.assert_allclose(layer.moving_mean.numpy(), saved[0], rtol=1e-4,
                             atol=1e-6)
  np.testing.assert_allclose(layer.moving_variance.numpy(), saved[1],
                             rtol=1e-4)
  # The weights that training goes on with are their own again.
  for part in model.parts:
    assert any(np.any(a.numpy() != b.numpy()) for a, b in zip(
        model.parts[part].trainable_variables,
        loaded.parts[part].trainable_variables))


def test_what_is_measured_in_training_is_of_the_checkpoint(tmp_path):
  run_dir = tmp_path / 'run'
  tiny_runs.train(
      run_dir, 'train.steps = 4', 'batch_norm = True', 'sgd.ema_decay = 0.5',
      'train.checkpoint_every = 2', 'train.score_every = 2',
      'train.validate_every = 2', 'quick.num_samples = 70',
      'classifier.steps = 20')
  def collect():
    rows = run_directory.RunDirectory(run_dir).scores()
    return {(r['step'], r['metric'], r['images']): float(r['value'])
            for r in rows}, len(rows)
  before, number = collect()
  for step in (2, 4):
    pgak.evaluate(run_dir, checkpoint=step)
  after, both = collect()
  assert both > number
  validated = events(run_dir / 'events' / 'validation')['reconstruction']
  batches = data.validation_batches(
      data.digits().split('test'), (-1., 1.), 1)
  for step in (2, 4):
    key = str(step), 'reconstruction_mse', 'reconstructions'
    assert before[key] == pytest.approx(after[key], rel=1e-5)
    found = keras.Model.evaluate(
        pgak.load(run_dir, step), batches, verbose=0, return_dict=True)
    assert validated[step] == pytest.approx(
        float(np.mean(found['reconstruction'])), rel=1e-5)


# === Strategies and memory ===


def test_mirrored_on_one_device_trains(tmp_path):
  schedule = 'train.learning_rate_schedule = @cosine()'
  tiny_runs.train(tmp_path / 'one', 'train.steps = 3', schedule)
  tiny_runs.train(tmp_path / 'mirrored', 'train.steps = 3', schedule,
                  'train.strategy = "mirrored"')
  one, mirrored = (tiny_runs.saved(tmp_path / n, 3)
                   for n in ('one', 'mirrored'))
  for name, value in one.items():
    np.testing.assert_allclose(mirrored[name], value, atol=1e-5, rtol=1e-5,
                               err_msg=name)


@pytest.mark.parametrize('number, replicas, sizes', [
    (297, 1, [297]), (297, 2, [296]), (1000, 1, [500, 500]),
    (1001, 1, [333, 333, 333]), (1001, 2, [332, 332, 332]), (3, 2, [2])])
def test_validation_batches_are_of_one_size(number, replicas, sizes):
  class Images:
    image_shape, split, name = (2, 2, 1), 'test', 'made'

    def __len__(self):
      return number

    def read(self, indices):
      return np.zeros((len(indices), 2, 2, 1), np.uint8)

  batches = data.validation_batches(Images(), (-1., 1.), replicas)
  assert [len(b) for b in batches] == sizes
  with pytest.raises(errors.UserError, match='fewer than the 2000 replicas'):
    data.validation_batches(Images(), (-1., 1.), 2000)


@pytest.mark.slow
def test_memory_does_not_grow_over_a_run(tmp_path):
  class Snapshots(keras.callbacks.Callback):
    taken = []

    def on_train_batch_end(self, batch, logs=None):
      if int(self.model.step.numpy()) in (150, 450):
        self.taken.append(tracemalloc.get_traced_memory()[0])

  original = loop._callbacks
  with pytest.MonkeyPatch.context() as patch:
    patch.setattr(loop, '_callbacks',
                  lambda *args: original(*args) + [Snapshots()])
    tracemalloc.start()
    try:
      tiny_runs.train(
          tmp_path / 'run', 'train.steps = 450', 'train.log_every = 15',
          'train.validate_every = 75', 'train.sample_every = 75',
          'train.checkpoint_every = 75')
    finally:
      tracemalloc.stop()
  early, late = Snapshots.taken
  assert late - early < 500_000

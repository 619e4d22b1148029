"""Tests of training: whole runs of a few steps, in this process."""
import json
import pathlib
import shutil
import tracemalloc

import gin
import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny_runs

import pgak
from pgak import data
from pgak import errors
from pgak.models import batch_norm
from pgak.runs import run_directory
from pgak.training import loop


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
  found, expected = (tiny_runs.saved(d, step) for d in (run_dir, other))
  assert set(found) == set(expected)
  for name, value in expected.items():
    np.testing.assert_array_equal(found[name], value, err_msg=name)


def refused(*arguments, match, **settings):
  with pytest.raises(errors.UserError, match=match) as caught:
    tiny_runs.train(*arguments, **settings)
  return str(caught.value)


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
      'checkpoints', 'config.gin', 'config.json', 'events', 'samples',
      'scores.csv'}
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
  before = content(finished)
  tiny_runs.train(
      finished, 'train.steps = 12', 'train.checkpoint_every = 4',
      'train.keep_checkpoints = 2', 'train.log_every = 3',
      'train.validate_every = 6', 'train.sample_every = 6', files=())
  assert 'is finished: 12 of 12 steps' in capsys.readouterr().out
  after = content(finished)
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
  assert [line.split()[1] for line in out.splitlines()] == [
      '40/120', '80/120', '120/120']
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


# === Resuming ===


# With XLA, noise, averages, moments of two kinds and augmentation.
EXACT = ('train.xla = True', 'train.checkpoint_every = 10',
         'train.log_every = 5', 'train.optimizer = @adam',
         'train.optimizers = {"decoder": @sgd}', 'adam.ema_decay = 0.9',
         'adam.learning_rate = 0.01', 'train.augmenter = @augmenter()')
VAE = ['models/vae.gin']


@pytest.fixture(name='unbroken', scope='module')
def _unbroken(tmp_path_factory):
  path = tmp_path_factory.mktemp('runs') / 'unbroken'
  tiny_runs.train(path, 'train.steps = 20', *EXACT, files=VAE)
  return path


def test_a_resumed_run_ends_where_an_unbroken_one_does(
    unbroken, tmp_path, capsys):
  run_dir = tmp_path / 'run'
  tiny_runs.train(run_dir, 'train.steps = 10', *EXACT, files=VAE)
  assert_same(run_dir, unbroken, 10)
  capsys.readouterr()
  tiny_runs.train(run_dir, 'train.steps = 20', *EXACT, files=VAE)
  out = capsys.readouterr().out
  assert 'step 15/20' in out and 'step 10/20' not in out
  assert_same(run_dir, unbroken, 20)


def test_several_steps_an_execution_and_other_intervals_change_no_weight(
    unbroken, tmp_path):
  tiny_runs.train(
      tmp_path / 'run', 'train.steps = 20', *EXACT,
      'train.steps_per_execution = 5', 'train.validate_every = 5',
      'train.sample_every = 5', 'train.checkpoint_every = 5', files=VAE)
  assert_same(tmp_path / 'run', unbroken, 20)
  assert_same(tmp_path / 'run', unbroken, 10)


@pytest.fixture(name='short', scope='module')
def _short(tmp_path_factory):
  path = tmp_path_factory.mktemp('runs') / 'short'
  tiny_runs.train(path, 'train.steps = 2')
  return path


@pytest.mark.parametrize('binding', [
    'train.seed = 1', 'sgd.momentum = 0.5', 'latent_dim = 4',
    'train.batch_size = 17', 'decoder/sgd.learning_rate = 0.5',
    'train.split = "all"'])
def test_another_setting_is_refused_by_name(short, binding):
  before = content(short)
  name = binding.split(' = ')[0]
  text = refused(short, 'train.steps = 4', binding,
                 match='was trained with other settings')
  assert name in text
  assert content(short) == before


def test_another_model_and_fewer_steps_are_refused(short):
  text = refused(short, 'train.steps = 4', files=['models/vae.gin'],
                 match='was trained with other settings')
  assert 'train.model' in text
  assert 'train.steps' in refused(short, 'train.steps = 1',
                                  match='was trained with other settings')


def test_other_images_are_refused(short, monkeypatch):
  monkeypatch.setattr(data.ImageArray, 'fingerprint', 'other', raising=False)
  config = short / 'config.json'
  kept = config.read_text()
  config.write_text(json.dumps({**json.loads(kept), 'data': {
      **json.loads(kept)['data'], 'fingerprint': 'another'}}))
  try:
    refused(short, 'train.steps = 4', match='on other images of digits')
  finally:
    config.write_text(kept)


def test_intervals_may_change(tmp_path):
  tiny_runs.train(tmp_path / 'run', 'train.steps = 2')
  tiny_runs.train(tmp_path / 'run', 'train.steps = 4',
                  'train.checkpoint_every = 1', 'train.log_every = 1',
                  'train.keep_checkpoints = 9', 'train.score_every = 2',
                  'quick.num_samples = 70', 'classifier.steps = 20')
  run = run_directory.RunDirectory(tmp_path / 'run')
  assert run.checkpoints() == [2, 3, 4]
  assert {r['step'] for r in run.scores()} == {'4'}
  assert 'train.checkpoint_every = 1\n' in run.config_gin


def test_damaged_checkpoints_stop_the_run_and_say_what_to_do(tmp_path):
  run_dir = tmp_path / 'run'
  tiny_runs.train(run_dir, 'train.steps = 2', 'train.checkpoint_every = 1')
  run = run_directory.RunDirectory(run_dir)
  for step in (1, 2):  # One damaged checkpoint is only warned about.
    path = pathlib.Path(run.checkpoint_prefix(step) + '.index')
    path.write_bytes(path.read_bytes()[:40])
  text = refused(run_dir, 'train.steps = 3', match='step-00000002')
  assert 'delete its folder to go on from the one before' in text
  for step in (1, 2):
    shutil.rmtree(pathlib.Path(run.checkpoint_prefix(step)).parent)
  tiny_runs.train(run_dir, 'train.steps = 3')
  assert run.checkpoints() == [3]


def test_a_run_in_use_is_refused(short):
  run = run_directory.RunDirectory(short)
  with run.locked():
    refused(short, 'train.steps = 4', match='in use by another train command')


def test_a_foreign_folder_is_refused(tmp_path):
  (tmp_path / 'thesis.tex').write_text('')
  refused(tmp_path, match='thesis.tex')
  assert [p.name for p in tmp_path.iterdir()] == ['thesis.tex']


# === Faults ===


def test_a_loss_that_is_not_finite_stops_the_run_by_name(tmp_path):
  """The weight of a term is switched on after step 5, and breaks the nets."""
  command = [tmp_path / 'run', 'train.steps = 40', 'train.checkpoint_every = 2',
             'train.log_every = 1', 'train.keep_checkpoints = 99',
             'LPGA.warm_up_steps = 5', 'LPGA.nll_encoder = 1e30']
  text = refused(*command, files=['models/lpga.gin'],
                 match='The loss .*nll_encoder.* was not finite at step 7')
  run = run_directory.RunDirectory(tmp_path / 'run')
  assert run.checkpoints() == [2, 4, 6]
  for step in run.checkpoints():
    assert all(np.all(np.isfinite(v))
               for v in tiny_runs.saved(run.path, step).values())
  # The same command stops there again.
  assert text == refused(*command, files=['models/lpga.gin'], match='step 7')
  assert run.checkpoints() == [2, 4, 6]


def test_a_fault_of_the_last_step_is_not_saved(tmp_path):
  text = refused(tmp_path / 'run', 'train.steps = 2',
                 'sgd.learning_rate = 1e38', 'train.score_every = 2',
                 'classifier.steps = 20', match='not finite')
  assert 'step 1' in text
  run = run_directory.RunDirectory(tmp_path / 'run')
  assert not run.checkpoints() and not run.scores()


# === Settings that do not fit ===


@pytest.mark.parametrize('bindings, match', [
    (['train.strategy = "two"'], "strategy = 'two'` must be 'one_device'"),
    (['train.strategy = "mirrored"', 'train.xla = True'],
     '`train.xla = False`'),
    (['train.strategy = "multi_worker"', 'train.steps_per_execution = 2'],
     '`train.steps_per_execution = 1`'),
    (['train.strategy = "multi_worker"'], 'TF_CONFIG'),
    (['train.steps_per_execution = 3'], '`train.steps = 20` must be'),
    (['train.steps_per_execution = 4'], '`train.log_every = 50` must be'),
    (['train.steps = 0'], '`train.steps = 0` must be'),
    (['train.steps = 1.5'], '`train.steps = 1.5` must be'),
    (['train.keep_checkpoints = 0'], 'train.keep_checkpoints = 0'),
    (['train.checkpoint_every = 0'], '`train.checkpoint_every = 0` must'),
    (['train.log_every = None'], '`train.log_every = None` must'),
    (['train.steps_per_execution = 0'], '`train.steps_per_execution = 0` must'),
    (['train.best_by = "fid"'], "best_by = 'fid'` needs `train.score_every`"),
    (['train.best_by = "validation_loss"', 'train.validate_every = 6',
      'train.checkpoint_every = 4'],
     "best_by = 'validation_loss'` needs `train.validate_every`"),
    (['train.plateau_patience = 0'], '`train.plateau_patience = 0` must be'),
    (['train.plateau_patience = 1', 'train.plateau_factor = 1.'],
     '`train.plateau_factor = 1.0` must be a number above 0'),
    (['train.plateau_patience = 1',
      'train.learning_rate_schedule = @cosine()'],
     '`train.plateau_patience` changes the learning rates'),
    (['train.best_by = "fid"', 'train.score_every = 6',
      'train.checkpoint_every = 4'], 'a multiple of `train.checkpoint_every`'),
    (['image_shape = (16, 16, 1)'], 'image_shape'),
    (['train.split = "trian"'], "no split 'trian'"),
    (['train.validation_split = "tset"'], "no split 'tset'"),
    (['train.batch_size = 2000'], 'fewer than the batch size 2000'),
    (['train.batch_size = 0'], '`train.batch_size = 0` must'),
    (['train.precision = "float8"'],
     "`train.precision = 'float8'` must be 'float32'"),
])
def test_settings_that_do_not_fit_are_refused(
    tmp_path, monkeypatch, bindings, match):
  monkeypatch.delenv('TF_CONFIG', raising=False)
  refused(tmp_path / 'run', 'train.steps = 20', 'train.log_every = 50',
          *bindings, match=match)
  assert not (tmp_path / 'run' / 'checkpoints').exists()


def test_images_of_another_shape_are_refused(tmp_path):
  text = refused(tmp_path / 'run', 'image_shape = (8, 8, 3)',
                 match='digits has images of')
  assert '(8, 8, 1)' in text and '(8, 8, 3)' in text


def test_a_best_score_that_is_not_measured_is_named(tmp_path):
  refused(tmp_path / 'run', 'train.steps = 1', 'train.score_every = 1',
          'train.checkpoint_every = 1', 'train.best_by = "fid"',
          'quick.num_samples = 70', 'classifier.steps = 20',
          match='frechet_digits_classifier')


def test_weights_that_are_not_finite_are_not_saved(tmp_path):
  # The loss is about 1e29, and so is its gradient, which a step magnifies.
  refused(tmp_path / 'run', 'train.steps = 9', 'sgd.learning_rate = 1e30',
          'RAE.latent_l2 = 1e30', 'train.checkpoint_every = 1',
          'train.log_every = 9', files=['models/rae.gin'],
          match='A weight of the .* was not finite at step 1')
  assert not run_directory.RunDirectory(tmp_path / 'run').checkpoints()


def test_a_required_setting_is_named(tmp_path):
  gin.parse_config('train.model = @AE')
  with pytest.raises((RuntimeError, errors.UserError), match='dataset'):
    loop.train(tmp_path / 'run')


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


# === The plateau and the best checkpoint by validation ===

# A rate at which the loss rises: at every validation but the first.
RISING = ('train.validate_every = 2', 'train.checkpoint_every = 2',
          'train.plateau_patience = 2', 'train.best_by = "validation_loss"',
          'sgd.learning_rate = 200.', 'sgd.momentum = 0.',
          'train.validation_split = "test"')


def _rate(model):
  return [float(o.learning_rate) for o in model.optimizers.values()]


def test_a_plateau_halves_the_rates_and_resumes_where_it_was(tmp_path):
  whole = tiny_runs.train(tmp_path / 'whole', 'train.steps = 10', *RISING)
  assert all(r < 200. for r in _rate(whole))
  for steps in (4, 6, 10):
    model = tiny_runs.train(tmp_path / 'parts', f'train.steps = {steps}',
                            *RISING)
  assert _rate(model) == _rate(whole)
  assert_same(tmp_path / 'parts', tmp_path / 'whole', 10)


def test_the_best_checkpoint_by_the_validation_loss(tmp_path):
  tiny_runs.train(tmp_path / 'run', 'train.steps = 8', *RISING)
  run = run_directory.RunDirectory(tmp_path / 'run')
  best = run.best
  assert best['metric'] == 'validation_loss' and best['step'] < 8
  assert best['step'] in run.checkpoints()
  events = tf.compat.v1.train.summary_iterator(
      str(next((tmp_path / 'run' / 'events' / 'validation').iterdir())))
  logged = {e.step: float(tf.make_ndarray(v.tensor)) for e in events
            for v in e.summary.value if v.tag == 'loss'}
  assert set(logged) == {2, 4, 6, 8}
  assert best['value'] == pytest.approx(min(logged.values()))
  assert best['step'] == min(logged, key=logged.get)

"""Tests of what happens every N steps; whole runs are in training_test."""
import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny_models

from pgak import errors
from pgak.generation import sampling
from pgak.pictures import png
from pgak.runs import run_directory
from pgak.training import callbacks
from pgak.training import galleries
from pgak.training import intervals


class Model:
  """Counts steps; a fault can be set."""

  steps_per_execution = 1

  def __init__(self):
    self.step = tf.Variable(0, dtype=tf.int64)
    self.found = None
    self.parts = {}

  def fault(self):
    return self.found


def at_every(number, last_step=None):
  """Returns intervals of which each has so many steps."""
  return intervals.Intervals(last_step, *[number] * 5)


def drive(callback, model, steps, logs=None):
  """Calls a callback as `fit` does, step by step, from the model's step."""
  callback.set_model(model)
  callback.on_train_begin()
  for _ in range(steps):
    model.step.assign_add(model.steps_per_execution)
    callback.on_train_batch_end(0, logs)
  return callback


class Recorder(callbacks.EveryNSteps):

  def at_step(self, step, logs):
    self.__dict__.setdefault('seen', []).append(step)


@pytest.mark.parametrize('every, last_step, seen', [
    (3, 8, [3, 6, 8]), (4, 8, [4, 8]), (10, 8, [8]), (3, None, [3, 6]),
    (None, 8, None)])
def test_every_n_steps_and_at_the_last(every, last_step, seen):
  recorder = drive(Recorder(every, last_step), Model(), 8)
  assert getattr(recorder, 'seen', None) == seen


def test_steps_are_those_of_the_model_and_not_of_the_command():
  model = Model()
  model.step.assign(10)
  assert drive(Recorder(4, 17), model, 7).seen == [12, 16, 17]


def test_several_steps_an_execution():
  model = Model()
  model.steps_per_execution = 5
  assert drive(Recorder(10, 25), model, 5).seen == [10, 20, 25]


def test_a_fault_names_step_and_terms():
  model = Model()
  callbacks.stop_on_fault(model)
  model.found = (7, ['kl', 'reconstruction'])
  with pytest.raises(errors.UserError,
                     match='kl and reconstruction was not finite at step 7'):
    callbacks.stop_on_fault(model)
  with pytest.raises(errors.UserError, match='step 7'):
    drive(callbacks.StopOnFault(at_every(2)), model, 2)


@pytest.fixture(name='folders')
def _folders(tmp_path):
  (tmp_path / 'samples').mkdir()
  return tmp_path / 'samples', tmp_path / 'events'


@pytest.mark.parametrize('number', [1, 2, 3, 5, 16, 40])
def test_galleries_of_any_number_of_images(folders, number):
  images = np.random.default_rng(0).integers(
      0, 256, (number, *tiny_models.IMAGE_SHAPE), np.uint8)
  model = tiny_models.compiled('AE')
  gallery = galleries.Galleries(at_every(1), images, *folders, seed=0)
  gallery.set_model(model)
  gallery.at_step(1, {})
  assert len(list(folders[0].iterdir())) == 3


def test_an_ae_is_shown_by_a_gaussian_of_its_latents(folders, capsys):
  images = Images()
  files = []
  for name in ('AE', 'VAE'):
    model = tiny_models.compiled(name)
    gallery = galleries.Galleries(
        at_every(1), images.images, *folders, seed=3, train_images=images)
    gallery.set_model(model)
    gallery.on_train_begin()
    gallery.at_step(1, {})
    files.append((folders[0] / 'samples_00000001.png').read_bytes())
    gallery.on_train_begin()  # As at the next stage of a run.
    told = capsys.readouterr().out.count('ae is not trained towards its')
    assert told == (name == 'AE')
    prior = sampling.gaussian(model, images) if told else model.prior
    np.testing.assert_array_equal(
        tf.io.decode_png(files[-1]),
        sampling.sample_picture(model, seed=3, prior=prior))
  assert 'Gaussian fitted to the latents' in png.description(files[0])
  assert png.description(files[1]) == 'samples of standard_normal'
  lines = (folders[0] / 'interpolations_00000001.png').read_bytes()
  assert png.description(lines) == ''


def test_what_is_not_finite_has_no_gallery(folders):
  model = tiny_models.compiled('AE')
  gallery = galleries.Galleries(at_every(1), Images().images, *folders, seed=0)
  gallery.set_model(model)
  variable = model.encoder.trainable_variables[0]
  variable.assign(np.full(variable.shape, np.nan))
  with pytest.raises(errors.UserError, match='weight of the encoder'):
    gallery.at_step(1, {})
  model.faults.assign(np.ones(model.faults.shape))
  with pytest.raises(errors.UserError, match='The loss .* was not finite'):
    gallery.at_step(1, {})


def test_galleries_repeat(folders):
  images = np.zeros((4, *tiny_models.IMAGE_SHAPE), np.uint8)
  gallery = galleries.Galleries(at_every(1), images, *folders, seed=3)
  gallery.set_model(tiny_models.compiled('VAE'))
  for step in (1, 2):
    gallery.at_step(step, {})
  for name in ('samples', 'reconstructions', 'interpolations'):
    first, second = (folders[0] / f'{name}_{s:08d}.png' for s in (1, 2))
    assert first.read_bytes() == second.read_bytes()


class Images:

  def __init__(self, number=20):
    self.images = np.random.default_rng(0).integers(
        0, 256, (number, *tiny_models.IMAGE_SHAPE), np.uint8)

  def __len__(self):
    return len(self.images)

  def read(self, indices):
    return self.images[indices]


@pytest.fixture(name='run')
def _run(tmp_path):
  made = run_directory.RunDirectory(tmp_path / 'run', create=True)
  made.write_config('', {})
  made.events.mkdir()
  return made


def checkpointer(run, model, scores=None, keep=2):
  saved = []

  def save(step):
    saved.append(step)
    with run.writing_checkpoint(step) as prefix:
      open(prefix, 'w', encoding='utf-8').close()

  made = callbacks.Checkpointer(
      at_every(1), save, run, keep, scores, 'fid' if scores else None)
  made.set_model(model)
  return made, saved


class Measured:
  """Stands for `Scores`."""

  def __init__(self):
    self.latest = {}
    self.measured_at = None


def test_the_lowest_score_marks_the_best(run):
  scores = Measured()
  made, saved = checkpointer(run, tiny_models.compiled('AE'), scores)
  values = {0: float('nan'), 1: 5., 2: 3., 3: 4., 4: float('nan'), 5: 3.5}
  for step, value in values.items():
    scores.latest = {'fid': value, 'other': -step}
    scores.measured_at = step
    made.at_step(step, {})
    assert (run.best is None) == (step == 0)
  assert saved == [0, 1, 2, 3, 4, 5]
  assert run.best == {'step': 2, 'metric': 'fid', 'value': 3.}
  assert run.checkpoints() == [2, 4, 5]


def test_a_score_of_another_step_marks_nothing(run):
  scores = Measured()
  made, _ = checkpointer(run, tiny_models.compiled('AE'), scores)
  scores.latest, scores.measured_at = {'fid': 1.}, 6
  made.at_step(8, {})
  assert run.best is None
  made.at_step(6, {})
  assert run.best['step'] == 6


def test_a_best_checkpoint_by_another_measure_is_not_compared(run):
  run.write_best(1, 'validation_loss', 0.05)
  scores = Measured()
  made, _ = checkpointer(run, tiny_models.compiled('AE'), scores)
  for step, value in ((2, 3.), (3, 4.)):
    scores.latest, scores.measured_at = {'fid': value}, step
    made.at_step(step, {})
  assert run.best == {'step': 2, 'metric': 'fid', 'value': 3.}


def test_a_best_score_that_is_no_number_is_beaten(run):
  # Until version 0.13 a first one was marked.
  run.write_best(1, 'fid', float('nan'))
  scores = Measured()
  made, _ = checkpointer(run, tiny_models.compiled('AE'), scores)
  scores.latest, scores.measured_at = {'fid': 7.}, 2
  made.at_step(2, {})
  assert run.best == {'step': 2, 'metric': 'fid', 'value': 7.}


def test_no_score_marks_nothing(run):
  made, _ = checkpointer(run, tiny_models.compiled('AE'), None)
  made.at_step(1, {})
  assert run.best is None


def test_a_weight_that_is_not_finite_is_never_saved(run):
  model = tiny_models.compiled('AE')
  made, saved = checkpointer(run, model)
  variable = model.decoder.trainable_variables[0]
  values = variable.numpy()
  values[0, 0] = np.nan
  variable.assign(values)
  with pytest.raises(errors.UserError, match='weight of the decoder'):
    made.at_step(1, {})
  assert not saved and not run.checkpoints()


def test_scores_are_written_and_a_missing_best_is_named(run):
  row = dict(dict.fromkeys(run_directory.SCORE_COLUMNS, 'x'), metric='fid')
  model = tiny_models.compiled('AE')
  def measure(measured, step):
    assert measured is model
    return [dict(row, step=step, value=step / 2.)]
  scores = callbacks.Scores(at_every(1), measure, run, best_by='fid')
  scores.set_model(model)
  scores.at_step(3, {})
  assert scores.latest == {'fid': 1.5}
  assert [(r['step'], r['value']) for r in run.scores()] == [('3', '1.5')]
  wrong = callbacks.Scores(at_every(1), measure, run, best_by='kid')
  wrong.set_model(model)
  with pytest.raises(errors.UserError, match="'kid'.*'fid'"):
    wrong.at_step(4, {})
  # A worker that is not the chief measures and writes nothing.
  silent = callbacks.Scores(at_every(1), measure, None)
  silent.set_model(model)
  silent.at_step(5, {})
  assert len(run.scores()) == 1


@pytest.mark.parametrize('order', [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
def test_a_score_of_samples_marks_the_best_whatever_else_is_measured(
    run, order):
  rows = [dict(dict.fromkeys(run_directory.SCORE_COLUMNS, 'x'), metric='fid',
               images=images, value=value) for images, value in (
                   ('samples', 3.), ('reconstructions', 1.), ('data', 2.))]
  scores = callbacks.Scores(
      at_every(1), lambda *unused: [rows[i] for i in order],
                            run, best_by='fid')
  scores.set_model(tiny_models.compiled('AE'))
  scores.at_step(3, {})
  assert scores.latest == {'fid': 3.}


def averaging():
  """Returns a model whose weights have moved, and the averages of them."""
  model = tiny_models.make('AE')
  model.compile({part: keras.optimizers.SGD(
      0.5, use_ema=True, ema_momentum=0.5) for part in model.parts})
  for _ in range(3):
    model.train_step(tiny_models.images())
  return model, [
      average.numpy() for part, optimizer in model.optimizers.items()
      for average, _ in zip(optimizer._model_variables_moving_average,
                            model.parts[part].trainable_variables, strict=True)]


@pytest.mark.parametrize('name', ['validation', 'galleries', 'scores'])
def test_what_is_measured_and_shown_is_of_the_averaged_weights(
    run, folders, monkeypatch, name):
  model, averages = averaging()
  seen = []

  def weights():
    return [v.numpy() for part in model.parts.values()
            for v in part.trainable_variables]

  def look(*unused, **unused_too):
    seen.append(weights())
    return []

  if name == 'validation':
    monkeypatch.setattr(keras.Model, 'evaluate', lambda *a, **k: look() or {})
    callback = callbacks.TermLogger(at_every(1), None, None)
  elif name == 'galleries':
    callback = galleries.Galleries(
        at_every(1), Images().images, *folders, seed=0)
    callback.pictures = lambda: look() or {}
  else:
    callback = callbacks.Scores(at_every(1), look, run)
  own = weights()
  callback.set_model(model)
  callback.at_step(1, {})
  found, = seen
  for average, value, weight in zip(averages, found, own, strict=True):
    np.testing.assert_array_equal(value, average)
    assert np.any(value != weight)
  # Training goes on with its own.
  for before, after in zip(own, weights(), strict=True):
    np.testing.assert_array_equal(before, after)


def test_scores_of_a_broken_model_are_not_taken(run):
  model = Model()
  model.found = (2, ['kl'])
  scores = callbacks.Scores(at_every(1), None, run)
  scores.set_model(model)
  with pytest.raises(errors.UserError, match='kl was not finite'):
    scores.at_step(2, {})


def test_the_rates_are_halved_when_the_loss_stands_still():
  model = tiny_models.compiled('AE', learning_rate=0.8)
  validated = Measured()
  record = tf.Variable([np.inf, 0.])
  plateau = callbacks.Plateau(
      at_every(1), validated, record, patience=2, factor=0.5)
  plateau.set_model(model)
  rates = []
  # Down, up, none (2 without a lower one: halved), up, no lower than the
  # first (halved), down, equal, equal.
  for step, loss in enumerate([5., 6., np.nan, 7., 6.5, 4., 4., 4.]):
    validated.latest = {'validation_loss': loss}
    plateau.at_step(step, {})
    rates.append([float(o.learning_rate) for o in model.optimizers.values()])
  np.testing.assert_allclose(
      rates, np.repeat([[.8], [.8], [.4], [.4], [.2], [.2], [.2], [.1]], 2, 1),
      rtol=1e-6)
  np.testing.assert_array_equal(record.numpy(), [4., 0.])

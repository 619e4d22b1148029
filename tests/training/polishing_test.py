"""Polishing of the decoder, after training."""
import contextlib
import shutil
import types
import zipfile

import gin
import numpy as np
import pytest
import tensorflow as tf
import tiny_models
import tiny_runs

import pgak
from pgak import data
from pgak import errors
from pgak import noise
from pgak import registry
from pgak import schedules
from pgak import training
from pgak.models import polished
from pgak.networks import image_errors
from pgak.priors import ex_post
from pgak.runs import checkpoints
from pgak.runs import configuration
from pgak.runs import polish_latents
from pgak.runs import polishing
from pgak.runs import run_directory
from pgak.training import stages

SETTINGS = ('polish.steps = 4', 'polish.noise = 0.2', 'batch_norm = True',
            'train.checkpoint_every = 2', 'train.log_every = 2',
            'train.keep_checkpoints = 9', 'sgd.ema_decay = 0.5',
            'train.learning_rate_schedule = @cosine()')


def train(path, *more):
  return tiny_runs.train(path, 'train.steps = 4', *SETTINGS, *more)


@pytest.fixture(name='unbroken', scope='module')
def _unbroken(tmp_path_factory):
  path = tmp_path_factory.mktemp('runs') / 'ae'
  train(path)
  return path


def part(path, step, name):
  """Weights, state, optimizer and averages of a part in a checkpoint."""
  return {n: v for n, v in tiny_runs.saved(path, step).items()
          if n.startswith((f'model/{name}/', f'model/{name}_optimizer/'))}


def differ(first, second):
  return [n for n, v in first.items() if not np.array_equal(v, second[n])]


@pytest.mark.slow
def test_only_the_decoder_learns(unbroken):
  assert not differ(part(unbroken, 4, 'encoder'), part(unbroken, 8, 'encoder'))
  assert len(differ(part(unbroken, 4, 'decoder'),
                    part(unbroken, 8, 'decoder'))) > 10


@pytest.mark.slow
def test_a_run_resumes_while_it_is_polished(unbroken, tmp_path):
  path = tmp_path / 'run'
  shutil.copytree(unbroken, path)
  shutil.rmtree(path / 'checkpoints' / 'step-00000008')
  train(path)
  found, expected = (tiny_runs.saved(p, 8) for p in (path, unbroken))
  assert set(found) == set(expected)
  for name, value in expected.items():
    np.testing.assert_allclose(found[name], value, rtol=1e-5, atol=1e-6,
                               err_msg=name)


@pytest.mark.slow
def test_a_finished_run_may_be_polished_afterwards(tmp_path):
  path = tmp_path / 'run'
  train(path, 'polish.steps = 0')
  model = train(path, 'polish.noise = 0.3')
  assert int(model.step.numpy()) == 8
  tiny_runs.refused(path, 'train.steps = 4', *SETTINGS, 'polish.noise = 0.4',
                    match='other settings of polish.noise')


def test_a_run_that_is_being_polished_is_not_trained_on(tmp_path):
  path = tmp_path / 'run'
  short = SETTINGS[1:]
  tiny_runs.train(path, 'train.steps = 2.', 'polish.steps = 2', *short)
  before = tiny_runs.content(path)
  tiny_runs.refused(path, 'train.steps = 6', 'polish.steps = 2', *short,
                    match='polished since step 2.*give `train.steps = 2')
  assert tiny_runs.content(path) == before
  tiny_runs.train(path, 'train.steps = 2', 'polish.steps = 4', *short)
  assert run_directory.RunDirectory(path).checkpoints() == [2, 4, 6]


def test_nor_by_steps_that_are_an_argument(tmp_path):
  for steps in (2, 4):
    tiny_runs.parse('polish.steps = 2', *SETTINGS[1:])
    with (pytest.raises(errors.UserError, match='polished since step 2 ')
          if steps == 4 else contextlib.nullcontext()):
      training.train(tmp_path / 'run', steps=steps, sample_every=None)
    gin.clear_config()


def test_a_run_that_is_not_polished_yet_is_trained_on(tmp_path):
  path = tmp_path / 'run'
  short = SETTINGS[1:]
  tiny_runs.train(path, 'train.steps = 2', 'polish.steps = 0', *short)
  tiny_runs.train(path, 'train.steps = 4', 'polish.steps = 2', *short)
  shutil.rmtree(path / 'checkpoints' / 'step-00000006')
  tiny_runs.train(path, 'train.steps = 6', 'polish.steps = 2', *short)
  assert run_directory.RunDirectory(path).checkpoints() == [2, 4, 6, 8]


@pytest.mark.slow
def test_a_loaded_model_has_the_polished_rate(unbroken):
  model = checkpoints.load(unbroken)
  # 0.3 of 0.1, and 1 % of that at the end.
  assert float(model.optimizers['decoder'].learning_rate) == pytest.approx(
      3e-4, rel=1e-4)


@pytest.mark.parametrize('step, rate', [
    (0, 1.), (50, 0.505), (99, 0.01), (100, 0.5), (110, 0.2525),
    (120, 0.005)])
def test_the_rate_begins_anew(step, rate):
  factor = polishing.over_all_steps(
      schedules.cosine(), 100, polishing.Polishing(20, 0.1, 0.5))
  assert float(factor(step / 120)) == pytest.approx(rate, abs=3e-4)


def test_without_polishing_the_schedule_is_the_one_that_was_given():
  assert polishing.over_all_steps(None, 100, polishing.Polishing(0)) is None


def test_a_step_descends_the_error_of_the_given_latents():
  model = tiny_models.compiled('AE', learning_rate=0.5)
  model.enter_stage(polished.POLISH)
  images = tf.constant(tiny_models.images())
  latents = tf.random.stateless_normal([7, 3], [0, 1])
  with tf.GradientTape() as tape:
    error = tf.reduce_mean(tf.square(images - model.decoder(latents)))
  weights = [v.value for v in model.decoder.trainable_variables]
  expected = [w - 0.5 * g for w, g in zip(weights, tape.gradient(
      error, weights))]
  logs = model.train_step((images, latents))
  assert float(logs['reconstruction']) == pytest.approx(float(error), rel=1e-5)
  for found, value in zip(model.decoder.trainable_variables, expected):
    np.testing.assert_allclose(found.numpy(), value, rtol=1e-5, atol=1e-6)


def test_the_decoder_is_polished_as_the_model_decodes():
  # AGE puts the latents on the sphere: a factor changes nothing.
  images = tf.constant(tiny_models.images())
  latents = tf.constant(np.random.default_rng(0).normal(
      size=(7, tiny_models.LATENT_DIM)), images.dtype)
  ends = []
  for factor in (1., 3.):
    model = tiny_models.compiled('AGE')
    model.enter_stage(polished.POLISH)
    model.train_step((images, factor * latents))
    ends.append(tiny_models.values(model.decoder))
  np.testing.assert_allclose(*ends, rtol=1e-4, atol=1e-6)


def test_polishing_may_have_an_error_of_its_own():
  model = tiny_models.compiled('AE')
  model.polishing_error = lambda images, decoded: tf.reduce_mean(
      tf.abs(images - decoded), [1, 2, 3])
  images = tf.constant(tiny_models.images())
  latents = tf.random.stateless_normal([7, 3], [0, 1])
  expected = float(tf.reduce_mean(tf.abs(images - model.decoder(latents))))
  model.enter_stage(polished.POLISH)
  logs = model.train_step((images, latents))
  assert float(logs['reconstruction']) == pytest.approx(expected, rel=1e-5)


def test_the_error_of_polishing_is_a_setting_and_has_the_range_of_the_images():
  configuration.parse(['quickstart.gin'], [
      'polish.steps = 2', 'polish.image_error = @MixedError()',
      'MixedError.terms = (@SquaredError(), @SSIMError())',
      'MixedError.weights = (1., 0.1)'], roots=registry.train_roots)
  model = checkpoints.build(**checkpoints.build_settings() | {
      'polishing': polishing.configured()})
  assert model.polishing_error.weights == (1., 0.1)
  assert model.polishing_error.terms[1].value_range == model.value_range
  assert model.image_error is type(model).image_error


@gin.register(module='tests')
class OnceError(image_errors.SquaredError):
  """One that is not made again, as without a file that it reads."""
  made = 0

  def __init__(self):
    super().__init__()
    OnceError.made += 1
    if OnceError.made > 1:
      raise errors.UserError('There is no net of this error here.')


def test_a_run_is_loaded_without_the_error_of_polishing(tmp_path):
  OnceError.made = 0
  tiny_runs.train(tmp_path / 'run', 'train.steps = 2', *SETTINGS,
                  'polish.steps = 2', 'polish.image_error = @tests.OnceError()')
  packed = pgak.pack(tmp_path / 'run', tmp_path / 'me.zip')
  for path in (tmp_path / 'run', packed):
    assert int(pgak.load(path).step.numpy()) == 4
  assert OnceError.made == 1


def test_what_is_beside_the_images_is_theirs():
  array = data.digits().split('test')
  batches = data.train_batches(
      array, 8, seed=3, start_step=2, beside=lambda i, step: i + 1000 * step)
  images, beside = next(iter(batches))
  expected = next(iter(data.train_batches(array, 8, seed=3, start_step=2)))
  np.testing.assert_array_equal(images, expected)
  read = array.read(beside.numpy() - 2000)
  np.testing.assert_allclose(images, read / 127.5 - 1., atol=1e-6)


class Images:
  """Eight images in memory."""
  pixels = np.arange(48, dtype=np.uint8).reshape(8, *tiny_models.IMAGE_SHAPE)

  def __len__(self):
    return 8

  def read(self, indices):
    return self.pixels[indices]


def test_the_noise_is_in_standard_deviations_of_the_training_latents():
  model = tiny_models.compiled('AE')
  latents = model.encode(Images.pixels).numpy()
  indices = tf.constant([5, 1, 1])
  exact, moved, other = (
      polish_latents.made(model, Images(), polishing.Polishing(1, size), 3)(
          indices, step) for size, step in ((0., 2), (0.5, 2), (0.5, 4)))
  np.testing.assert_allclose(exact, latents[[5, 1, 1]], rtol=1e-6)
  normal = noise.normal([3, 3], noise.seed(3, 2, 'polish'))
  np.testing.assert_allclose((moved - exact) / latents.std(0), 0.5 * normal,
                             rtol=1e-3, atol=1e-4)
  assert np.abs(moved - other).min() > 0.


class Near:
  """A density that moves a latent by its seed."""
  name = 'near'
  can = frozenset()

  def __init__(self, latent_dim):
    self.latent_dim = latent_dim

  def sample(self, n, seed=0):
    raise NotImplementedError

  def near(self, latents, seed, time):
    return tf.constant(latents) + 10. * (seed + 1) + time


def test_half_of_the_latents_are_as_the_density_moves_them():
  model = tiny_models.compiled('AE')
  latents = model.encode(Images.pixels).numpy()
  settings = polishing.Polishing(1, 0.5, density=Near, time=0.25)
  own = model.prior
  at = polish_latents.made(model, Images(), settings, 3)
  assert model.prior is own
  indices = tf.constant([5, 1, 1, 0, 2, 7, 4, 3] * 4, tf.int64)
  found = at(indices, 2).numpy()
  noisy = polish_latents.made(model, Images(), polishing.Polishing(1, 0.5), 3)(
      indices, 2)
  np.testing.assert_allclose(found[16:], noisy[16:], rtol=1e-6)
  # Two draws, of the seeds 6 and 7.
  shifts = (found - latents[indices])[:16]
  kinds = {round(float(row.mean()), 3) for row in shifts}
  assert kinds == {70.25, 80.25}
  np.testing.assert_allclose(
      shifts, np.broadcast_to(shifts.mean(1, keepdims=True), shifts.shape),
      atol=1e-4)
  assert np.any(found[:16] != at(indices, 3).numpy()[:16])


FLOW = ('polish.density = @FlowMatching', 'FlowMatching.steps = 20',
        'FlowMatching.width = 8', 'FlowMatching.blocks = 1')


@pytest.mark.slow
def test_the_density_of_polishing_is_the_one_that_evaluate_takes(
    tmp_path, capfd, monkeypatch):
  path = tmp_path / 'run'
  train(path, *FLOW)
  assert 'flow_matching is being fitted' in capfd.readouterr().err
  (kept,) = (path / 'densities').iterdir()
  assert '-step4-' in kept.name
  model = checkpoints.load(path, prior='flow_matching')
  assert model.prior.is_fitted and model.prior.width == 8
  assert 'being fitted' not in capfd.readouterr().err
  # Who is given the run need not fit it.
  shutil.copytree(path, tmp_path / 'new')
  for density in (tmp_path / 'new' / 'densities').glob('*-step8-*'):
    density.unlink()
  packed = pgak.pack(tmp_path / 'new', tmp_path / 'me.zip')
  with monkeypatch.context() as patch:
    patch.setattr(ex_post, 'encode', None)
    assert pgak.load(packed, prior='flow_matching').prior.is_fitted
  with zipfile.ZipFile(packed) as file:
    assert b'step 8 of 4 and 4 of polishing' in file.read('MODEL_CARD.md')
  # What it learns differs from polishing by noise alone.
  other = tmp_path / 'other'
  train(other)
  assert not differ(part(path, 8, 'encoder'), part(other, 8, 'encoder'))
  assert differ(part(path, 8, 'decoder'), part(other, 8, 'decoder'))
  # A resumed run reads it, and ends as the undisturbed one.
  again = tmp_path / 'again'
  shutil.copytree(path, again)
  shutil.rmtree(again / 'checkpoints' / 'step-00000008')
  train(again, *FLOW)
  assert 'being fitted' not in capfd.readouterr().err
  expected = tiny_runs.saved(path, 8)
  for name, value in tiny_runs.saved(again, 8).items():
    np.testing.assert_allclose(value, expected[name], rtol=1e-5, atol=1e-6,
                               err_msg=name)
  tiny_runs.refused(path, 'train.steps = 4', *SETTINGS, *FLOW,
                    'FlowMatching.width = 9',
                    match='other settings of FlowMatching.width')


@pytest.mark.parametrize('model, settings, match', [
    ('ae', ('polish.density = @GaussianMixture',),
     'density` is gmm, which has no samples near given latents'),
    ('ae', ('train.plateau_patience = 1',
            'train.learning_rate_schedule = None'),
     'plateau_patience.* changes the learning rates, and so does polishing'),
    ('ae', ('train.steps_per_execution = 4', 'train.steps = 6',
            'polish.steps = 2', 'train.checkpoint_every = 4',
            'train.log_every = 4'), '`train.steps = 6` must be a multiple'),
    ('ae', ('train.steps_per_execution = 2', 'polish.steps = 3'),
     '`polish.steps = 3` must be a multiple'),
    ('sn_gan', (), 'cannot be polished')])
def test_what_cannot_be_polished_is_refused(tmp_path, model, settings, match):
  tiny_runs.refused(tmp_path / 'run', *SETTINGS, 'train.steps = 4', *settings,
                    files=(f'models/{model}.gin',), match=match)
  # Before the hours of training.
  assert not (tmp_path / 'run' / 'checkpoints').exists()


def test_a_density_of_several_processes_is_refused():
  model = tiny_models.compiled('AE')
  worker = types.SimpleNamespace(cluster_resolver=object())

  class Worker:
    distribute_strategy = worker

    def __getattr__(self, name):
      return getattr(model, name)

  one, other = (polishing.Polishing(1, density=d) for d in (None, Near))
  stages.check(Worker(), 4, one, None, 1)
  with pytest.raises(errors.UserError, match='is fitted by one process'):
    stages.check(Worker(), 4, other, None, 1)

"""Tests of building, saving and loading models."""
import pathlib

import gin
import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny_models
import tiny_runs

import pgak
from pgak import errors
from pgak import networks
from pgak import optimizers
from pgak import schedules
from pgak.runs import checkpoints
from pgak.runs import configuration
from pgak.runs import polishing
from pgak.runs import run_directory


def sgd(**settings):
  return lambda: optimizers.sgd(0.1, **settings)


def build(name='AE', optimizer=None, **settings):
  return checkpoints.build(lambda: tiny_models.make(name),
                           optimizer or sgd(), **settings)


def steps(model, number, xla=False):
  train = tf.function(model.train_step, jit_compile=xla)
  images = tf.constant(tiny_models.images())
  for _ in range(number):
    train(images)
  return model


def state(model):
  """Returns all variables that a checkpoint is to hold."""
  variables = list(model.variables)
  for optimizer in model.optimizers.values():
    variables += optimizer.variables
  return [np.array(v.numpy()) for v in variables]


@pytest.fixture(name='run')
def _run(tmp_path):
  return run_directory.RunDirectory(tmp_path / 'run', create=True)


@pytest.fixture(name='trained', scope='module')
def _trained(tmp_path_factory):
  """A finished run with weight averages."""
  path = tmp_path_factory.mktemp('runs') / 'trained'
  tiny_runs.train(path, 'train.steps = 12', 'train.checkpoint_every = 6',
                  'sgd.ema_decay = 0.5')
  return path


# === Building ===


def test_the_seed_decides_the_weights():
  def make():
    return tiny_models.models.AE(tiny_models.encoder(), tiny_models.decoder())
  first, same, other = (
      checkpoints.build(make, sgd(), seed=seed) for seed in (3, 3, 4))
  values = [np.concatenate([tiny_models.values(p) for p in m.parts.values()])
            for m in (first, same, other)]
  np.testing.assert_array_equal(values[0], values[1])
  assert np.abs(values[0] - values[2]).max() > 0.1


def test_parts_have_their_own_optimizers():
  gin.parse_config('encoder/sgd.momentum = 0.25')
  model = checkpoints.build(
      lambda: tiny_models.make('AE'), lambda: gin.get_configurable(
          optimizers.sgd)(learning_rate=0.5),
      optimizers={'decoder': optimizers.adam})
  assert float(model.optimizers['encoder'].momentum) == 0.25
  assert isinstance(model.optimizers['decoder'], keras.optimizers.Adam)


def test_the_schedule_follows_the_share_of_the_run():
  model = build(learning_rate_schedule=schedules.cosine(0.5), steps=4)
  optimizer = model.optimizers['encoder']
  rates = []
  for _ in range(5):
    rates.append(float(optimizer.learning_rate))
    steps(model, 1)
  np.testing.assert_allclose(
      rates, 0.1 * np.array([1., 0.9267767, 0.75, 0.5732233, 0.5]), rtol=1e-6)


def test_settings_that_do_not_fit_are_one_sentence():
  def stochastic_for_lpga():
    return tiny_models.models.LPGA(tiny_models.encoder(log_variance=True),
                                   tiny_models.decoder())
  with pytest.raises(errors.UserError, match='LPGA needs an encoder'):
    checkpoints.build(stochastic_for_lpga, sgd())
  assert keras.config.dtype_policy().name == 'float32'


@pytest.mark.parametrize('name', ['LPGA', 'LVPGA'])
def test_no_tensor_float_32_where_it_loses_a_term(name):
  tf.config.experimental.enable_tensor_float_32_execution(True)
  build(name)
  assert not tf.config.experimental.tensor_float_32_execution_enabled()


@pytest.mark.parametrize('name', ['AE', 'VAE', 'VPGA', 'LPGA', 'LVPGA'])
def test_low_precision_trains(name):
  model = steps(build(name, precision='mixed_bfloat16'), 1)
  dense = next(layer for layer in model.encoder.layers if layer.weights)
  assert dense.compute_dtype == 'bfloat16'
  assert model.encoder.outputs[0].dtype == 'float32'
  assert model.decoder.trainable_variables[0].dtype == 'float32'
  assert keras.config.dtype_policy().name == 'float32'
  assert np.all(np.isfinite(tiny_models.values(model.encoder)))


def test_low_precision_trains_a_normalised_critic():
  def make():
    return tiny_models.make('AAE', critic=networks.latent_critic(
        tiny_models.LATENT_DIM, 4, 1, spectral_norm=True))
  model = checkpoints.build(make, sgd(), precision='mixed_bfloat16')
  assert model.critic.outputs[0].dtype == 'float32'
  steps(model, 1)
  assert model.fault() is None


def test_an_error_of_images_that_only_polishing_reads():
  error = networks.HuberError()
  with pytest.warns(UserWarning, match='ALAE compares images'):
    build('ALAE', image_error=error)
  model = build('ALAE', image_error=error,
                polishing=polishing.Polishing(steps=2))
  assert model.polishing_error is error
  assert error.value_range == (-1., 1.)


# === Saving ===


@pytest.mark.parametrize('optimizer', [
    sgd(), pytest.param(sgd(ema_decay=0.9), marks=pytest.mark.slow),
    lambda: optimizers.adam(ema_decay=0.9)])
def test_all_state_is_saved(run, optimizer):
  model = steps(build('VPGA', optimizer), 3)
  checkpoints.save(model, run, 3)
  other = build('VPGA', optimizer, seed=5)
  checkpoints.restore(other, run, 3)
  for saved, restored in zip(state(model), state(other), strict=True):
    np.testing.assert_array_equal(saved, restored)
  assert int(other.step) == 3
  # The next step is the same, too. Without XLA threads add up in any order, and
  # where a gradient is near 0, Adam makes much of its last bit.
  other.seed = model.seed
  for one, two in zip(state(steps(model, 1, xla=True)),
                      state(steps(other, 1, xla=True)), strict=True):
    np.testing.assert_array_equal(one, two)


def test_a_worker_that_is_not_the_chief_writes_nothing_there(run):
  checkpoints.save(build(), run, 3, is_chief=False)
  assert run.checkpoints() == [] and not run.checkpoint_folder.exists()


def test_a_checkpoint_of_another_model_is_refused(run):
  checkpoints.save(build('AE'), run, 3)
  with pytest.raises(errors.UserError, match='belongs to another model'):
    checkpoints.restore(build('VPGA'), run, 3)
  with pytest.raises(errors.UserError, match='belongs to another model'):
    checkpoints.restore(build('AE', optimizers.adam), run, 3)


def test_a_checkpoint_that_lacks_a_part_of_the_state_is_refused(run):
  # All that it holds fits; the averages, which evaluation would use, are not
  # there, and would stay those of the first weights.
  checkpoints.save(steps(build(), 2), run, 2)
  with pytest.raises(errors.UserError, match='belongs to another model'):
    checkpoints.restore(build(optimizer=sgd(ema_decay=0.9)), run, 2)


def damage(path, how):
  content = bytearray(path.read_bytes())
  if how == 'truncated':
    content = content[:len(content) // 2]
  elif how == 'flipped':
    middle = len(content) // 2
    content[middle:middle + 64] = bytes(
        255 - b for b in content[middle:middle + 64])
  elif how == 'empty':
    content = b''
  path.write_bytes(content)
  if how == 'gone':
    path.unlink()


@pytest.mark.parametrize('how', ['truncated', 'flipped', 'empty', 'gone'])
@pytest.mark.parametrize('suffix', ['.index', '.data-00000-of-00001'])
def test_a_damaged_checkpoint_is_named(run, how, suffix):
  checkpoints.save(steps(build(), 1), run, 3)
  damage(pathlib.Path(run.checkpoint_prefix(3) + suffix), how)
  with pytest.raises(errors.UserError, match='step-00000003.*--checkpoint'):
    checkpoints.restore(build(), run, 3)


# === Loading ===


def test_load_for_a_notebook(trained):
  model = pgak.load(trained)
  assert model.step.numpy() == 12
  images = np.random.default_rng(0).integers(0, 256, (5, 8, 8, 1), np.uint8)
  latents = model.encode(images)
  assert latents.shape == (5, 3) and latents.dtype == tf.float32
  decoded = model.decode(latents)
  assert decoded.shape == (5, 8, 8, 1) and decoded.dtype == tf.uint8
  np.testing.assert_array_equal(decoded, model.reconstruct(images))
  sampled = model.sample(4, seed=1)
  assert sampled.shape == (4, 8, 8, 1) and sampled.dtype == tf.uint8
  np.testing.assert_array_equal(sampled, model.sample(4, seed=1))
  assert np.any(sampled.numpy() != model.sample(4, seed=2).numpy())
  assert not gin.config_str().strip()


def test_load_takes_a_step_and_a_path_as_text(trained):
  early = pgak.load(str(trained), checkpoint=6)
  assert int(early.step) == 6
  late = pgak.load(trained, checkpoint='12')
  assert np.any(tiny_models.values(early.encoder)
                != tiny_models.values(late.encoder))


def test_averages_are_what_is_loaded(trained):
  run = run_directory.RunDirectory(trained)
  configuration.parse_run(run)
  model = checkpoints.build(configuration.setting('train.model'),
                            configuration.setting('train.optimizer'))
  checkpoints.restore(model, run, 12)
  loaded = pgak.load(trained)
  for part, optimizer in model.optimizers.items():
    averages = optimizer._model_variables_moving_average
    for average, weight, value in zip(
        averages, model.parts[part].trainable_variables,
        loaded.parts[part].trainable_variables, strict=True):
      np.testing.assert_array_equal(value.numpy(), average.numpy())
      assert np.any(value.numpy() != weight.numpy())


def test_without_a_run_there_is_nothing_to_load(tmp_path):
  with pytest.raises(errors.UserError, match='is not a run directory'):
    pgak.load(tmp_path)


def test_a_run_whose_configuration_lost_its_model_is_named(trained, tmp_path):
  run = run_directory.RunDirectory(tmp_path / 'run', create=True)
  run.write_config('train.steps = 3', {'imports': []})
  checkpoints.save(build(), run, 3)
  with pytest.raises(errors.UserError, match='config.gin is damaged'):
    pgak.load(run.path)


def test_a_run_that_does_not_load_leaves_nothing_in_gin(tmp_path):
  run = run_directory.RunDirectory(tmp_path / 'run', create=True)
  run.write_config('train.steps = 3\nside = %nothing', {'imports': []})
  with pytest.raises(errors.UserError, match='%nothing'):
    pgak.load(run.path)
  assert not gin.config_str()


def test_another_prior_is_given(trained):
  tiny_runs.parse('sgd.ema_decay = 0.5')
  gin.parse_config('GaussianMixture.num_components = 3')
  model = checkpoints.load_configured(trained, prior='standard_normal')
  assert model.prior.name == 'standard_normal'
  model = checkpoints.load_configured(trained, prior='gmm')
  assert model.prior.label == 'gmm_3' and model.prior.is_fitted
  model = checkpoints.load_configured(trained, prior='GaussianMixture')
  assert model.prior.label == 'gmm_3'
  with pytest.raises(errors.UserError, match="no prior 'Gauss'.*kde"):
    checkpoints.load_configured(trained, prior='Gauss')


def test_a_density_needs_a_data_set(trained):
  configuration.parse_run(run_directory.RunDirectory(trained))
  gin.bind_parameter('train.dataset', None)
  gin.bind_parameter('KernelDensity.bandwidth', 0.123)
  with pytest.raises(errors.UserError, match='binds no train.dataset'):
    checkpoints.load_configured(trained, prior='kde')

"""Keras's files: all of a model, its prior and its optimizers, and back."""
import subprocess
import sys

import gin
import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny_models
import tiny_pairs

import pgak
from pgak import errors
from pgak import losses
from pgak import models
from pgak import optimizers
from pgak import priors
from pgak import schedules
from pgak import settings
from pgak.runs import polishing


def _round_trip(model, folder):
  path = folder / 'model.keras'
  model.save(path)
  return keras.models.load_model(path)


def _assert_same(model, other):
  for ours, theirs in zip(model.variables, other.variables, strict=True):
    np.testing.assert_array_equal(ours.numpy(), theirs.numpy(), ours.path)
  for ours, theirs in zip(model.optimizer.variables, other.optimizer.variables,
                          strict=True):
    np.testing.assert_array_equal(ours.numpy(), theirs.numpy(), ours.path)


# Of the others `make test-all` knows.
_FURTHER = [pytest.mark.slow, pytest.mark.exhaustive]


def _batch(model):
  return tf.constant(tiny_models.images(3 * model.table.slices))


@pytest.mark.parametrize('name', [
    pytest.param(n, marks=_FURTHER if n not in ('VAE', 'GMMN') else [])
    for n in tiny_models.STOCHASTIC])
def test_a_file_holds_every_model(name, tmp_path):
  model = tiny_models.make(name, batch_norm=True)
  model.compile('adam', seed=4, clip_norm=0.5)
  model.train_step(_batch(model))
  again = _round_trip(model, tmp_path)
  assert type(again) is type(model)
  assert (again.seed, again.clip_norm) == (4, 0.5)
  assert again.table.phases == model.table.phases
  _assert_same(model, again)
  for m in (model, again):
    m.train_step(_batch(m))
  _assert_same(model, again)
  np.testing.assert_array_equal(model.sample(3), again.sample(3))


@pytest.mark.slow
@pytest.mark.parametrize('name', ['VUNet', 'VUNetFlow'])
def test_a_file_holds_a_conditional_model(name, tmp_path):
  model = tiny_pairs.compiled(name)
  model.train_step(tiny_pairs.batch())
  again = _round_trip(model, tmp_path)
  _assert_same(model, again)
  given = np.zeros([2, *model.condition_shape], np.uint8)
  np.testing.assert_array_equal(model.sample(given), again.sample(given))


@pytest.mark.slow
@pytest.mark.parametrize('name', [
    'LPGA', pytest.param('SNGAN', marks=pytest.mark.exhaustive)])
def test_a_further_epoch_is_the_same_to_the_bit(name, tmp_path):
  model = tiny_models.make(name)
  model.compile(keras.optimizers.Adam(1e-2, use_ema=True), jit_compile=True)
  images = tiny_models.images(4 * model.table.slices)
  def fit(m):
    m.fit(images, batch_size=2 * m.table.slices, shuffle=False, verbose=0)
  fit(model)
  again = _round_trip(model, tmp_path)
  fit(model)
  fit(again)
  assert int(again.step) == 4
  _assert_same(model, again)


# === What is set besides ===


@keras.saving.register_keras_serializable('tests')
def absolute(images, reconstructed):
  return losses.feature_error([images], [reconstructed], [1.], 'l1')


def unregistered(images, reconstructed):
  return absolute(images, reconstructed)


def test_a_file_holds_a_registered_error_and_no_other(tmp_path):
  model = tiny_models.compiled('AE')
  model.image_error = absolute
  assert _round_trip(model, tmp_path).image_error is absolute
  model.image_error = losses.reconstruction
  assert _round_trip(model, tmp_path).image_error is losses.reconstruction
  for error in (lambda x, y: absolute(x, y), unregistered):
    model.image_error = error
    with pytest.raises(ValueError, match='`image_error` of ae.*'
                       'register_keras_serializable'):
      model.save(tmp_path / 'refused.keras')


def test_a_file_holds_schedules(tmp_path):
  weight = schedules.switch_on(schedules.linear(0., 1., 0, 10), 3)
  model = tiny_models.compiled('VAE', kl=weight)
  model.train_step(_batch(model))
  again = _round_trip(model, tmp_path)
  for step in map(tf.constant, (2, 4, 8)):
    assert float(again.kl(step)) == float(weight(step))
  model = tiny_models.make('VAE', kl=lambda step: 0.5)
  with pytest.raises(ValueError, match='`kl` of vae'):
    model.save(tmp_path / 'refused.keras')
  with pytest.raises(ValueError, match='schedules.saveable'):
    tiny_models.make('VAE', kl=schedules.Schedule(lambda step: 0.5)).save(
        tmp_path / 'refused.keras')


def test_a_file_holds_the_learning_rates_of_a_run(tmp_path):
  model = tiny_models.make('AE')
  model.compile({part: keras.optimizers.SGD(optimizers.RunSchedule(
      0.5, schedules.cosine(0.25), model.step, 4)) for part in model.parts})
  for _ in range(2):
    model.train_step(_batch(model))
  again = _round_trip(model, tmp_path)
  rates = [float(m.optimizer.learning_rate) for m in (model, again)]
  # Halfway from 1 to 1/4, times 1/2.
  assert rates == pytest.approx([0.3125, 0.3125])
  again.train_step(_batch(again))
  assert float(again.optimizer.learning_rate) < 0.3


@pytest.mark.parametrize('first', [None, schedules.cosine(0.25)])
def test_a_file_holds_the_learning_rates_of_a_run_that_was_polished(
    first, tmp_path):
  model = tiny_models.make('AE')
  factor = polishing.over_all_steps(first, 2, polishing.Polishing(2, 0., 0.3))
  model.compile({part: keras.optimizers.SGD(optimizers.RunSchedule(
      0.5, factor, model.step, 4)) for part in model.parts})
  model.step.assign(3)
  again = _round_trip(model, tmp_path)
  for step in range(5):
    model.step.assign(step)
    again.step.assign(step)
    assert (float(again.optimizer.learning_rate)
            == float(model.optimizer.learning_rate))


def test_a_file_holds_the_update_table_and_the_range(tmp_path):
  latents = keras.Input((3,))
  decoder = keras.Model(latents, keras.layers.Reshape((3, 2, 1))(
      keras.layers.Dense(6, 'sigmoid')(latents)))
  model = models.RAE(tiny_models.encoder(), decoder, value_range=(0., 1.),
                     updates={'latent_l2': ('encoder', 'decoder')})
  again = _round_trip(model, tmp_path)
  assert again.value_range == (0., 1.)
  assert again.table.rows['latent_l2'] == ('encoder', 'decoder')


@keras.saving.register_keras_serializable('tests')
@settings.register(module='tests')
class KerasLast(models.AE):
  """Registered with gin, then with Keras."""


@settings.register(module='tests')
@keras.saving.register_keras_serializable('tests')
class KerasFirst(models.AE):
  """Registered with Keras, then with gin."""


@pytest.mark.parametrize('own', [KerasLast, KerasFirst])
def test_gin_and_keras_know_a_model_in_either_order(own, tmp_path):
  gin.parse_config('tests.{}.updates = {{"reconstruction": ("decoder",)}}'
                   .format(own.__name__))
  model = gin.get_configurable(own)(tiny_models.encoder(),
                                    tiny_models.decoder())
  again = _round_trip(model, tmp_path)
  assert type(again) is type(model) is own
  assert again.table.rows == {'reconstruction': ('decoder',)}


# === Priors ===

_FEW = dict(hidden_units=(4,), num_couplings=2, max_epochs=1)
FITTED = {
    'gaussian': lambda: priors.Gaussian(3),
    'gmm': lambda: priors.GaussianMixture(3, 2),
    'gmm_diagonal': lambda: priors.GaussianMixture(3, 2, 'diagonal'),
    'bayesian_gmm': lambda: priors.BayesianGaussianMixture(3, 2),
    'gmm_gradient': lambda: priors.GradientMixture(3, 2, steps=5),
    'kde': lambda: priors.KernelDensity(3, 'scott'),
    'resampled': lambda: priors.Resampled(3),
    'real_nvp': lambda: priors.RealNVP(3, **_FEW),
    'two_stage': lambda: priors.TwoStageVAE(3, 1, 4, max_epochs=1),
}


def _with(prior, number=40):
  model = tiny_models.make('AE')
  latents = np.random.default_rng(0).normal(2., 3., (number, 3))
  model.prior = prior.fit(latents.astype(np.float32))
  return model


@pytest.mark.parametrize('name', [
    pytest.param(n, marks=[] if n == 'gmm' else [pytest.mark.slow])
    for n in FITTED])
def test_a_file_holds_a_prior_that_was_fitted(name, tmp_path):
  model = _with(FITTED[name]())
  variables = len(model.variables)
  again = _round_trip(model, tmp_path)
  assert again.prior.label == model.prior.label
  assert again.prior.settings == model.prior.settings
  for key, array in model.prior.state().items():
    found = again.prior.state()[key]
    assert found.dtype == array.dtype
    np.testing.assert_array_equal(found, array)
    assert dict(model.prior.shapes()).keys() == model.prior.state().keys()
  np.testing.assert_array_equal(model.prior.sample(5), again.prior.sample(5))
  assert len(again.variables) == variables


def test_a_prior_is_in_no_checkpoint(tmp_path):
  model = _with(priors.Gaussian(3))
  tf.train.Checkpoint(model=model).write(str(tmp_path / 'with'))
  plain = tf.train.Checkpoint(model=tiny_models.make('AE'))
  plain.read(str(tmp_path / 'with')).assert_consumed()


def test_weights_of_another_prior_are_refused(tmp_path):
  path = tmp_path / 'model.weights.h5'
  _with(priors.GaussianMixture(3, 2)).save_weights(path)
  fits = _with(priors.GaussianMixture(3, 2), number=30)
  fits.load_weights(path)
  for prior in (priors.GaussianMixture(3, 4), priors.Gaussian(3)):
    with pytest.raises(errors.UserError, match='another prior than the'):
      _with(prior).load_weights(path)
  with pytest.raises(errors.UserError, match='another prior than the standard'):
    tiny_models.make('AE').load_weights(path)


def test_weights_of_another_flow_are_refused(tmp_path):
  path = tmp_path / 'model.weights.h5'
  tiny_models.make('FPVAE').save_weights(path)
  other = tiny_models.make('FPVAE', prior=priors.FlowPrior(
      3, num_couplings=2, hidden_units=(5,)))
  with pytest.raises(errors.UserError, match='does not fit fp_vae'):
    other.load_weights(path)


class Unknown:
  """A prior that Keras does not know."""

  name = 'unknown'


def test_a_prior_that_keras_does_not_know_is_refused(tmp_path):
  model = tiny_models.make('AE')
  model.prior = Unknown()
  with pytest.raises(ValueError, match='`attached_prior` of ae is a Unknown'):
    model.save(tmp_path / 'refused.keras')


def test_a_model_takes_a_prior_that_was_made():
  flow = tiny_models.flow(3)
  model = tiny_models.make('FPVAE', prior=flow)
  assert model.parts['prior'] is flow
  with pytest.raises(errors.UserError, match='of 3 dimensions.*has 2'):
    tiny_models.make('FPVAE', prior=tiny_models.flow(2))
  with pytest.raises(errors.UserError, match='LatentGenerator has no `follow`'):
    tiny_models.make('FPVAE', prior=tiny_models.generator(3))


# === A fresh process ===

def test_pgak_knows_the_names_of_what_keras_may_ask_for():
  known = {name.removeprefix('pgak>')
           for name, thing in keras.saving.get_custom_objects().items()
           if name.startswith('pgak>') and hasattr(thing, 'from_config')}
  assert known == set(pgak.IN_FILES)


SOURCE = """
import sys
{imports}
assert 'pgak.models' not in sys.modules
model = keras.models.load_model(sys.argv[1])
assert type(model).__name__ == 'FPVAE', model
assert 'pgak.models' in sys.modules
"""


@pytest.mark.slow
@pytest.mark.parametrize('imports', [
    'import pgak\nimport keras', pytest.param(
        'import keras\nimport pgak', marks=pytest.mark.exhaustive)])
def test_a_fresh_process_needs_pgak_alone(imports, tmp_path):
  tiny_models.make('FPVAE').save(tmp_path / 'model.keras')
  subprocess.run(
      [sys.executable, '-c', SOURCE.format(imports=imports),
       str(tmp_path / 'model.keras')], check=True, timeout=120)


def test_a_part_is_saved_alone(tmp_path):
  encoder = tiny_models.make('VAE').encoder
  encoder.save(tmp_path / 'encoder.keras')
  again = keras.models.load_model(tmp_path / 'encoder.keras')
  images = tiny_models.images()
  np.testing.assert_array_equal(encoder(images)[0], again(images)[0])

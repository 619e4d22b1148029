"""Tests of the evaluation of runs."""
import os
import pathlib

import gin
import keras
import numpy as np
import pytest
import tensorflow as tf

from pgak import checkpoints
from pgak import data
from pgak import errors
from pgak import evaluation
from pgak import models
from pgak import networks
from pgak import optimizers
from pgak import run_directory
from pgak import sampling
from pgak import training
from pgak.metrics import features
from pgak.metrics import frechet
from pgak.metrics import protocols

# Imported for the names that they register.
del models, networks, optimizers, training

CONFIG = """
train.dataset = @digits
train.model = @AE
train.optimizer = @sgd
sgd.learning_rate = 0.1
AE.encoder = @encoder()
AE.decoder = @decoder()
encoder.network = @conv_digits_encoder
decoder.network = @conv_digits_decoder
encoder.image_shape = (8, 8, 1)
decoder.image_shape = (8, 8, 1)
encoder.latent_dim = 3
decoder.latent_dim = 3
conv_digits_encoder.base_filters = 2
conv_digits_decoder.base_filters = 2
conv_digits_encoder.dense_units = 4
conv_digits_decoder.dense_units = 4
"""


def _flat_net(level, dataset):
  """A feature net without weights: the pixels, or half of them."""
  del dataset
  inputs = keras.Input((8, 8, 1))
  x = keras.layers.AveragePooling2D(4 if level == '64' else 2)(inputs)
  return features.FeatureNet(
      keras.Model(inputs, keras.layers.Flatten()(x)),
      lambda images: tf.cast(images, tf.float32) / 255., f'flat_{level}',
      f'frechet_flat_{level}', 'none', 100)


@pytest.fixture(name='flat')
def _flat(monkeypatch):
  monkeypatch.setattr(evaluation, 'feature_net', _flat_net)
  return protocols.Protocol('flat', ('64',), num_samples=150, split='test')


@pytest.fixture(name='run')
def _run(tmp_path):
  """A run with two checkpoints of untrained models."""
  gin.parse_config(CONFIG)
  run = run_directory.RunDirectory(tmp_path / 'run', create=True)
  run.write_config(CONFIG, {'imports': []})
  model = checkpoints.build(**checkpoints._settings())
  checkpoints.save(model, run, 10)
  for variable in model.decoder.trainable_variables:
    variable.assign(3. * variable)
  checkpoints.save(model, run, 20)
  run.write_best(10, 'frechet_flat_64', 1.)
  return run


class _Prior:
  """Latents of which a test knows all."""

  name = 'counting'

  def sample(self, n, seed=0):
    return tf.fill([n, 3], float(seed))


class _Model:
  """Decodes uniform noise; notes how it was asked."""

  latent_dim = 3
  value_range = (0., 1.)
  optimizers = {}

  def __init__(self, high=256):
    self.prior = _Prior()
    self.high = high

  def encode_mean(self, images, training=False):
    return tf.reshape(images, [-1, 64])[:, :3]

  def decoder(self, latents, training=False):
    return tf.zeros([len(latents), 8, 8, 1])


@pytest.fixture(name='generated')
def _generated(monkeypatch):
  """Replaces `sampling.generate`; holds the calls."""
  calls = []

  def generate(model, num_samples, seed=0, **settings):
    calls.append(dict(num_samples=num_samples, seed=seed, **settings))
    generator = np.random.default_rng(seed)
    for start in range(0, num_samples, settings['batch_size']):
      size = min(settings['batch_size'], num_samples - start)
      yield generator.integers(0, model.high, (size, 8, 8, 1), np.uint8)

  monkeypatch.setattr(sampling, 'generate', generate)
  return calls


def test_score_is_the_distance_of_the_features(flat, generated):
  evaluator = evaluation.FrechetEvaluator(data.digits(), flat)
  found = evaluator.score(_Model())
  net = _flat_net('64', None)
  test = data.digits().split('test')
  fake = np.random.default_rng(0).integers(0, 256, (150, 8, 8, 1), np.uint8)
  expected = frechet.distance(
      frechet.moments(net([test.read(np.arange(297))])),
      frechet.moments(net([fake])))
  assert found == {'frechet_flat_64': pytest.approx(expected, rel=1e-6)}
  assert generated == [dict(num_samples=150, seed=0, batch_size=1000,
                            batch_norm='inference', rounding='nearest')]


def test_images_are_generated_once_for_all_features(generated, monkeypatch):
  monkeypatch.setattr(evaluation, 'feature_net', _flat_net)
  protocol = protocols.Protocol(
      'two', ('64', '192'), None, 'train', num_references=200,
      rounding='truncate', batch_norm='train', batch_size=64, seed=3)
  evaluator = evaluation.FrechetEvaluator(data.digits(), protocol)
  assert set(evaluator.score(_Model())) == {
      'frechet_flat_64', 'frechet_flat_192'}
  assert generated == [dict(num_samples=200, seed=3, batch_size=64,
                            batch_norm='train', rounding='truncate')]


def test_references_are_measured_once(flat, generated, monkeypatch):
  evaluator = evaluation.FrechetEvaluator(data.digits(), flat)
  monkeypatch.setattr(evaluator.array, 'read', None)
  assert evaluator.score(_Model()) == evaluator.score(_Model())
  assert evaluator.score(_Model(high=20)) != evaluator.score(_Model())


def test_rows_hold_every_choice(flat, generated):
  evaluator = evaluation.FrechetEvaluator(data.digits(), flat)
  rows = evaluator.rows(_Model(), step=7)
  assert [tuple(row) for row in rows] == 2 * [run_directory.SCORE_COLUMNS]
  distance, reconstruction = rows
  assert distance.pop('value') > 0.
  assert distance == dict(
      step=7, metric='frechet_flat_64', dataset='digits', features='flat_64',
      prior='counting', ema=False, num_samples=150, split='test', crop='none',
      resize='none', rounding='nearest', batch_norm='inference', seed=0,
      protocol='flat')
  images = data.digits().split('test').read(np.arange(150)) / 255.
  assert reconstruction['value'] == pytest.approx(
      np.square(images).mean(), rel=1e-5)
  assert reconstruction['metric'] == 'reconstruction_mse'
  assert reconstruction['split'] == 'test[:150]'
  assert reconstruction['features'] == 'pixels'


def test_rows_tell_parts_of_splits_and_batches_of_batch_norm(
    generated, monkeypatch):
  monkeypatch.setattr(evaluation, 'feature_net', _flat_net)
  protocol = protocols.Protocol('flat', ('64',), 150, 'train', 200,
                                batch_norm='train', batch_size=50)
  row = evaluation.FrechetEvaluator(data.digits(), protocol).rows(
      _Model(), 1)[0]
  assert row['split'] == 'train[:200]'
  assert row['batch_norm'] == 'train/50'


def test_a_scorer_measures_latents_too(flat, generated):
  score = evaluation.frechet_scorer(data.digits(), flat)
  metrics = [row['metric'] for row in score(_Model(), 5)]
  assert metrics == [
      'frechet_flat_64', 'reconstruction_mse', 'latent_match_prior_data',
      'latent_match_prior_generated', 'latent_match_data_generated']


@pytest.mark.parametrize('checkpoint, steps', [
    ('latest', [20]), ('best', [10]), ('all', [10, 20]), (10, [10]),
    ('10', [10])])
def test_evaluate_measures_and_appends(run, flat, checkpoint, steps):
  rows = evaluation.evaluate(run.path, checkpoint, protocol=flat)
  assert [row['step'] for row in rows[::2]] == steps
  written = run.scores()
  assert len(written) == len(rows)
  assert list(written[0]) == list(run_directory.SCORE_COLUMNS)
  for row, text in zip(rows, written):
    assert float(text['value']) == row['value']
    assert text['prior'] in ('standard_normal', 'none')
  if checkpoint == 'all':
    assert rows[0]['value'] != rows[2]['value']
    evaluation.evaluate(run.path, 10, protocol=flat)
    assert len(run.scores()) == len(rows) + 2
    # The same checkpoint gives the same numbers.
    assert run.scores()[-2:] == written[:2]


def test_evaluate_measures_the_weights_of_the_checkpoint(run, flat):
  model = checkpoints.load_configured(run, 20)
  row, _ = evaluation.evaluate(run.path, 20, protocol=flat)
  evaluator = evaluation.FrechetEvaluator(data.digits(), flat)
  assert evaluator.score(model)['frechet_flat_64'] == pytest.approx(
      row['value'], rel=1e-6)


def test_a_checkpoint_that_is_not_there_is_named(run, flat):
  with pytest.raises(errors.UserError, match="no checkpoint '30'"):
    evaluation.evaluate(run.path, '30', protocol=flat)
  assert not run.scores()


def test_another_prior_is_fitted_and_named(run, flat):
  class Fitted:
    name = 'fitted'

    def __init__(self, latent_dim):
      self.latent_dim = latent_dim

    def fit(self, latents):
      assert latents.shape == (1500, self.latent_dim)
      self.mean = latents.mean(0)

    def sample(self, n, seed=0):
      return tf.tile(self.mean[None], [n, 1])

  row, _ = evaluation.evaluate(run.path, 20, protocol=flat, prior=Fitted)
  assert row['prior'] == 'fitted'
  own, _ = evaluation.evaluate(run.path, 20, protocol=flat)
  assert own['value'] != row['value']
  for name in ('Gauss', 'digits'):
    with pytest.raises(errors.UserError, match=f'no prior {name!r}'):
      evaluation.evaluate(run.path, 20, protocol=flat, prior=name)
  named, _ = evaluation.evaluate(run.path, 20, protocol=flat,
                                 prior='StandardNormal')
  assert named['value'] == own['value']


def test_a_damaged_configuration_is_told(run, flat):
  gin.clear_config()
  with pytest.raises(errors.UserError, match='parse_run'):
    evaluation.evaluate(run.path, protocol=flat)


def test_table_shows_the_protocol_once_for_what_compares(flat, generated):
  evaluator = evaluation.FrechetEvaluator(data.digits(), flat)
  rows = evaluator.rows(_Model(), 10) + evaluator.rows(_Model(), 20)
  table = evaluation.format_table(rows)
  assert table.count('protocol flat') == 2
  lines = table.splitlines()
  assert lines[0].split() == ['step', 'frechet_flat_64']
  assert [line.split()[0] for line in lines[1:3]] == ['10', '20']
  assert float(lines[1].split()[1]) == pytest.approx(rows[0]['value'], rel=1e-5)
  # Another number of samples is another table.
  rows += [dict(rows[0], num_samples=5000)]
  assert evaluation.format_table(rows).count('step') == 3


def test_quick_needs_labels():
  with pytest.raises(errors.UserError, match='has no class labels'):
    evaluation.FrechetEvaluator(data.synthetic((8, 8, 1)), 'quick')


def test_quick_uses_a_classifier_with_gins_settings(generated):
  gin.parse_config(['classifier.steps = 0', 'classifier.size = 5',
                    'quick.num_samples = 100'])
  with pytest.warns(UserWarning):
    evaluator = evaluation.FrechetEvaluator(data.digits(), 'quick')
    found = evaluator.score(_Model())
  assert set(found) == {'frechet_digits_classifier'}
  assert evaluator.references[0].count == 1797
  assert evaluator.nets[0].size == 5
  assert generated[0]['num_samples'] == 100


REAL = os.environ.get('PGAK_TEST_DATA') and pathlib.Path(
    os.environ['PGAK_TEST_DATA'],
    'inception_2015/inception_2015_through_mixed_8.npz')


@pytest.mark.skipif(not (REAL and REAL.is_file()),
                    reason='needs the data of PGAK_TEST_DATA')
@pytest.mark.filterwarnings('ignore:A Frechet distance')
def test_real_inception_puts_digits_nearer_to_digits_than_noise(generated):
  gin.parse_config([f'inception.weights = {str(REAL)!r}',
                    'inception.batch_size = 10'])
  # The stem is enough here, and a tenth of the work.
  protocol = protocols.Protocol('stem', ('192',), 20, 'test', 20)
  evaluator = evaluation.FrechetEvaluator(data.digits(), protocol)
  noise, _ = evaluator.rows(_Model(), 0)
  assert noise['metric'] == 'frechet_inception_2015_192'
  assert noise['resize'] == 'tf1_bilinear_299'
  others = data.digits().split('train').read(np.arange(20))
  real = frechet.distance(
      evaluator.references[0], frechet.moments(evaluator.nets[0]([others])))
  assert noise['value'] > 2. * real

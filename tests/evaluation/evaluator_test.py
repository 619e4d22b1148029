"""Tests of the measures of a model by a protocol."""
import dataclasses

import made_weights
import numpy as np
import pytest
import tensorflow as tf
import tiny_evaluation

from pgak import data
from pgak import errors
from pgak import priors
from pgak.evaluation import evaluator as evaluator_lib
from pgak.evaluation import protocols
from pgak.generation import sampling
from pgak.metrics import frechet
from pgak.metrics import metric
from pgak.priors import ex_post
from pgak.runs import run_directory

ALL_METRICS = ('frechet', 'prd', 'precision_recall', 'kid', 'inception_score',
               'reconstruction', 'neighbours')


@pytest.fixture(name='flat')
def _flat(monkeypatch):
  monkeypatch.setattr(evaluator_lib, 'feature_net', tiny_evaluation.flat_net)
  return protocols.Protocol('flat', ('64',), num_samples=150, split='test')


@pytest.fixture(name='generated')
def _generated(monkeypatch):
  """Replaces `sampling.generate`; holds the calls."""
  calls = []
  monkeypatch.setattr(sampling, 'generate', tiny_evaluation.generator(calls))
  return calls


def _evaluator(protocol, **changes):
  return evaluator_lib.Evaluator(
      data.digits(), dataclasses.replace(protocol, **changes))


def test_score_is_the_distance_of_the_features(flat, generated):
  found = _evaluator(flat).score(tiny_evaluation.Model())
  net = tiny_evaluation.flat_net('64', None)
  test = data.digits().split('test')
  fake = np.random.default_rng(0).integers(0, 256, (150, 8, 8, 1), np.uint8)
  expected = frechet.distance(
      frechet.moments(net([test.read(np.arange(297))])),
      frechet.moments(net([fake])))
  assert found == {'frechet_flat_64': pytest.approx(expected, rel=1e-6)}
  assert generated == [dict(num_samples=150, seed=0, batch_size=1000,
                            batch_norm='inference', rounding='nearest')]


def test_a_score_of_a_protocol_without_images_names_the_way_out(flat):
  evaluator = _evaluator(flat, images=(), metrics=('topology',))
  with pytest.raises(errors.UserError, match=r'flat makes no images.*`rows\('):
    evaluator.score(tiny_evaluation.Model())


@pytest.fixture
def empty_cache(tmp_path, monkeypatch):
  monkeypatch.setenv('PGAK_CACHE', str(tmp_path / 'cache'))


@pytest.mark.usefixtures('empty_cache')
def test_images_are_generated_once_for_all_features_and_metrics(
    flat, generated):
  evaluator = _evaluator(
      flat, features=('64', '192'), num_samples=None, split='train',
      num_references=200, rounding='truncate', batch_norm='train',
      batch_size=64, seed=3, metrics=ALL_METRICS)
  passed = []
  for net in evaluator.nets:
    forward = net._forward
    net._forward = lambda images, f=forward: passed.append(1) or f(images)
  rows = evaluator.rows(tiny_evaluation.Model(), 0)
  assert generated == [dict(num_samples=200, seed=3, batch_size=64,
                            batch_norm='train', rounding='truncate')]
  # 64 + 64 + 64 + 8 images: four batches a net; and 1500 + 297 real ones,
  # whose neighbours are looked for, by the hundred.
  assert len(passed) == 2 * (4 + 15 + 3)
  metrics = {(r['metric'], r['features']) for r in rows}
  for net in ('flat_64', 'flat_192'):
    assert {(f'frechet_{net}', net), ('prd_f_8', net), ('knn_recall', net),
            (f'kernel_{net}', net), ('classifier_score', net),
            ('memorisation_ratio', net)} <= metrics
  assert {('memorisation_ratio', 'pixels'), ('reconstruction_mse', 'pixels'),
          ('psnr', 'pixels'), ('ssim', 'pixels')} <= metrics
  assert {r['batch_norm'] for r in rows if r['features'] == 'flat_64'} == {
      'train/64'}


def test_references_are_measured_once(flat, generated, monkeypatch):
  evaluator = _evaluator(flat, metrics=('frechet', 'kid'))
  monkeypatch.setattr(evaluator.source.array, 'read', None)
  model = tiny_evaluation.Model()
  assert evaluator.score(model) == evaluator.score(model)
  assert evaluator.score(tiny_evaluation.Model(20)) != evaluator.score(model)


def test_rows_hold_every_choice(flat, generated):
  rows = _evaluator(flat).rows(tiny_evaluation.Model(), step=7)
  assert [tuple(row) for row in rows] == 2 * [run_directory.SCORE_COLUMNS]
  distance, reconstruction = map(dict, rows)
  assert distance.pop('value') > 0.
  assert distance == dict(
      step=7, metric='frechet_flat_64', dataset='digits', features='flat_64',
      images='samples', prior='counting', ema=False, num_samples=150,
      split='test', crop='none', resize='none', rounding='nearest',
      batch_norm='inference', seed=0, protocol='flat', better='lower',
      error='')
  images = data.digits().split('test').read(np.arange(150)) / 255.
  assert reconstruction['value'] == pytest.approx(
      np.square(images).mean(), rel=1e-5)
  assert reconstruction['metric'] == 'reconstruction_mse'
  assert reconstruction['images'] == 'reconstructions'
  assert reconstruction['split'] == 'test[:150]'
  assert reconstruction['features'] == 'pixels'
  assert reconstruction['rounding'] == 'none'


@pytest.mark.parametrize('antialias,resize', [
    (False, 'bicubic'), (True, 'bicubic_antialias')])
def test_rows_tell_smoothed_images_apart(flat, generated, antialias, resize):
  evaluator = _evaluator(flat)
  evaluator.source.array.preprocessing.update(
      resize='bicubic', antialias=antialias)
  row = evaluator.rows(tiny_evaluation.Model(), 1)[0]
  assert row['resize'] == resize


def test_rows_tell_parts_of_splits(flat, generated):
  row = _evaluator(flat, split='train', num_references=200).rows(
      tiny_evaluation.Model(), 1)[0]
  assert row['split'] == 'train[:200]'


def test_each_kind_of_images_decodes_its_own_latents(flat, generated):
  evaluator = _evaluator(
      flat, num_samples=400, encoded_split='validation', seed=5,
      images=('reconstructions', 'interpolations', 'samples'))
  rows = evaluator.rows(tiny_evaluation.Model(), 0)[:3]
  assert [(r['images'], r['prior'], r['num_samples'], r['split'], r['seed'])
          for r in rows] == [
              # All 297 images that there are, not 400.
              ('reconstructions', 'none', 297, 'test vs test', 5),
              ('interpolations', 'none', 297, 'test vs test', 2),
              ('samples', 'counting', 400, 'test', 5)]
  reconstructed, interpolated, sampled = generated
  images = data.digits().split('test').read(np.arange(297))
  latents = images.reshape(297, 64)[:, :3] / 255.
  np.testing.assert_allclose(reconstructed['latents'], latents, rtol=1e-6)
  assert interpolated['latents'].shape == (297, 3)
  assert not np.allclose(interpolated['latents'], latents)
  assert 'latents' not in sampled and sampled['num_samples'] == 400


def test_the_floor_of_a_distance_is_that_of_real_images(flat, generated):
  rows = _evaluator(flat, images=('data',), encoded_split='train',
                    num_samples=300).rows(tiny_evaluation.Model(), 0)
  noise = _evaluator(flat).score(tiny_evaluation.Model())['frechet_flat_64']
  assert rows[0]['images'] == 'data' and rows[0]['prior'] == 'none'
  assert rows[0]['split'] == 'train[:300] vs test'
  assert rows[0]['rounding'] == 'none'
  assert rows[0]['value'] < 0.02 * noise
  assert len(generated) == 1  # The noise.


class _Fitted:
  """A density that was fitted to latents."""

  latent_dim = 3
  name, label = 'fitted', 'fitted_2'

  def __init__(self, density=True):
    self.settings = {}
    if density:
      self.log_prob = lambda z: tf.reduce_sum(z, 1)

  def fit(self, latents):
    del latents

  def sample(self, n, seed=0):
    return tf.fill([n, 3], 1. + seed)


def _with_densities(monkeypatch, model):
  """Lets a model encode as `ex_post` does it."""
  monkeypatch.setattr(
      ex_post, 'log_likelihoods',
      lambda m, train, held_out, most: (
          tuple({'train': [1.5], 'test': [0.5]}[a.split]
                for a in (train, held_out))
          if hasattr(m.prior, 'log_prob') else None))
  return model


def test_priors_come_one_after_the_other_the_own_first(
    flat, generated, monkeypatch):
  model = _with_densities(monkeypatch, tiny_evaluation.Model())
  attached = []

  def attach(model, prior):
    attached.append((prior, len(generated)))
    model.prior = _Fitted(density=prior != 'two_stage')

  rows = _evaluator(
      flat, priors=('gmm', 'own', 'two_stage', 'gmm'),
      images=('samples', 'reconstructions')).rows(model, 0, attach=attach)
  # Reconstructions and the own prior's samples come before any other prior.
  assert attached == [('gmm', 2), ('two_stage', 3)]
  assert [(r['metric'], r['images'], r['prior'])
          for r in rows] == [
              ('frechet_flat_64', 'reconstructions', 'none'),
              ('frechet_flat_64', 'samples', 'counting'),
              ('frechet_flat_64', 'samples', 'fitted_2'),
              ('log_likelihood_train', 'data', 'fitted_2'),
              ('log_likelihood_held_out', 'data', 'fitted_2'),
              ('frechet_flat_64', 'samples', 'fitted_2'),
              ('reconstruction_mse', 'reconstructions', 'none')]
  train, held_out = rows[3:5]
  assert (train['value'], held_out['value']) == (1.5, 0.5)
  assert train['num_samples'] == held_out['num_samples'] == 297
  assert train['split'] == held_out['split'] == 'train vs test'


def test_held_out_is_what_training_has_not_seen(flat, generated, monkeypatch):
  """And not the split that a protocol compares samples with, such as `all`."""
  model = _with_densities(monkeypatch, tiny_evaluation.Model())

  def attach(model, prior):
    model.prior = _Fitted(density=True)

  def splits(trained_on):
    protocol = dataclasses.replace(
        flat, split='all', priors=('gmm',), metrics=('neighbours',))
    evaluator = evaluator_lib.Evaluator(data.digits(), protocol, trained_on)
    rows = evaluator.rows(model, 0, attach=attach)
    return evaluator.left_out(model), {
        r['metric']: r['split'] for r in rows if r['metric'] in (
            'log_likelihood_held_out', 'nearest_train_distance')}

  compared = {'nearest_train_distance': 'train vs test',
              'log_likelihood_held_out': 'train vs test'}
  assert splits('train') == ({}, compared)
  left, found = splits('all')
  assert not found and left == {'neighbours': 'Training saw all of digits'}
  assert splits('test')[0] == left


@pytest.mark.parametrize('matches, attached', [
    (True, ['gmm']), (False, ['gaussian', 'gmm'])])
def test_n_is_the_own_prior_only_where_training_matches_it(
    flat, generated, matches, attached):
  model = tiny_evaluation.Model()
  model.matches_prior = matches
  found = []
  _evaluator(flat, priors=('own_or_gaussian', 'gmm')).rows(
      model, 0, attach=lambda _, prior: found.append(prior))
  assert found == attached
  assert set(attached) <= set(priors.NAMES)


def test_shares_of_classes_are_of_the_nets_that_tell_some(
    generated, monkeypatch):
  def net(level, dataset):
    made = tiny_evaluation.flat_net(level, dataset)
    made.head = made.head if level == '64' else None
    return made

  monkeypatch.setattr(evaluator_lib, 'feature_net', net)
  protocol = protocols.Protocol('two', ('192', '64'), 150, 'test',
                                metrics=('frechet', 'class_shares'))
  rows = _evaluator(protocol).rows(tiny_evaluation.Model(), 0)
  assert [(r['metric'], r['features'], r['num_samples']) for r in rows] == [
      ('frechet_flat_192', 'flat_192', 150),
      ('frechet_flat_64', 'flat_64', 150),
      ('confident_share', 'flat_64', 150),
      ('smallest_class_share', 'flat_64', 150)]
  # Two means of pixels on [0, 1] are e^1 to 1 apart at the most: 0.73.
  assert rows[2]['value'] == rows[3]['value'] == 0.
  with pytest.raises(errors.UserError, match='no shares of classes'):
    _evaluator(protocol, features=('192',)).rows(tiny_evaluation.Model(), 0)


def test_the_topology_of_codes_is_of_its_own_images(flat, generated):
  evaluator = _evaluator(flat, num_samples=20, metrics=('topology',))
  rows = evaluator.rows(tiny_evaluation.Model(), 3)
  assert not generated and not evaluator.nets
  # All of the split, however few are sampled.
  assert {(r['features'], r['images'], r['prior'], r['num_samples'], r['split'],
           r['rounding']) for r in rows} == {
               ('latents', 'data', 'none', 297, 'test', 'none')}
  assert [r['metric'] for r in rows] == [
      'trustworthiness', 'continuity', 'neighbour_overlap']
  assert all(0. < r['value'] < 1. for r in rows)


def test_a_model_without_an_encoder_has_no_topology(flat, generated):
  model = tiny_evaluation.WithoutEncoder()
  assert not _evaluator(flat, metrics=('topology',)).rows(model, 0)


def test_latents_are_measured_too(flat, generated, monkeypatch):
  monkeypatch.setattr(tiny_evaluation.Prior, 'name', 'standard_normal')
  rows = _evaluator(flat).rows(tiny_evaluation.Model(), 5, latents=True)
  assert {r['metric']: r['images'] for r in rows[2:]} == dict.fromkeys((
      'latent_match_prior_data', 'latent_match_prior_generated',
      'latent_match_data_generated'), 'data')


def test_latents_of_another_prior_have_no_match(flat, generated):
  evaluator, model = _evaluator(flat), tiny_evaluation.Model()
  assert evaluator.left_out(model, latents=True) == {
      'latent_match': 'the prior counting is not N(0, I)'}
  rows = evaluator.rows(model, 5, latents=True)
  assert not [r for r in rows if r['metric'].startswith('latent_match')]


def test_files_are_named_by_what_distinguishes_them(flat, generated, tmp_path):
  _evaluator(flat, metrics=('prd', 'neighbours'),
             images=('samples', 'reconstructions')).rows(
                 tiny_evaluation.Model(), 30, folder=tmp_path)
  stems = {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob('*.*')}
  assert stems == {
      'grids/step-00000030_counting.png',
      'prd/step-00000030_samples_counting_flat_64.npz',
      'prd/step-00000030_samples_counting_flat_64.png',
      'prd/step-00000030_reconstructions_none_flat_64.npz',
      'prd/step-00000030_reconstructions_none_flat_64.png',
      'neighbours/step-00000030_samples_counting_flat_64.png',
      'neighbours/step-00000030_samples_counting_pixels.png'}
  (path,) = tmp_path.glob('prd/*samples*.npz')
  with np.load(path) as arrays:
    assert arrays['precision'].shape == arrays['recall'].shape == (1001,)


def test_images_that_are_not_finite_are_an_error(flat, monkeypatch):
  monkeypatch.setattr(tiny_evaluation.Prior, 'name', 'standard_normal')

  class Broken(tiny_evaluation.Model):
    def encode_mean(self, images, training=False):
      return tf.fill([len(images), 3], np.nan)

  with pytest.raises(errors.UserError, match='not finite|finite'):
    _evaluator(flat).rows(Broken(), 0, latents=True)


def test_an_absent_split_is_an_error(flat):
  with pytest.raises(errors.UserError, match='has no split letters'):
    _evaluator(flat, split='letters')


def test_lpips_of_reconstructions_has_a_row_with_net_and_version(
    flat, generated):
  evaluator = _evaluator(flat, num_samples=30)

  def distance(images, others):
    return tf.reduce_mean(tf.abs(images - others), [1, 2, 3])

  distance.label = 'lpips_squeeze_v0.1'
  distance.backbone = 'squeeze_torch_0123abcd'
  evaluator.metrics = [metric.find('lpips', 'images')]
  evaluator.prepared = {'lpips': distance}
  row = evaluator.rows(tiny_evaluation.Model(), 0)[-1]
  pixels = data.digits().split('test').read(np.arange(30)) / 255.
  # The model gives back black: 2 pixel - 1 against -1.
  assert row['value'] == pytest.approx(2. * pixels.mean(), rel=1e-5)
  assert (row['metric'], row['features'], row['images'], row['rounding']) == (
      'lpips_squeeze_v0.1', 'squeeze_torch_0123abcd', 'reconstructions', 'none')
  assert (row['split'], row['num_samples']) == ('test[:30]', 30)


def test_missing_lpips_is_an_error_before_anything_is_measured(
    flat, generated, tmp_path, monkeypatch):
  monkeypatch.setenv('PGAK_PERCEPTUAL', str(tmp_path))
  with pytest.raises(errors.UserError, match='squeeze.npz'):
    _evaluator(flat, metrics=('lpips',))
  made_weights.npz(tmp_path / 'squeezenet1_1.npz', made_weights.torch_squeeze())
  made_weights.npz(tmp_path / 'squeeze.npz', {
      f'lin{k}.model.1.weight': np.ones((1, number, 1, 1))
      for k, number in enumerate((64, 128, 256, 384, 384, 512, 512))})
  with pytest.raises(errors.UserError, match='17 pixels a side, not 8x8'):
    _evaluator(flat, metrics=('lpips',))
  assert not generated

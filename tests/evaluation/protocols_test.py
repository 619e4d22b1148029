"""Tests of the protocols."""
import dataclasses

import gin
import pytest

from pgak import errors
from pgak import registry
from pgak.evaluation import protocols


def test_pga_icml2020_is_the_authors():
  protocol = protocols.resolve('pga_icml2020')
  assert protocol == protocols.Protocol(
      'pga_icml2020', ('pool_3',), num_samples=5000, split='train',
      num_references=None, rounding='truncate', batch_norm='train',
      batch_size=1000, seed=0)


def test_fid768_test_is_what_the_readme_says():
  protocol = protocols.resolve(protocols.fid768_test)
  assert protocol == protocols.Protocol(
      'fid768_test', ('768',), num_samples=5000, split='test',
      num_references=10000, rounding='nearest', batch_norm='inference',
      priors=(protocols.OWN_OR_MIXTURE,))


@pytest.mark.parametrize('name', protocols.NAMES)
def test_each_has_its_name(name):
  protocol = protocols.resolve(name)
  assert protocol.name == name
  assert protocols.resolve(protocol) is protocol


def test_gin_changes_a_protocol_that_is_named():
  gin.parse_config("pga_icml2020.batch_norm = 'inference'")
  assert protocols.resolve('pga_icml2020').batch_norm == 'inference'


def test_an_unknown_name_is_an_error():
  with pytest.raises(errors.UserError, match="'fid'; choose one of fid768"):
    protocols.resolve('fid')


def test_rae_iclr2020_is_the_papers():
  assert protocols.resolve('rae_iclr2020') == protocols.Protocol(
      'rae_iclr2020', ('pool_3',), num_samples=10000, split='test',
      num_references=10000, rounding='truncate', batch_norm='inference',
      images=('reconstructions', 'samples', 'interpolations'),
      priors=('own_or_gaussian', 'gmm'),
      metrics=('frechet', 'prd', 'reconstruction'),
      encoded_split='validation', interpolation_seed=2)


@pytest.mark.parametrize('name, features, num_samples', [
    ('rae_fid768', ('768',), 10000), ('rae_quick', ('classifier',), None)])
def test_its_cheaper_forms_differ_in_nothing_else(name, features, num_samples):
  expected = dataclasses.replace(
      protocols.resolve('rae_iclr2020'), name=name, features=features,
      num_samples=num_samples)
  assert protocols.resolve(name) == expected


def test_a_sweep_scales_it_down_by_gin():
  gin.parse_config(["rae_fid768.num_samples = 2500",
                    "rae_fid768.priors = ['kde']",
                    "rae_fid768.images = ['samples']",
                    "rae_iclr2020.rounding = 'nearest'"])
  protocol = protocols.resolve('rae_fid768')
  assert protocol.num_samples == 2500
  assert protocol.priors == ('kde',) and protocol.images == ('samples',)
  # What is set for another protocol does not reach it.
  assert protocol.rounding == 'truncate'


def test_separability_is_measured_of_20000_latents_without_feature_nets():
  assert protocols.resolve('learned_priors_separability') == protocols.Protocol(
      'learned_priors_separability', (), num_samples=20000, split='test',
      images=(), priors=('own_or_gaussian',), metrics=('separability',))
  gin.parse_config('learned_priors_separability.num_samples = 200000')
  protocol = protocols.resolve('learned_priors_separability')
  assert protocol.num_samples == 200000


def test_no_prior_matching_2021_is_the_papers():
  assert protocols.resolve('no_prior_matching_2021') == protocols.Protocol(
      'no_prior_matching_2021', ('pool_3',), num_samples=50000, split='train',
      num_references=None, rounding='nearest', batch_norm='inference',
      priors=('own_or_gaussian',),
      metrics=('frechet', 'reconstruction_mse', 'topology'),
      encoded_split='test')


def test_its_small_form_measures_classes():
  gin.parse_config(["no_prior_matching_fid768.num_samples = 500",
                    "no_prior_matching_2021.rounding = 'truncate'"])
  assert protocols.resolve('no_prior_matching_fid768') == protocols.Protocol(
      'no_prior_matching_fid768', ('768', 'classifier'), num_samples=500,
      split='test', num_references=10000, priors=('own_or_gaussian',),
      metrics=('frechet', 'class_shares', 'reconstruction_mse', 'topology'),
      encoded_split='test', rounding='nearest')


def test_gin_names_the_images_that_are_measured():
  gin.parse_config(["rae_fid768.encoded_split = 'train'",
                    "rae_quick.encoded_split = None",
                    "fid768_test.images = ('reconstructions', 'data')",
                    "fid768_test.encoded_split = 'train'",
                    "quick.images = ('data',)"])
  assert protocols.resolve('rae_fid768').encoded_split == 'train'
  assert protocols.resolve('rae_quick').encoded_split is None
  floors = protocols.resolve('fid768_test')
  assert floors.images == ('reconstructions', 'data')
  assert floors.encoded_split == 'train'
  assert protocols.resolve('quick').images == ('data',)


def test_what_nobody_measures_is_an_error():
  with pytest.raises(errors.UserError, match="'luck'.*its images"):
    protocols.Protocol('mine', (), 5, 'test', images=('luck',))


def test_gin_makes_one_by_itself():
  registry.register()  # Of which `evaluate` is one.
  gin.parse_config(["mine/Protocol.name = 'mine'",
                    "mine/Protocol.features = ('768',)",
                    'evaluate.protocol = @mine/Protocol()'])
  made = gin.query_parameter('evaluate.protocol').scoped_configurable_fn()
  assert made == protocols.Protocol('mine', ('768',))
  assert protocols.resolve(made) is made


def test_one_of_your_own_has_a_name_and_settings(monkeypatch):
  monkeypatch.setattr(protocols, '_PROTOCOLS', dict(protocols._PROTOCOLS))

  @protocols.register(module='tests')
  def of_a_test(num_samples: int = 7):
    return protocols.Protocol('of_a_test', (), num_samples)

  assert 'of_a_test' in protocols.names()
  assert protocols.resolve('of_a_test') == of_a_test()
  gin.parse_config('of_a_test.num_samples = 9')
  assert protocols.resolve('of_a_test').num_samples == 9

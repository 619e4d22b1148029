"""What densities are fitted to: means of the encoder or posterior samples."""
import types

import gin
import numpy as np
import pytest
import tiny_models

from pgak import data
from pgak import errors
from pgak import priors
from pgak.priors import ex_post


def never():
  raise AssertionError('The data set is not needed.')


@pytest.fixture(name='run')
def _run(tmp_path):
  return types.SimpleNamespace(path=tmp_path, config={
      'data': {'fingerprint': 'f00d', 'split': 'train'}})


def attach(model, run, prior='gaussian', dataset=None, **settings):
  dataset = dataset or data.synthetic(tiny_models.IMAGE_SHAPE, 40)
  return ex_post.attach(model, prior, run, 7, dataset, **settings).prior


def test_another_source_is_another_density(run):
  model = tiny_models.make('VAE')
  attach(model, run)
  attach(model, run, source='samples')
  assert len(list((run.path / 'densities').iterdir())) == 2


@pytest.mark.parametrize('name', ['AE', 'WAEMMD'])
def test_a_deterministic_encoder_has_no_samples_to_fit_to(
    run, name, monkeypatch):
  model = tiny_models.make(name)
  sentence = r"^`density.source = 'samples'` .*leave `density.source` out\."
  with pytest.raises(errors.UserError, match=sentence):
    attach(model, run, 'flow_matching', never, source='samples')
  gin.parse_config("density.source = 'samples'")
  if name == 'AE':
    with pytest.raises(errors.UserError, match=sentence):
      ex_post.attach_usual(model, run, 7, never)
  # What an earlier version fitted and kept is read.
  with monkeypatch.context() as patch:
    patch.setattr(ex_post, '_require', lambda *unused: None)
    first = attach(model, run, source='samples')
  again = attach(model, run, dataset=never, source='samples')
  assert again.label == 'gaussian_of_samples'
  np.testing.assert_array_equal(again.sample(3), first.sample(3))


def test_whether_a_density_can_be_fitted_is_known_beforehand(run):
  model = tiny_models.make('AE')
  given = priors.resolve('gaussian'), run, 7
  ex_post.check(model, *given)
  ex_post.check(model, priors.resolve('own'), run, 7, 'samples')
  ex_post.check(tiny_models.make('VAE'), *given, 'samples')
  with pytest.raises(errors.UserError, match='density.source'):
    ex_post.check(model, *given, 'samples')
  assert not (run.path / 'densities').exists()

"""What densities are fitted to: means or samples, all latents or some."""
import types

import gin
import numpy as np
import pytest
import tiny_models

from pgak import data
from pgak import errors
from pgak import priors
from pgak.priors import ex_post
from pgak.priors import mixtures


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


def encoded(model, number=None):
  """The latents that `attach` fits to by itself, or so many of them."""
  images = data.synthetic(tiny_models.IMAGE_SHAPE, 40).split('train')
  return ex_post.encode(model, images, max_latents=number)


def test_an_instance_is_fitted_to_each_model(run):
  prior = priors.Gaussian(3)
  for seed in (0, 1):
    model = tiny_models.make('AE', seed=seed)
    found = attach(model, run, prior)
    np.testing.assert_allclose(
        found.state()['mean'], encoded(model).mean(0), rtol=1e-4)
  assert not prior.is_fitted


def test_a_prior_that_takes_some_latents_takes_those_that_are_measured(
    run, monkeypatch):
  seen = []
  monkeypatch.setattr(mixtures, 'check_number', lambda _, x: seen.append(x))
  model = tiny_models.make('AE')
  prior = priors.GradientMixture(3, 1, steps=1, max_latents=10)
  attach(model, run, prior, max_latents=20)
  np.testing.assert_allclose(seen[0], encoded(model, 10), rtol=1e-4, atol=1e-6)


def test_the_first_latents_of_a_prior_that_takes_some_are_replaced(run):
  model = tiny_models.make('AE')
  some, every = (priors.GradientMixture(3, 1, steps=1, max_latents=n)
                 for n in (10, 30))
  for prior in (some, every):
    attach(model, run, prior)  # As before it took random ones.
  run.config['data']['examples'] = 30
  attach(model, run, every, never)
  with pytest.raises(AssertionError, match='not needed'):
    attach(model, run, some, never)
  attach(model, run, some)
  attach(model, run, some, never)


def test_a_label_says_to_how_many_latents_it_was_fitted(run):
  model = tiny_models.make('AE')
  few = attach(model, run, max_latents=10)
  assert few.label == 'gaussian_of_10_latents' and few.fit_label == 'gaussian'
  again = priors.Gaussian.from_config(few.get_config())
  assert again.label == few.label
  assert attach(model, run).label == 'gaussian'
  names = sorted(p.name for p in (run.path / 'densities').iterdir())
  assert all(name.startswith('gaussian-step7-') for name in names)


def test_a_whole_number_is_the_same_setting_with_a_point(run):
  model = tiny_models.make('AE')
  attach(model, run, priors.Gaussian(3, regularisation=1))
  attach(model, run, priors.Gaussian(3, regularisation=1.), never)
  one, other = (priors.KernelDensity(3, n) for n in (2, 2.))
  assert one.label == other.label == 'kde_2.0'
  assert one.settings == other.settings == {'bandwidth': 2.}
  counts = priors.FlowMatching(3, noise=0, probes=1).settings
  assert isinstance(counts['noise'], float)
  assert isinstance(counts['probes'], int) and counts['conditional'] is True

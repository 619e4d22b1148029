"""Tests of the log-likelihood of a fitted prior."""
import types

import numpy as np
import pytest
import tiny_models

from pgak import data
from pgak import evaluation
from pgak import priors
from pgak.evaluation import protocols
from pgak.metrics import log_likelihood
from pgak.priors import ex_post


class _Images(np.ndarray):
  split = 'train'

  def read(self, indices):
    return np.asarray(self)[indices]


class _Split(list):

  def __init__(self, split, number):
    super().__init__(range(number))
    self.split = split


@pytest.mark.parametrize('found, expected', [
    # 4 and 2 have the standard deviation sqrt(2); over sqrt(2) that is 1.
    (([4., 2.], [1., 1.]), [('log_likelihood_train', 3., 1.),
                            ('log_likelihood_held_out', 1., 0.)]),
    (([4.], [1.]), [('log_likelihood_train', 4., None),
                    ('log_likelihood_held_out', 1., None)]),
    (None, [])])  # A prior without a density.
def test_as_many_latents_of_both_splits(monkeypatch, found, expected):
  train = _Split('train', 20)
  context = types.SimpleNamespace(
      model=types.SimpleNamespace(prior=None), train=train,
      held_out=_Split('test', 7))
  asked = []
  monkeypatch.setattr(
      ex_post, 'log_likelihoods', lambda *args: asked.append(args) or found)
  values = list(log_likelihood._compute(context))
  assert [(v.name, v.value, v.error) for v in values] == [
      (name, value, pytest.approx(error)) for name, value, error in expected]
  assert asked == [(context.model, train, context.held_out, 7)]
  assert all((v.num_samples, v.split) == (7, 'train vs test') for v in values)


def test_a_slow_density_is_measured_on_fewer(monkeypatch):
  train, test = _Split('train', 60000), _Split('test', 10000)
  asked = []
  monkeypatch.setattr(
      ex_post, 'log_likelihoods', lambda *args: asked.append(args[-1]))
  fitted_to_few = priors.Gaussian(2)
  fitted_to_few.max_fitted = 300
  for prior in (priors.Gaussian(2), priors.FlowMatching(2), fitted_to_few,
                priors.GradientMixture(2, max_latents=50)):
    list(log_likelihood._compute(types.SimpleNamespace(
        model=types.SimpleNamespace(prior=prior), held_out=test, train=train)))
  # Of what was not fitted, that of training latents would be held out.
  assert asked == [10000, 1000, 300, 50]


def test_before_round_trips_there_is_a_density():
  model = tiny_models.make('AE')
  images = np.random.default_rng(0).integers(
      0, 256, (8, *tiny_models.IMAGE_SHAPE), np.uint8).view(_Images)
  model.prior = priors.Gaussian(3).fit(ex_post.encode(model, images))
  context = types.SimpleNamespace(model=model, train=images, held_out=images)
  expected = list(log_likelihood._compute(context))
  assert len(expected) == 2 and expected[0].prior is None
  model.prior = priors.RoundTrips(model.prior, model, 2)
  found = list(log_likelihood._compute(context))
  # It is no density of the samples, so it is named.
  assert {v.prior for v in found} == {'gaussian'}
  assert [v.value for v in found] == [v.value for v in expected]


@pytest.mark.parametrize('most, number', [(200, 200), (None, 90)])
@pytest.mark.parametrize('source', ['means', 'samples'])
def test_of_classes_one_after_the_other_fitted_latents_are_measured(
    source, most, number, tmp_path, monkeypatch):
  monkeypatch.setenv('PGAK_CACHE', str(tmp_path))
  images = np.random.default_rng(0).integers(
      0, 256, (900, *tiny_models.IMAGE_SHAPE), np.uint8)
  dataset = data.from_arrays(
      {'train': images[:600], 'test': images[600:600 + number]},
      {'train': np.arange(600) // 200, 'test': np.arange(number) % 3})
  protocol = protocols.Protocol('none', metrics=(), images=())
  model = tiny_models.make('VAE')
  run = types.SimpleNamespace(path=tmp_path, config={
      'data': {'split': 'train', 'fingerprint': ''}})
  # Each latent that it was fitted to is its own centre, and no other is near.
  ex_post.attach(model, priors.KernelDensity(3, 1e-6), run, 0, dataset, source,
                 most)
  train, held_out = evaluation.Evaluator(dataset, protocol).rows(model, 0)
  assert train.num_samples == number
  assert train.value > 0. and held_out.value < -1e3

"""Tests of the log-likelihood of a fitted prior."""
import types

import pytest

from pgak import priors
from pgak.metrics import log_likelihood
from pgak.priors import ex_post


class _Split(list):

  def __init__(self, split, number):
    super().__init__(range(number))
    self.split = split


@pytest.mark.parametrize('found, expected', [
    ((3., 1.), [('log_likelihood_train', 3.), ('log_likelihood_held_out', 1.)]),
    (None, [])])  # A prior without a density.
def test_as_many_latents_of_both_splits(monkeypatch, found, expected):
  train = _Split('train', 20)
  context = types.SimpleNamespace(
      model=types.SimpleNamespace(prior=None), encoded=_Split('test', 7),
      dataset=types.SimpleNamespace(split=lambda name: train))
  asked = []
  monkeypatch.setattr(
      ex_post, 'log_likelihoods', lambda *args: asked.append(args) or found)
  values = list(log_likelihood._compute(context))
  assert [(v.name, v.value) for v in values] == expected
  assert asked == [(context.model, train, context.encoded, 7)]
  assert all((v.num_samples, v.split) == (7, 'train vs test') for v in values)


def test_a_slow_density_is_measured_on_fewer(monkeypatch):
  train, test = _Split('train', 60000), _Split('test', 10000)
  asked = []
  monkeypatch.setattr(
      ex_post, 'log_likelihoods', lambda *args: asked.append(args[-1]))
  for prior in (priors.Gaussian(2), priors.FlowMatching(2)):
    list(log_likelihood._compute(types.SimpleNamespace(
        model=types.SimpleNamespace(prior=prior), encoded=test,
        dataset=types.SimpleNamespace(split=lambda name: train))))
  assert asked == [10000, 1000]

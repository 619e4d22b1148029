"""Priors by their names, as --prior gives them."""
import types

import gin
import pytest

from pgak import errors
from pgak import priors
from pgak.priors import names


@gin.register
class NamesTestPrior:
  """A prior of a user's own."""

  def sample(self, n, seed=0):
    return [seed] * n


@gin.register
def names_test_function():
  return None


def test_a_name_is_that_of_the_class():
  for name, prior in names.NAMES.items():
    assert names.prior_class(name) is prior
    assert prior.name == name
  assert names.NAMES['gmm'] is priors.GaussianMixture


def test_what_is_no_name_is_returned_as_it_is():
  made = NamesTestPrior()
  for prior in ('own', made, priors.Gaussian):
    assert names.prior_class(prior) is prior


def test_a_class_that_gin_knows():
  assert names.prior_class('NamesTestPrior')().sample(2) == [0, 0]


@pytest.mark.parametrize('name, words', [
    ('gmmm', 'did you mean gmm?'),
    ('xyz', 'choose one of own, standard_normal'),
    ('names_test_function', 'There is no prior')])
def test_a_name_of_no_prior_is_refused(name, words):
  with pytest.raises(errors.UserError, match=words.replace('?', r'\?')):
    names.prior_class(name)


def test_what_a_command_with_a_prior_reads():
  assert names.prior_roots('own') == ['density']
  assert names.prior_roots('gmm') == ['density', 'GaussianMixture']
  assert names.prior_roots('mine.Prior') == ['density', 'Prior']
  assert names.prior_roots(names.NAMES['kde']) == ['density', 'KernelDensity']
  # Of a wrong setting, whose error is said where it is read.
  assert names.prior_roots(-1) == names.prior_roots([1]) == ['density']


@pytest.mark.parametrize('name', [
    'FlowPrior', 'FlowMatchingPrior', 'LatentGenerator'])
def test_a_class_that_is_trained_with_a_model_is_the_model_s_own(name):
  model = types.SimpleNamespace(latent_dim=3, prior=object())
  for given in (name, getattr(priors, name)):
    choice = priors.resolve(given)
    with pytest.raises(errors.UserError, match=(
        f'^{name} is trained with a model.*--prior=own takes')):
      choice(model)
  assert priors.resolve('own')(model) is model.prior


def test_an_instance_is_made_anew_until_it_is_fitted():
  prior = priors.KernelDensity(5, 0.2)
  made = priors.resolve(prior)(None)
  assert made is not prior and made.settings == prior.settings
  prior.fit([[0.] * 5])
  assert priors.resolve(prior)(None) is prior
  own = types.SimpleNamespace(can={'fit'}, is_fitted=False)
  made = priors.resolve(own)(None)
  assert made is not own and made == own

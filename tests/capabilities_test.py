"""What can be done, and the reason why something cannot."""
import types

import pytest
import tiny_models

from pgak import capabilities
from pgak import errors
from pgak import priors


def test_nothing_lacks_where_all_is_there():
  assert capabilities.lacks(('encode', 'base'), {'encode', 'base'}) == ''
  assert capabilities.lacks((), set()) == ''
  capabilities.require('a metric', ('encode',), {'encode'})


def test_the_first_that_is_missing_is_the_reason():
  needs = ('encode', 'log_density')
  assert capabilities.lacks(needs, set(), model='gan') == 'gan has no encoder'
  assert capabilities.lacks(needs, {'encode'}, prior='the prior p') == (
      'the prior p has no density that can be computed')


@pytest.mark.parametrize('name', capabilities.NAMES)
def test_every_reason_is_a_sentence_with_a_way_out(name):
  with pytest.raises(errors.UserError) as caught:
    capabilities.require('that', (name,), set(), model='M', prior='p', data='d')
  text = str(caught.value)
  assert text.endswith('.') and ', which that needs: ' in text
  assert text[0] in 'MpdTt' and '{' not in text
  assert isinstance(caught.value, errors.NoEncoderError) == (name == 'encode')


@pytest.mark.parametrize('name, can', [
    ('standard_normal', {'log_density', 'standard_normal'}),
    ('uniform_sphere', {'log_density'}),
    ('real_nvp', {'log_density', 'base', 'fit'}),
    ('gmm', {'log_density', 'fit'}), ('two_stage', {'fit'}),
    ('flow_matching', {'log_density', 'base', 'fit'})])
def test_what_priors_can(name, can):
  kind = (priors.UniformSphere if name == 'uniform_sphere'
          else priors.prior_class(name))
  assert capabilities.of_prior(kind) == capabilities.of_prior(kind(2)) == can


def test_a_prior_may_state_it():

  class Own:
    can = {'condition'}

    def fit(self, latents):
      pass

  assert capabilities.of_prior(Own()) == {'condition'}


def test_a_prior_of_one_s_own_is_called_by_its_name():
  class Bare:
    name = 'bare'
  assert capabilities.label_of(Bare()) == 'bare'
  assert capabilities.label_of(priors.GaussianMixture(4)) == 'gmm_10'
  labelled = types.SimpleNamespace(label='mine_3')
  assert capabilities.name_of(labelled) == 'mine_3'
  assert capabilities.name_of(priors.GaussianMixture(4)) == 'gmm'


def test_a_prior_with_a_label_alone_is_not_n_0_i():
  model = tiny_models.make('AE')
  assert capabilities.is_unmatched(model)
  model.prior = types.SimpleNamespace(label='mine', can=set())
  assert not capabilities.is_unmatched(model)

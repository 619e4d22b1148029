"""The data set that a run's configuration names."""
import gin
import pytest

from pgak import errors
from pgak import registry
from pgak.runs import configuration
from pgak.runs import data_set

registry.register()


@pytest.fixture(autouse=True)
def _no_gin():
  yield
  gin.clear_config()


def test_it_is_made_as_gin_has_it_and_split_as_the_run_does():
  configuration.parse(['quickstart.gin'], ["train.validation_split = 'train'"])
  assert data_set.configured().name == 'digits'
  assert data_set.split('validation').split == 'train'
  assert data_set.split('train').split == 'train'


def test_none_bound_is_a_sentence():
  with pytest.raises(errors.UserError, match='binds no train.dataset: call'):
    data_set.configured()


def test_none_is_as_good_as_no_binding():
  configuration.parse(['quickstart.gin'], ['train.dataset = None'])
  with pytest.raises(errors.UserError, match='binds no train.dataset: call'):
    data_set.configured()


@pytest.mark.parametrize('value', ['"digits"', '@adam', '@digits()'])
def test_what_makes_none_is_a_sentence(value):
  configuration.parse(['quickstart.gin'], [f'train.dataset = {value}'])
  with pytest.raises(errors.UserError, match='`train.dataset = '):
    data_set.configured()

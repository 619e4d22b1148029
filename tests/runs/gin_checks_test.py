"""Tests of what gin accepts and pgak does not."""
import gin
import pytest

from pgak import errors
from pgak.runs import gin_checks


@gin.register(module='gin_checks_test')
def bound(value):
  """Takes a value."""


@pytest.fixture(autouse=True)
def _cleared():
  yield
  gin.clear_config()


@pytest.mark.parametrize('binding, name', [
    ('bound.value = 1e400', r'`bound\.value = inf`'),
    ('inner/bound.value = 1e400', r'`inner/bound\.value = inf`'),
    ('bound.value = [1., {"a": (2., -1e400)}]', r'`bound\.value = '),
    ('size = 1e400', '`size = inf`')])
def test_an_infinite_number_is_refused_by_name(binding, name):
  gin.parse_config(binding)
  with pytest.raises(errors.UserError, match=name):
    gin_checks.check_finite()


def test_other_values_pass():
  gin.parse_config('bound.value = [1e300, None, "inf", {"a": (2, @bound)}]')
  gin_checks.check_finite()

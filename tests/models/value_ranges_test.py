"""Tests of the range that a model is given."""
import inspect

import pytest

from pgak import errors
from pgak.models import value_ranges


class _Model(metaclass=value_ranges.TakesRange):

  def __init__(self, width=3):
    self.width = width
    self.range = value_ranges.given()


def test_a_model_sees_the_range_while_it_is_made():
  made = _Model(5, value_range=[0, 1])
  assert (made.width, made.range) == (5, (0., 1.))
  assert value_ranges.given() is None and _Model().range is None


def test_the_range_is_no_argument_of_the_class():
  assert list(inspect.signature(_Model).parameters) == ['width']


@pytest.mark.parametrize('wrong', [(1., 0.), (0., 0.), 1., ('a', 'b'), (0.,)])
def test_a_wrong_range_is_refused_and_forgotten(wrong):
  with pytest.raises(errors.UserError, match='_Model'):
    _Model(value_range=wrong)
  assert value_ranges.given() is None

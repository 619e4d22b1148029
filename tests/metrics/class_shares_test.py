"""Tests of the shares of classes."""
import numpy as np
import pytest

from pgak import errors
from pgak.metrics import class_shares


def test_golden_values():
  # Sure of class 0 twice, of 1 twice, of 2 once, and of the rest not: 0.9 is
  # not above 0.9. So 5 of 8 images count, and 1 of 8 for the rarest class.
  probabilities = [[1., 0., 0.], [.95, .05, 0.], [0., 1., 0.], [.02, .98, 0.],
                   [0., .09, .91], [.05, .05, .9], [.4, .3, .3], [0., .2, .8]]
  assert class_shares.class_shares(probabilities) == {
      'confident_share': 5. / 8., 'smallest_class_share': 1. / 8.}
  # Above 0.7 the last three but one count, for class 2.
  assert class_shares.class_shares(probabilities, 0.7) == {
      'confident_share': 7. / 8., 'smallest_class_share': 2. / 8.}


def test_all_classes_as_often_have_one_kth_each():
  found = class_shares.class_shares(np.eye(4)[np.arange(40) % 4])
  assert found == {'confident_share': 1., 'smallest_class_share': 0.25}


@pytest.mark.parametrize('probabilities', [
    np.eye(4)[[1, 2, 3, 3]],  # A class is missing.
    np.full((9, 4), 0.25)])  # Nothing is sure.
def test_a_collapse_is_nought(probabilities):
  found = class_shares.class_shares(probabilities)
  assert found['smallest_class_share'] == 0.


def test_what_cannot_be_measured_is_an_error():
  with pytest.raises(errors.UserError, match='there are none'):
    class_shares.class_shares(np.zeros((0, 3)))
  with pytest.raises(errors.UserError, match='finite'):
    class_shares.class_shares([[np.nan, 1.]])

"""Tests of the inception score."""
import numpy as np
import pytest
from scipy import stats

from pgak import errors
from pgak.metrics import inception_score


@pytest.mark.parametrize('rows, expected', [
    # Sure of each image, and all classes: as many as there are classes.
    ([[1., 0.], [0., 1.]], 2.),
    # One class alone, or never sure: 1.
    ([[1., 0.], [1., 0.]], 1.),
    ([[0.5, 0.5], [0.5, 0.5]], 1.),
    # 0.75 log(0.75 / 0.5) + 0.25 log(0.25 / 0.5) = 0.130812; its exponential.
    ([[0.75, 0.25], [0.25, 0.75]], 1.139753)])
def test_golden_values(rows, expected):
  mean, deviation = inception_score.inception_score(rows, splits=1)
  assert mean == pytest.approx(expected, rel=1e-6) and deviation == 0.


def test_it_is_what_scipys_entropy_gives_in_each_part():
  probabilities = np.random.default_rng(0).dirichlet(np.ones(5), 30)
  scores = [np.exp(stats.entropy(part, part.mean(0, keepdims=True), axis=1)
                   .mean()) for part in np.split(probabilities, 10)]
  assert inception_score.inception_score(probabilities) == (
      pytest.approx(np.mean(scores)), pytest.approx(np.std(scores)))


def test_the_parts_of_a_number_that_is_not_divisible():
  # The authors cut 10 images in 4 parts at 0, 10 / 4 = 2, 5, 7 and 10, which
  # has the smaller part first; equal shares from the front would be 3, 3, 2, 2.
  probabilities = np.random.default_rng(0).dirichlet(np.ones(5), 10)
  scores = [np.exp(stats.entropy(part, part.mean(0, keepdims=True), axis=1)
                   .mean()) for part in np.split(probabilities, [2, 5, 7])]
  assert inception_score.inception_score(probabilities, 4) == (
      pytest.approx(np.mean(scores)), pytest.approx(np.std(scores)))


def test_what_cannot_be_measured_is_an_error():
  rows = np.ones((9, 1))
  with pytest.raises(errors.UserError, match='10 parts.*there are 9'):
    inception_score.inception_score(rows)
  with pytest.raises(errors.UserError, match='finite'):
    inception_score.inception_score(rows * np.nan, splits=3)

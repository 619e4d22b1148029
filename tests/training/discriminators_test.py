"""Discriminators at chance, on numbers that were worked out by hand."""
import numpy as np
import pytest

from pgak import losses
from pgak.training import discriminators

LOGISTIC, HINGE = losses.discrimination, losses.hinge_discrimination


def said(positive, negative, loss=LOGISTIC, is_matched=False):
  return discriminators.warning(discriminators.numbers(
      (positive, negative), loss), is_matched)


def test_accuracy_weighs_both_sets_alike():
  # 3 of 4 positive ones and 1 of 2 negative ones: (3/4 + 1/2) / 2.
  assert discriminators.accuracy([1., 2., 3., -1.], [-1., 1.]) == 0.625


def test_the_loss_at_chance_is_that_of_guessing():
  assert discriminators.loss_at_chance(LOGISTIC) == pytest.approx(2 * np.log(2))
  assert discriminators.loss_at_chance(HINGE) == 2.


def test_means_are_apart_on_any_scale():
  # Means 3 and -1; variances 4 and 16, whose mean's root is sqrt(10).
  positive, negative = np.array([1., 5.]), np.array([3., -5.])
  for scale in (1., 1e-3):
    np.testing.assert_allclose(discriminators.means_apart(
        scale * positive, scale * negative), 4. / 10.**0.5)
  assert discriminators.means_apart([2., 2.], [2., 2.]) == 0.


@pytest.mark.parametrize('positive, negative, loss, text', [
    # Guessing with confidence is worse than log 2: log(1 + e) = 1.313 and
    # log(1 + 1 / e) = 0.313, of both sets.
    ([1., -1.], [1., -1.], LOGISTIC,
     'its loss is 1.63, and guessing has 1.39 (accuracy 0.5)'),
    # The accuracy of guessing, and a loss far from it.
    ([9., 9.], [0.1, 0.1], LOGISTIC, ''),
    ([2., 2.], [2., 2.], HINGE, 'its loss is 3, and guessing has 2'),
    ([0.1, 0.1], [-0.1, 0.], HINGE, ''),
    ([0.1, 0.], [0., 0.], HINGE, 'its loss is 1.95, and guessing has 2'),
    ([3., 3.], [-3., -3.], LOGISTIC, 'wins outright: its accuracy is 1,'),
    # Right, by hardly anything: neither.
    ([0.01, 0.01], [-0.01, -0.01], LOGISTIC, ''),
    ([7.02, 6.98], [7.01, 6.99], None, '0 standard deviations apart'),
    ([7.2, 7.], [7., 6.8], None, '')])
def test_the_loss_decides(positive, negative, loss, text):
  found = said(positive, negative, loss)
  assert text in found and bool(found) == bool(text)


@pytest.mark.parametrize('loss', [LOGISTIC, None])
def test_chance_is_the_aim_where_the_sets_match(loss):
  assert said([1., -1.], [1., -1.], loss)
  assert not said([1., -1.], [1., -1.], loss, is_matched=True)

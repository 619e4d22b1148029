"""Tests of improved precision and recall."""
import numpy as np
import pytest
from sklearn import neighbors

from pgak import errors
from pgak.metrics import precision_recall


def test_golden_values_on_a_line():
  # Nearest of the others: real 0, 1, 2, 10 have radii 1, 1, 1, 8; fake 0.5,
  # 2.5, 3.5, 20 have 2, 1, 1, 16.5. 0.5, 2.5 and 3.5 are in a real ball, the
  # last two in that of 10, and 20 is not: 3/4. All real are in a fake ball.
  real = np.array([[0.], [1.], [2.], [10.]])
  fake = np.array([[0.5], [2.5], [3.5], [20.]])
  np.testing.assert_allclose(precision_recall.radii(real, 1), [1, 1, 1, 8])
  np.testing.assert_allclose(
      precision_recall.radii(fake, 1), [2, 1, 1, 16.5])
  assert precision_recall.precision_recall(real, fake, 1) == {
      'knn_precision': 0.75, 'knn_recall': 1.}


def _oracle(real, fake, k):
  # The nearest of k + 1 is the vector itself.
  def radii(rows):
    return neighbors.NearestNeighbors(n_neighbors=k + 1).fit(
        rows).kneighbors(rows)[0][:, -1]

  def share(rows, centres):
    found = np.linalg.norm(rows[:, None] - centres, axis=-1)
    return (found <= radii(centres)).any(1).mean()

  return share(fake, real), share(real, fake)


@pytest.mark.parametrize('k', [1, 3])
@pytest.mark.parametrize('shift', [0., 1.5])
def test_it_is_what_scikit_learns_neighbours_give(monkeypatch, k, shift):
  monkeypatch.setattr(precision_recall, 'BLOCK', 19)
  generator = np.random.default_rng(0)
  real = generator.normal(size=(80, 4))
  fake = generator.normal(size=(50, 4)) * 0.7 + shift
  found = precision_recall.precision_recall(real, fake, k)
  precision, recall = _oracle(real, fake, k)
  assert found == {'knn_precision': pytest.approx(precision),
                   'knn_recall': pytest.approx(recall)}
  assert 0. < precision <= 1. and 0. < recall < 1.


def test_a_dropped_mode_costs_recall_and_noise_costs_precision():
  generator = np.random.default_rng(0)
  left, right = (generator.normal(m, 1., (100, 2)) for m in (0., 50.))
  both = np.concatenate([left, right])
  dropped = precision_recall.precision_recall(
      both, generator.normal(0., 1., (100, 2)))
  assert dropped['knn_precision'] > 0.85
  assert 0.4 < dropped['knn_recall'] <= 0.5
  noisy = precision_recall.precision_recall(left, both)
  assert noisy == {'knn_precision': 0.5, 'knn_recall': 1.}


def test_identical_features_are_inside():
  rows = np.full((9, 3), 0.1, np.float32)
  assert precision_recall.precision_recall(rows, rows) == {
      'knn_precision': 1., 'knn_recall': 1.}
  assert precision_recall.precision_recall(rows, rows + 1.) == {
      'knn_precision': 0., 'knn_recall': 0.}


def test_what_cannot_be_measured_is_an_error():
  rows = np.arange(10.).reshape(5, 2)
  with pytest.raises(errors.UserError, match='more than 3 images.*there are 3'):
    precision_recall.precision_recall(rows, rows[:3])
  with pytest.raises(errors.UserError, match='finite'):
    precision_recall.precision_recall(rows, rows * np.nan)

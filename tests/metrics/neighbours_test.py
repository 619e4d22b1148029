"""Tests of the neighbours of samples."""
import numpy as np
import pytest

from pgak import errors
from pgak.metrics import neighbours


def _batches(rows, size=7):
  return lambda: (rows[i:i + size] for i in range(0, len(rows), size))


def _measure(samples, train, test, k=2):
  return neighbours.memorisation(samples, _batches(train), _batches(test), k)


def test_golden_values_on_a_line():
  # Samples 1 and 11; training 0, 10; test 3, 5, 14, 17 of which 3 and 14 are
  # searched and 5 and 17 are fresh. Samples: 1 and 1 from training, 2 and 3
  # from searched test images, so 2 / 5. Fresh: 5 and 7 from training, 2 and 3
  # from the searched: 12 / 5. The ratio is 2 / 12.
  def column(*values):
    return np.array(values)[:, None]

  scores, train, test = _measure(
      column(1., 11.), column(0., 10.), column(3., 5., 14., 17.))
  assert scores == pytest.approx({
      'memorisation_ratio': 1. / 6., 'nearest_train_distance': 1.,
      'nearest_test_distance': 2.5})
  np.testing.assert_array_equal(train, [[0, 1], [1, 0]])
  np.testing.assert_array_equal(test, [[0, 1], [2, 1]])


# Training and test images need not be as many: more training images are nearer
# to everything.
@pytest.mark.parametrize('num_train', [300, 1500])
def test_fresh_data_gives_about_1_and_copies_give_0(num_train):
  generator = np.random.default_rng(0)
  train = generator.normal(size=(num_train, 3))
  test = generator.normal(size=(300, 3))
  fresh, _, _ = _measure(generator.normal(size=(200, 3)), train, test)
  assert fresh['memorisation_ratio'] == pytest.approx(1., abs=0.15)
  copied, _, _ = _measure(train[-200:], train, test)
  assert copied['memorisation_ratio'] == 0.
  near = train[:200] + generator.normal(0., 0.01, (200, 3))
  assert _measure(near, train, test)[0]['memorisation_ratio'] < 0.25
  half = np.concatenate([train[:100], generator.normal(size=(100, 3))])
  assert 0.3 < _measure(half, train, test)[0]['memorisation_ratio'] < 0.7
  # Nearer to the test images than fresh data is: the other way.
  assert _measure(test[:200], train, test)[0]['memorisation_ratio'] > 1.5


def test_identical_images_are_no_memories():
  scores, _, _ = _measure(np.ones((4, 2)), np.ones((9, 2)), np.ones((5, 2)))
  assert scores['memorisation_ratio'] == 1.


def test_what_cannot_be_measured_is_an_error():
  rows = np.ones((4, 2))
  with pytest.raises(errors.UserError, match='at least 2 test.*there is 1'):
    _measure(rows, rows, rows[:1])
  with pytest.raises(errors.UserError, match='need samples'):
    _measure(rows[:0], rows, rows)
  with pytest.raises(errors.UserError, match='finite'):
    _measure(rows * np.nan, rows, rows)


def test_pixels_are_on_0_1():
  images = np.array([[[[0], [255]]], [[[51], [102]]]], np.uint8)
  np.testing.assert_allclose(
      neighbours.pixels(images), [[0., 1.], [0.2, 0.4]], rtol=1e-6)


def test_a_picture_has_a_row_a_sample():
  samples = np.full((3, 28, 28, 1), 10, np.uint8)
  train = np.full((3, 5, 28, 28, 1), 20, np.uint8)
  test = np.full((3, 2, 28, 28, 1), 30, np.uint8)
  picture = neighbours.picture(samples, train, test)
  # One sample, white, five, white, two: ten columns of 28 pixels and a line.
  assert picture.shape == (3 * 29 - 1, 10 * 29 - 1, 1)
  assert [picture[0, 29 * i, 0] for i in range(10)] == [
      10, 255, 20, 20, 20, 20, 20, 255, 30, 30]

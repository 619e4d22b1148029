"""Clouds of vectors: what is shown of them, and in which window."""
import numpy as np
import pytest

from pgak.pictures import png
from pgak.pictures import scatter


@pytest.mark.parametrize('size, shown', [(1, 2), (2, 2), (3, 3), (5, 3)])
def test_vectors_of_any_size_are_shown(size, shown):
  vectors = np.random.default_rng(0).normal(size=(20, size))
  panel = scatter.cloud(vectors, 'data')
  assert panel.points.shape == (20, shown)
  known = min(size, 3)
  np.testing.assert_array_equal(panel.points[:, :known], vectors[:, :known])
  picture = png.decode(scatter.samples(vectors, vectors))
  assert picture.ndim == 3 and picture.std() > 0.


def test_the_data_decide_the_window():
  vectors = np.array([[0., 0.], [1., 2.]])
  shades = np.array([1., 2.])
  first, other = scatter.compared(
      vectors, [(np.array([[0.5, 1.], [9., 1.]]), shades)], shades,
      ('data', 'reconstruction'))
  # A tenth of its width on either side, and a little.
  np.testing.assert_allclose(first.window, [[-0.101, 1.101], [-0.201, 2.201]])
  np.testing.assert_array_equal(other.window, first.window)
  assert other.points.tolist() == [[0.5, 1.]] and other.shades.tolist() == [1.]


def test_a_cloud_of_nothing_and_of_one_place_is_drawn():
  place = np.zeros([4, 3])
  far = np.full([4, 3], 9.)
  assert png.decode(scatter.reconstruction(place, far, np.arange(4.))
                           ).shape[2] == 3

"""Many pictures in one."""
import numpy as np
import pytest

from pgak.pictures import grids


def test_grid_layout():
  # Three images of 1 x 2 in two columns, with lines of one pixel:
  #   1 1 | 2 2
  #   ---------
  #   3 3 | . .
  three = np.stack([np.full((1, 2, 1), i, np.uint8) for i in (1, 2, 3)])
  found = grids.grid(three, columns=2)
  assert found.dtype == np.uint8
  np.testing.assert_array_equal(found[..., 0], [
      [1, 1, 255, 2, 2],
      [255, 255, 255, 255, 255],
      [3, 3, 255, 255, 255]])
  np.testing.assert_array_equal(
      grids.grid(three, columns=3, border=0)[..., 0], [[1, 1, 2, 2, 3, 3]])


@pytest.mark.parametrize('number, side', [(1, 1), (4, 2), (5, 3), (9, 3)])
def test_grid_is_the_smallest_square_by_default(number, side):
  found = grids.grid(np.zeros((number, 4, 4, 3), np.uint8), border=2)
  rows = -(-number // side)
  assert found.shape == (rows * 6 - 2, side * 6 - 2, 3)

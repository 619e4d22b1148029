"""Tests of the grey levels of arrays."""
import numpy as np
import pytest

from pgak import errors
from pgak.data import levels


def test_extent_is_over_all_chunks():
  assert levels.extent([np.float32([3., -1.]), np.float32([2.])], 'a') == (
      -1., 3.)
  with pytest.raises(errors.UserError, match='a.npy'):
    levels.extent([np.float32([1.]), np.float32([np.nan])], 'a.npy')


@pytest.mark.parametrize('dtype, low, high, expected', [
    ('uint8', 0, 255, (0., 255.)), ('int64', 0, 1, (0., 1.)),
    ('float32', 0., 1.0005, (0., 1.)), ('float32', -1., 1., (-1., 1.)),
    ('float32', 0., 250.5, (0., 255.))])
def test_the_range_follows_from_the_numbers(dtype, low, high, expected):
  assert levels.range_of(np.dtype(dtype), low, high, 'a') == expected


@pytest.mark.parametrize('dtype, low, high', [
    ('uint16', 0, 4095), ('int8', -1, 1), ('float32', -3., 3.)])
def test_a_range_that_is_no_images_is_asked_for(dtype, low, high):
  with pytest.raises(errors.UserError, match='arrays.value_range'):
    levels.range_of(np.dtype(dtype), low, high, 'a')


def test_black_is_0_and_white_is_255():
  found = levels.to_levels(np.float32([-1., 0., .999, 1.]), (-1., 1.), 'a')
  # (0 + 1) 127.5 = 127.5, which rounds to the even 128.
  assert found.dtype == np.uint8 and list(found) == [0, 128, 255, 255]
  same = np.uint8([0, 7, 255])
  assert levels.to_levels(same, (0., 255.), 'a') is same
  with pytest.raises(errors.UserError, match='arrays.value_range'):
    levels.to_levels(np.float32([1.01]), (0., 1.), 'a')

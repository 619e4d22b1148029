"""Tests of directions of attributes."""
import numpy as np
import pytest

from pgak import errors
from pgak import generation


def test_by_hand():
  # With: (1, 0) and (3, 2), mean (2, 1). Without: (0, 4). Vector (2, -3).
  vector = generation.attribute_vector(
      [[1., 0.], [0., 4.], [3., 2.]], [True, False, True])
  np.testing.assert_array_equal(vector, [2., -3.])
  assert vector.dtype == np.float32


def test_a_shift_of_all_latents_changes_nothing():
  generator = np.random.default_rng(0)
  latents, mask = generator.normal(size=(50, 4)), generator.random(50) < 0.1
  np.testing.assert_allclose(
      generation.attribute_vector(latents + 7., mask),
      generation.attribute_vector(latents, mask), atol=1e-6)


@pytest.mark.parametrize('mask, match', [
    ([True, True], 'All of the 2 images'),
    ([False, False], 'None of the 2 images')])
def test_what_all_or_none_have_is_no_direction(mask, match):
  with pytest.raises(errors.UserError, match=match):
    generation.attribute_vector(np.ones([2, 3]), mask)

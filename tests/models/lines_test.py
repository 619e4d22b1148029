"""Points between latents."""
import numpy as np

from pgak.models import lines


def test_midpoints_golden_values():
  # Perpendicular and as long: the arc's mid-point, (1, 1) / sqrt(2). Parallel:
  # the mean. 60 degrees, lengths 1 and 2: (a + b) / (2 cos 30).
  a = [[1., 0.], [1., 1.], [1., 0.]]
  b = [[0., 1.], [3., 3.], [1., 3.**0.5]]
  np.testing.assert_allclose(
      lines.midpoints(a, b),
      [[0.5**0.5, 0.5**0.5], [2., 2.], [2. / 3.**0.5, 1.]], rtol=1e-6)


def test_midpoints_are_the_published_slerp():
  a, b = np.random.default_rng(0).normal(size=(2, 20, 5))
  angle = np.arccos((a * b).sum(1) / np.linalg.norm(a, axis=1)
                    / np.linalg.norm(b, axis=1))[:, None]
  expected = (np.sin(angle / 2.) * a + np.sin(angle / 2.) * b) / np.sin(angle)
  np.testing.assert_allclose(lines.midpoints(a, b), expected, rtol=1e-5)


def test_midpoints_without_an_arc_are_means():
  found = lines.midpoints([[1., 0.], [0., 0.], [0., 0.]],
                             [[-1., 0.], [0., 4.], [0., 0.]])
  np.testing.assert_array_equal(found, [[0., 0.], [0., 2.], [0., 0.]])


def test_one_point_of_each_line_is_that_of_the_whole_lines():
  a, b = np.random.default_rng(0).normal(size=(2, 5, 3)).astype('f')
  weight = np.float32([0., 0.25, 0.5, 0.75, 1.])
  for spherical in (False, True):
    whole = lines.between(a, b, 5, spherical)
    found = lines.at(a, b, weight, spherical)
    np.testing.assert_allclose(found, np.einsum('iih->ih', whole), atol=1e-6)

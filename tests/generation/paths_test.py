"""Tests of paths between latents."""
import math

import numpy as np
import pytest

from pgak import errors
from pgak import generation
from pgak import priors
from pgak.models import lines

GENERATOR = np.random.default_rng(0)
START, END = GENERATOR.normal(size=(2, 6, 5))


class Doubling:
  """A prior whose flow is f(z) = 2 z^3, one dimension at a time."""
  label = 'doubling'

  def latent_to_base(self, latents):
    return 2. * latents**3

  def base_to_latent(self, base):
    return np.cbrt(np.asarray(base) / 2.)


def test_lines_by_hand():
  # From (0, 4) to (2, 0) in thirds.
  path = generation.lerp([[0., 4.]], [[2., 0.]], 4)
  np.testing.assert_allclose(
      path, [[[0., 4.], [2 / 3, 8 / 3], [4 / 3, 4 / 3], [2., 0.]]], rtol=1e-6)
  assert path.dtype == np.float32


def test_arcs_by_hand():
  # A right angle in thirds: 30 and 60 degrees, with norms 2, 8/3, 10/3 and 4.
  path = generation.slerp([[2., 0.]], [[0., 4.]], 4)
  high = np.sqrt(3.) / 2.
  np.testing.assert_allclose(
      path, [[[2., 0.], [8 / 3 * high, 4 / 3], [5 / 3, 10 / 3 * high],
              [0., 4.]]], atol=1e-6)


def test_an_arc_keeps_the_norm_at_a_constant_rate():
  start, end = (x / np.linalg.norm(x, axis=1, keepdims=True)
                for x in (START, END))
  path = generation.slerp(start, end, 9).astype(np.float64)
  np.testing.assert_allclose(np.linalg.norm(path, axis=-1), 1., rtol=1e-6)
  steps = np.linalg.norm(np.diff(path, axis=1), axis=-1)
  np.testing.assert_allclose(steps, steps[:, :1] * np.ones(8), rtol=1e-4)


def test_for_equal_norms_the_middle_is_the_mid_point_of_evaluations():
  start, end = (3. * x / np.linalg.norm(x, axis=1, keepdims=True)
                for x in (START, END))
  np.testing.assert_allclose(generation.slerp(start, end, 3)[:, 1],
                             lines.midpoints(start, end), rtol=1e-5)


def test_nearly_opposite_latents_lead_nowhere_far():
  angles = np.pi - np.array([1e-1, 1e-3, 1e-5, 1e-7, 0.])
  end = 3. * np.stack([np.cos(angles), np.sin(angles)], 1)
  start = np.tile([[1., 0.]], (5, 1))
  path = generation.slerp(start, end, 9)
  assert np.linalg.norm(path, axis=-1).max() < 3. + 1e-5
  np.testing.assert_allclose(path[:, -1], end, atol=1e-5)


@pytest.mark.parametrize('start, end', [
    ([1., 2.], [3., 6.]), ([1., 2.], [-1., -2.]), ([0., 0.], [1., 2.]),
    ([1., 2.], [1., 2.]), ([0., 0.], [0., 0.])])
def test_where_there_is_no_arc_the_path_is_straight(start, end):
  np.testing.assert_allclose(generation.slerp([start], [end], 5),
                             generation.lerp([start], [end], 5), atol=1e-5)


def test_in_z_0_the_path_is_an_arc_of_what_the_flow_makes():
  prior = Doubling()
  path = generation.path(prior, START, END, 7, 'z0')
  np.testing.assert_allclose(path[:, 0], START, rtol=1e-5)
  np.testing.assert_allclose(path[:, -1], END, rtol=1e-5)
  np.testing.assert_allclose(
      2. * path.astype(np.float64)**3,
      generation.slerp(2. * START**3, 2. * END**3, 7), atol=1e-4)
  straight = generation.path(prior, START, END, 7)
  np.testing.assert_array_equal(straight, generation.lerp(START, END, 7))
  assert np.abs(path - straight).max() > 0.1


def test_the_standard_normal_is_its_own_z_0():
  prior = priors.StandardNormal(5)
  np.testing.assert_array_equal(
      generation.path(prior, START, END, 4, 'z0'),
      generation.slerp(START.astype(np.float32), END.astype(np.float32), 4))


def test_an_arc_about_the_origin_needs_no_z_0():
  """sin((1 - t) w) a + sin(t w) b over sin w, w of the normalised latents."""
  prior = priors.Gaussian(5)  # Not even fitted.
  found = generation.path(prior, START, END, 5, 'zT', 'spherical')
  for a, b, row in zip(START, END, found):
    w = math.acos(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
    for t, point in zip(np.linspace(0., 1., 5), row):
      np.testing.assert_allclose(
          point, (math.sin((1. - t) * w) * a + math.sin(t * w) * b)
          / math.sin(w), rtol=1e-4, atol=1e-6)
  opposite = generation.path(prior, START, -2. * START, 3, 'zT', 'spherical')
  np.testing.assert_allclose(opposite[:, 1], -0.5 * START, rtol=1e-5)


@pytest.mark.parametrize('space, line, same_as', [
    ('zT', None, generation.lerp), ('zT', 'straight', generation.lerp),
    ('z0', None, generation.slerp), ('z0', 'spherical', generation.slerp),
    ('z0', 'straight', generation.lerp)])
def test_the_line_and_the_space_are_two_choices(space, line, same_as):
  start, end = START.astype(np.float32), END.astype(np.float32)
  np.testing.assert_allclose(
      generation.path(priors.StandardNormal(5), start, end, 4, space, line),
      same_as(start, end, 4), rtol=1e-6)
  with pytest.raises(errors.UserError, match="no line 'bent'"):
    generation.path(priors.StandardNormal(5), start, end, 4, space, 'bent')


def test_a_fitted_flow_maps_there_and_back():
  latents = np.random.default_rng(1).normal(2., 3., (400, 5))
  prior = priors.RealNVP(5, num_couplings=2, hidden_units=(8,),
                         max_epochs=1).fit(latents)
  base = generation.latent_to_base(prior, latents)
  assert base.shape == (400, 5) and base.dtype == np.float32
  np.testing.assert_allclose(generation.base_to_latent(prior, base), latents,
                             atol=1e-3)
  assert np.abs(base.mean(0)).max() < 0.5 and np.abs(base - latents).max() > 1.


@pytest.mark.parametrize('steps, space, match', [
    (1, 'zT', '2 steps'), (0, 'z0', '2 steps'), (4, 'z1', "no space 'z1'")])
def test_what_is_no_path_is_refused(steps, space, match):
  with pytest.raises(errors.UserError, match=match):
    generation.path(priors.StandardNormal(5), START, END, steps, space)

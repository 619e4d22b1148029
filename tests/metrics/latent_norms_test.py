"""How far latents are from a sphere."""
import types

import numpy as np
import pytest

from pgak.metrics import latent_norms
from pgak.metrics import metric


def test_by_hand():
  """|z - m|^2 of (0, 0), (2, 0), (1, 3), with m = (1, 1): 2, 2 and 4.

  Their mean is 8/3 and their deviation sqrt(8/9). C = [[1, 0], [0, 3]], so
  (1 + 3)^2 / (1 + 9) = 1.6.
  """
  latents = [[0., 0.], [2., 0.], [1., 3.]]
  assert latent_norms.variation(latents) == pytest.approx(
      np.sqrt(8. / 9.) / (8. / 3.))
  assert latent_norms.effective_dimensions(latents) == pytest.approx(1.6)


def test_a_sphere_does_not_vary():
  angles = np.arange(12) * np.pi / 6.
  circle = np.stack([np.cos(angles), np.sin(angles)], -1) + 5.
  assert latent_norms.variation(circle) == pytest.approx(0., abs=1e-9)
  assert latent_norms.effective_dimensions(circle) == pytest.approx(2.)


def test_what_is_scored():
  latents = np.random.default_rng(0).normal(size=(50, 4))
  context = types.SimpleNamespace(
      num_encoded=30, latents=lambda number: latents[:number])
  values = list(metric.find('latent_norms', 'images').compute(context))
  assert {v.name: v.value for v in values} == {
      'latent_norm_variation': latent_norms.variation(latents[:30]),
      'latent_effective_dimensions':
          latent_norms.effective_dimensions(latents[:30])}
  assert {v.num_samples for v in values} == {30}

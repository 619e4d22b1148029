"""Tests of the plane in which latents vary most."""
import numpy as np
import pytest
from sklearn import decomposition

from pgak import generation


def test_principal_components_as_scikit_learn_has_them():
  generator = np.random.default_rng(0)
  latents = generator.normal(size=(50, 5)) * [5., 1., 3., .1, 1.] + 7.
  others = generator.normal(size=(20, 5))
  plane = generation.Plane(latents)
  pca = decomposition.PCA(2).fit(latents)
  signs = np.sign((pca.transform(latents) * plane.project(latents)).sum(0))
  for points in (latents, others):
    np.testing.assert_allclose(plane.project(points),
                               pca.transform(points) * signs, atol=1e-9)
  assert plane.share == pytest.approx(pca.explained_variance_ratio_.sum())
  assert plane.is_projection and 'component' in plane.axes[1]


@pytest.mark.parametrize('dimensions', [1, 2])
def test_few_dimensions_are_shown_as_they_are(dimensions):
  latents = np.arange(2. * dimensions).reshape(2, dimensions)
  plane = generation.Plane(latents)
  np.testing.assert_array_equal(
      plane.project(latents), np.pad(latents, ((0, 0), (0, 2 - dimensions))))
  assert plane.share == 1. and not plane.is_projection


def test_constant_latents_are_one_point():
  plane = generation.Plane(np.ones([4, 3]))
  assert plane.share == 1. and np.all(plane.project(np.ones([2, 3])) == 0.)


@pytest.mark.parametrize('latents', [np.zeros([0, 3]), np.full([2, 3], np.nan)])
def test_no_latents_or_not_finite_ones_are_refused(latents):
  with pytest.raises(ValueError, match='no latents'):
    generation.Plane(latents)

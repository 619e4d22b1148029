"""Tests of latents in two dimensions."""
import contextlib
import types

import numpy as np
import pytest
from sklearn import decomposition
import tiny_models
import tiny_runs

from pgak import batches
from pgak import data
from pgak import priors
from pgak import reporting
from pgak.generation import sampling
from pgak.reporting import latents


def test_principal_components_as_scikit_learn_has_them():
  generator = np.random.default_rng(0)
  encoded = generator.normal(size=(50, 5)) * [5., 1., 3., .1, 1.] + 7.
  drawn = generator.normal(size=(20, 5))
  shown, others, plane = latents.in_two_dimensions(encoded, drawn)
  pca = decomposition.PCA(2).fit(encoded)
  signs = np.sign((pca.transform(encoded) * shown).sum(0))
  np.testing.assert_allclose(shown, pca.transform(encoded) * signs, atol=1e-9)
  np.testing.assert_allclose(others, pca.transform(drawn) * signs, atol=1e-9)
  assert plane.share == pytest.approx(pca.explained_variance_ratio_.sum())


def test_few_dimensions_are_shown_as_they_are():
  encoded = np.array([[1.], [2.]])
  shown, others, plane = latents.in_two_dimensions(encoded, encoded[:1])
  np.testing.assert_array_equal(shown, [[1., 0.], [2., 0.]])
  np.testing.assert_array_equal(others, [[1., 0.]])
  assert plane.share == 1.


def test_constant_latents_are_one_point():
  shown, others, plane = latents.in_two_dimensions(
      np.ones([4, 3]), np.ones([2, 3]))
  assert np.all(shown == 0.) and others.shape == (2, 2) and plane.share == 1.


@pytest.mark.parametrize('encoded', [np.zeros([0, 3]), np.full([2, 3], np.nan)])
def test_no_latents_or_not_finite_ones_are_refused(encoded):
  with pytest.raises(ValueError, match='no latents'):
    latents.in_two_dimensions(encoded, np.zeros([2, 3]))


def test_latents_of_a_run(tmp_path):
  model = tiny_runs.train(tmp_path / 'run', 'train.steps = 1',
                          'train.sample_every = None')
  found = latents.latents_and_samples(
      tmp_path / 'run', 20, data_dir='not needed by the digits')
  assert found.encoded.shape == found.drawn.shape == (20, 3)
  # An AE is not trained towards N(0, I).
  prior = sampling.gaussian(model, data.digits().split('train'))
  np.testing.assert_allclose(found.drawn, prior.sample(20, 0), atol=1e-4)
  assert 'Gaussian' in found.note
  assert found.base is None
  test = data.digits().split('test')
  places = batches.positions(len(test), 20)
  np.testing.assert_array_equal(found.labels, test.labels[places])
  np.testing.assert_allclose(found.encoded, model.encode(test.read(places)),
                             rtol=1e-4, atol=1e-5)
  zeros = test.read(np.flatnonzero(test.labels == 0))
  assert len(zeros) == 27 and found.of_class.shape == (27, 3)
  np.testing.assert_allclose(found.of_class, model.encode(zeros), rtol=1e-4,
                             atol=1e-5)


def test_images_in_the_order_of_their_classes_are_of_all_classes(monkeypatch):
  class Sorted:
    labels = np.repeat(np.arange(10), 300)

    def __len__(self):
      return len(self.labels)

  model = types.SimpleNamespace(
      latent_dim=3, can=('encode',), kind=types.SimpleNamespace(can=()),
      lacks=lambda *names: '' if names == ('encode',) else 'it has none',
      encode_split=lambda array, places: np.eye(3)[places % 3],
      prior=types.SimpleNamespace(
          name='mine', sample=lambda number, seed: np.zeros([number, 3])))
  monkeypatch.setattr(latents, 'loaded', lambda *_: contextlib.nullcontext(
      (model, Sorted())))
  found = latents.latents_and_samples('a run')
  assert len(found.encoded) == len(found.drawn) == len(found.labels) == 1000
  assert set(found.labels) == set(range(10))


class Halves(priors.StandardNormal):
  """A flow with f(z) = z / 2."""

  def latent_to_base(self, latents):
    return latents / 2.


class Grey:
  labels = None

  def __len__(self):
    return 5

  def read(self, positions):
    return np.full([len(positions), *tiny_models.IMAGE_SHAPE], 99, np.uint8)


def test_round_trips_leave_a_flow_its_base(monkeypatch):
  model = tiny_models.make('AE')
  model.prior = priors.RoundTrips(Halves(tiny_models.LATENT_DIM), model)
  monkeypatch.setattr(latents, 'loaded', lambda *_: contextlib.nullcontext(
      (model, Grey())))
  found = latents.latents_and_samples('run')
  np.testing.assert_allclose(found.base, found.encoded / 2., rtol=1e-6)


@pytest.mark.parametrize('labels', [None, np.ones(9, int), np.zeros(9)])
def test_without_a_class_0_there_are_no_codes_of_it(labels):
  array = types.SimpleNamespace(labels=labels)
  assert latents.of_first_class(None, array) is None


def test_two_latents_have_panels_in_the_report(tmp_path):
  tiny_runs.train(tmp_path / 'run', 'train.steps = 1', 'latent_dim = 2',
                  'train.sample_every = None')
  reporting.write_report(tmp_path / 'a.html', [tmp_path / 'run'])
  text = (tmp_path / 'a.md').read_text()
  assert 'Two latents, with and without classes' in text
  assert 'Validation images of one class as latents' in text
  assert (tmp_path / 'a_files' / 'class_digits.png').exists()
  assert (tmp_path / 'a_files' / 'panels_0_ae.png').exists()

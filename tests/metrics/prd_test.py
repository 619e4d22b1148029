"""Tests of precision and recall for distributions."""
import numpy as np
import pytest

from pgak import errors
from pgak.metrics import prd


def test_golden_values_of_a_missed_mode():
  # Real (1/2, 1/2), fake (1, 0). At slope l precision is min(l / 2, 1), recall
  # min(1/2, 1 / l), so all that l = 2 gives, (1, 1/2), no other point exceeds:
  # F_8 = 65 * 0.5 / (64 + 0.5) = 0.50388, F_1/8 = (65 / 64) * 0.5 / (1 / 64 +
  # 0.5) = 0.98485. The nearest of 1001 angles is within 1/1000 of it.
  precision, recall = prd.curve_of_histograms(
      np.array([0.5, 0.5]), np.array([1., 0.]))
  assert precision.shape == recall.shape == (1001,)
  assert precision[0] == pytest.approx(0., abs=1e-9)
  assert precision[-1] == 1. and recall[0] == 0.5
  found = prd.prd(precision, recall)
  assert found['prd_f_8'] == pytest.approx(0.503876, abs=2e-3)
  assert found['prd_f_1_8'] == pytest.approx(0.984848, abs=2e-3)
  # Fakes that no real image is like cost precision instead.
  swapped = prd.prd(*prd.curve_of_histograms(
      np.array([1., 0.]), np.array([0.5, 0.5])))
  assert swapped['prd_f_8'] == pytest.approx(0.984848, abs=2e-3)
  assert swapped['prd_f_1_8'] == pytest.approx(0.503876, abs=2e-3)


def test_the_same_is_1_and_apart_is_0():
  same = prd.prd(*prd.curve_of_histograms(np.ones(4) / 4, np.ones(4) / 4))
  assert same == pytest.approx({'prd_f_8': 1., 'prd_f_1_8': 1.}, abs=2e-3)
  apart = prd.prd(*prd.curve_of_histograms(
      np.array([1., 0.]), np.array([0., 1.])))
  assert apart == pytest.approx({'prd_f_8': 0., 'prd_f_1_8': 0.}, abs=1e-6)


def test_the_curve_is_the_published_formula():
  generator = np.random.default_rng(0)
  real, fake = generator.dirichlet(np.ones(6), 2)
  precision, recall = prd.curve_of_histograms(real, fake, 11)
  for i, angle in enumerate(np.linspace(1e-10, np.pi / 2 - 1e-10, 11)):
    slope = np.tan(angle)
    assert precision[i] == pytest.approx(
        sum(min(slope * p, q) for p, q in zip(real, fake)), abs=1e-12)
    assert recall[i] == pytest.approx(
        sum(min(p, q / slope) for p, q in zip(real, fake)), abs=1e-6)


def _modes(weights, number, seed):
  """Points near the corners of a simplex, which k-means tells apart."""
  generator = np.random.default_rng(seed)
  modes = generator.choice(len(weights), number, p=weights)
  return 50. * np.eye(len(weights))[modes] + generator.normal(
      size=(number, len(weights)))


def test_features_are_clustered_to_the_histograms_that_they_have():
  real = _modes([0.5, 0.5, 0.], 400, 0)
  fake = _modes([0., 0.5, 0.5], 900, 1)
  (shares,) = prd.histograms(real, fake[:400], num_clusters=3)
  order = np.argsort(shares[1] - shares[0])
  np.testing.assert_allclose(shares[0][order], [0.5, 0.5, 0.], atol=0.06)
  np.testing.assert_allclose(shares[1][order], [0., 0.5, 0.5], atol=0.06)
  # Half of each is like the other: the corner of the curve is (1/2, 1/2).
  found = prd.prd(*prd.curve(real, fake, num_clusters=3, num_runs=2))
  assert found['prd_f_8'] == pytest.approx(0.5, abs=0.05)
  assert found['prd_f_1_8'] == pytest.approx(0.5, abs=0.05)


def test_it_is_repeatable_by_seed_and_averages_runs():
  generator = np.random.default_rng(0)
  real, fake = generator.normal(size=(2, 60, 3))
  first, other = (prd.curve(real, fake, num_runs=1, seed=s) for s in (0, 1))
  np.testing.assert_array_equal(
      first, prd.curve(real, fake, num_runs=1, seed=0))
  assert not np.array_equal(first, other)
  both = prd.curve(real, fake, num_runs=2, seed=0)
  np.testing.assert_allclose(both, np.add(first, other) / 2.)


@pytest.mark.filterwarnings('error')
def test_identical_features_are_all_precise_and_all_recalled():
  found = prd.prd(*prd.curve(np.ones((30, 2)), np.ones((30, 2)), num_runs=2))
  assert found == pytest.approx({'prd_f_8': 1., 'prd_f_1_8': 1.}, abs=2e-3)


def test_what_cannot_be_measured_is_an_error():
  rows = np.zeros((9, 2))
  with pytest.raises(errors.UserError, match='needs 20 images.*there are 18'):
    prd.curve(rows, rows)
  broken = np.zeros((30, 2))
  broken[3, 1] = np.nan
  with pytest.raises(errors.UserError, match='finite features'):
    prd.curve(np.zeros((30, 2)), broken)


def test_a_curve_is_written_with_its_plot(tmp_path):
  curve = prd.curve_of_histograms(np.array([0.5, 0.5]), np.array([1., 0.]))
  prd.write(tmp_path / 'prd' / 'step-1_a.b', *curve, 'a title')
  with np.load(tmp_path / 'prd' / 'step-1_a.b.npz') as arrays:
    np.testing.assert_array_equal(arrays['precision'], curve[0])
    np.testing.assert_array_equal(arrays['recall'], curve[1])
  png = (tmp_path / 'prd' / 'step-1_a.b.png').read_bytes()
  assert png.startswith(b'\x89PNG') and len(png) > 2000
  assert len(list((tmp_path / 'prd').iterdir())) == 2


def test_every_seed_of_a_protocol_has_a_curve():
  real, fake = np.random.default_rng(0).normal(size=(2, 30, 3))
  for seed in (1234567890, 2**32 - 1):
    precision, _ = prd.curve(real, fake, num_clusters=4, seed=seed)
    assert np.isfinite(precision).all()

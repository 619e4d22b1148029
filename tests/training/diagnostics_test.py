"""Diagnostics on numbers that were worked out by hand."""
import numpy as np
import pytest

from pgak import losses
from pgak.training import diagnostics

ONES = np.ones(2)


def said(**observed):
  """Returns `{name: warning}` of what was observed."""
  return diagnostics.judge(diagnostics.measure(
      diagnostics.Observed(**observed)))


def test_kl_is_that_of_each_dimension():
  # (1 + 1 - 1 - 0) / 2 and (9 + 1 - 1 - 0) / 2: their mean is 2.5. With m = 0
  # and s = e: (e^2 - 1 - 2) / 2 = 2.194528. N(0, 1) itself: 0.
  kl = diagnostics.kl_of_dimensions(
      [[1., 0., 0.], [-3., 0., 0.]], [[1., np.e, 1.], [1., np.e, 1.]])
  np.testing.assert_allclose(kl, [2.5, 2.194528, 0.], atol=1e-6)


def test_the_aggregate_posterior_has_the_variance_of_both():
  # Means 1 and -3: their mean is -1, their variance 4; variances 1 and 9: 5.
  mean, sigma = diagnostics.aggregate_posterior([[1.], [-3.]], [[1.], [3.]])
  np.testing.assert_allclose([mean, sigma], [[-1.], [3.]])
  mean, sigma = diagnostics.aggregate_posterior([[1.], [-3.]])
  np.testing.assert_allclose([mean, sigma], [[-1.], [2.]])


def test_dimensions_that_are_unlike_the_prior():
  # The prior has mean 1 and standard deviation 2: up to 1 away, from 1 to 4.
  off = diagnostics.dimensions_off(
      np.array([1., 2., 2.1, -0.1, 1., 1., 1., 1.]),
      np.array([2., 2., 2., 2., 1., 0.9, 4., 4.1]),
      np.full(8, 1.), np.full(8, 2.))
  np.testing.assert_array_equal(off, [0, 0, 1, 1, 0, 1, 0, 1])


def test_values_that_are_rounded_to_an_end():
  # Of [-1, 1] the lowest of 256 levels goes to -1 + 1 / 255 = -0.996.
  values = [-1., -0.997, -0.995, 0., 0.995, 0.997]
  assert diagnostics.share_at_ends(values, (-1., 1.)) == 0.5
  assert diagnostics.share_at_ends([0.001, 0.003], (0., 1.)) == 0.5


def test_all_that_applies_is_measured():
  measured = diagnostics.measure(diagnostics.Observed(
      mean=np.array([[1., 0.], [-1., 0.1]]), sigma=np.ones([2, 2]),
      is_standard=True))
  assert list(measured) == ['posterior_collapse']
  numbers = measured['posterior_collapse']
  # Variances 1 and 0.0025; KL 1 / 2 and 0.01 / 4.
  assert numbers['active_units'] == 1. and numbers['latent_dimensions'] == 2.
  np.testing.assert_allclose(numbers['kl_in_nats'], 0.5025)
  # Of another prior there is no KL by dimension, and of no sigma nothing.
  measured = diagnostics.measure(diagnostics.Observed(
      mean=np.ones([2, 2]), sigma=np.ones([2, 2])))
  assert 'kl_in_nats' not in measured['posterior_collapse']
  assert not diagnostics.measure(diagnostics.Observed(mean=np.ones([2, 2])))


@pytest.mark.parametrize('active, collapsed', [(0, True), (1, True),
                                               (2, False)])
def test_collapse_names_the_number_of_active_units(active, collapsed):
  mean = np.zeros([2, 10])
  mean[0, :active] = 1.
  text = said(mean=mean, sigma=np.ones([2, 10])).get('posterior_collapse', '')
  assert (f'{active} of 10 latent dimensions are active' in text) == collapsed


def test_a_mismatch_names_the_worst_dimension():
  mean = np.array([[1., -1.], [-1., 2.]])  # Standard deviations 1 and 1.5.
  prior = np.zeros(2), ONES
  assert not said(mean=mean, prior=prior)
  text, = said(mean=mean + [0., 4.], prior=prior).values()
  assert 'in 1 of 2 dimensions (dimension 1 has mean 4.5 and standard' in text
  assert 'deviation 1.5, the prior 0 and 1)' in text


@pytest.mark.parametrize('outputs, data, text', [
    ([1., 1., 0.], [0., 0., 0.], '67% of its output values'),
    ([1., 1., 0.], [1., -1., 0.], ''),  # So are the data.
    ([1., 0., 0.], [0., 0., 0.], '')])
def test_saturation_is_beyond_that_of_the_data(outputs, data, text):
  found = said(outputs=outputs, data=data, value_range=(-1., 1.))
  assert text in found.get('saturation', '') and bool(found) == bool(text)


def test_chance_is_the_aim_where_the_latents_match():
  mean = np.array([[1., -1.], [-1., 1.]])
  chance = {'judged': ([1., -1.], [1., -1.]),
            'judged_by': losses.discrimination}
  assert not said(mean=mean, prior=(np.zeros(2), ONES), **chance)
  found = said(mean=3. * mean, prior=(np.zeros(2), ONES), **chance)
  assert set(found) == {'prior_mismatch', 'discriminator'}


def test_what_is_not_finite_is_left_out():
  measured = diagnostics.measure(diagnostics.Observed(
      mean=np.full([2, 2], np.nan), sigma=ONES * ONES[:, None],
      outputs=[1.], data=[1.], value_range=(0., 1.)))
  assert list(measured) == ['saturation']

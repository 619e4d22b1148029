import numpy as np

from pgak.priors import running_moments


def layer(momentum=0.99):
  return running_moments.RunningMoments(3, momentum)


def test_the_first_steps_average_over_all_before_them():
  generator = np.random.default_rng(0)
  batches = generator.normal(5., [1., 2., 30.], (7, 50, 3)).astype(np.float32)
  moments = layer()
  for batch in batches:
    moments.follow(batch)
  whole = batches.reshape(-1, 3).astype(np.float64)
  np.testing.assert_allclose(moments.mean, whole.mean(0), rtol=1e-5)
  np.testing.assert_allclose(moments.variance, whole.var(0), rtol=1e-5)
  standard = np.asarray(moments.standardised(whole.astype(np.float32)))
  np.testing.assert_allclose(standard.mean(0), 0., atol=1e-4)
  np.testing.assert_allclose(standard.std(0), 1., atol=1e-4)


def test_later_they_forget():
  """Rate 1/2 from the second step: 3/4 of a mean of 0, then of 4, twice."""
  moments = layer(momentum=0.5)
  for value in (0., 4., 4.):
    moments.follow(np.full((2, 3), value, np.float32))
  np.testing.assert_allclose(moments.mean, 3.)
  # Half at 2 and variance 4, half at 4 and variance 0: 4/2 + 1.
  np.testing.assert_allclose(moments.variance, 3.)


def test_what_never_changes_can_be_divided_by():
  moments = layer()
  moments.follow(np.full((2, 3), 7., np.float32))
  assert np.all(np.isfinite(moments.standardised(np.ones((1, 3), 'f'))))
  assert not moments.trainable_variables

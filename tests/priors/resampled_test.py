"""The latents of the fit, drawn again."""
import numpy as np

from pgak import priors


def test_samples_are_latents_of_the_fit_each_as_likely():
  latents = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
  prior = priors.prior_class('resampled')(3).fit(latents)
  drawn = prior.sample(4000, seed=1).numpy()
  equal = (drawn[:, None] == latents).all(-1)  # [n, 4]
  assert equal.any(1).all()
  # Three standard deviations of a share of a quarter.
  np.testing.assert_allclose(equal.mean(0), 0.25, atol=0.021)
  np.testing.assert_array_equal(drawn, prior.sample(4000, seed=1))
  assert not hasattr(prior, 'log_prob')

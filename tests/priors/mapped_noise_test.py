"""Each prior maps given noise to latents, row by row."""
import numpy as np
import pytest
import tensorflow as tf

from pgak import noise
from pgak import priors

LATENTS = np.random.default_rng(0).normal(1., 2., (60, 3))

MADE = {
    'standard_normal': lambda: priors.StandardNormal(3),
    'uniform_sphere': lambda: priors.UniformSphere(3),
    'gaussian': lambda: priors.Gaussian(3).fit(LATENTS),
    'gmm': lambda: priors.GaussianMixture(3, 4).fit(LATENTS),
    'gmm_diagonal': lambda: priors.GaussianMixture(3, 4, 'diagonal').fit(
        LATENTS),
    'kde': lambda: priors.KernelDensity(3).fit(LATENTS),
    'resampled': lambda: priors.Resampled(3).fit(LATENTS),
    # Of a few units all may be off, for several draws: the weights are random.
    'generator': lambda: priors.LatentGenerator(3, 'uniform', 2, (64,)),
    'flow_prior': lambda: priors.FlowPrior(3, num_couplings=2,
                                           hidden_units=(4,), seed=0),
    'velocity_prior': lambda: priors.FlowMatchingPrior(3, 4, 1, seed=0),
    'real_nvp': lambda: priors.RealNVP(3, 2, (4,), max_epochs=1).fit(LATENTS),
    'two_stage': lambda: priors.TwoStageVAE(3, 1, 4, max_epochs=1).fit(LATENTS),
    'flow_matching': lambda: priors.FlowMatching(3, 8, 1, steps=1).fit(LATENTS),
}


@pytest.mark.parametrize('name', MADE)
def test_a_row_of_noise_is_mapped_as_it_is_drawn(name):
  prior = MADE[name]()
  seeds = [4, 1 << 40, -2]
  drawn = noise.of_seeds(prior.noise_shapes, tf.constant(seeds, tf.int64))
  together = prior.from_noise(drawn)
  for row, seed in zip(together, seeds):
    np.testing.assert_allclose(row, prior.sample(1, seed)[0], rtol=1e-4,
                               atol=1e-5)
  assert len(np.unique(together, axis=0)) == 3

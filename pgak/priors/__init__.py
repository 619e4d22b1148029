"""Latent distributions with one interface.

A prior has `name`, `label` (the name with its size), `latent_dim` and
`sample(n, seed) -> [n, latent_dim]`; where it has a density,
`log_prob(latents) -> [B]`, and `distribution`, the same as a TFP distribution,
from which a user of TFP goes on; where it is fitted after training,
`fit(latents)`, `is_fitted`, `settings` (a dictionary of what decides the fit),
`state()` and `load_state(arrays)`. One that derives from
`MappedNoise` states its noise and maps it to latents by `from_noise`.
"""
import keras

from pgak.priors.autoregressive_flow import AutoregressiveFlow
from pgak.priors.autoregressive_flow import MaskedDense
from pgak.priors.bayesian_gaussian_mixture import BayesianGaussianMixture
from pgak.priors.conditional_flow import check_conditions
from pgak.priors.conditional_flow import ConditionalCouplings
from pgak.priors.conditional_flow import ConditionalFlow
from pgak.priors.coupling_flow import CouplingFlow
from pgak.priors.divergences import KL
from pgak.priors.divergences import kl_divergence
from pgak.priors.flow_matching import FlowMatching
from pgak.priors.flow_prior import FlowPrior
from pgak.priors.gaussian import Gaussian
from pgak.priors.gaussian_mixture import GaussianMixture
from pgak.priors.gradient_mixture import GradientMixture
from pgak.priors.kernel_density import KernelDensity
from pgak.priors.latent_generator import LatentGenerator
from pgak.priors.mapped_noise import MappedNoise
from pgak.priors.names import Choice
from pgak.priors.names import NAMES
from pgak.priors.names import prior_class
from pgak.priors.names import prior_roots
from pgak.priors.names import resolve
from pgak.priors.names import Spec
from pgak.priors.real_nvp import RealNVP
from pgak.priors.resampled import Resampled
from pgak.priors.round_trips import RoundTrips
from pgak.priors.standard_normal import StandardNormal
from pgak.priors.two_stage import TwoStageVAE
from pgak.priors.uniform_sphere import UniformSphere
from pgak.priors.velocity_prior import FlowMatchingPrior

__all__ = ['NAMES', 'AutoregressiveFlow', 'BayesianGaussianMixture',
           'Choice', 'ConditionalFlow', 'CouplingFlow', 'FlowMatching',
           'FlowMatchingPrior', 'FlowPrior', 'Gaussian', 'GaussianMixture',
           'GradientMixture', 'KL', 'KernelDensity', 'LatentGenerator',
           'MappedNoise', 'RealNVP', 'Resampled', 'RoundTrips', 'Spec',
           'StandardNormal', 'TwoStageVAE', 'UniformSphere', 'check_conditions',
           'kl_divergence', 'prior_class', 'prior_roots', 'resolve']

# For Keras's files, beside what gin knows.
for _thing in (AutoregressiveFlow, BayesianGaussianMixture,
               ConditionalCouplings, ConditionalFlow, CouplingFlow,
               FlowMatching, FlowMatchingPrior, FlowPrior, Gaussian,
               GaussianMixture, GradientMixture, KernelDensity, LatentGenerator,
               MaskedDense, RealNVP, Resampled, StandardNormal, TwoStageVAE,
               UniformSphere):
  keras.saving.register_keras_serializable('pgak')(_thing)

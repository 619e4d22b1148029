"""Samples, reconstructions, paths and figures of a trained model's latents.

There are two latent spaces [1]: `zT`, that of the encoder's latents, and `z0`,
the base space of a prior that is a flow, in which latents are N(0, I).

#### References

[1]: Empirical Observations Pertaining to Learned Priors for Deep Latent
     Variable Models. 2019.
"""
from pgak.generation.attribute_vectors import attribute_vector
from pgak.generation.likelihoods import auroc
from pgak.generation.likelihoods import log_density
from pgak.generation.paths import lerp
from pgak.generation.paths import path
from pgak.generation.paths import slerp
from pgak.generation.projections import Plane
from pgak.generation.spaces import base_to_latent
from pgak.generation.spaces import has_base
from pgak.generation.spaces import is_flow
from pgak.generation.spaces import latent_to_base
from pgak.generation.spaces import SPACES

__all__ = ['Plane', 'SPACES', 'attribute_vector', 'auroc', 'base_to_latent',
           'has_base', 'is_flow', 'latent_to_base', 'lerp', 'log_density',
           'path', 'slerp']

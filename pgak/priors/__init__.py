"""Latent distributions with one interface.

A prior has `sample(n, seed) -> [n, latent_dim]`; where it has a density,
`log_prob(latents) -> [B]`; where it is fitted after training, `fit(latents)`.
"""
from pgak.priors.standard_normal import StandardNormal

__all__ = ['StandardNormal']

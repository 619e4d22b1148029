"""What can be asked of a trained model's latents, whatever its prior.

Two spaces are told apart [1]: `zT`, in which the encoder's latents lie, and
`z0`, to which a flow that is the prior maps them, and which is N(0, I).

#### References

[1]: Empirical Observations Pertaining to Learned Priors for Deep Latent
     Variable Models. 2019.
"""
from pgak.latent_tools.attribute_vectors import attribute_vector
from pgak.latent_tools.paths import lerp
from pgak.latent_tools.paths import path
from pgak.latent_tools.paths import slerp
from pgak.latent_tools.planes import Plane
from pgak.latent_tools.rankings import auroc
from pgak.latent_tools.rankings import log_density
from pgak.latent_tools.spaces import base_to_latent
from pgak.latent_tools.spaces import has_base
from pgak.latent_tools.spaces import latent_to_base
from pgak.latent_tools.spaces import SPACES

__all__ = ['Plane', 'SPACES', 'attribute_vector', 'auroc', 'base_to_latent',
           'has_base', 'latent_to_base', 'lerp', 'log_density', 'path', 'slerp']

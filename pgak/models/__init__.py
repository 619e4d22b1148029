"""Generative autoencoders, one family a file."""
from pgak import losses
from pgak.models.adversarial import AAE
from pgak.models.adversarial import PriorAAE
from pgak.models.adversarial import WAEGAN
from pgak.models.age import AGE
from pgak.models.alae import ALAE
from pgak.models.autoencoder import AE
from pgak.models.base import GenerativeAutoencoder
from pgak.models.base import GenerativeModel
from pgak.models.conditional import ConditionalAutoencoder
from pgak.models.flow_prior import FPVAE
from pgak.models.intro_vae import IntroVAE
from pgak.models.intro_vae import SoftIntroVAE
from pgak.models.moment_matching import GMMN
from pgak.models.no_prior_matching import ACAI
from pgak.models.no_prior_matching import NoPriorMatching
from pgak.models.pg_gan import PGGAN
from pgak.models.pga import LPGA
from pgak.models.pga import LVPGA
from pgak.models.pga import VPGA
from pgak.models.rae import RAE
from pgak.models.rae import RAEGP
from pgak.models.rae import RAEL2
from pgak.models.rae import RAESN
from pgak.models.saving import register
from pgak.models.sn_gan import SNGAN
from pgak.models.update_table import Phase
from pgak.models.vae import BetaVAE
from pgak.models.vae import CVVAE
from pgak.models.vae import VAE
from pgak.models.vunet import VUNet
from pgak.models.vunet import VUNetFlow
from pgak.models.wae import AdversarialInfoVAE
from pgak.models.wae import InfoVAE
from pgak.models.wae import WAEMMD

__all__ = ['AAE', 'ACAI', 'AE', 'AGE', 'ALAE', 'AdversarialInfoVAE', 'BetaVAE',
           'CVVAE', 'ConditionalAutoencoder', 'FPVAE', 'GMMN',
           'GenerativeAutoencoder', 'GenerativeModel', 'InfoVAE', 'IntroVAE',
           'LPGA', 'LVPGA', 'NoPriorMatching', 'PGGAN', 'Phase', 'PriorAAE',
           'RAE', 'RAEGP', 'RAEL2', 'RAESN', 'SNGAN', 'SoftIntroVAE', 'VAE',
           'VPGA', 'VUNet', 'VUNetFlow', 'WAEGAN', 'WAEMMD']

# For Keras's files, beside what gin knows; each model that is listed is one.
register(losses.absolute_error, losses.reconstruction, *(
    thing for name, thing in list(globals().items())
    if name in __all__ and hasattr(thing, 'get_config')))

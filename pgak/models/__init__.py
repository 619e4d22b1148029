"""Generative autoencoders, one family a file."""
from pgak.models.autoencoder import AE
from pgak.models.base import GenerativeAutoencoder
from pgak.models.pga import LPGA
from pgak.models.pga import LVPGA
from pgak.models.pga import VPGA
from pgak.models.rae import RAE
from pgak.models.rae import RAEGP
from pgak.models.rae import RAEL2
from pgak.models.rae import RAESN
from pgak.models.update_table import Phase
from pgak.models.vae import BetaVAE
from pgak.models.vae import CVVAE
from pgak.models.vae import VAE
from pgak.models.wae import AdversarialInfoVAE
from pgak.models.wae import InfoVAE
from pgak.models.wae import WAEMMD

__all__ = ['AE', 'AdversarialInfoVAE', 'BetaVAE', 'CVVAE',
           'GenerativeAutoencoder', 'InfoVAE', 'LPGA', 'LVPGA', 'Phase', 'RAE',
           'RAEGP', 'RAEL2', 'RAESN', 'VAE', 'VPGA', 'WAEMMD']

"""Generative autoencoders, one family a file."""
from pgak.models.autoencoder import AE
from pgak.models.base import GenerativeAutoencoder
from pgak.models.pga import LPGA
from pgak.models.pga import LVPGA
from pgak.models.pga import VPGA
from pgak.models.update_table import Phase
from pgak.models.vae import VAE

__all__ = ['AE', 'GenerativeAutoencoder', 'LPGA', 'LVPGA', 'Phase', 'VAE',
           'VPGA']

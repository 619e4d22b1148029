"""The plain autoencoder, the baseline of every comparison."""

from pgak import settings
from pgak.models import base

__all__ = ['AE']


@settings.register
class AE(base.GenerativeAutoencoder):
  """Autoencoder: encoder and decoder minimise the reconstruction error.

  Args:
    encoder: deterministic encoder, images to latents `[B, H]`.
    decoder: decoder, latents to images.
    updates: rows that replace those of the update table.
  """

  updates = {'reconstruction': ('encoder', 'decoder')}

  def __init__(self, encoder: base.Net, decoder: base.Net,
               updates: base.Updates | None = None):
    super().__init__(encoder, decoder, updates=updates, name='ae')

  def terms(self, images, noise, training=True):
    latents = self.encode_mean(images, training)
    reconstructed = self.decoder(latents, training=training)
    return {'reconstruction': self.image_error(images, reconstructed)}

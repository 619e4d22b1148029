"""The plain autoencoder, the baseline of every comparison."""

from pgak import settings
from pgak.models import base
from pgak.models import noisy_latents

__all__ = ['AE']


@settings.register
class AE(noisy_latents.NoisyLatents, base.GenerativeAutoencoder):
  """Autoencoder: encoder and decoder minimise the reconstruction error.

  Args:
    encoder: deterministic encoder, images to latents `[B, H]`.
    decoder: decoder, latents to images.
    updates: rows that replace those of the update table.
    latent_noise: standard deviation of noise on the latents in training, in
      units of each dimension's standard deviation over the batch; 0 for none.
      See `noisy_latents`.
  """

  updates = {'reconstruction': ('encoder', 'decoder')}

  def __init__(self, encoder: base.Net, decoder: base.Net,
               updates: base.Updates | None = None,
               latent_noise: settings.NonNegative = 0.):
    super().__init__(encoder, decoder, updates=updates, name='ae')
    self.latent_noise = latent_noise

  def terms(self, images, noise, training=True):
    latents = self.noisy(self.encode_mean(images, training), noise, training)
    reconstructed = self.decoder(latents, training=training)
    return {'reconstruction': self.image_error(images, reconstructed)}

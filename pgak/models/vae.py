"""The variational autoencoder.

#### References

[1]: Diederik P. Kingma, Max Welling. Auto-encoding variational Bayes. ICLR,
     2014.
"""
import gin
import tensorflow as tf

from pgak import losses
from pgak import noise as noise_lib
from pgak.models import base

__all__ = ['VAE']


@gin.register
class VAE(base.GenerativeAutoencoder):
  """VAE with a Gaussian likelihood of fixed spread, [1].

  It minimises `reconstruction + w * kl` in means per element. For a likelihood
  `N(x_hat, s**2 I)` with s in units of the model's value range, the negative
  evidence lower bound is `D / (2 s**2)` times that with

    `w = 2 s**2 H / D`.

  Args:
    encoder: stochastic encoder, images to `[mean, log_variance]`.
    decoder: decoder, latents to images.
    kl: the weight w.
    updates: rows that replace those of the update table.
  """

  updates = {
      'reconstruction': ('encoder', 'decoder'),
      'kl': ('encoder',),
  }
  unreachable = {'kl': ('decoder',)}

  def __init__(self, encoder, decoder, kl=1e-2, updates=None):
    base.check_stochastic(encoder, 'VAE', True)
    super().__init__(encoder, decoder, {'kl': kl}, updates, name='vae')
    self.kl = kl

  @property
  def noise_shapes(self):
    return {'posterior': (noise_lib.normal, (self.latent_dim,))}

  def terms(self, images, noise, training=True):
    mean, log_variance = self.encoder(images, training=training)
    latents = mean + tf.exp(0.5 * log_variance) * noise['posterior']
    reconstructed = self.decoder(latents, training=training)
    return {
        'reconstruction': losses.reconstruction(images, reconstructed),
        'kl': losses.kl(mean, log_variance),
    }

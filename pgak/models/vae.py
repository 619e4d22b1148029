"""The variational autoencoder, and variants that change one thing each.

#### References

[1]: Diederik P. Kingma, Max Welling. Auto-encoding variational Bayes. ICLR,
     2014.
[2]: Partha Ghosh, Mehdi S. M. Sajjadi, Antonio Vergari, Michael Black,
     Bernhard Schoelkopf. From Variational to Deterministic Autoencoders.
     ICLR, 2020.
[3]: Irina Higgins, Loic Matthey, Arka Pal, Christopher Burgess, Xavier Glorot,
     Matthew Botvinick, Shakir Mohamed, Alexander Lerchner. beta-VAE. ICLR,
     2017.
"""
import math

import tensorflow as tf

from pgak import losses
from pgak import noise as noise_lib
from pgak import schedules
from pgak import settings
from pgak.models import base
from pgak.models import verbs

__all__ = ['BetaVAE', 'CVVAE', 'VAE', 'kl_weight']


def kl_weight(likelihood_sigma, decoder):
  """The weight of `losses.kl` that makes the evidence lower bound.

  For a likelihood `N(x_hat, s**2 I)`, with s in units of the model's value
  range, the negative bound is `D / (2 s**2)` times `reconstruction + w * kl`
  in means per element, with `w = 2 s**2 H / D`.

  Args:
    likelihood_sigma: s.
    decoder: `keras.Model`, latents `[B, H]` to images or vectors of D elements.

  Returns:
    w, a float.
  """
  # D of the factor 2 / D that turns the bound's sum into `reconstruction`.
  size = math.prod(decoder.output_shape[1:])
  return 2. * likelihood_sigma**2 * decoder.input_shape[-1] / size


@settings.register
class VAE(base.GenerativeAutoencoder):
  """VAE with a Gaussian likelihood of fixed standard deviation, [1].

  It minimises `reconstruction + w * kl` in means per element; `kl_weight` says
  which w is the evidence lower bound. The released w of [2] belongs to
  `sum{ mean over channels of squared errors } + w * sum{ KL }`: it is
  `w * H / (height * width)` here.

  Args:
    encoder: stochastic encoder, images to `[mean, log_variance]`.
    decoder: decoder, latents to images.
    kl: the weight w, a number or a schedule.
    num_posterior_samples: the k of [2, eq. 6]: the error is averaged over k
      reconstructions, from k samples of the posterior.
    updates: rows that replace those of the update table.
    name: string.
  """

  updates = {
      'reconstruction': ('encoder', 'decoder'),
      'kl': ('encoder',),
  }
  # So that the KL shares the reconstruction's backward pass through the
  # encoder.
  unreachable = {'kl': ('decoder',)}
  matches_prior = True
  nets = {'encoder': '@gaussian/encoder()'}
  stochastic = True

  def __init__(self, encoder: base.Net, decoder: base.Net,
               kl: schedules.Weight = 1e-2,
               num_posterior_samples: settings.Count = 1,
               updates: base.Updates | None = None,
               name: settings.Name = 'vae'):
    super().__init__(encoder, decoder, {'kl': kl}, updates, name=name)
    self.kl = kl
    self.num_posterior_samples = num_posterior_samples

  @property
  def noise_shapes(self):
    k = self.num_posterior_samples
    shape = (self.latent_dim,) if k == 1 else (k, self.latent_dim)
    return {'posterior': (noise_lib.normal, shape)}

  def terms(self, images, noise, training=True):
    mean, log_variance = self.gaussian(images, training)
    return {
        'reconstruction': self._errors(images, mean, log_variance,
                                       noise['posterior'], training),
        'kl': losses.kl(mean, log_variance),
    }

  def _errors(self, images, mean, log_variance, normal, training):
    """Mean over k of the errors of the k reconstructions, [2, eq. 6]: `[B]`."""
    k = self.num_posterior_samples
    if k > 1:
      # [B*k, H]
      mean, log_variance = (tf.repeat(t, k, 0) for t in (mean, log_variance))
      normal = tf.reshape(normal, [-1, self.latent_dim])  # [B*k, H]
    latents = verbs.drawn(mean, tf.exp(0.5 * log_variance), normal)
    reconstructed = self.decoder(latents, training=training)
    if k == 1:
      return self.image_error(images, reconstructed)
    # The mean of the errors, and not the error of the mean image.
    errors = self.image_error(tf.repeat(images, k, 0), reconstructed)
    return tf.reduce_mean(tf.reshape(errors, [-1, k]), -1)  # [B]


@settings.register
class BetaVAE(VAE):
  """VAE whose KL term has beta times its weight in the bound, [3, eq. 4].

  Args:
    encoder: stochastic encoder, images to `[mean, log_variance]`.
    decoder: decoder, latents to images.
    beta: number; 1 is the VAE with that likelihood.
    likelihood_sigma: standard deviation s of the Gaussian likelihood, in units
      of the model's value range; not read where `kl` is given.
    num_posterior_samples: as for `VAE`.
    updates: rows that replace those of the update table.
    kl: the weight for beta = 1, a number or a schedule, in the place of
      `kl_weight(s)`: for an error of images that has no s, such as
      `networks.PerceptualError`, and to anneal the term. None by default.
  """

  def __init__(self, encoder: base.Net, decoder: base.Net,
               beta: settings.NonNegative = 4.,
               likelihood_sigma: settings.Positive = 0.1,
               num_posterior_samples: settings.Count = 1,
               updates: base.Updates | None = None,
               kl: schedules.Weight | None = None):
    bound = kl_weight(likelihood_sigma, decoder) if kl is None else kl
    super().__init__(encoder, decoder, schedules.times(beta, bound),
                     num_posterior_samples, updates, name='beta_vae')
    self.beta = beta
    self.likelihood_sigma = likelihood_sigma
    self.kl = kl


@settings.register
class CVVAE(base.GenerativeAutoencoder):
  """Constant-variance VAE, [2, eqs. 13 and 14]: noise of one size for all.

  `z = mu(x) + sigma * eps`; the KL term becomes the mean square of mu. The
  released weights of [2] are `w * H / (2 * height * width)` here.

  Args:
    encoder: deterministic encoder, images to latents.
    decoder: decoder, latents to images.
    posterior_sigma: sigma, a standard deviation as in the authors' code.
    latent_l2: the weight of the mean square.
    updates: rows that replace those of the update table.
  """

  updates = {
      'reconstruction': ('encoder', 'decoder'),
      'latent_l2': ('encoder',),
  }
  unreachable = {'latent_l2': ('decoder',)}
  stochastic = False

  def __init__(self, encoder: base.Net, decoder: base.Net,
               posterior_sigma: settings.NonNegative = 0.7,
               latent_l2: schedules.Weight = 3e-4,
               updates: base.Updates | None = None):
    super().__init__(encoder, decoder, {'latent_l2': latent_l2}, updates,
                     name='cv_vae')
    self.posterior_sigma = posterior_sigma
    self.latent_l2 = latent_l2

  @property
  def noise_shapes(self):
    return {'posterior': (noise_lib.normal, (self.latent_dim,))}

  def posterior(self, floats, training=False):
    mean = self.encode_mean(floats, training)
    # 0.7 is a variance in [2, eq. 13], a standard deviation in the authors'
    # code.
    return mean, tf.fill(tf.shape(mean), tf.cast(self.posterior_sigma,
                                                 mean.dtype))

  def terms(self, images, noise, training=True):
    mean, sigma = self.posterior(images, training)
    latents = verbs.drawn(mean, sigma, noise['posterior'])          # eq. 13
    reconstructed = self.decoder(latents, training=training)
    return {
        'reconstruction': self.image_error(images, reconstructed),
        'latent_l2': losses.latent_l2(mean),                        # eq. 14
    }

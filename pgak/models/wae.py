"""Wasserstein autoencoders and InfoVAE: the aggregate posterior is matched.

#### References

[1]: Ilya Tolstikhin, Olivier Bousquet, Sylvain Gelly, Bernhard Schoelkopf.
     Wasserstein Auto-Encoders. ICLR, 2018.
[2]: Shengjia Zhao, Jiaming Song, Stefano Ermon. InfoVAE: Balancing learning
     and inference in variational autoencoders. AAAI, 2019.
"""
from typing import Literal

import tensorflow as tf

from pgak import losses
from pgak import noise as noise_lib
from pgak import schedules
from pgak import settings
from pgak.models import base
from pgak.models import parts as parts_lib
from pgak.models import update_table
from pgak.models import vae
from pgak.models import verbs

__all__ = ['AdversarialInfoVAE', 'InfoVAE', 'WAEMMD']


class _Matching(base.GenerativeAutoencoder):
  """What they share: either kind of encoder, samples of the prior, an MMD."""

  matches_prior = True

  def __init__(self, encoder, decoder, weights, updates, name, kernel=None,
               scales=losses.SCALES):
    super().__init__(encoder, decoder, weights, updates, name=name)
    self.kernel = kernel
    self.scales = tuple(scales)

  @property
  def noise_shapes(self):
    shapes = {'prior': (noise_lib.normal, (self.latent_dim,))}
    if self.is_stochastic:
      shapes['posterior'] = (noise_lib.normal, (self.latent_dim,))
    return shapes

  def _latents(self, images, noise, training):
    """Returns `(latents, mean, log_variance)`; no log-variance, no noise."""
    mean, log_variance = self.gaussian(images, training)
    if log_variance is None:
      return mean, mean, None
    latents = verbs.drawn(mean, tf.exp(0.5 * log_variance), noise['posterior'])
    return latents, mean, log_variance

  def _mmd(self, latents, noise):
    return losses.mmd(latents, noise['prior'], self.kernel, self.scales)


@settings.register
class WAEMMD(_Matching):
  """WAE with the maximum mean discrepancy as its penalty, [1, alg. 2].

  Over several replicas it is the mean of the replicas' own discrepancies.

  Args:
    encoder: deterministic encoder; a stochastic one is taken, too.
    decoder: decoder, latents to images.
    mmd: weight of the discrepancy: `lambda / (a D)` where a is the source's
      weight of the sum of squared errors.
    kernel: 'imq' or 'rbf', see `losses.mmd`.
    scales: its scales.
    updates: rows that replace those of the update table.
    input_noise: standard deviation of Gaussian noise that is added to the
      images that the encoder sees in training, in units of the value range, to
      which they are then clipped; the images without noise are reconstructed.
      The RAE authors' code has 0.01 of [0, 1] on CelebA.
  """

  updates = {
      'reconstruction': ('encoder', 'decoder'),
      'mmd': ('encoder',),
  }
  unreachable = {'mmd': ('decoder',)}

  def __init__(self, encoder: base.Net, decoder: base.Net,
               mmd: schedules.Weight = 3e-2,
               kernel: Literal['imq', 'rbf'] = 'imq',
               scales: settings.Several[settings.Positive] = losses.SCALES,
               updates: base.Updates | None = None,
               input_noise: settings.NonNegative = 0.):
    super().__init__(encoder, decoder, {'mmd': mmd}, updates, 'wae_mmd',
                     kernel, scales)
    self.mmd = mmd
    self.input_noise = input_noise

  @property
  def noise_shapes(self):
    if not self.input_noise:
      return super().noise_shapes
    return super().noise_shapes | {
        'input': (noise_lib.normal, self.image_shape)}

  def _noisy(self, images, noise):
    # Clipped, as in the RAE authors' code; vectors have no range to clip to.
    noisy = images + self.input_noise * noise['input']
    return noisy if self.value_range is None else tf.clip_by_value(
        noisy, *self.value_range)

  def terms(self, images, noise, training=True):
    # At validation the images are clean, as at inference.
    seen = (self._noisy(images, noise) if self.input_noise and training
            else images)
    latents, _, _ = self._latents(seen, noise, training)
    reconstructed = self.decoder(latents, training=training)
    return {
        'reconstruction': self.image_error(images, reconstructed),
        'mmd': self._mmd(latents, noise),
    }


class _Info(_Matching):
  """The weights of [2, eq. 6] as those of means per element."""

  nets = {'encoder': '@gaussian/encoder()'}

  def __init__(self, encoder, decoder, alpha, lambda_, likelihood_sigma,
               divergence, updates, name, **kernel):
    # With alpha = 1 there is no KL term, and so no need for a Gaussian encoder.
    if alpha != 1.:
      parts_lib.check_stochastic(
          encoder, f'{type(self).__name__} with alpha below 1', True)
    # `kl` is a mean over H elements, and the divergence a scalar, so that its
    # weight lacks the factor H.
    unit = vae.kl_weight(likelihood_sigma, decoder)
    weights = {
        'kl': (1. - alpha) * unit,
        divergence: (alpha + lambda_ - 1.) * unit / decoder.input_shape[-1]}
    super().__init__(encoder, decoder, weights, updates, name, **kernel)
    self.alpha = alpha
    self.lambda_ = lambda_
    self.likelihood_sigma = likelihood_sigma

  def _terms(self, images, noise, training):
    latents, mean, log_variance = self._latents(images, noise, training)
    reconstructed = self.decoder(latents, training=training)
    terms = {'reconstruction': self.image_error(images, reconstructed)}
    if self.is_on('kl'):
      terms['kl'] = losses.kl(mean, log_variance)
    return terms, latents


@settings.register
class InfoVAE(_Info):
  """InfoVAE with the maximum mean discrepancy, [2, eq. 6].

  It maximises `E log p(x | z) - (1 - alpha) KL(q(z | x) || p(z))
  - (alpha + lambda - 1) MMD(q(z), p(z))`. Special cases: alpha = 0 and
  lambda = 1 is the VAE, alpha + lambda = 1 the beta-VAE with beta = lambda, and
  alpha = 1 the WAE, whose encoder may be deterministic.

  Args:
    encoder: stochastic encoder; for alpha = 1 of either kind.
    decoder: decoder, latents to images.
    alpha: how much of the mutual information of x and z is kept.
    lambda_: how strongly the aggregate posterior is pulled to the prior.
    likelihood_sigma: standard deviation of the Gaussian likelihood, in units
      of the model's value range.
    kernel: as for `WAEMMD`.
    scales: as for `WAEMMD`.
    updates: rows that replace those of the update table.
  """

  updates = {
      'reconstruction': ('encoder', 'decoder'),
      'kl': ('encoder',),
      'mmd': ('encoder',),
  }
  unreachable = {'kl': ('decoder',), 'mmd': ('decoder',)}

  def __init__(self, encoder: base.Net, decoder: base.Net, alpha: float = 0.5,
               lambda_: settings.NonNegative = 100.,
               likelihood_sigma: settings.Positive = 0.1,
               kernel: Literal['imq', 'rbf'] = 'imq',
               scales: settings.Several[settings.Positive] = losses.SCALES,
               updates: base.Updates | None = None):
    super().__init__(encoder, decoder, alpha, lambda_, likelihood_sigma, 'mmd',
                     updates, 'info_vae', kernel=kernel, scales=scales)

  def terms(self, images, noise, training=True):
    terms, latents = self._terms(images, noise, training)
    if self.is_on('mmd'):
      terms['mmd'] = self._mmd(latents, noise)
    return terms


@settings.register
class AdversarialInfoVAE(_Info):
  """InfoVAE whose divergence is a discriminator's; with alpha = 1 the AAE.

  The discriminator is updated first, then encoder and decoder together. Its
  logit P is large for samples p of the prior: it descends
  `mean log(1 + exp(-P(p))) + mean log(1 + exp(P(z)))`, and the encoder
  `mean log(1 + exp(-P(z)))`.

  Args:
    encoder: stochastic encoder; for alpha = 1 of either kind.
    decoder: decoder, latents to images.
    critic: `keras.Model`, latents `[B, H]` to logits `[B, 1]`.
    alpha: as for `InfoVAE`.
    lambda_: as for `InfoVAE`.
    likelihood_sigma: as for `InfoVAE`.
    updates: rows that replace those of the update table.
  """

  takes = base.GenerativeAutoencoder.takes | {'critic': 'latents'}
  nets = {'critic': '@latent_critic()'}
  judged_by = staticmethod(losses.discrimination)
  unreachable = {'kl': ('decoder',), 'adversarial': ('decoder',)}

  def __init__(self, encoder: base.Net, decoder: base.Net, critic: base.Net,
               alpha: float = 0.5, lambda_: settings.NonNegative = 100.,
               likelihood_sigma: settings.Positive = 0.1,
               updates: base.Updates | None = None):
    super().__init__(encoder, decoder, alpha, lambda_, likelihood_sigma,
                     'adversarial', updates, 'adversarial_info_vae')
    self.critic = critic

  @property
  def parts(self):
    return super().parts | {'critic': self.critic}

  def judged(self, images, noise, training=False):
    """Logits of samples of the prior and of latents; see `AAE.judged`."""
    latents, _, _ = self._latents(images, noise, training)
    # No gradient to the encoder, which this phase does not update.
    of_data = self.critic(tf.stop_gradient(latents), training=training)
    return self.critic(noise['prior'], training=training), of_data

  def critic_terms(self, images, noise, training=True):
    return {'discrimination': self.judged_by(
        *self.judged(images, noise, training))}

  def terms(self, images, noise, training=True):
    terms, latents = self._terms(images, noise, training)
    if self.is_on('adversarial'):
      logits = self.critic(latents, training=training)
      # Non-saturating: -log of the probability that z came from the prior.
      terms['adversarial'] = tf.nn.softplus(-logits)
    return terms

  updates = (
      update_table.Phase(critic_terms, {'discrimination': ('critic',)}),
      update_table.Phase(terms, {
          'reconstruction': ('encoder', 'decoder'),
          'kl': ('encoder',),
          'adversarial': ('encoder',),
      }),
  )

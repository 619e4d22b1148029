"""Perceptual generative autoencoders: LPGA, VPGA and LVPGA.

F is the encoder, G the decoder, h = F o G; sg() stops the gradient. All losses
are means per element (see `pgak.losses`), and the weights are in that form, as
in the paper's section 4 and its authors' code. Where the paper and the code
differ, the code is the default.

#### References

[1]: Zijun Zhang, Ruixiang Zhang, Zongpeng Li, Yoshua Bengio, Liam Paull.
     Perceptual Generative Autoencoders. ICML, 2020.
[2]: The same authors. Perceptual Generative Autoencoders. ICLR workshop on
     deep generative models for highly structured data, 2019.
"""
import math
from typing import Literal

import tensorflow as tf

from pgak import losses
from pgak import networks
from pgak import noise as noise_lib
from pgak import replicas
from pgak import schedules
from pgak import settings
from pgak.models import base
from pgak.models import verbs

__all__ = ['LPGA', 'LVPGA', 'VPGA']

Distance = Literal['l2', 'l1']


class PerceptualAutoencoder(base.GenerativeAutoencoder):
  """What the three have in common: [1, eq. 4], the basic losses of a PGA."""

  unreachable = {
      'latent_reconstruction': ('decoder',),
      'data_latent_reconstruction': ('decoder',),
      'nll_encoder': ('decoder',),
      'kl': ('decoder',),
  }
  matches_prior = True

  def __init__(self, encoder, decoder, weights, latent_distance, warm_up_steps,
               updates, name):
    # A plain autoencoder first, as in the authors' code; the paper has no
    # warm-up.
    warmed_up = weights
    if warm_up_steps:
      # A weight of 0 stays the number: its term is then not computed at all.
      warmed_up = {t: schedules.switch_on(w, warm_up_steps) if w else w
                   for t, w in weights.items()}
    super().__init__(encoder, decoder, warmed_up, updates, name=name)
    self.latent_distance = latent_distance
    self.warm_up_steps = warm_up_steps
    # As the subclasses' arguments name them, for `get_config`.
    for term, weight in weights.items():
      setattr(self, term, weight)

  @property
  def noise_shapes(self):
    # One perturbation for each example and step, as in the authors' code.
    return {'prior': (noise_lib.normal, (self.latent_dim,)),
            'perturbation': (noise_lib.normal, (self.latent_dim,))}

  def basic_terms(self, images, latents, noise, training):
    """The terms of [1, eq. 4] for latents z = F(x)."""
    reconstructed = self.decoder(latents, training=training)
    terms = {  # eq. 1
        'reconstruction': self.image_error(images, reconstructed)
    }
    for term, z in (('latent_reconstruction', noise['prior']),  # eq. 2
                    ('data_latent_reconstruction',  # eq. 3
                     tf.stop_gradient(latents))):
      if self.is_on(term):
        # Eqs. 2 and 3 train F alone. Without this gradient the decoder's
        # backward pass is spared, and the term may share the reconstruction's
        # row.
        generated = self.if_updated(
            term, 'decoder', self.decoder(z, training=training))
        h_z = self.encode_mean(generated, training)
        terms[term] = losses.latent_reconstruction(
            z, h_z, self.latent_distance)
    return terms


@settings.register
class LPGA(PerceptualAutoencoder):
  """Maximum-likelihood PGA, [1, eq. 9].

  `L = L_r + alpha L_lr,N + beta L_lr,H + gamma (L_nll_phi + L_nll_theta)`

  Args:
    encoder: deterministic encoder, images to latents `[B, H]`.
    decoder: decoder, latents to images.
    latent_reconstruction: alpha, the weight of eq. 2.
    data_latent_reconstruction: beta, the weight of eq. 3.
    nll_encoder: gamma, the weight of eq. 6.
    nll_decoder: gamma, the weight of eq. 7.
    epsilon: size of the perturbation of eq. 7, per latent dimension.
    perturbation: 'sphere' (the authors' code: uniform on the sphere of radius
      `epsilon * sqrt(H)`) or 'gaussian' (`N(0, epsilon**2 I)`).
    warm_up_steps: all weights but the reconstruction's are 0 while
      step <= warm_up_steps (the authors' code: 3,000; not in the paper).
    updates: rows that replace those of the update table.
    latent_distance: 'l2' or 'l1', the differences in eqs. 2 and 3: section 3.1
      allows other norms; theorem 1 is for the squared one.
  """

  updates = {
      'reconstruction': ('encoder', 'decoder'),
      'latent_reconstruction': ('encoder',),
      'data_latent_reconstruction': ('encoder',),
      'nll_encoder': ('encoder',),
      'nll_decoder': ('decoder',),
  }
  stochastic = False
  needs_full_precision = True

  def __init__(self, encoder: base.Net, decoder: base.Net, *,
               latent_reconstruction: schedules.Weight = 3e-2,
               data_latent_reconstruction: schedules.Weight = 0.,
               nll_encoder: schedules.Weight = 1.5e-2,
               nll_decoder: schedules.Weight = 1.5e-2,
               epsilon: settings.Positive = 1e-2,
               perturbation: Literal['sphere', 'gaussian'] = 'sphere',
               warm_up_steps: settings.Whole = 3000,
               updates: base.Updates | None = None,
               latent_distance: Distance = 'l2'):
    super().__init__(encoder, decoder, {
        'latent_reconstruction': latent_reconstruction,
        'data_latent_reconstruction': data_latent_reconstruction,
        'nll_encoder': nll_encoder,
        'nll_decoder': nll_decoder,
    }, latent_distance, warm_up_steps, updates, 'lpga')
    self.epsilon = epsilon
    self.perturbation = perturbation

  def terms(self, images, noise, training=True):
    latents = self.encoder(images, training=training)
    terms = self.basic_terms(images, latents, noise, training)  # eq. 4
    terms['nll_encoder'] = losses.latent_nll(latents)  # eq. 6
    if self.is_on('nll_decoder'):
      z = tf.stop_gradient(latents)
      delta = self.perturb(noise['perturbation'])
      terms['nll_decoder'] = losses.expansion(  # eq. 7
          self.h(z, training), self.h(z + delta, training),
          tf.reduce_sum(tf.square(delta), -1))
    return terms

  def h(self, latents, training):
    """h = F(G(z)) of [1, sec. 3.1], in float32."""
    # Eq. 7 takes a difference of nearly equal numbers: its relative error is
    # 3e-5 in float32 and 0.3 in bfloat16. F's weights need not be frozen, as
    # the update table gives this term to the decoder alone.
    with networks.full_precision(self.encoder, self.decoder):
      return self.encoder(self.decoder(latents, training=training),
                          training=training)

  def perturb(self, normal):
    """Makes delta ~ S(epsilon) of [1, eq. 7] from samples of N(0, I), `[B, H]`.
    """
    if self.perturbation == 'gaussian':
      return self.epsilon * normal
    # So that each latent dimension moves by epsilon, root mean square.
    radius = self.epsilon * math.sqrt(self.latent_dim)
    return radius * tf.math.l2_normalize(normal, -1, epsilon=1e-30)


@settings.register
class VPGA(PerceptualAutoencoder):
  """Variational PGA, [1, eq. 13].

  `L = L_r + alpha L_lr,N + beta L_lr,H + eta (L_vr + L_vkl)`

  L_vr is the error of h(z') for z' ~ N(mu(x), diag(sigma(x)**2)), in units of
  the scale of the latents. Its weight plays the role of the likelihood's
  variance. It trains the decoder, and the encoder only through sigma(x).

  The authors' code has separate weights for L_vr and L_vkl. With `eta` there is
  one weight as printed: in means per element L_vr is then half of the relative
  error, so that `eta` with `sigma_factor = c` is the same as `kl = eta` and
  `variational_reconstruction = eta / (2 c**2)`.

  Args:
    encoder: stochastic encoder, images to `[mean, log_variance]`.
    decoder: decoder, latents to images.
    latent_reconstruction: alpha, the weight of eq. 2.
    data_latent_reconstruction: beta, the weight of eq. 3.
    variational_reconstruction: weight of L_vr; not read where `eta` is given.
    kl: the weight of L_vkl; not read where `eta` is given.
    likelihood_sigma: standard deviation of p(z_hat | z'). None (the code) for
      the root mean square of each latent dimension over the batch; 'norm' (the
      paper's words) for each latent's `|z| / sqrt(H)`; or a number, fixed
      as in the workshop paper [2].
    posterior_sigma: None for sigma(x) as the encoder learns it, or a number.
    warm_up_steps: as for LPGA; the authors' code has none.
    updates: rows that replace those of the update table.
    latent_distance: as for LPGA.
    eta: one weight of L_vr + L_vkl, as [1, eq. 13] prints it (gamma in
      [2, eq. 11]); None, the default, for the two of the code.
    sigma_factor: what that standard deviation is multiplied by, the paper's
      tunable scalar.
    direct_gradient: True for an L_vr that trains the encoder through mu(x) and
      both F of h, too, as [2] prints it. With a fixed `likelihood_sigma` its
      optimum is trivial, [1, sec. 3.3]: all latents near 0.
  """

  updates = {
      'reconstruction': ('encoder', 'decoder'),
      'latent_reconstruction': ('encoder',),
      'data_latent_reconstruction': ('encoder',),
      'variational_reconstruction': ('encoder', 'decoder'),
      'kl': ('encoder',),
  }
  nets = {'encoder': '@gaussian/encoder()'}
  stochastic = True

  def __init__(self, encoder: base.Net, decoder: base.Net, *,
               latent_reconstruction: schedules.Weight = 3e-2,
               data_latent_reconstruction: schedules.Weight = 0.,
               variational_reconstruction: schedules.Weight = 1e-2,
               kl: schedules.Weight = 2e-2,
               likelihood_sigma: settings.Positive | Literal['norm'] |
               None = None,
               posterior_sigma: settings.Positive | None = None,
               warm_up_steps: settings.Whole = 0,
               updates: base.Updates | None = None,
               latent_distance: Distance = 'l2',
               eta: schedules.Weight | None = None,
               sigma_factor: settings.Positive = 1.,
               direct_gradient: bool = False):
    apart = {'variational_reconstruction': variational_reconstruction, 'kl': kl}
    super().__init__(encoder, decoder, {
        'latent_reconstruction': latent_reconstruction,
        'data_latent_reconstruction': data_latent_reconstruction,
    } | (apart if eta is None else {
        'variational_reconstruction': schedules.times(0.5, eta), 'kl': eta,
    }), latent_distance, warm_up_steps, updates, 'vpga')
    self.variational_reconstruction = variational_reconstruction
    self.kl = kl
    self.eta = eta
    self.likelihood_sigma = likelihood_sigma
    self.posterior_sigma = posterior_sigma
    self.sigma_factor = sigma_factor
    self.direct_gradient = direct_gradient

  def gaussian(self, floats, training=False):
    mean, log_variance = super().gaussian(floats, training)
    # The encoder's own log-variance is then neither used nor trained.
    if self.posterior_sigma is not None:
      log_variance = tf.fill(tf.shape(mean), tf.constant(
          2. * math.log(self.posterior_sigma), mean.dtype))
    return mean, log_variance

  def terms(self, images, noise, training=True):
    mean, log_variance = self.gaussian(images, training)
    terms = self.basic_terms(images, mean, noise, training)  # eq. 4
    if self.is_on('variational_reconstruction'):
      # The encoder is to learn from eq. 12 through sigma(x) alone.
      z = mean if self.direct_gradient else tf.stop_gradient(mean)
      sigma = tf.exp(0.5 * log_variance)
      terms['variational_reconstruction'] = losses.relative_error(  # eq. 12
          self.h(z, training),
          self.h(verbs.drawn(z, sigma, noise['perturbation']), training),
          self.scale(tf.stop_gradient(mean)))
    terms['kl'] = losses.kl(mean, log_variance)  # eq. 12
    return terms

  def h(self, latents, training):
    """h = F(G(z)), with no gradient into F's weights, [1, sec. 3.3]."""
    generated = self.decoder(latents, training=training)
    if self.direct_gradient:
      return self.encode_mean(generated, training)
    # Else F could lower the error trivially, by smaller latents, [1, sec. 3.3].
    return self.frozen('encoder', generated, training)[0]

  def scale(self, latents):
    """Standard deviation of the likelihood for constant latents `[B, H]`."""
    return self.sigma_factor * self._scale(latents)

  def _scale(self, latents):
    squares = tf.square(latents)
    if self.likelihood_sigma == 'norm':
      return tf.sqrt(tf.reduce_mean(squares, -1, keepdims=True))  # [B, 1]
    if self.likelihood_sigma is not None:
      return tf.constant(self.likelihood_sigma, latents.dtype)
    mean_square = tf.reduce_mean(squares, 0)  # [H]
    # Averaged as squares, so that replicas and one device have one scale.
    return tf.sqrt(replicas.mean(mean_square))


@settings.register
class LVPGA(PerceptualAutoencoder):
  """The unified approach, [1, eq. 16].

  `L = L_r + alpha L_lr,N + beta L_lr,H + gamma' L_vr + gamma L_nll_phi
       + eta L_vkl`

  with eq. 7 as L_vr, perturbed by N(0, diag((sigma(x) + sigma_floor)**2)). It
  trains the decoder, and the encoder only through sigma(x).

  Args:
    encoder: stochastic encoder, images to `[mean, log_variance]`.
    decoder: decoder, latents to images.
    latent_reconstruction: alpha, the weight of eq. 2.
    data_latent_reconstruction: beta, the weight of eq. 3.
    nll_encoder: gamma, the weight of eq. 6.
    variational_nll: gamma', the weight of L_vr.
    kl: eta, the weight of L_vkl.
    sigma_floor: what is added to sigma(x), the epsilon of the paper.
    warm_up_steps: as for LPGA.
    updates: rows that replace those of the update table.
    latent_distance: as for LPGA.
  """

  updates = {
      'reconstruction': ('encoder', 'decoder'),
      'latent_reconstruction': ('encoder',),
      'data_latent_reconstruction': ('encoder',),
      'nll_encoder': ('encoder',),
      'variational_nll': ('encoder', 'decoder'),
      'kl': ('encoder',),
  }
  nets = {'encoder': '@gaussian/encoder()'}
  stochastic = True
  needs_full_precision = True

  def __init__(self, encoder: base.Net, decoder: base.Net, *,
               latent_reconstruction: schedules.Weight = 3e-2,
               data_latent_reconstruction: schedules.Weight = 0.,
               nll_encoder: schedules.Weight = 0.,
               variational_nll: schedules.Weight = 2e-2,
               kl: schedules.Weight = 2e-2,
               sigma_floor: settings.NonNegative = 1e-2,
               warm_up_steps: settings.Whole = 3000,
               updates: base.Updates | None = None,
               latent_distance: Distance = 'l2'):
    super().__init__(encoder, decoder, {
        'latent_reconstruction': latent_reconstruction,
        'data_latent_reconstruction': data_latent_reconstruction,
        'nll_encoder': nll_encoder,
        'variational_nll': variational_nll,
        'kl': kl,
    }, latent_distance, warm_up_steps, updates, 'lvpga')
    self.sigma_floor = sigma_floor

  def posterior(self, floats, training=False):
    mean, sigma = super().posterior(floats, training)
    return mean, sigma + self.sigma_floor

  def terms(self, images, noise, training=True):
    mean, log_variance = self.gaussian(images, training)
    terms = self.basic_terms(images, mean, noise, training)  # eq. 4
    terms['nll_encoder'] = losses.latent_nll(mean)  # eq. 6
    if self.is_on('variational_nll'):
      z = tf.stop_gradient(mean)
      sigma = tf.exp(0.5 * log_variance) + self.sigma_floor
      delta = sigma * noise['perturbation']
      # The norm is a constant in the authors' code, so that sigma(x) learns
      # from the change of h alone.
      norm2 = tf.stop_gradient(tf.reduce_sum(tf.square(delta), -1))
      terms['variational_nll'] = losses.expansion(  # eqs. 15 and 16
          self.h(z, training), self.h(z + delta, training), norm2)
    terms['kl'] = losses.kl(mean, log_variance)  # eqs. 12 and 16
    return terms

  def h(self, latents, training):
    """h as VPGA has it, in float32 for the difference in eq. 15."""
    with networks.full_precision(self.encoder, self.decoder):
      return self.frozen('encoder', self.decoder(latents, training=training),
                         training)[0]

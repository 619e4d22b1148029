"""Generation without prior matching, and ACAI, from which it starts.

An image discriminator d predicts how far an image is from data: it is trained
to give `mu + lambda` for a decoded mixture `mu e_1 + (1 - mu) e_2` of two
latents, here called codes. The autoencoder is trained to make it give 0,
[1, eqs. 9 and 10; 2, sec. 3]. The codes go through batch norm, [1, eq. 11], and
a latent generator learns to make them, against a discriminator of latents,
[1, eqs. 12 and 13]: no term pulls the codes to the generator's.

#### References

[1]: Cong Geng, Jia Wang, Li Chen, Zhiyong Gao. Generative Model without Prior
     Distribution Matching. 2021.
[2]: David Berthelot, Colin Raffel, Aurko Roy, Ian Goodfellow. Understanding and
     Improving Interpolation in Autoencoders via an Adversarial Regularizer.
     ICLR, 2019.
"""
import tensorflow as tf

from pgak import losses
from pgak import noise as noise_lib
from pgak import schedules
from pgak import settings
from pgak.models import base
from pgak.models import critics
from pgak.models import parts as parts_lib
from pgak.models import update_table

__all__ = ['ACAI', 'NoPriorMatching']

BOTH = ('encoder', 'decoder')


def _half_uniform(shape, seed, dtype=tf.float32):
  """Samples the uniform distribution on `[0, 1/2)`."""
  # Half of [0, 1): mu is the share of the minor code of two.
  return 0.5 * noise_lib.uniform(shape, seed, dtype)


class _Interpolating(critics.JudgesImages, base.GenerativeAutoencoder):
  """What they share: mixed codes, and the discriminator that predicts them."""

  takes = base.GenerativeAutoencoder.takes | {
      'image_critic': 'images', 'latent_critic': 'latents'}
  stochastic = False

  def __init__(self, encoder, decoder, image_critic, lambda_, gamma, *,
               weights, updates, prior, name):
    super().__init__(encoder, decoder, weights, updates, prior, name)
    self.image_critic = image_critic
    self.lambda_ = lambda_
    self.gamma = gamma

  def _decoded(self, images, mix, training):
    """Returns the reconstructions and the decoded mixtures, each `[B, ...]`.

    Each code, with the share `1 - mix`, is mixed with the code of the image
    before it in the batch. A mixture is not normalised again.
    """
    codes = self.encoder(images, training=training)  # [B, H]
    mixed = mix * tf.roll(codes, 1, 0) + (1. - mix) * codes
    return (self.decoder(codes, training=training),
            self.decoder(mixed, training=training))

  def _targets(self, images, reconstructed, mixed, mix, training):
    """The discriminator's terms, the three squares of [1, eq. 9]."""
    # The discriminator's terms leave the autoencoder alone.
    reconstructed = tf.stop_gradient(reconstructed)
    blend = self.gamma * images + (1. - self.gamma) * reconstructed
    of_blend = self._critic(blend, training)
    of_mixed = self._critic(tf.stop_gradient(mixed), training)
    terms = {'reconstruction_target': (of_blend - self.lambda_)**2,
             'mix_target': (of_mixed - mix[:, 0] - self.lambda_)**2}
    if self.is_on('real_target'):
      terms['real_target'] = self._critic(images, training)**2
    return terms

  def _errors(self, images, reconstructed, mixed, training):
    """The autoencoder's terms, [1, eq. 10]."""
    terms = {'reconstruction': self.image_error(images, reconstructed)}
    if self.is_on('interpolation'):
      terms['interpolation'] = self._critic(mixed, training)**2
    if self.is_on('realism'):
      terms['realism'] = self._critic(reconstructed, training)**2
    return terms


@settings.register
class ACAI(_Interpolating):
  """Adversarially constrained autoencoder interpolation, [2, eqs. 2 and 3].

  `NoPriorMatching` with lambda = 0 and without `real_target` and `realism`.
  Autoencoder and discriminator are updated in one step, from one forward pass.
  Its latents have no prior: one is fitted to them after training.

  Args:
    encoder: deterministic encoder.
    decoder: decoder, latents to images.
    image_critic: `keras.Model`, images to floats `[B, n]` whose mean is d(x);
      in [2] a second encoder.
    omega1: weight of the interpolation term, the lambda of [2], beside an error
      that is a mean.
    gamma: share of the image in the blend whose target is 0, in [0, 1].
    updates: rows that replace those of the update table.
  """

  updates = {
      'reconstruction': BOTH,
      'interpolation': BOTH,
      'reconstruction_target': ('image_critic',),
      'mix_target': ('image_critic',),
  }
  nets = {'image_critic': '@image_critic/encoder()'}

  def __init__(self, encoder: base.Net, decoder: base.Net,
               image_critic: base.Net, omega1: schedules.Weight = 0.5,
               gamma: settings.Fraction = 0.2,
               updates: base.Updates | None = None):
    super().__init__(encoder, decoder, image_critic, 0., gamma,
                     weights={'interpolation': omega1}, updates=updates,
                     prior=None, name='acai')
    self.omega1 = omega1

  @property
  def noise_shapes(self):
    return {'mix': (_half_uniform, (1,))}

  def terms(self, images, noise, training=True):
    made = self._decoded(images, noise['mix'], training)
    return (self._errors(images, *made, training)
            | self._targets(images, *made, noise['mix'], training))


@settings.register
class NoPriorMatching(_Interpolating):
  """Generative model without prior distribution matching, [1].

  These are updated alternately: the image discriminator, the autoencoder, the
  discriminator of latents, for which a large logit means "a code of data", and
  the latent generator g. The last two can wait until the autoencoder is trained
  and frozen. [1] gives neither the order of the updates nor the values of
  lambda, gamma, omega1 and omega2.

  The batch norm of the codes is the encoder's own, `batch_norm_latents` of
  `networks.encoder`: without it one has [1, fig. 6, "without BN"].

  Args:
    encoder: deterministic encoder.
    decoder: decoder, latents to images.
    latent_critic: `keras.Model`, latents `[B, H]` to logits `[B, 1]`.
    prior: a `priors.LatentGenerator`, or a reference to one, which is called
      with the latent size.
    image_critic: `keras.Model`, images to floats `[B, n]` whose mean is d(x);
      None for no adversarial regulariser, [1, fig. 6, "with BN"].
    lambda_: the discriminator's target for a reconstruction that is blended
      with its image.
    gamma: share of the image in that blend, in [0, 1].
    omega1: weight of the term of mixtures, 1 / D of that of [1] beside a sum
      over pixels.
    omega2: weight of the term of reconstructions, likewise.
    real_target: weight of the discriminator's term of real images, 1 in [1].
    autoencoder_steps: steps of the first stage, image discriminator and
      autoencoder; None trains all parts at once.
    updates: rows that replace those of the update table.
  """

  learns_prior = True
  judged_by = staticmethod(losses.hinge_discrimination)
  nets = {'encoder': '@normalised/encoder()', 'prior': '@LatentGenerator'}

  def __init__(self, encoder: base.Net, decoder: base.Net,
               latent_critic: base.Net,
               prior: parts_lib.GeneratorLike, *,
               image_critic: base.Net | None = None,
               lambda_: settings.NonNegative = 0.1,
               gamma: settings.Fraction = 0.5, omega1: schedules.Weight = 0.5,
               omega2: schedules.Weight = 0.05,
               real_target: schedules.Weight = 1.,
               autoencoder_steps: settings.Count | None = None,
               updates: base.Updates | None = None):
    generator = parts_lib.made_prior('NoPriorMatching', prior, decoder)
    weights = {'real_target': real_target, 'interpolation': omega1,
               'realism': omega2}
    if image_critic is None:
      # The number 0 drops the terms, and with them the need for the part.
      weights = dict.fromkeys(
          [*weights, 'reconstruction_target', 'mix_target'], 0.)
    super().__init__(encoder, decoder, image_critic, lambda_, gamma,
                     weights=weights, updates=updates, prior=generator,
                     name='no_prior_matching')
    self.latent_critic = latent_critic
    self.generator = generator
    self.omega1 = omega1
    self.omega2 = omega2
    self.real_target = real_target
    self.autoencoder_steps = autoencoder_steps
    if autoencoder_steps is not None:
      self.stage_ends = (autoencoder_steps,)

  @property
  def parts(self):
    return super().parts | {'latent_critic': self.latent_critic,
                            'prior': self.generator}

  @property
  def noise_shapes(self):
    draw = (self.generator.draw, (self.generator.base_dim,))
    shapes = {'critic_base': draw, 'base': draw}
    if self.image_critic is not None:
      shapes |= {name: (_half_uniform, (1,)) for name in ('critic_mix', 'mix')}
    return shapes

  def image_critic_terms(self, images, noise, training=True):
    if self.image_critic is None:
      return {}
    made = self._decoded(images, noise['critic_mix'], training)
    return self._targets(images, *made, noise['critic_mix'], training)

  def terms(self, images, noise, training=True):
    if self.image_critic is None:
      reconstructed = self.decoder(self.encoder(images, training=training),
                                   training=training)
      return self._errors(images, reconstructed, None, training)
    made = self._decoded(images, noise['mix'], training)
    return self._errors(images, *made, training)

  def judged(self, images, noise, training=False):
    """Logits of codes and of samples of the prior; codes are to be positive.
    """
    # Frozen after the first stage: batch norm, too, is that of inference.
    codes = self.encoder(images, training=training and self.stage is None)
    generated = self.generator(noise['critic_base'], training=training)
    of_codes = self.latent_critic(tf.stop_gradient(codes), training=training)
    return of_codes, self.latent_critic(tf.stop_gradient(generated),
                                        training=training)

  def latent_critic_terms(self, images, noise, training=True):
    """[1, eq. 12]."""
    return {'latent_discrimination': self.judged_by(
        *self.judged(images, noise, training))}

  def prior_terms(self, images, noise, training=True):
    """The latent generator's term, [1, eq. 13]."""
    generated = self.generator(noise['base'], training=training)
    return {'latent_adversarial':
            -self.latent_critic(generated, training=training)}

  updates = (
      update_table.Phase(image_critic_terms, {
          'real_target': ('image_critic',),
          'reconstruction_target': ('image_critic',),
          'mix_target': ('image_critic',),
      }),
      update_table.Phase(terms, {
          'reconstruction': BOTH,
          'interpolation': BOTH,
          'realism': BOTH,
      }),
      update_table.Phase(latent_critic_terms, {
          'latent_discrimination': ('latent_critic',)}, stage=1),
      update_table.Phase(prior_terms, {
          'latent_adversarial': ('prior',)}, stage=1),
  )

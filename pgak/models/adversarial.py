"""Adversarial autoencoders: with a fixed prior, and with a learned one.

A discriminator's logit P of latents is large for samples of the prior and small
for latents of data. With `s(t) = log(1 + exp(t))`, it descends

```none
mean s(-P(prior)) + mean s(P(data))
```

#### References

[1]: Alireza Makhzani, Jonathon Shlens, Navdeep Jaitly, Ian Goodfellow.
     Adversarial Autoencoders. ICLR workshop, 2016.
[2]: Anonymous. Empirical observations pertaining to learned priors for deep
     latent variable models. Under review at ICLR, 2020.
[3]: Ilya Tolstikhin, Olivier Bousquet, Sylvain Gelly, Bernhard Schoelkopf.
     Wasserstein Auto-Encoders. ICLR, 2018.
"""
import tensorflow as tf

from pgak import losses
from pgak import noise as noise_lib
from pgak import schedules
from pgak import settings
from pgak.models import base
from pgak.models import parts as parts_lib
from pgak.models import update_table

__all__ = ['AAE', 'PriorAAE', 'WAEGAN']


class _Adversarial(base.GenerativeAutoencoder):
  """What they share: the discriminator, and its loss."""

  takes = base.GenerativeAutoencoder.takes | {'critic': 'latents'}
  nets = {'critic': '@latent_critic()'}
  stochastic = False
  judged_by = staticmethod(losses.discrimination)

  def __init__(self, encoder, decoder, critic, weights, updates, prior, name):
    super().__init__(encoder, decoder, weights, updates, prior, name)
    self.critic = critic

  @property
  def parts(self):
    return super().parts | {'critic': self.critic}

  def judged(self, images, noise, training=False):
    """Returns the discriminator's logits of prior samples and of latents.

    Args:
      images: float `[B, h, w, C]` in the value range.
      noise: as for `terms`.
      training: whether batch norm takes the batch's own statistics.

    Returns:
      `(of_prior, of_data)`, each float `[B, 1]`; the first is to be positive.
    """
    latents = self.encoder(images, training=training)
    drawn = self._of_prior(noise, training)
    return (self.critic(drawn, training=training),
            self.critic(latents, training=training))

  def _of_prior(self, noise, training):
    """Returns the draws that the discriminator sees, float `[B, H]`."""
    del training
    return noise['prior']

  def _discrimination(self, images, noise, training):
    return {'discrimination': self.judged_by(
        *self.judged(images, noise, training))}


@settings.register
class AAE(_Adversarial):
  """Adversarial autoencoder, [1]: latents are made to look like N(0, I).

  The discriminator is updated first. Encoder and decoder then descend the
  reconstruction and `adversarial`, the encoder's `mean s(-P(Enc(x)))`, in one
  step: in separate steps, as in [1], Adam would normalise the weight between
  the two away.

  Args:
    encoder: deterministic encoder.
    decoder: decoder, latents to images.
    critic: `keras.Model`, latents `[B, H]` to logits `[B, 1]`.
    adversarial: weight of that term, 1 / D of that beside a sum over pixels.
    updates: rows that replace those of the update table.
    name: string.
  """

  unreachable = {'adversarial': ('decoder',)}
  matches_prior = True

  def __init__(self, encoder: base.Net, decoder: base.Net, critic: base.Net,
               adversarial: schedules.Weight = 1e-2,
               updates: base.Updates | None = None,
               name: settings.Name = 'aae'):
    super().__init__(encoder, decoder, critic, {'adversarial': adversarial},
                     updates, None, name)
    self.adversarial = adversarial

  @property
  def noise_shapes(self):
    return {'prior': (noise_lib.normal, (self.latent_dim,))}

  def critic_terms(self, images, noise, training=True):
    return self._discrimination(images, noise, training)

  def terms(self, images, noise, training=True):
    latents = self.encoder(images, training=training)
    reconstructed = self.decoder(latents, training=training)
    terms = {'reconstruction': self.image_error(images, reconstructed)}
    if self.is_on('adversarial'):
      logits = self.critic(latents, training=training)
      # Non-saturating: -log of the probability that z came from the prior.
      terms['adversarial'] = tf.nn.softplus(-logits)
    return terms

  updates = (
      update_table.Phase(critic_terms, {'discrimination': ('critic',)}),
      update_table.Phase(terms, {
          'reconstruction': ('encoder', 'decoder'),
          'adversarial': ('encoder',),
      }),
  )


@settings.register
class WAEGAN(AAE):
  """WAE with a discriminator of latents, [3, alg. 1]: AAE in the other order.

  Encoder and decoder are updated first, as in the authors' code; the
  discriminator is then trained on the updated encoder, with the same images and
  the same samples of the prior.

  Args:
    encoder: deterministic encoder.
    decoder: decoder, latents to images.
    critic: as for `AAE`.
    adversarial: weight of the encoder's term: `lambda / (a D)` where a is the
      source's weight of the sum of squared errors.
    updates: rows that replace those of the update table.
  """

  updates = AAE.updates[::-1]

  def __init__(self, encoder: base.Net, decoder: base.Net, critic: base.Net,
               adversarial: schedules.Weight = 1e-2,
               updates: base.Updates | None = None):
    super().__init__(encoder, decoder, critic, adversarial, updates, 'wae_gan')


@settings.register
class PriorAAE(_Adversarial):
  """Prior-AAE, [2, sec. 2.1]: a generator learns the latents' distribution.

  Encoder and generator h are trained against the discriminator with opposite
  labels: the encoder descends `mean s(-P(Enc(x)))` with weight
  `beta * adversarial`, and the generator `mean s(P(h(z_0)))` with weight 1.
  With beta = 0 it is an autoencoder beside a GAN of its latents.

  Args:
    encoder: deterministic encoder.
    decoder: decoder, latents to images.
    critic: `keras.Model`, latents `[B, H]` to logits `[B, 1]`.
    prior: a `priors.LatentGenerator`, or a reference to one, which is called
      with the latent size.
    beta: how strongly the encoder is pulled to the prior; 0 to 1 in [2].
    adversarial: weight of the encoder's term for beta = 1, 1 / D of that beside
      a sum over pixels.
    updates: rows that replace those of the update table.
  """

  unreachable = {'adversarial_encoder': ('decoder',)}
  nets = {'prior': '@LatentGenerator'}
  learns_prior = True

  def __init__(self, encoder: base.Net, decoder: base.Net, critic: base.Net,
               prior: parts_lib.GeneratorLike,
               beta: settings.NonNegative = 1.,
               adversarial: settings.NonNegative = 1e-2,
               updates: base.Updates | None = None):
    generator = parts_lib.made_prior('PriorAAE', prior, decoder)
    super().__init__(encoder, decoder, critic,
                     # beta is the encoder's alone: the generator's term is the
                     # only one of its optimizer, and Adam would undo a weight.
                     {'adversarial_encoder': beta * adversarial}, updates,
                     generator, 'prior_aae')
    self.generator = generator
    self.beta = beta
    self.adversarial = adversarial

  @property
  def parts(self):
    return super().parts | {'prior': self.generator}

  @property
  def noise_shapes(self):
    # Fresh noise for each phase, as in the training of a GAN.
    draw = (self.generator.draw, (self.generator.base_dim,))
    return {'critic_base': draw, 'base': draw}

  def _of_prior(self, noise, training):
    return self.generator(noise['critic_base'], training=training)

  def critic_terms(self, images, noise, training=True):
    return self._discrimination(images, noise, training)

  def terms(self, images, noise, training=True):
    latents = self.encoder(images, training=training)
    reconstructed = self.decoder(latents, training=training)
    generated = self.generator(noise['base'], training=training)
    of_prior = self.critic(generated, training=training)
    terms = {'reconstruction': self.image_error(images, reconstructed),
             # The opposite label: P is large for the prior, and h is to look
             # like data.
             'adversarial_prior': tf.nn.softplus(of_prior)}
    if self.is_on('adversarial_encoder'):
      of_data = self.critic(latents, training=training)
      terms['adversarial_encoder'] = tf.nn.softplus(-of_data)
    return terms

  updates = (
      update_table.Phase(critic_terms, {'discrimination': ('critic',)}),
      update_table.Phase(terms, {
          'reconstruction': ('encoder', 'decoder'),
          'adversarial_encoder': ('encoder',),
          'adversarial_prior': ('prior',),
      }),
  )

"""Adversarial latent autoencoders: ALAE.

F maps noise to latents w, G is the decoder, E the encoder, and D a net on E's
latents: the discriminator of images is D(E(x)), a logit that is large for data.
With `s(t) = log(1 + exp(t))` and sg() the stopped gradient.

#### References

[1]: Stanislav Pidhorskyi, Donald A. Adjeroh, Gianfranco Doretto. Adversarial
     Latent Autoencoders. CVPR, 2020.
[2]: Lars Mescheder, Andreas Geiger, Sebastian Nowozin. Which Training Methods
     for GANs do actually Converge? ICML, 2018.
"""
import tensorflow as tf

from pgak import losses
from pgak import settings
from pgak.models import base
from pgak.models import parts as parts_lib
from pgak.models import update_table

__all__ = ['ALAE']


@settings.register
class ALAE(base.GenerativeAutoencoder):
  """ALAE, [1, alg. 1]: a GAN whose discriminator contains an encoder.

  Three phases, each with new noise z:

  ```none
  E D: mean s(D(E(sg G(F(z))))) + mean s(-D(E(x)))
       + gamma/2 mean |dD(E(x))/dx|^2
  F G: mean s(-D(E(G(F(z)))))
  E G: mean (E(G(sg w)) - sg w)^2,   w = F(z)
  ```

  No term compares images: a reconstruction has the image's w, not its pixels.
  In the authors' code F descends the third, too, through G: set `updates` to
  `{'latent_reconstruction': ('encoder', 'decoder', 'prior')}` for that.

  Args:
    encoder: deterministic encoder E.
    decoder: decoder G, latents w to images.
    critic: D, `keras.Model`, latents `[B, H]` to logits `[B, 1]`.
    prior: F, a `priors.LatentGenerator`, or a reference to one, which is called
      with H.
    r1: gamma of the gradient penalty of [2, eq. 9], a sum over pixels; 0 for
      none.
    updates: rows that replace those of the update table.
  """

  takes = base.GenerativeAutoencoder.takes | {'critic': 'latents'}
  nets = {'critic': '@latent_critic()', 'prior': '@LatentGenerator'}
  stochastic = False
  judged_by = staticmethod(losses.discrimination)
  compares_images = False
  # The latents of data are pulled to the distribution of w, itself learned.
  matches_prior = True
  learns_prior = True

  def __init__(self, encoder: base.Net, decoder: base.Net, critic: base.Net,
               prior: parts_lib.GeneratorLike,
               r1: settings.NonNegative = 10.,
               updates: base.Updates | None = None):
    generator = parts_lib.made_prior('ALAE', prior, decoder)
    # [2, eq. 9] has gamma / 2.
    super().__init__(encoder, decoder, {'r1': 0.5 * r1}, updates, generator,
                     'alae')
    self.critic = critic
    self.generator = generator
    self.r1 = r1

  @property
  def parts(self):
    return super().parts | {'critic': self.critic, 'prior': self.generator}

  @property
  def noise_shapes(self):
    draw = (self.generator.draw, (self.generator.base_dim,))
    # New noise for each phase.
    return {'critic_base': draw, 'generator_base': draw, 'latent_base': draw}

  def _logits(self, images, training):
    """D(E(x)), `[B, 1]`."""
    latents = self.encoder(images, training=training)
    return self.critic(latents, training=training)

  def _generated(self, base_draws, training):
    """G(F(z))."""
    latents = self.generator(base_draws, training=training)
    return self.decoder(latents, training=training)

  def judged(self, images, noise, training=False):
    """Logits of images and of generated ones; the first are to be positive."""
    generated = self._generated(noise['critic_base'], training)
    return self._logits(images, training), self._logits(generated, training)

  def critic_terms(self, images, noise, training=True):
    images = tf.convert_to_tensor(images)
    generated = self._generated(noise['critic_base'], training)
    # G and F are not updated here: no gradient goes back through them.
    of_generated = self._logits(tf.stop_gradient(generated), training)
    # The train step's tape records this one, for the second derivative.
    with tf.GradientTape() as tape:
      tape.watch(images)
      of_data = self._logits(images, training)
    terms = {'discrimination': self.judged_by(of_data, of_generated)}
    if self.is_on('r1'):
      slope = tape.gradient(of_data, images)
      # A sum over pixels, as in the authors' code.
      terms['r1'] = tf.reduce_sum(tf.square(slope),
                                  list(range(1, images.shape.rank)))
    return terms

  def generator_terms(self, images, noise, training=True):
    del images  # This phase and the next see no data.
    logits = self._logits(
        self._generated(noise['generator_base'], training), training)
    return {'adversarial': tf.nn.softplus(-logits)}

  def latent_terms(self, images, noise, training=True):
    del images
    latents = self.generator(noise['latent_base'], training=training)
    decoded = self.decoder(
        # By the paper a constant; the code's variant passes gradient to F.
        self.if_updated('latent_reconstruction', 'prior', latents),
        training=training)
    return {'latent_reconstruction': losses.latent_reconstruction(
        # The target is a constant in the paper and in the code.
        tf.stop_gradient(latents), self.encoder(decoded, training=training))}

  updates = (
      update_table.Phase(critic_terms, {
          'discrimination': ('encoder', 'critic'),
          'r1': ('encoder', 'critic'),
      }),
      update_table.Phase(generator_terms, {
          'adversarial': ('decoder', 'prior'),
      }),
      update_table.Phase(latent_terms, {
          'latent_reconstruction': ('encoder', 'decoder'),
      }),
  )

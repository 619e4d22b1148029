"""Spectrally normalised GAN with the hinge loss: SN-GAN.

g is the decoder, d the image discriminator, whose kernels its net divides by
their spectral norms, sg() stops the gradient. There is no encoder.

#### References

[1]: Takeru Miyato, Toshiki Kataoka, Masanori Koyama, Yuichi Yoshida. Spectral
     normalization for generative adversarial networks. ICLR, 2018.
"""
import tensorflow as tf

from pgak import losses
from pgak import noise as noise_lib
from pgak import settings
from pgak.models import base
from pgak.models import critics
from pgak.models import update_table

__all__ = ['SNGAN']


@settings.register
class SNGAN(critics.JudgesImages, base.GenerativeModel):
  """SN-GAN, [1, eqs. 16 and 17].

  d and g are updated alternately, each time with new z of N(0, I):

  ```none
  d: mean max(0, 1 - d(x)) + mean max(0, 1 + d(sg g(z)))
  g: -mean d(g(z))
  ```

  The discriminator is updated `critic_steps` times a step, each time with other
  images: the data set yields as many times the batch.

  Args:
    decoder: generator g, latents to images.
    image_critic: `keras.Model`, images to floats `[B, n]` whose mean is d(x).
    critic_steps: updates of the discriminator per train step, n_dis of [1].
    updates: rows that replace those of the update table.
  """

  takes = base.GenerativeModel.takes | {'image_critic': 'images'}
  nets = {'image_critic': '@image_critic/encoder()'}
  matches_prior = True
  judged_by = staticmethod(losses.hinge_discrimination)
  compares_images = False

  def __init__(self, decoder: base.Net, image_critic: base.Net,
               critic_steps: settings.Count = 5,
               updates: base.Updates | None = None):
    super().__init__(decoder, updates=updates, name='sn_gan')
    # Repeats are a setting, and the table is the class's.
    first, second = self.table.phases
    self.table.phases = first._replace(repeats=critic_steps), second
    self.image_critic = image_critic
    self.critic_steps = critic_steps

  @property
  def noise_shapes(self):
    draw = (noise_lib.normal, (self.latent_dim,))
    return {'critic_prior': draw, 'prior': draw}

  def judged(self, images, noise, training=False):
    """Outputs for images and generated ones; the first are to be positive."""
    generated = self.decoder(noise['critic_prior'], training=training)
    return (self._critic(images, training),
            self._critic(tf.stop_gradient(generated), training))

  def critic_terms(self, images, noise, training=True):
    """[1, eq. 16]."""
    return {'discrimination': self.judged_by(
        *self.judged(images, noise, training))}

  def generator_terms(self, images, noise, training=True):
    """The generator's term, [1, eq. 17]."""
    del images  # The generator sees none.
    generated = self.decoder(noise['prior'], training=training)
    return {'adversarial': -self._critic(generated, training)}

  updates = (
      update_table.Phase(critic_terms, {
          'discrimination': ('image_critic',)}, repeats=5),
      update_table.Phase(generator_terms, {'adversarial': ('decoder',)}),
  )

"""Progressively growing GAN with a Wasserstein critic: PG-GAN.

g is the decoder, d the image critic, sg() stops the gradient. There is no
encoder. Both nets begin at 4x4 pixels and grow by blocks (`networks.FadeIn`).

#### References

[1]: Tero Karras, Timo Aila, Samuli Laine, Jaakko Lehtinen. Progressive Growing
     of GANs for Improved Quality, Stability, and Variation. ICLR, 2018.
[2]: Ishaan Gulrajani, Faruk Ahmed, Martin Arjovsky, Vincent Dumoulin, Aaron
     Courville. Improved Training of Wasserstein GANs. NeurIPS, 2017.
"""
import tensorflow as tf

from pgak import networks
from pgak import noise as noise_lib
from pgak import schedules
from pgak import settings
from pgak.models import base
from pgak.models import critics
from pgak.models import update_table

__all__ = ['PGGAN']


@settings.register
class PGGAN(critics.JudgesImages, base.GenerativeModel):
  """PG-GAN, [1], with the loss of [2].

  d and g are updated alternately, each time with new z of N(0, I), with
  `x_u = u x + (1 - u) g(z)` and u uniform on `[0, 1)` for each image,

  ```none
  d: mean d(sg g(z)) - mean d(x) + 10 mean (|dd(x_u)/dx_u| - 1)^2
     + 0.001 mean d(x)^2
  g: -mean d(g(z))
  ```

  The images x are reduced to the resolution that the nets have reached,
  enlarged to the full side again, and mixed with those of the next resolution
  as it fades in. The slope is the gradient to an image of the full side at
  every level, in [1] to one of the level's side.

  Training begins with 4x4 pixels; then a block fades in, then both nets train
  on with it, and so on, all for equally long. The rest of the run is at the
  full side. Nets without `networks.FadeIn` do not grow: with such nets,
  `critic_steps = 5` and `drift = 0` it is the WGAN-GP of [2].

  Args:
    decoder: generator g, latents to images.
    image_critic: `keras.Model`, images to floats `[B, n]` whose mean is d(x).
    gradient_penalty: weight of the slope's term.
    drift: weight of the last term, which keeps d near 0.
    growing: the share of the run after which the last block has faded in.
    updates: rows that replace those of the update table.
    critic_steps: updates of the critic per train step, each with other images:
      the data set yields as many times the batch.
  """

  takes = base.GenerativeModel.takes | {'image_critic': 'images'}
  nets = {'image_critic': '@image_critic/encoder()'}
  matches_prior = True
  judged_by = None  # Its loss is a difference of means.
  compares_images = False

  def __init__(self, decoder: base.Net, image_critic: base.Net,
               gradient_penalty: schedules.Weight = 10.,
               drift: schedules.Weight = 1e-3, growing: settings.Share = 0.5,
               updates: base.Updates | None = None,
               critic_steps: settings.Count = 1):
    super().__init__(
        decoder, {'gradient_penalty': gradient_penalty, 'drift': drift},
        updates, name='pg_gan')
    first, second = self.table.phases
    self.table.phases = first._replace(repeats=critic_steps), second
    self.critic_steps = critic_steps
    self.image_critic = image_critic
    self.gradient_penalty = gradient_penalty
    self.drift = drift
    self.growing = growing
    self.follows_run = bool(self._fades)

  @property
  def _fades(self):
    """Where the decoder's blocks fade in, in their order."""
    return sorted((layer for layer in networks.layers_of(self.decoder)
                   if isinstance(layer, networks.FadeIn)),
                  key=lambda layer: layer.block)

  @property
  def noise_shapes(self):
    draw = (noise_lib.normal, (self.latent_dim,))
    ones = (1,) * len(self.image_shape)  # One u per image.
    return {'critic_prior': draw, 'prior': draw,
            'mix': (noise_lib.uniform, ones)}

  def level(self, step):
    """Returns the number of blocks at a step, a float scalar tensor.

    While a block fades in, its share counts: the number grows from k to k + 1.
    """
    blocks = float(len(self._fades))
    # Outside of a run, as after loading, the nets are whole.
    if not self.run_steps:
      return tf.constant(blocks)
    done = tf.cast(step, tf.float32) / (self.growing * self.run_steps)
    # In units of a level, of which the first half settles what is there.
    reached = tf.minimum(done, 1.) * blocks
    settled = tf.floor(reached)
    return settled + tf.maximum(2. * (reached - settled) - 1., 0.)

  def train_step(self, batch):
    # Set before the step: the level is state of the layers, so that a
    # checkpoint and an export have the nets as they were trained last.
    level = self.level(self.step.value)
    for part in self.parts.values():
      networks.set_level(part, level)
    return super().train_step(batch)

  def at_level(self, images):
    """Returns float images at the resolution that the nets have reached."""
    pyramid = [images]
    for _ in self._fades:
      # Halved by averages and doubled by repeats, as the blocks of the nets do.
      pyramid.append(tf.nn.avg_pool2d(pyramid[-1], 2, 2, 'VALID'))
    grown = pyramid.pop()
    for fade in self._fades:
      enlarged = tf.repeat(tf.repeat(grown, 2, 1), 2, 2)  # [B, 2h, 2w, C]
      # Not the layer itself, which would round images under a mixed policy.
      grown = fade.call([enlarged, pyramid.pop()])
    return grown

  def _slope(self, images, training):
    """The norm of d's gradient to each image, `[B]`."""
    with tf.GradientTape() as tape:
      tape.watch(images)
      judged = self._critic(images, training)
    slopes = tape.gradient(judged, images)
    square = tf.reduce_sum(tf.square(slopes), list(range(1, images.shape.rank)))
    # The derivative of the root is infinite at 0.
    return tf.sqrt(square + 1e-12)

  def judged(self, images, noise, training=False):
    """Outputs for images and generated ones; the first are to be larger."""
    generated = self.decoder(noise['critic_prior'], training=training)
    return (self._critic(self.at_level(images), training),
            self._critic(generated, training))

  def critic_terms(self, images, noise, training=True):
    """The terms of [2, eq. 3], and the drift of [1, appendix A.1]."""
    images = self.at_level(images)
    generated = tf.stop_gradient(
        self.decoder(noise['critic_prior'], training=training))
    of_data = self._critic(images, training)
    terms = {'discrimination': self._critic(generated, training) - of_data,
             'drift': tf.square(of_data)}
    if self.is_on('gradient_penalty'):
      between = generated + noise['mix'] * (images - generated)
      terms['gradient_penalty'] = (self._slope(between, training) - 1.)**2
    return terms

  def generator_terms(self, images, noise, training=True):
    del images  # The generator sees none.
    generated = self.decoder(noise['prior'], training=training)
    return {'adversarial': -self._critic(generated, training)}

  updates = (
      update_table.Phase(critic_terms, {
          'discrimination': ('image_critic',),
          'gradient_penalty': ('image_critic',),
          'drift': ('image_critic',),
      }),
      update_table.Phase(generator_terms, {'adversarial': ('decoder',)}),
  )

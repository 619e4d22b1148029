"""Adversarial generator-encoder networks: AGE.

e is the encoder, whose outputs are normalised to `|z| = 1`, g the generator
(the decoder), sg() stops the gradient. There is no discriminator: the encoder
spreads latents of data evenly over the sphere and those of generated images
unevenly, and the generator counters the latter.

#### References

[1]: Dmitry Ulyanov, Andrea Vedaldi, Victor Lempitsky. It Takes (Only) Two:
     Adversarial Generator-Encoder Networks. AAAI, 2018.
"""
import tensorflow as tf

from pgak import losses
from pgak import priors
from pgak import schedules
from pgak import settings
from pgak.models import base
from pgak.models import update_table

__all__ = ['AGE']


def _on_sphere(latents):
  # The guard keeps latents of 0 from dividing by 0.
  return tf.math.l2_normalize(latents, -1, epsilon=1e-12)


@settings.register
class AGE(base.GenerativeAutoencoder):
  """AGE, [1, sec. 3], with the terms and weights of its authors' code.

  With K a batch's divergence from N(0, I) by the moments of its dimensions,
  and z uniform on the sphere,

  ```none
  e: K(e(x)) - K(e(sg g(z))) + reconstruction mean |x - g(e(x))|
  g: K(e(g(z))) + latent_reconstruction mean (e(g(z)) - z)^2
  ```

  K is that of a batch: over several replicas the mean of the replicas' own.
  The generator is updated `decoder_steps` times a step, each time with new z;
  the data set yields as many times the batch, of which the encoder sees one.

  Args:
    encoder: deterministic encoder; its outputs are normalised here.
    decoder: decoder, latents `[B, H]` of norm 1 to images.
    reconstruction: weight of the images' error, for the encoder alone.
    latent_reconstruction: weight of the latents' error, for the generator
      alone: 500 is the code's 1,000 on `mean (2 - e z)` over all elements. On
      the squared error's sum over H it would be `500 / H`.
    decoder_steps: updates of the generator per train step.
    released: True for the divergence of the authors' code, which has the
      variance in the place of the standard deviation.
    updates: rows that replace those of the update table.
  """

  # As in its authors' code.
  image_error = staticmethod(losses.absolute_error)
  matches_prior = True
  stochastic = False

  def __init__(self, encoder: base.Net, decoder: base.Net,
               reconstruction: schedules.Weight = 10.,
               latent_reconstruction: schedules.Weight = 500.,
               decoder_steps: settings.Count = 2, released: bool = False,
               updates: base.Updates | None = None):
    super().__init__(
        encoder, decoder,
        # The encoder climbs what the generator descends: two terms, since a
        # term has one weight.
        {'kl_fake_encoder': -1., 'reconstruction': reconstruction,
         'latent_reconstruction': latent_reconstruction}, updates,
        priors.UniformSphere(decoder.inputs[0].shape[-1]), 'age')
    # Repeats are a setting, and the table is the class's.
    first, second = self.table.phases
    self.table.phases = first, second._replace(repeats=decoder_steps)
    self.reconstruction = reconstruction
    self.latent_reconstruction = latent_reconstruction
    self.decoder_steps = decoder_steps
    self.released = released

  @property
  def noise_shapes(self):
    draw = (priors.UniformSphere.draw, (self.latent_dim,))
    return {'encoder_prior': draw, 'decoder_prior': draw}

  def encode_mean(self, images, training=False):
    """Returns the latents of float images, on the sphere."""
    # In the verbs, too: an export encodes as training does.
    return _on_sphere(self.encoder(images, training=training))

  def render(self, latents, given=None, training=False):
    """Returns float images of latents `[B, H]`, normalised to `|z| = 1`."""
    # Interpolations and a user's latents lie inside or outside of the sphere.
    return super().render(_on_sphere(latents), given, training)

  def encoder_terms(self, images, noise, training=True):
    # Data and fakes go through e apart, so that each has its own batch
    # statistics.
    latents = self.encode_mean(images, training)
    terms = {'kl_real': self.divergence(latents)}
    if self.is_on('reconstruction'):
      terms['reconstruction'] = self.image_error(
          images, self.decoder(latents, training=training))
    # Unlike `render`: z is on the sphere already.
    generated = self.decoder(noise['encoder_prior'], training=training)
    terms['kl_fake_encoder'] = self.divergence(
        self.encode_mean(tf.stop_gradient(generated), training))
    return terms

  def decoder_terms(self, images, noise, training=True):
    del images  # The generator sees none.
    z = noise['decoder_prior']
    latents = self.encode_mean(self.decoder(z, training=training), training)
    return {'kl_fake_decoder': self.divergence(latents),
            'latent_reconstruction': losses.latent_reconstruction(z, latents)}

  def divergence(self, latents):
    """KL(N(m, s**2) || N(0, 1)) by a batch's moments, [1, eq. 6], a scalar.

    `mean{ (s[j]**2 + m[j]**2) / 2 - log s[j] - 1/2 : j=1...H }`, 1 / H of the
    paper's sum. On the sphere, where the squares of a latent add up to 1, it is
    least for a mean of 0 and equal variances.

    Args:
      latents: float `[B, H]`, B at least 2.
    """
    mean, variance = tf.nn.moments(latents, [0])
    # Where all latents are equal, the variance is 0 and has no logarithm.
    variance = tf.maximum(variance, tf.constant(1e-12, variance.dtype))
    sigma = variance if self.released else tf.sqrt(variance)
    return tf.reduce_mean(
        0.5 * (tf.square(sigma) + tf.square(mean)) - tf.math.log(sigma) - 0.5)

  updates = (
      update_table.Phase(encoder_terms, {
          'kl_real': ('encoder',),
          'kl_fake_encoder': ('encoder',),
          'reconstruction': ('encoder',),
      }),
      update_table.Phase(decoder_terms, {
          'kl_fake_decoder': ('decoder',),
          'latent_reconstruction': ('decoder',),
      }, repeats=2),
  )

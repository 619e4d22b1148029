"""Introspective VAEs: the encoder is the discriminator of decoded images.

E is the encoder, G the decoder, sg() stops the gradient. An image is judged by
KL(E(x) || N(0, I)): low for data, high for what G makes. First E is updated,
then G. The fakes of a step are the reconstruction `x_r = G(z)`, z drawn from
E(x), and the sample `x_p = G(z_p)`, z_p from N(0, I).

Both phases see the same x, z and z_p: G's phase takes the z that E's phase has
drawn, though E was updated between them.

#### References

[1]: Huaibo Huang, Zhihang Li, Ran He, Zhenan Sun, Tieniu Tan. IntroVAE:
     Introspective Variational Autoencoders for Photographic Image Synthesis.
     NeurIPS, 2018.
[2]: Tal Daniel, Aviv Tamar. Soft-IntroVAE: Analyzing and Improving the
     Introspective Variational Autoencoder. CVPR, 2021.
"""
import tensorflow as tf

from pgak import losses
from pgak import noise as noise_lib
from pgak import schedules
from pgak import settings
from pgak.models import base
from pgak.models import update_table
from pgak.models import verbs

__all__ = ['IntroVAE', 'SoftIntroVAE']


def _draw(posterior, normal):
  mean, log_variance = posterior
  return verbs.drawn(mean, tf.exp(0.5 * log_variance), normal)


class _Introspective(base.GenerativeAutoencoder):
  """What the two share: the latents of a step, its fakes, and their KL."""

  matches_prior = True
  nets = {'encoder': '@gaussian/encoder()'}
  stochastic = True

  @property
  def noise_shapes(self):
    return {name: (noise_lib.normal, (self.latent_dim,))
            for name in ('posterior', 'prior')}

  def _real(self, images, noise, training, handed):
    """Returns E(x)'s KL and, with the gradient to E, the latents z.

    They are handed on to the decoder's phase, before which E is updated.
    """
    posterior = self.gaussian(images, training)
    latents = _draw(posterior, noise['posterior'])
    if handed is not None:
      # As in the authors' code, which does not encode again in G's phase.
      handed['latents'] = tf.stop_gradient(latents)
    return losses.kl(*posterior), latents

  def _latents(self, images, noise, training, handed):
    """Returns the z of this step as constants."""
    if handed:
      return handed['latents']
    # G's phase was called alone, as a test may do.
    return tf.stop_gradient(self._real(images, noise, training, None)[1])

  def _fakes(self, latents, noise, training):
    """Returns `[x_r, x_p]`."""
    return [self.decoder(z, training=training)
            for z in (latents, noise['prior'])]

  def _posteriors(self, fakes, training):
    """Returns `[E(x_r), E(x_p)]`, each `(mean, log_variance)`."""
    return [self.gaussian(x, training) for x in fakes]


@settings.register
class IntroVAE(_Introspective):
  """IntroVAE, [1, alg. 1], with the terms of its authors' code.

  In means per element, with `w = H / D` for the code's sums over H latent and D
  image elements, E and G descend

  ```none
  E: |x - x_r|^2 + w KL(E(x)) + w/2 sum{ max(0, m - mean KL(E(sg f))) }
  G: |x - x_r|^2 + w/2 sum{ KL(E(f)) },   f = x_r, x_p
  ```

  The hinge is that of the batch's mean; over several replicas, of each one's.

  Args:
    encoder: stochastic encoder, images to `[mean, log_variance]`.
    decoder: decoder, latents to images.
    kl_real: the weight w of the data's KL.
    kl_fake: weight w of the fakes', in both phases; other than `kl_real` for
      the paper's alpha, which is 1/2 where they are equal.
    margin: m per latent dimension: the code's m (100) is `100 / H` here. It
      must exceed the KL of data, or nothing keeps the fakes' KL above it.
    updates: rows that replace those of the update table.
  """

  def __init__(self, encoder: base.Net, decoder: base.Net,
               kl_real: schedules.Weight = 1e-2,
               kl_fake: schedules.Weight = 1e-2,
               margin: settings.NonNegative = 4.,
               updates: base.Updates | None = None):
    super().__init__(
        encoder, decoder,
        {'kl_real': kl_real, 'margin': kl_fake, 'kl_fake': kl_fake}, updates,
        name='intro_vae')
    self.kl_real = kl_real
    self.kl_fake = kl_fake
    self.margin = margin

  def encoder_terms(self, images, noise, training=True, handed=None):
    kl_real, latents = self._real(images, noise, training, handed)
    fakes = self._fakes(latents, noise, training)
    terms = {'reconstruction_encoder': self.image_error(images, fakes[0]),
             'kl_real': kl_real}
    if self.is_on('margin'):
      # G is not updated here: the fakes are E's inputs.
      constants = [tf.stop_gradient(x) for x in fakes]
      terms['margin'] = 0.5 * tf.add_n([
          # The mean before the hinge, as in the authors' code.
          tf.nn.relu(self.margin - tf.reduce_mean(losses.kl(*posterior)))
          for posterior in self._posteriors(constants, training)])
    return terms

  def decoder_terms(self, images, noise, training=True, handed=None):
    latents = self._latents(images, noise, training, handed)
    fakes = self._fakes(latents, noise, training)
    terms = {'reconstruction_decoder': self.image_error(images, fakes[0])}
    if self.is_on('kl_fake'):
      terms['kl_fake'] = 0.5 * tf.add_n([
          losses.kl(*p) for p in self._posteriors(fakes, training)])
    return terms

  updates = (
      update_table.Phase(encoder_terms, {
          'reconstruction_encoder': ('encoder',),
          'kl_real': ('encoder',),
          'margin': ('encoder',),
      }, hands_on=True),
      update_table.Phase(decoder_terms, {
          'reconstruction_decoder': ('decoder',),
          'kl_fake': ('decoder',),
      }, hands_on=True),
  )


@settings.register
class SoftIntroVAE(_Introspective):
  """Soft-IntroVAE, [2, eq. 3], with the terms of its authors' code.

  The exponential of each fake's own evidence lower bound takes the hinge's
  place. In means per element, r the squared error,

  ```none
  E: r(x, x_r) + kl KL(E(x))
     + 1/4 sum{ mean exp(-2 (r(sg f, G(z_f)) + negative_kl KL(E(sg f)))) }
  G: r(x, x_r) + kl/2 sum{ KL(E(f)) }
     + fake_reconstruction/2 sum{ r(sg f, G(sg z_f)) },   f = x_r, x_p
  ```

  with z_f drawn from E(f). The code's three factors multiply sums, scaled by
  1 / D: `kl` is `beta_kl H / D` here, `negative_kl` `beta_neg H / D`, and
  `fake_reconstruction` is gamma_r. In the code the first phase's gradient goes
  through the target f, too; here it is a constant.

  Args:
    encoder: stochastic encoder, images to `[mean, log_variance]`.
    decoder: decoder, latents to images.
    kl: weight of the KL of data and, in G's phase, of the fakes.
    negative_kl: weight of the fakes' KL in the exponent.
    fake_reconstruction: weight of the fakes' error in G's phase.
    updates: rows that replace those of the update table.
  """

  def __init__(self, encoder: base.Net, decoder: base.Net,
               kl: schedules.Weight = 1e-2,
               negative_kl: settings.NonNegative = 2.56,
               fake_reconstruction: schedules.Weight = 1e-8,
               updates: base.Updates | None = None):
    super().__init__(
        encoder, decoder,
        {'kl_real': kl, 'kl_fake': kl,
         'fake_reconstruction': fake_reconstruction}, updates,
        name='soft_intro_vae')
    self.kl = kl
    self.negative_kl = negative_kl
    self.fake_reconstruction = fake_reconstruction

  @property
  def noise_shapes(self):
    draw = (noise_lib.normal, (self.latent_dim,))
    # Of each fake's posterior; both phases take the same.
    return super().noise_shapes | {'posterior_of_reconstruction': draw,
                                   'posterior_of_sample': draw}

  def encoder_terms(self, images, noise, training=True, handed=None):
    kl_real, latents = self._real(images, noise, training, handed)
    fakes = self._fakes(latents, noise, training)
    terms = {'reconstruction_encoder': self.image_error(images, fakes[0]),
             'kl_real': kl_real}
    constants = [tf.stop_gradient(x) for x in fakes]
    posteriors = self._posteriors(constants, training)
    errors = self._errors_again(constants, posteriors, noise, training)
    # The exponential of each example, then the mean: the factor 2 is the
    # code's.
    terms['exp_elbo'] = 0.25 * tf.add_n([
        tf.exp(-2. * (error + self.negative_kl * losses.kl(*posterior)))
        for error, posterior in zip(errors, posteriors)])
    return terms

  def decoder_terms(self, images, noise, training=True, handed=None):
    latents = self._latents(images, noise, training, handed)
    fakes = self._fakes(latents, noise, training)
    terms = {'reconstruction_decoder': self.image_error(images, fakes[0])}
    posteriors = self._posteriors(fakes, training)
    terms['kl_fake'] = 0.5 * tf.add_n([losses.kl(*p) for p in posteriors])
    if self.is_on('fake_reconstruction'):
      # Fakes and their posteriors are constants, as in the authors' code.
      constants = tf.nest.map_structure(tf.stop_gradient, (fakes, posteriors))
      terms['fake_reconstruction'] = 0.5 * tf.add_n(
          self._errors_again(*constants, noise, training))
    return terms

  def _errors_again(self, fakes, posteriors, noise, training):
    """Returns r(f, G(z_f)) of each fake, z_f drawn from its posterior, `[B]`.
    """
    draws = [noise['posterior_of_reconstruction'], noise['posterior_of_sample']]
    again = [self.decoder(_draw(p, n), training=training)
             for p, n in zip(posteriors, draws)]
    return [self.image_error(x, y) for x, y in zip(fakes, again)]

  updates = (
      update_table.Phase(encoder_terms, {
          'reconstruction_encoder': ('encoder',),
          'kl_real': ('encoder',),
          'exp_elbo': ('encoder',),
      }, hands_on=True),
      update_table.Phase(decoder_terms, {
          'reconstruction_decoder': ('decoder',),
          'kl_fake': ('decoder',),
          'fake_reconstruction': ('decoder',),
      }, hands_on=True),
  )

"""Generative moment matching networks on the latents of an autoencoder.

#### References

[1]: Yujia Li, Kevin Swersky, Richard S. Zemel. Generative Moment Matching
     Networks. ICML, 2015.
"""
import tensorflow as tf

from pgak import losses
from pgak import settings
from pgak.models import base
from pgak.models import parts as parts_lib
from pgak.models import update_table

__all__ = ['GMMN']


@settings.register
class GMMN(base.GenerativeAutoencoder):
  """GMMN+AE, [1, sec. 3.1]: a generator matches the moments of the latents.

  First the autoencoder is trained. Then it is frozen, and the generator h
  descends the root of the biased maximum mean discrepancy between latents of
  data and h(z_0), z_0 uniform on a cube. The discrepancy is estimated from one
  batch, which must be large: 1,000 in the authors' code. Over several replicas
  it is the mean of the replicas' own.

  Args:
    encoder: deterministic encoder.
    decoder: decoder, latents to images.
    prior: a `priors.LatentGenerator`, or a reference to one, which is called
      with the latent size.
    autoencoder_steps: steps of the first stage; None trains all parts at once,
      the generator towards latents that still change.
    bandwidths: of the Gaussian kernels; see `losses.moment_matching`.
    relative_bandwidths: whether they are in units of the latents' variance, so
      that they fit latents of any scale; else they are the kernels' standard
      deviations sigma, as [1] has them.
    updates: rows that replace those of the update table.
  """

  learns_prior = True
  nets = {'prior': '@LatentGenerator'}
  stochastic = False

  def __init__(self, encoder: base.Net, decoder: base.Net,
               prior: parts_lib.GeneratorLike,
               autoencoder_steps: settings.Count | None = None,
               bandwidths: settings.Several[settings.Positive] = (
                   0.125, 0.25, 0.5, 1., 2.),
               updates: base.Updates | None = None,
               relative_bandwidths: bool = True):
    generator = parts_lib.made_prior('GMMN', prior, decoder)
    super().__init__(encoder, decoder, None, updates, generator, 'gmmn')
    self.generator = generator
    self.autoencoder_steps = autoencoder_steps
    self.bandwidths = tuple(bandwidths)
    self.relative_bandwidths = relative_bandwidths
    if autoencoder_steps is not None:
      self.stage_ends = (autoencoder_steps,)

  @property
  def parts(self):
    return super().parts | {'prior': self.generator}

  @property
  def noise_shapes(self):
    return {'base': (self.generator.draw, (self.generator.base_dim,))}

  def terms(self, images, noise, training=True):
    latents = self.encoder(images, training=training)
    reconstructed = self.decoder(latents, training=training)
    return {'reconstruction': self.image_error(images, reconstructed)}

  def prior_terms(self, images, noise, training=True):
    # Frozen after the first stage: batch norm, too, is that of inference.
    latents = self.encoder(images, training=training and self.stage is None)
    generated = self.generator(noise['base'], training=training)
    return {'prior_mmd': losses.moment_matching(
        # The generator goes to the latents, never the latents to it.
        tf.stop_gradient(latents), generated, self.bandwidths,
        self.relative_bandwidths)}

  updates = (
      update_table.Phase(
          terms, {'reconstruction': ('encoder', 'decoder')}, stage=0),
      update_table.Phase(prior_terms, {'prior_mmd': ('prior',)}, stage=1),
  )

"""Regularised deterministic autoencoders: RAE, RAE-L2, RAE-GP, RAE-SN.

Instead of noise on the latents, an explicit regulariser keeps the decoder
smooth; a density is fitted to the latents afterwards (`pgak.priors.ex_post`).

#### References

[1]: Partha Ghosh, Mehdi S. M. Sajjadi, Antonio Vergari, Michael Black,
     Bernhard Schoelkopf. From Variational to Deterministic Autoencoders.
     ICLR, 2020.
"""
from typing import Literal

import tensorflow as tf

from pgak import losses
from pgak import networks
from pgak import noise as noise_lib
from pgak import schedules
from pgak import settings
from pgak.models import base
from pgak.models import noisy_latents

__all__ = ['RAE', 'RAEGP', 'RAEL2', 'RAESN']


@settings.register
class RAE(noisy_latents.NoisyLatents, base.GenerativeAutoencoder):
  """RAE: a small penalty keeps the latents bounded, [1, eq. 15].

  Args:
    encoder: deterministic encoder, images to latents `[B, H]`.
    decoder: decoder, latents to images.
    latent_l2: weight of the mean square of the latents. On the paper's
      `|z|**2 / 2` beside a sum of squared errors it is `beta * H / (2 D)`; the
      released beta is for means already.
    updates: rows that replace those of the update table.
    weights: `{term: weight}` of what a subclass adds.
    name: string.
    latent_noise: standard deviation of noise on the latents in training, in
      units of each dimension's standard deviation over the batch; 0 for none.
      See `noisy_latents`.
  """

  updates = {
      'reconstruction': ('encoder', 'decoder'),
      'latent_l2': ('encoder',),
  }
  # The encoder of `decoder_l2`: so that the decoder's terms are one row.
  unreachable = {'latent_l2': ('decoder',), 'decoder_l2': ('encoder',)}
  stochastic = False

  def __init__(self, encoder: base.Net, decoder: base.Net,
               latent_l2: schedules.Weight = 1e-4,
               updates: base.Updates | None = None,
               weights: dict[str, schedules.Weight] | None = None,
               name: settings.Name = 'rae',
               latent_noise: settings.NonNegative = 0.):
    super().__init__(encoder, decoder,
                     {'latent_l2': latent_l2, **(weights or {})}, updates,
                     name=name)
    self.latent_l2 = latent_l2
    self.latent_noise = latent_noise

  def terms(self, images, noise, training=True):
    latents = self.encoder(images, training=training)
    reconstructed = self.decoder(self.noisy(latents, noise, training),
                                 training=training)
    return {
        'reconstruction': self.image_error(images, reconstructed),
        'latent_l2': losses.latent_l2(latents),
    }


@settings.register
class RAEL2(RAE):
  """RAE-L2: weight decay on the decoder, [1, eq. 16].

  Args:
    encoder: deterministic encoder, images to latents `[B, H]`.
    decoder: decoder, latents to images.
    latent_l2: as for `RAE`.
    decoder_l2: weight of the sum of squares of the decoder's kernels; `1 / D`
      of the paper's, and the released one as it is.
    dense_kernels: whether those of dense layers count: the authors' code
      decays the convolutions alone, but on CelebA all. Biases and batch norm
      never count.
    updates: rows that replace those of the update table.
    latent_noise: as for `RAE`.

  Raises:
    ValueError: if no kernel of the decoder counts.
  """

  updates = RAE.updates | {'decoder_l2': ('decoder',)}

  def __init__(self, encoder: base.Net, decoder: base.Net,
               latent_l2: schedules.Weight = 1e-4,
               decoder_l2: schedules.Weight = 1e-7, dense_kernels: bool = False,
               updates: base.Updates | None = None,
               latent_noise: settings.NonNegative = 0.):
    super().__init__(encoder, decoder, latent_l2, updates,
                     {'decoder_l2': decoder_l2}, 'rae_l2', latent_noise)
    self.decoder_l2 = decoder_l2
    self.dense_kernels = dense_kernels
    if not self._decayed_kernels():
      way = settings.remedy('bind `RAEL2.dense_kernels = True`',
                            'give `dense_kernels=True`')
      raise ValueError('RAEL2 finds no convolution in the decoder whose kernel '
                       f'it could decay: {way}.')

  def _decayed_kernels(self):
    # By rank: biases and batch norm are vectors, dense kernels matrices.
    ranks = (2, 4) if self.dense_kernels else (4,)
    return [v.value for v in self.decoder.trainable_variables
            if len(v.shape) in ranks]

  def terms(self, images, noise, training=True):
    terms = super().terms(images, noise, training)
    decay = losses.sum_of_squares(self._decayed_kernels())
    return terms | {'decoder_l2': decay}                            # eq. 16


@settings.register
class RAEGP(RAE):
  """RAE-GP: a penalty on the decoder's Jacobian at the latents, [1, eq. 17].

  Args:
    encoder: deterministic encoder, images to latents `[B, H]`.
    decoder: decoder, latents to images.
    latent_l2: as for `RAE`.
    gradient_penalty: weight of `mean{ J[i, j]**2 : i=1...D, j=1...H }`, which
      is `lambda * H` of the paper's norm.
    variant: 'probe' for an unbiased estimate from one random direction in the
      images; 'exact' for the mean itself, at the cost of H forward-mode
      derivatives; 'released' for what the authors' code computes, the mean
      square of the gradient of `sum{ x_hat[i]**2 : i=1...D }`, whose weight is
      of another scale.
    updates: rows that replace those of the update table.
    latent_noise: as for `RAE`; the penalty is then at the latents with noise.
  """

  updates = RAE.updates | {'gradient_penalty': ('encoder', 'decoder')}

  def __init__(self, encoder: base.Net, decoder: base.Net,
               latent_l2: schedules.Weight = 1e-4,
               gradient_penalty: schedules.Weight = 1e-2,
               variant: Literal['probe', 'exact', 'released'] = 'probe',
               updates: base.Updates | None = None,
               latent_noise: settings.NonNegative = 0.):
    super().__init__(encoder, decoder, latent_l2, updates,
                     {'gradient_penalty': gradient_penalty}, 'rae_gp',
                     latent_noise)
    self.gradient_penalty = gradient_penalty
    self.variant = variant

  @property
  def noise_shapes(self):
    shapes = super().noise_shapes
    if self.variant != 'probe':
      return shapes
    return shapes | {'probe': (noise_lib.signs, self.image_shape)}

  def terms(self, images, noise, training=True):
    clean = self.encoder(images, training=training)
    latents = self.noisy(clean, noise, training)
    # This tape is for the latents alone; the train step's records it in turn.
    with tf.GradientTape(watch_accessed_variables=False) as tape:
      tape.watch(latents)
      reconstructed = self.decoder(latents, training=training)
      # One sum for all: its gradient holds that of each example.
      energy = tf.reduce_sum(tf.square(reconstructed))
    terms = {
        'reconstruction': self.image_error(images, reconstructed),
        'latent_l2': losses.latent_l2(clean),
    }
    if not self.is_on('gradient_penalty'):
      return terms
    if self.variant == 'probe':
      penalty = losses.jacobian_norm2(
          tape, latents, reconstructed, noise['probe'])             # eq. 17
    elif self.variant == 'exact':
      penalty = self._exact_penalty(latents, training)              # eq. 17
    else:
      # Of the summed square of the output, not of the output: the authors' code
      # differs here from eq. 17, and its weights belong to this.
      penalty = losses.latent_l2(tape.gradient(energy, latents))
    return terms | {'gradient_penalty': penalty}

  def _exact_penalty(self, latents, training):
    """Mean square of the Jacobian, `[B]`, a column of it at a time.

    These passes do not update the decoder's moving statistics, as the one that
    reconstructs has done so.
    """
    # Forward mode: H columns are cheaper than D rows.
    columns = []
    for direction in tf.unstack(tf.eye(self.latent_dim, dtype=latents.dtype)):
      tangents = tf.zeros_like(latents) + direction  # [B, H]
      with tf.autodiff.ForwardAccumulator(latents, tangents) as accumulator:
        decoded = self._decoded_again(latents, training)
      column = accumulator.jvp(decoded)  # [B, h, w, C]
      columns.append(tf.reduce_mean(
          tf.square(column), list(range(1, column.shape.rank))))
    return tf.add_n(columns) / self.latent_dim

  def _decoded_again(self, latents, training):
    # Without state: H further passes would each update the moving statistics.
    net = self.decoder
    weights = [tf.convert_to_tensor(v) for v in net.trainable_variables]
    state = [tf.convert_to_tensor(v) for v in net.non_trainable_variables]
    return net.stateless_call(weights, state, latents, training=training)[0]


@settings.register
class RAESN(RAE):
  """RAE-SN: RAE on nets with spectral normalisation, [1, eq. 18].

  It adds no term: the decoder's kernels are divided by their spectral norm
  (`networks.SpectralNormalization`), and gradients pass through it.

  Args:
    encoder: deterministic encoder; the authors normalise it, too.
    decoder: decoder with normalised kernels.
    latent_l2: as for `RAE`.
    updates: rows that replace those of the update table.
    latent_noise: as for `RAE`.

  Raises:
    ValueError: if the decoder has no normalised kernel.
  """

  def __init__(self, encoder: base.Net, decoder: base.Net,
               latent_l2: schedules.Weight = 1e-2,
               updates: base.Updates | None = None,
               latent_noise: settings.NonNegative = 0.):
    # Keras's own layer of that name passes no gradient through the norm.
    if not any(isinstance(layer, networks.SpectralNormalization)
               for layer in networks.layers_of(decoder)):
      way = settings.remedy(
          'bind `spectral_norm = True` of its network, as models/rae_sn.gin '
          'does for rae_decoder and others',
          'make it of `networks.rae_decoder` with `spectral_norm=True`')
      raise ValueError(
          f'RAESN needs a decoder with spectral normalisation: {way}.')
    super().__init__(encoder, decoder, latent_l2, updates, name='rae_sn',
                     latent_noise=latent_noise)

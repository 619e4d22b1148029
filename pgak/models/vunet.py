"""The conditional variational U-Net, with a KL term and with a learned flow.

#### References

[1]: Patrick Esser, Ekaterina Sutter, Bjorn Ommer. A variational U-Net for
     conditional appearance and shape generation. CVPR, 2018.
[2]: Anonymous authors. Empirical observations pertaining to learned priors for
     deep latent variable models. Under review.
"""
import math

import tensorflow as tf

from pgak import losses
from pgak import priors
from pgak import schedules
from pgak import settings
from pgak.models import base
from pgak.models import conditional
from pgak.models import parts as parts_lib

__all__ = ['VUNet', 'VUNetFlow']


@settings.register
class VUNet(conditional.ConditionalAutoencoder):
  """Variational U-Net, [1, eq. 8]: q(z | x, y) is pulled to its own p(z | y).

  Both are Gaussians of variance 1, so that `KL = |mu_q - mu_p|**2 / 2`. The
  U-Net is the decoder: it computes the means of p, which is no part of its own.
  Terms are means per element: `kl` is the weight of
  `mean{ (mu_q[j] - mu_p[j])**2 : j=1...H } / 2`, the KL in nats divided by H.
  The released code has 5 times a sum of feature errors beside weight 1 on the
  nats: H / 5 here, beside the same errors.

  The weight is `first * kl` until the first share of the run in `ramp`, `kl`
  from the second share on, and grows linearly between them.

  Args:
    encoder: `keras.Model`, `[images, conditions]` to means `[B, H]`.
    decoder: `keras.Model`, `[latents, conditions]` to `[images, means]`, as
      `networks.vunet_decoder` makes it.
    kl: the weight at the end.
    first: share of it at the start (the released code: 1e-6).
    ramp: shares of the run between which it rises (there: 0.5 and 0.75).
    updates: rows that replace those of the update table.
    data_start: whether the first batch of a run sets the scales and offsets of
      the convolutions, as in the released code; see `WeightNormConv2D`.
  """

  updates = {
      'reconstruction': ('encoder', 'decoder'),
      'kl': ('encoder', 'decoder'),
  }
  follows_run = True

  def __init__(self, encoder: base.Net, decoder: base.Net,
               kl: schedules.Weight = 3e-2, first: settings.NonNegative = 1e-6,
               ramp: tuple[settings.Fraction, settings.Fraction] = (0.5, 0.75),
               updates: base.Updates | None = None, data_start: bool = False):
    super().__init__(encoder, decoder, {'kl': self._kl_weight}, updates,
                     prior=_UNetPrior(self), name='vunet')
    if len(decoder.outputs) != 2:
      way = settings.remedy(
          'bind `vunet_decoder.prior_means = True`',
          'make it by `networks.vunet_decoder` with `prior_means=True`')
      raise ValueError('VUNet needs a decoder that gives the prior\'s means, '
                       f'too: {way}.')
    if ramp[0] >= ramp[1]:
      raise settings.SettingError(
          f'`VUNet.ramp = {tuple(ramp)}` must rise: the weight of the KL grows '
          'from the first share of the run to the second, a larger one.')
    self.kl = kl
    self.first = first
    self.ramp = tuple(ramp)
    self.data_start = data_start

  def _kl_weight(self, step):
    kl = schedules.value_at(self.kl, step)
    if self.run_steps is None:  # No run, and so no share of one.
      return kl
    start, end = (share * self.run_steps for share in self.ramp)
    return kl * schedules.linear(self.first, 1., start, end)(step)

  def terms(self, batch, noise, training=True):
    images, conditions = batch['images'], batch['conditions']
    mean, latents = self.mean_and_sample(batch, noise['posterior'], training)
    reconstructed, prior_mean = self.decoder([latents, conditions],
                                             training=training)
    return {
        'reconstruction': self.image_error(images, reconstructed),
        'kl': 0.5 * losses.latent_reconstruction(prior_mean, mean),
    }

  def latents_of(self, normal, conditions):
    """Each group of latents follows those that are drawn before it."""
    # Ancestral sampling: p is autoregressive over the groups.
    latents = tf.zeros_like(normal)
    first = 0
    for size in self._group_sizes():
      # One pass for each group: its means depend on the groups before it alone.
      _, means = self.decoder([latents, conditions], training=False)
      group = (means + normal)[:, first:first + size]
      latents = tf.concat(
          [latents[:, :first], group, latents[:, first + size:]], -1)
      first += size
    return latents

  def _group_sizes(self):
    """The sizes of the groups, from the layer that joins their means."""
    joined = self.decoder.get_layer('prior_means').input
    return [math.prod(part.shape[1:]) for part in joined]


class _UNetPrior:
  """The p(z | y) of a `VUNet`, as what evaluation and export know of priors."""

  name = label = 'unet'
  settings = {}

  def __init__(self, model):
    # The model's decoder computes the means, so the prior has no weights.
    self._model = model

  def sample(self, conditions, seed=0):
    """Returns latents `[B, H]` given float conditions, repeatable by seed."""
    priors.check_conditions(conditions)
    return self._model.draw_latents(None, seed, conditions)


@settings.register
class VUNetFlow(conditional.ConditionalAutoencoder):
  """Variational U-Net without a KL term, its prior a flow, [2, eq. 9, sec. 6].

  The encoder keeps its noise of variance 1, and no prior pulls it; the flow
  learns the distribution of its draws given y,
  `-(log N(f(z; y); a(y), I) + log|det df|) / H`, and no gradient of that
  reaches the encoder. Both scales' latents are one vector of the flow.

  Args:
    encoder: `keras.Model`, `[images, conditions]` to means `[B, H]`.
    decoder: `keras.Model`, `[latents, conditions]` to images; build it without
      `prior_means`, which nothing would train.
    prior: a `priors.ConditionalFlow`; or a function of the latents' size that
      makes it, such as the gin reference @ConditionalFlow.
    updates: rows that replace those of the update table.
    data_start: as for `VUNet`.
  """

  updates = {
      'reconstruction': ('encoder', 'decoder'),
      'prior_nll': ('prior',),
  }
  nets = {'prior': '@ConditionalFlow'}

  def __init__(self, encoder: base.Net, decoder: base.Net,
               prior: parts_lib.ConditionalLike,
               updates: base.Updates | None = None, data_start: bool = False):
    if len(decoder.outputs) != 1:
      way = settings.remedy(
          'bind `vunet_decoder.prior_means = False`',
          'make it by `networks.vunet_decoder` with `prior_means=False`')
      raise ValueError('VUNetFlow learns its prior apart from the decoder: '
                       f'{way}.')
    super().__init__(encoder, decoder, None, updates,
                     prior=parts_lib.made_prior('VUNetFlow', prior, decoder),
                     name='vunet_flow')
    self.data_start = data_start

  @property
  def parts(self):
    return super().parts | {'prior': self.prior}

  def terms(self, batch, noise, training=True):
    images, conditions = batch['images'], batch['conditions']
    _, latents = self.mean_and_sample(batch, noise['posterior'], training)
    # The flow follows the encoder, and does not move it.
    given = tf.stop_gradient(latents)
    if training:
      self.prior.follow(given)
    log_density = self.prior.log_prob(given, conditions)             # eq. 9
    return {
        'reconstruction': self.image_error(
            images, self.render(latents, conditions, training)),
        'prior_nll': -log_density / self.latent_dim,
    }

  def latents_of(self, normal, conditions):
    return self.prior.noise_to_latent(normal, conditions)

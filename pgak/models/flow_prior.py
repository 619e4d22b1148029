"""FP-VAE: a variational autoencoder whose prior is a flow, learned jointly.

With the encoder's distribution q(z | x) and the flow's p(z),

```none
log q(z | x) - log p(z)   has weight beta * gamma, updates the encoder  (eq. 7)
-log p(z)                 has weight 1, updates the flow                (eq. 6)
```

(of a `FlowMatchingPrior` log p(z) is a bound, estimated by noise of its own)

so that beta = 0 leaves the latents alone and still fits the prior to them.

#### References

[1]: Anonymous. Empirical observations pertaining to learned priors for deep
     latent variable models. Under review at ICLR, 2020.
"""
import tensorflow as tf

from pgak import losses
from pgak import noise as noise_lib
from pgak import schedules
from pgak import settings
from pgak.models import base
from pgak.models import parts as parts_lib
from pgak.models import verbs

__all__ = ['FPVAE']

# Share of the run, where that is too short for `annealing_steps`.
ANNEALED_SHARE = 0.25


@settings.register
class FPVAE(base.GenerativeAutoencoder):
  """VAE with a learned flow prior, [1, sec. 3]; with beta = 0, FP-AE.

  Args:
    encoder: stochastic encoder; for beta = 0 a deterministic one, whose
      latents the flow sees as they are: nothing would keep a learned standard
      deviation from falling to 0.
    decoder: decoder, latents to images.
    prior: a prior with `follow` and `log_prob` that is trained, such as a
      `priors.FlowPrior` or a `priors.FlowMatchingPrior`; or a reference to
      one, such as @FlowPrior, which is called with the latent size.
    beta: how strongly the encoder is pulled to the prior; 0 to 1 in [1].
    gamma: weight of the KL term for beta = 1, per latent dimension and beside
      the mean squared error: `2 s^2 H / D` for a standard deviation s. [1]
      does not give its value.
    annealing_steps: over so many steps the KL term's weight grows linearly from
      0; at most a quarter of the run.
    updates: rows that replace those of the update table.
  """

  updates = {
      'reconstruction': ('encoder', 'decoder'),
      'kl_flow': ('encoder',),
      'prior_nll': ('prior',),
  }
  unreachable = {'kl_flow': ('decoder',)}
  nets = {'encoder': '@gaussian/encoder()', 'prior': '@FlowPrior'}
  learns_prior = True

  def __init__(self, encoder: base.Net, decoder: base.Net,
               prior: parts_lib.FlowLike,
               beta: settings.NonNegative = 1.,
               gamma: settings.NonNegative = 1e-2,
               annealing_steps: settings.Whole = 50000,
               updates: base.Updates | None = None):
    name = 'fp_vae' if beta else 'fp_ae'
    parts_lib.check_stochastic(
        encoder, 'FPVAE with beta ' + ('above 0' if beta else '0'), bool(beta))
    # The number 0, and no schedule that is 0, leaves the term out. `prior_nll`
    # keeps weight 1: it is the only term of its optimizer, and Adam would undo
    # it.
    weights = {'kl_flow': self._kl_weight if beta * gamma else 0}
    flow = parts_lib.made_prior('FPVAE', prior, decoder, needs=('follow',
                                                                'log_prob'))
    super().__init__(encoder, decoder, weights, updates, flow, name)
    self.flow = flow
    self.beta = beta
    self.gamma = gamma
    self.annealing_steps = annealing_steps
    self.follows_run = self.is_on('kl_flow')

  @property
  def parts(self):
    # Not `self.prior`, in whose place another density may be put afterwards.
    return super().parts | {'prior': self.flow}

  @property
  def noise_shapes(self):
    shapes = dict(self._prior_noise)
    if self.is_stochastic:
      shapes['posterior'] = (noise_lib.normal, (self.latent_dim,))
    return shapes

  @property
  def _prior_noise(self):
    # A flow of bijectors has none: its log-density is exact.
    return getattr(self.flow, 'training_noise', {})

  def _kl_weight(self, step):
    """`beta * gamma`, annealed: [1, sec. 4.1]."""
    last_step = self.annealing_steps
    if self.run_steps:
      last_step = min(last_step, int(ANNEALED_SHARE * self.run_steps))
    full = self.beta * self.gamma
    return schedules.linear(0., full, 0, max(last_step, 1))(step)

  def terms(self, images, noise, training=True):
    latents, log_variance = self.gaussian(images, training)
    if self.is_stochastic:
      latents = verbs.drawn(latents, tf.exp(0.5 * log_variance),
                            noise['posterior'])
    if training:
      # Before the density: it is one of standardised latents.
      self.flow.follow(latents)
    # Computed once for both terms: the table gives `kl_flow` to the encoder and
    # `prior_nll` to the flow, and no gradient crosses.
    log_prior = self._log_prior(latents, noise) / self.latent_dim
    reconstructed = self.decoder(latents, training=training)
    terms = {
        'reconstruction': self.image_error(images, reconstructed),
        'prior_nll': -log_prior,                                     # eq. 6
    }
    if self.is_on('kl_flow'):
      # At the drawn latents, as the flow has no KL in closed form.
      log_posterior = losses.gaussian_log_density(
          log_variance, noise['posterior']) / self.latent_dim
      terms['kl_flow'] = log_posterior - log_prior                   # eq. 7
    return terms

  def _log_prior(self, latents, noise):
    if not self._prior_noise:
      return self.flow(latents)
    return self.flow(latents, {n: noise[n] for n in self._prior_noise})

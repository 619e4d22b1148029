"""Latent flow matching: a flow in continuous time, fitted by regression."""
import sys
from typing import Annotated, Literal

import numpy as np
import tensorflow as tf

from pgak import counts
from pgak import errors
from pgak import noise as noise_lib
from pgak import settings
from pgak.priors import conditions
from pgak.priors import fitted
from pgak.priors import net_fitting
from pgak.priors import velocity_fitting
from pgak.priors import velocity_flow
from pgak.priors import velocity_state

__all__ = ['FlowMatching']

_Fine = Annotated[int, settings.Range(64, 2**31 - 1)]


@settings.register(denylist=['latent_dim'])
class FlowMatching(velocity_state.VelocityState):
  """A learned velocity transports samples of N(0, I) to the latents [1, 2, 3].

  With x_0 from N(0, I), x_1 a latent less the mean m, divided by the standard
  deviation s of each dimension, a label y and `x_t = (1 - t) x_0 + t x_1`, Adam
  descends

  ```none
  E |v(x_t, t, y) - (x_1 - x_0)|^2 / H
  ```

  whose minimum is the velocity of a flow from N(0, I) to the latents. A sample
  follows it by Heun's method; the log-density follows it backwards, see
  `continuous_flow`,

  ```none
  log p(z) = log N(x_0; 0, I) - int_0^1 tr(dv/dx) dt - sum_d log s_d
  ```

  Latents of a deterministic encoder may fill no volume, and then have no
  density. So the fit to means adds noise, `x_1 + noise N(0, I)`: the density is
  that of the latents with the noise, whose size stands in a score's label.

  Where labels or attributes are given to `fit`, the net learns them, too:
  `sample` and the other methods then take `given`. Without it they are those of
  the latents as a whole, whose label is not known: no label is drawn first, so
  that such samples have the log-density that `log_prob` gives without `given`.

  Args:
    latent_dim: number of latent dimensions H; latents of another shape are
      flattened to it.
    width: units of the net's hidden layers; see `velocity_net.VelocityNet`.
    blocks: its residual blocks.
    steps: Adam's steps; None for as many as 200 passes over the latents take,
      and at most 5,000.
    batch_size: latents in a step.
    learning_rate: of Adam, at the first step.
    average_decay: decay of the averaged weights, which are those that are kept.
    times: distribution of t while fitting, 'logit_normal' for the sigmoid of
      samples of N(0, 1) [4], or 'uniform'.
    coupling: of x_0 and x_1 in a step: 'independent', or 'optimal' transport
      given labels and attributes, for straighter paths; see `coupling` [6].
    noise: standard deviation of the noise added to standardised latents if they
      are means of the encoder (samples of a posterior have noise of their own).
    conditional: whether labels and attributes are learned, where there are any.
    unlabelled: share of the latents whose label is dropped in a step, and share
      of those whose attributes all are, see `conditions.dropped`.
    sampling_steps: Heun's steps for a draw, and for the way back.
    density_steps: Heun's steps for a log-density, at least 64.
    probes: k, how many sign vectors estimate the trace; 'exact' for the trace
      itself, by H gradients, and so it is with at most 8 dimensions.
    guidance: g of samples given y, `v(y=none) + g (v(y) - v(y=none))` [5].
      With g other than 1 the distribution has no log-density.
    seed: int that decides the weights, what is held out and all noise.

  Attributes:
    fit_result: `net_fitting.Fit` of the fit that was made.
    solver_error: root mean square difference of samples by `sampling_steps` and
      by 256 steps, in the latents' standard deviations, right after the fit.

  Raises:
    errors.UserError: if a setting is out of its range.

  Example:

  ```python
  prior = priors.FlowMatching(latent_dim=8).fit(latents, labels)
  prior.sample(16, seed=0)                      # float32 [16, 8]
  prior.sample(2, seed=0, given=[7, 7])         # float32 [2, 8]
  prior.fit(latents, attributes={'Smiling': smiling})
  prior.sample(2, seed=0, given={'Smiling': 1})
  prior.log_prob(latents)                       # [N]
  ```

  #### References

  [1]: Yaron Lipman, Ricky T. Q. Chen, Heli Ben-Hamu, Maximilian Nickel, Matt
       Le. Flow Matching for Generative Modeling. ICLR, 2023.
  [2]: Xingchao Liu, Chengyue Gong, Qiang Liu. Flow Straight and Fast: Learning
       to Generate and Transfer Data with Rectified Flow. ICLR, 2023.
  [3]: Michael S. Albergo, Eric Vanden-Eijnden. Building Normalizing Flows with
       Stochastic Interpolants. ICLR, 2023.
  [4]: Patrick Esser et al. Scaling Rectified Flow Transformers for
       High-Resolution Image Synthesis. ICML, 2024. Sec. 3.1.
  [5]: Jonathan Ho, Tim Salimans. Classifier-Free Diffusion Guidance. 2022.
  [6]: Alexander Tong et al. Improving and Generalizing Flow-Based Generative
       Models with Minibatch Optimal Transport. TMLR, 2024.
  """

  name = 'flow_matching'
  can_resume = True
  added_settings = {'coupling': 'independent'}
  # A log-density takes 128 gradients of the net, where others take none.
  measured_latents = 1000
  after_fit = ('sampling_steps', 'density_steps', 'probes', 'guidance')

  def __init__(self, latent_dim: settings.Count,
               width: settings.Count = 512, blocks: settings.Count = 3,
               steps: settings.Count | None = None, *,
               batch_size: settings.Count = 512,
               learning_rate: settings.Positive = 1e-3,
               average_decay: settings.Decay = 0.999,
               times: velocity_fitting.Times = 'logit_normal',
               coupling: velocity_fitting.Coupling = 'independent',
               noise: settings.NonNegative = 0.03, conditional: bool = True,
               unlabelled: settings.Share = 0.5,
               sampling_steps: settings.Count = 32,
               density_steps: _Fine = 64,
               probes: settings.Count | Literal['exact'] = 1,
               guidance: settings.NonNegative = 1.,
               seed: settings.Seed = 0):
    super().__init__(latent_dim)
    self.width = width
    self.blocks = blocks
    self.steps = steps
    self.batch_size = batch_size
    self.learning_rate = learning_rate
    self.average_decay = average_decay
    self.times = times
    self.coupling = coupling
    self.noise = noise
    self.conditional = conditional
    self.unlabelled = unlabelled
    self.sampling_steps = sampling_steps
    self.density_steps = density_steps
    self.probes = probes
    self.guidance = guidance
    self.seed = seed
    self.fit_result = None
    self.solver_error = None
    self._begin()

  # === Description ===

  @property
  def added_noise(self):
    """Standard deviation of the added noise; 0 if fitted to samples."""
    return 0. if self.source == 'samples' else self.noise

  def _size_label(self):
    # Defaults are left out: the label is a name in scores.csv.
    label = self._noise_label()
    if self.sampling_steps != 32:
      label += f'_heun_{self.sampling_steps}'
    if self.guidance != 1.:
      label += f'_guidance_{self.guidance:g}'
    return label

  def _noise_label(self):
    if not self.added_noise:
      return self.name
    return f'{self.name}_noise_{self.added_noise:g}'

  @property
  def fit_label(self):
    return self._noise_label() + self._source_label()

  # === Fit ===

  def fit(self, latents, labels=None, attributes=None, unfinished=None):
    """Fits it to latents; returns self.

    Args:
      latents: array `[N, H]`, or `[N, ...]`, which is flattened.
      labels: integers `[N]`, -1 for an unknown one, or None. They are ignored
        unless `conditional`, and so are attributes.
      attributes: `{name: booleans [N]}`, or None.
      unfinished: path of a file, written while fitting, at which a fit to the
        same latents that was interrupted goes on; None for none.

    Raises:
      errors.UserError: if `fitted.checked` refuses the latents, if there are
        more or fewer labels, or if the loss is never finite.
    """
    latents = np.asarray(latents)
    if latents.ndim > 2:
      latents = latents.reshape(len(latents), -1)
    latents = fitted.checked(latents, self.latent_dim)
    standard = fitted.standardiser(latents)
    points = ((latents - standard['mean']) / standard['scale']).astype('f')
    given = (labels, attributes) if self.conditional else ()
    learned, *numbers = conditions.learned(len(points), *given)
    self._build(learned)
    self.fit_result = self._descend(points, *numbers, unfinished)
    self.load_state(standard | learned.state() | {
        f'weight_{i}': w.numpy() for i, w in enumerate(self.net.weights)})
    self.solver_error = self.flow.solver_error(
        self.sampling_steps, noise_lib.seed(self.seed, 0, 'solver_error'))
    self._say()
    return self

  def _descend(self, points, labels, attributes, unfinished):
    regression = velocity_fitting.Regression(
        points, labels, self.seed, self.batch_size, self.times,
        self.added_noise, self.unlabelled, self.coupling, attributes,
        self.conditions.evidence)
    # `self.net` holds the averages, which have the same first weights.
    trained = self._new_net()
    return net_fitting.minimise_averaged(
        lambda step: regression.loss(trained, step),
        lambda: regression.held_out_loss(self.net),
        trained.trainable_variables, self.net.trainable_variables,
        self.steps or regression.usual_steps, self.learning_rate,
        self.average_decay, self.name, unfinished,
        regression.digest(self.fit_settings), regression.can_compile)

  def _say(self):
    print(f'{self.fit_result.sentence(self.name)} Draws by '
          f"{self.sampling_steps} steps of Heun's method are "
          f'{self.solver_error:.1e} standard deviations from those by '
          f'{velocity_flow.FINE_STEPS}.', file=sys.stderr)

  # === Draws ===

  def sample(self, n, seed=0, given=None):
    """Returns n draws, float32 `[n, H]`, repeatable by seed.

    Args:
      n: int; None, or their number, where labels are given.
      seed: int or integer scalar tensor.
      given: labels, integers `[n]`, or attributes, see `Conditions.codes`; None
        for samples of the distribution of all latents.

    Raises:
      errors.UserError: if n is no number of draws, see `counts.rows`; or if the
        labels are not as many, or are not those of the fit.
    """
    self.state()
    n = self.conditions.number(n, given)
    counts.rows(n, [self.latent_dim])
    return self.from_noise(
        noise_lib.of_seed(self.noise_shapes, n, seed), given)

  def from_noise(self, noise, given=None):
    """Maps samples of N(0, I); see `mapped_noise.MappedNoise`.

    Args:
      noise: `{'prior': [B, H]}`.
      given: as for `sample`.
    """
    return self.base_to_latent(noise['prior'], given)

  def base_to_latent(self, base, given=None):
    """Maps samples of N(0, I), float32 `[B, H]`, to latents `[B, H]`.

    Args:
      base: float32 `[B, H]`.
      given: as for `sample`.
    """
    self.state()
    moved = self.flow.forwards(tf.cast(base, tf.float32), self.sampling_steps,
                               *self._codes(given, base))
    return self._mean + self._scale * moved

  def near(self, latents, seed=0, time=0.8, steps=4):
    """Returns samples near latents `[B, H]`: each takes noise, and flows back.

    With x_1 a standardised latent and x_0 from N(0, I), the flow carries
    `x_t = (1 - t) x_0 + t x_1` from t to 1. If its velocity were exact, and the
    latents distributed as those of the fit, so would be what it returns.

    Args:
      latents: float `[B, H]`.
      seed: as for `sample`.
      time: t, float in [0, 1): from samples that do not depend on the latents
        towards these themselves.
      steps: int, of Heun's method.
    """
    points = self._standardised(latents)
    # Not the noise of `sample`: polishing would train on what an evaluation
    # with the same seed draws.
    base = noise_lib.normal(points.shape, noise_lib.seed(seed, 0, 'near'))
    return self._mean + self._scale * self.flow.forwards(
        (1. - time) * base + time * points, steps, begin=time)

  def latent_to_base(self, latents, given=None):
    """The inverse of `base_to_latent`, but for the error of Heun's method."""
    self.state()
    return self.flow.backwards(
        self._standardised(latents), self.sampling_steps,
        *self._codes(given, latents))

  def _flat(self, latents):
    return tf.reshape(tf.cast(latents, tf.float32), [-1, self.latent_dim])

  def _standardised(self, latents):
    self.state()
    return (self._flat(latents) - self._mean) / self._scale

  # === Density ===

  def log_prob(self, latents, given=None):
    """Returns the log-density of float latents `[B, H]`, `[B]`, in nats.

    It is that of the latents with the noise that the fit added.

    Args:
      latents: float `[B, H]`.
      given: as for `sample`, for the density given these; or None.

    Raises:
      errors.UserError: if the guidance is not 1.
    """
    return self.log_prob_with_error(latents, given)[0]

  def log_prob_with_error(self, latents, given=None):
    """Returns the log-density and its standard error, over the probes.

    Args:
      latents: as for `log_prob`.
      given: as for `log_prob`.

    Returns:
      `(log_prob, standard_error)`, each `[B]`. The error is 0 where the trace
      is exact, and NaN of one probe.
    """
    self.state()
    if self.guidance != 1.:
      raise errors.UserError(
          f'With FlowMatching.guidance = {self.guidance:g} draws come from a '
          'distribution whose density is not that of the fit: set the guidance '
          'to 1 for log-densities.')
    value, error = self.flow.log_densities(
        # Probes by the latents as they were given, so that a graph has the
        # same.
        self._standardised(latents), self._flat(latents), self.density_steps,
        self.probes, *self._codes(given, latents))
    # The log-determinant of the standardisation.
    value -= np.log(self.state()['scale']).sum()
    return tf.cast(value, latents.dtype), tf.cast(error, latents.dtype)

"""A normalising flow, fitted to latents by maximum likelihood."""
import numpy as np
import tensorflow as tf

from pgak import errors
from pgak import settings
from pgak.priors import coupling_flow
from pgak.priors import fitted
from pgak.priors import flow as flow_lib
from pgak.priors import net_fitting

__all__ = ['RealNVP']


@settings.register(denylist=['latent_dim'])
class RealNVP(fitted.FittedPrior):
  """A flow of affine couplings [1] on standardised latents.

  With m and s the latents' mean and standard deviation in each dimension and
  f the flow's density, `log p(z) = log f((z - m) / s) - sum_d log s_d`. Adam
  descends `-log p` and stops early, by a held-out tenth of the latents.

  Args:
    latent_dim: number of latent dimensions H, at least 2.
    num_couplings: int; see `coupling_flow.CouplingFlow`.
    hidden_units: units of the hidden layers of each coupling's net.
    learning_rate: of Adam.
    batch_size: latents in a step.
    max_epochs: the most passes over the latents.
    patience: epochs without a better held-out likelihood that end the fit.
    seed: int that decides the weights and the order of the latents.

  Attributes:
    epochs: how many the fit took.
    held_out_log_likelihood: of the held-out tenth, nats per latent.

  Raises:
    errors.UserError: if a setting is out of its range.

  #### References

  [1]: Laurent Dinh, Jascha Sohl-Dickstein, Samy Bengio. Density Estimation
       Using Real NVP. ICLR, 2017.
  """

  name = 'real_nvp'

  def __init__(self, latent_dim: settings.Count,
               num_couplings: settings.Count = 4,
               hidden_units: tuple[settings.Count, ...] = (256, 256),
               learning_rate: settings.Positive = 1e-3,
               batch_size: settings.Count = 256,
               max_epochs: settings.Count = 100, patience: settings.Count = 10,
               seed: settings.Seed = 0):
    super().__init__(latent_dim)
    if latent_dim < 2:
      raise errors.UserError(
          'A coupling flow needs at least 2 latent dimensions: choose another '
          'prior, such as gmm.')
    self.num_couplings = num_couplings
    self.hidden_units = tuple(hidden_units)
    self.learning_rate = learning_rate
    self.batch_size = batch_size
    self.max_epochs = max_epochs
    self.patience = patience
    self.seed = seed
    self.epochs = None
    self.held_out_log_likelihood = None
    self.flow = coupling_flow.CouplingFlow(
        latent_dim, num_couplings, self.hidden_units, seed)
    # Now, since `arrays` and `shapes` count the weights.
    self.flow.build()
    self._first_weights = self.flow.get_weights()

  @property
  def arrays(self):
    return ('mean', 'scale') + tuple(
        f'weight_{i}' for i in range(len(self.flow.weights)))

  def shapes(self):
    return fitted.shapes_of(self.arrays, self.latent_dim, self.flow.weights)

  def fit(self, latents):
    """Fits it to latents, an array `[N, H]`; returns self."""
    latents = fitted.checked(latents, self.latent_dim)
    standard = fitted.standardiser(latents)
    points = ((latents - standard['mean']) / standard['scale'])
    flow = self.flow
    # Whatever it was fitted to before.
    flow.set_weights(self._first_weights)
    self.epochs, loss = net_fitting.minimise(
        # The second argument is a seed for losses with noise.
        lambda x, _: -flow(x), flow.trainable_variables,
        points.astype(np.float32), self.seed, self.learning_rate,
        self.batch_size, self.max_epochs, self.patience)
    # The fit's loss is that of standardised latents.
    self.held_out_log_likelihood = -loss - np.log(standard['scale']).sum()
    return self.load_state(standard | {
        f'weight_{i}': w.numpy() for i, w in enumerate(flow.weights)})

  def _use_state(self):
    state = self.state()
    self.flow.set_weights([state[n] for n in self.arrays[2:]])
    self._mean, self._scale = (
        state[n].astype(np.float32) for n in ('mean', 'scale'))

  def from_noise(self, noise):
    """Maps samples of N(0, I); see `mapped_noise.MappedNoise`."""
    return self.base_to_latent(noise['prior'])

  @property
  def couplings(self):
    """Number T of the flow's couplings."""
    return self.num_couplings

  def base_to_latent(self, base, coupling=0):
    """Maps samples of N(0, I), float32 `[B, H]`, to latents `[B, H]`.

    Args:
      base: z_0, or z_t behind the first t couplings.
      coupling: t, from 0 to `couplings`.
    """
    self.state()
    return self._mean + self._scale * self.flow.after(coupling).forward(base)

  def latent_to_base(self, latents, coupling=0):
    """The inverse of `base_to_latent`."""
    self.state()
    points = (tf.cast(latents, tf.float32) - self._mean) / self._scale
    return self.flow.after(coupling).inverse(points)

  @property
  def distribution(self):
    """The TFP distribution, float32 on `[H]`.

    Its nets are those of this object: another `fit` changes both.
    """
    self.state()
    return flow_lib.moved(self.flow.distribution(), self._mean, self._scale)

  def log_prob(self, latents):
    """Returns the log-density of float latents `[B, H]`, `[B]`."""
    self.state()
    points = (tf.cast(latents, tf.float32) - self._mean) / self._scale
    found = self.flow(points) - np.log(self.state()['scale']).sum()
    return tf.cast(found, latents.dtype)

"""The second stage of a two-stage VAE: a VAE of the latents."""
import math

import keras
import numpy as np
import tensorflow as tf

from pgak import noise as noise_lib
from pgak import settings
from pgak.priors import fitted
from pgak.priors import net_fitting

__all__ = ['TwoStageVAE']


@settings.register(denylist=['latent_dim'])
class TwoStageVAE(fitted.FittedPrior):
  """A small VAE on standardised latents z, with as many latents u of its own.

  With its encoder's N(e(z), diag s(z)^2), its decoder d and one learned
  standard deviation g, it descends (eq. 9 of [1])

  ```none
  sum_d [ (z - d(u))^2 / (2 g^2) + log g + log(2 pi) / 2 ]
      + KL(N(e(z), diag s(z)^2) || N(0, I))
  ```

  and then samples `u ~ N(0, I)`, `z = d(u) + g eps`. Its density cannot be
  computed.

  Args:
    latent_dim: number of latent dimensions H, of z and of u.
    depth: hidden layers of encoder and decoder; [1] has 3.
    width: their units; [1] has 1024.
    learning_rate: of Adam.
    batch_size: latents in a step.
    max_epochs: the most passes over the latents.
    patience: epochs without a better held-out loss that end the fit.
    seed: int that decides the weights, the order of the latents and the noise.

  Attributes:
    epochs: how many the fit took.

  Raises:
    errors.UserError: if a setting is out of its range.

  #### References

  [1]: Bin Dai, David Wipf. Diagnosing and Enhancing VAE Models. ICLR, 2019.
  """

  name = 'two_stage'

  def __init__(self, latent_dim: settings.Count, depth: settings.Count = 3,
               width: settings.Count = 256,
               learning_rate: settings.Positive = 1e-3,
               batch_size: settings.Count = 256,
               max_epochs: settings.Count = 100, patience: settings.Count = 10,
               seed: settings.Seed = 0):
    super().__init__(latent_dim)
    self.depth = depth
    self.width = width
    self.learning_rate = learning_rate
    self.batch_size = batch_size
    self.max_epochs = max_epochs
    self.patience = patience
    self.seed = seed
    self.epochs = None
    generator = np.random.default_rng(seed)
    self.encoder = self._net(2 * latent_dim, generator)
    self.decoder = self._net(latent_dim, generator)
    # With g = 1, as large as the latents themselves, as a start, half of the
    # fits to a ring stayed where the decoder ignores u.
    self.log_gamma = keras.Variable(np.float32(-1.), name='log_gamma')
    self._first_weights = [v.numpy() for v in self._variables]

  def _net(self, outputs, generator):
    """Makes hidden layers, with a skip from the input to the last layer."""
    def dense(units, activation=None):
      return keras.layers.Dense(
          units, activation, dtype='float32',
          kernel_initializer=keras.initializers.GlorotUniform(
              seed=int(generator.integers(1 << 31))))
    inputs = keras.Input([self.latent_dim], dtype='float32')
    hidden = inputs
    for _ in range(self.depth):
      hidden = dense(self.width, 'relu')(hidden)
    # The skip is that of the authors' code.
    joined = keras.layers.Concatenate(dtype='float32')([inputs, hidden])
    return keras.Model(inputs, dense(outputs)(joined))

  @property
  def _variables(self):
    return (self.encoder.trainable_variables
            + self.decoder.trainable_variables + [self.log_gamma])

  @property
  def arrays(self):
    return ('mean', 'scale') + tuple(
        f'weight_{i}' for i in range(len(self._variables)))

  def shapes(self):
    return fitted.shapes_of(self.arrays, self.latent_dim, self._variables)

  def fit(self, latents):
    """Fits it to latents, an array `[N, H]`; returns self."""
    latents = fitted.checked(latents, self.latent_dim)
    standard = fitted.standardiser(latents)
    points = (latents - standard['mean']) / standard['scale']
    variables = self._variables
    # Whatever it was fitted to before.
    for variable, value in zip(variables, self._first_weights, strict=True):
      variable.assign(value)
    self.epochs, _ = net_fitting.minimise(
        self._losses, variables, points.astype(np.float32), self.seed,
        self.learning_rate, self.batch_size, self.max_epochs, self.patience)
    return self.load_state(standard | {
        f'weight_{i}': v.numpy() for i, v in enumerate(variables)})

  def _losses(self, points, seed):
    mean, log_variance = tf.split(self.encoder(points), 2, -1)
    # The logarithm is learned, so that g stays above 0.
    log_gamma = self.log_gamma.value
    normal = noise_lib.normal(tf.shape(mean), seed)
    decoded = self.decoder(mean + tf.exp(0.5 * log_variance) * normal)
    error = 0.5 * tf.square((points - decoded) / tf.exp(log_gamma))
    divergence = 0.5 * (tf.square(mean) + tf.exp(log_variance) - 1.
                        - log_variance)
    # With the constant, so that the loss is a bound in nats.
    return tf.reduce_sum(
        error + log_gamma + 0.5 * math.log(2. * math.pi) + divergence, -1)

  def _use_state(self):
    state = self.state()
    for variable, name in zip(self._variables, self.arrays[2:]):
      variable.assign(state[name])
    self._mean, self._scale = (
        state[n].astype(np.float32) for n in ('mean', 'scale'))

  @property
  def noise_shapes(self):
    return super().noise_shapes | {
        'second_stage': (noise_lib.normal, (self.latent_dim,))}

  def from_noise(self, noise):
    """Decodes u and adds g eps; see `mapped_noise.MappedNoise`."""
    self.state()
    points = self.decoder(noise['prior']) + (
        tf.exp(self.log_gamma.value) * noise['second_stage'])
    return self._mean + self._scale * points

"""A prior that is learned given a condition: a flow with y as an input."""
import keras
import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from pgak import batches
from pgak import errors
from pgak import noise
from pgak import settings
from pgak.priors import coupling_flow
from pgak.priors import flow as flow_lib
from pgak.priors import running_moments

__all__ = ['ConditionalCouplings', 'ConditionalFlow', 'check_conditions']


def check_conditions(conditions):
  """Raises UserError where a prior is sampled without a batch of conditions."""
  # A number, as other priors' `sample` takes, has no axis.
  if len(np.shape(conditions)) < 2:
    raise errors.UserError(
        'This model makes images given conditions, not from its prior alone: '
        'evaluate it with --protocol=learned_priors_pairs, draw with '
        '--kind=samples or reconstruction from its run, or call '
        '`sample(conditions, seed)`.')


class ConditionalCouplings(coupling_flow.CouplingFlow):
  """A `CouplingFlow` whose nets see features of a condition, too.

  Args:
    size: number of dimensions H, at least 2.
    num_features: number of features of a condition F.
    num_couplings: as for `CouplingFlow`.
    hidden_units: as for `CouplingFlow`.
    seed: as for `CouplingFlow`.
  """

  def __init__(self, size, num_features, num_couplings=4, hidden_units=(64, 64),
               seed=0, **kwargs):
    super().__init__(size, num_couplings, hidden_units, seed, **kwargs)
    self.num_features = num_features

  def build(self, input_shape=None):
    for net in self.nets:
      net.build((None, self.masked + self.num_features))
    self.built = True

  def bijector(self, features):
    """Returns the map given features `[B, F]`, for `[B, H]`."""
    return self._chained(
        # [B, H/2 + F]
        lambda net, masked: net(tf.concat([masked, features], -1)))

  def distribution(self, features, mean):
    """Returns p(points | features), the map of N(mean, I)."""
    # Variance 1, as the encoder's: only the mean depends on the condition.
    normal = tfp.distributions.MultivariateNormalDiag(
        mean, tf.ones_like(mean))
    return tfp.distributions.TransformedDistribution(
        normal, self.bijector(features))

  def call(self, points, features, mean):
    """Returns the log-density of points `[B, H]`, `[B]`."""
    return self.distribution(features, mean).log_prob(points)

  def get_config(self):
    return super().get_config() | {'num_features': self.num_features}


@settings.register(denylist=['latent_dim'])
class ConditionalFlow(running_moments.RunningMoments):
  """A flow on standardised latents given a condition y, [1, eq. 9 and sec. 6].

  With features c(y), a mean head a(y), the running mean m and standard
  deviation s of the latents, and f the flow's map, each coupling of which sees
  c(y),

  ```none
  z_0 = f((z - m) / s; c(y))
  log p(z | y) = log N(z_0; a(y), I) + log|det df| - sum_d log s_d
  ```

  Args:
    latent_dim: number of latent dimensions H, at least 2.
    condition_network: `keras.Model`, float conditions `[B, h, w, K]` to
      features `[B, F]`; it is a part of this layer and learns with it.
    num_couplings: number of couplings.
    hidden_units: units of the hidden layers of each coupling's net.
    momentum: see `RunningMoments`.
    seed: int that decides the nets' first weights; by default the run's.

  #### References

  [1]: Anonymous authors. Empirical observations pertaining to learned priors
       for deep latent variable models. Under review.
  """

  label = 'learned_conditional_flow'

  def __init__(self, latent_dim: settings.Count, condition_network: keras.Model,
               num_couplings: settings.Count = 4,
               hidden_units: tuple[settings.Count, ...] = (128, 128),
               momentum: settings.Decay = 0.99,
               seed: settings.Seed | None = None):
    dtype = keras.config.floatx()
    super().__init__(latent_dim, momentum, name=self.label, dtype=dtype)
    # NumPy's own generator, which `keras.utils.set_random_seed` seeds.
    seed = int(np.random.randint(1 << 31)) if seed is None else seed
    self.condition_network = condition_network
    # Zeros: training begins with N(0, I) for every condition.
    self.mean_head = keras.layers.Dense(
        latent_dim, kernel_initializer='zeros', dtype=dtype)
    num_features = condition_network.output_shape[-1]
    self.mean_head.build((None, num_features))
    self.flow = ConditionalCouplings(
        latent_dim, num_features, num_couplings, hidden_units, seed,
        dtype=dtype)
    # Now, since Keras finds and names weights that exist before the first call.
    self.flow.build()
    self.settings = dict(num_couplings=num_couplings,
                         hidden_units=list(hidden_units))
    self.built = True

  def get_config(self):
    return dict(
        latent_dim=self.latent_dim, momentum=self.momentum,
        seed=self.flow.seed, **self.settings,
        condition_network=keras.saving.serialize_keras_object(
            self.condition_network))

  @classmethod
  def from_config(cls, config):
    network = keras.saving.deserialize_keras_object(config['condition_network'])
    return cls(**config | {'condition_network': network})

  def _features(self, conditions):
    """Returns `(c(y), a(y))`, float `[B, F]` and `[B, H]`."""
    # The network may compute in bfloat16, the flow does not.
    features = tf.cast(self.condition_network(conditions), self.compute_dtype)
    return features, self.mean_head(features)

  def call(self, latents, conditions):
    """Returns the log-density of latents `[B, H]` given y, `[B]`, in nats."""
    features, mean = self._features(conditions)
    return self.flow(self.standardised(latents), features, mean) - (
        tf.reduce_sum(tf.math.log(self.scale)))

  def distribution(self, conditions):
    """Returns the TFP distribution given conditions: B of them on `[H]`."""
    return flow_lib.moved(
        self.flow.distribution(*self._features(conditions)),
        tf.convert_to_tensor(self.mean), self.scale)

  def log_prob(self, latents, conditions):
    """Returns log p(z | y) of float latents `[B, H]`, `[B]`, in nats."""
    return self(latents, conditions)

  def sample(self, conditions, seed=0):
    """Returns a draw for each condition, float `[B, H]`, repeatable by seed.

    Args:
      conditions: float `[B, h, w, K]` in the model's value range.
      seed: int or integer scalar tensor.

    Raises:
      UserError: if `conditions` is a number of draws.
    """
    check_conditions(conditions)
    normal = noise.normal(
        [tf.shape(conditions)[0], self.latent_dim],
        noise.seed(seed, 0, 'prior'), tf.as_dtype(self.compute_dtype))
    return batches.in_batches(self.noise_to_latent, normal, conditions)

  def noise_to_latent(self, normal, conditions):
    """Maps samples of N(0, I), float `[B, H]`, to latents given conditions."""
    features, mean = self._features(conditions)
    return self._to_latent(mean + normal, features)

  def base_to_latent(self, base, conditions):
    """Maps draws z_0 of N(a(y), I), float `[B, H]`, to latents `[B, H]`."""
    features, _ = self._features(conditions)
    return self._to_latent(base, features)

  def latent_to_base(self, latents, conditions):
    """The inverse of `base_to_latent`."""
    features, _ = self._features(conditions)
    return self.flow.bijector(features).inverse(self.standardised(latents))

  def _to_latent(self, base, features):
    return self.mean + self.scale * self.flow.bijector(features).forward(base)

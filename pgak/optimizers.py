"""Keras's optimizers as gin knows them: every setting by its name.

A binding in a part's scope is for that part alone:
`decoder/sgd.learning_rate = 0.05`.
"""
import math

import keras

from pgak import settings

__all__ = ['EqualisedAdam', 'RunSchedule', 'adam', 'equalised_adam', 'sgd']


@settings.register
def sgd(learning_rate: settings.Positive, momentum: settings.Decay = 0.9,
        nesterov: bool = False, ema_decay: settings.Decay | None = None):
  """Stochastic gradient descent with momentum, as the PGA papers use it.

  Args:
    learning_rate: number.
    momentum: share of the last update that is kept.
    nesterov: whether to use Nesterov's variant, whose gradient is taken at the
      point that the momentum leads to.
    ema_decay: decay of an average of the weights, which evaluation then uses;
      None for no average.
  """
  return keras.optimizers.SGD(learning_rate, momentum, nesterov,
                              **_average(ema_decay))


@settings.register
def adam(learning_rate: settings.Positive = 1e-3, beta_1: settings.Decay = 0.9,
         beta_2: settings.Decay = 0.999, epsilon: settings.Positive = 1e-7,
         ema_decay: settings.Decay | None = None):
  """The Adam optimizer.

  Args:
    learning_rate: number.
    beta_1: decay of the mean of the gradient.
    beta_2: decay of the mean of its square.
    epsilon: added to the root of that mean.
    ema_decay: as for `sgd`.
  """
  return keras.optimizers.Adam(learning_rate, beta_1, beta_2, epsilon,
                               **_average(ema_decay))


@settings.register
def equalised_adam(learning_rate: settings.Positive = 2e-3,
                   beta_1: settings.Decay = 0.,
                   beta_2: settings.Decay = 0.99,
                   epsilon: settings.Positive = 1e-8,
                   ema_decay: settings.Decay | None = None):
  """Adam with an equalised learning rate, ALAE's LREQ Adam; see EqualisedAdam.

  Args:
    learning_rate: number; 0.002 in ALAE's code.
    beta_1: decay of the mean of the gradient; 0 there.
    beta_2: decay of the mean of its square; 0.99 there.
    epsilon: added to the root of that mean.
    ema_decay: as for `sgd`.
  """
  return EqualisedAdam(learning_rate, beta_1, beta_2, epsilon,
                       **_average(ema_decay))


@keras.saving.register_keras_serializable('pgak')
class EqualisedAdam(keras.optimizers.Adam):
  """Adam whose step of a kernel is in units of the kernel's first deviation.

  A kernel W moves at the rate `c r`, where r is the learning rate and
  `c = sqrt(2 / n)` is He's constant for the n inputs of a unit. So
  all layers move by the same share of their size, as with the layers of PG-GAN,
  which call `c W` of a W that starts as N(0, 1) [1, sec. 4.1]; here the
  optimizer has the constant, and the layers stay as they are. What is no kernel
  moves at the rate r.

  #### References

  [1]: Tero Karras, Timo Aila, Samuli Laine, Jaakko Lehtinen. Progressive
       Growing of GANs for Improved Quality, Stability, and Variation. ICLR,
       2018.
  """

  def update_step(self, gradient, variable, learning_rate):
    # A bias has units alone, a kernel inputs, too.
    *inputs, _ = variable.shape
    if inputs:
      learning_rate = learning_rate * math.sqrt(2. / math.prod(inputs))
    super().update_step(gradient, variable, learning_rate)


def _average(decay):
  # Keras checks the momentum even where there is no average.
  return dict(use_ema=decay is not None,
              ema_momentum=0.99 if decay is None else decay)


@keras.saving.register_keras_serializable('pgak')
class RunSchedule(keras.optimizers.schedules.LearningRateSchedule):
  """A learning rate that follows the share of the run that is done.

  Args:
    learning_rate: the rate at factor 1.
    factor: function of the share of the run in `[0, 1]`, to a factor.
    step: the model's integer step variable; None until a model that is read
      from a file sets its own.
    steps: number of steps of the run.
  """

  def __init__(self, learning_rate, factor, step=None, steps=1):
    self.learning_rate = learning_rate
    self.factor = factor
    self.step = step
    self.steps = steps

  def __call__(self, iterations):
    del iterations  # A part may be updated several times in a step, or never.
    done = keras.ops.cast(self.step.value, 'float32') / self.steps
    # Training may go on after the run, in which a cosine would rise again.
    return self.learning_rate * self.factor(keras.ops.minimum(done, 1.))

  def get_config(self):
    return {'learning_rate': self.learning_rate, 'steps': self.steps,
            'factor': keras.saving.serialize_keras_object(self.factor)}

  @classmethod
  def from_config(cls, config):
    factor = keras.saving.deserialize_keras_object(config['factor'])
    return cls(**config | {'factor': factor})

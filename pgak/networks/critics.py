"""Critics: nets that classify latents as data's or as samples of the prior."""
import keras
from keras import layers

from pgak import settings

__all__ = ['latent_critic']


@settings.register
def latent_critic(latent_dim: settings.Count, units: settings.Count = 512,
                  num_layers: settings.Whole = 3):
  """Builds a discriminator of latents: dense layers with leaky ReLU (0.2).

  Args:
    latent_dim: number of latent dimensions H.
    units: units of each hidden layer.
    num_layers: hidden layers.

  Returns:
    `keras.Model`: float `[B, H]` to logits `[B, 1]`; a large one means "from
    the prior".
  """
  latents = keras.Input((latent_dim,), name='latents')
  x = latents
  for _ in range(num_layers):
    x = layers.LeakyReLU(negative_slope=0.2)(layers.Dense(units)(x))
  # No sigmoid: the losses take logits. In float32 also under a bfloat16 policy.
  logits = layers.Dense(1, dtype=keras.config.floatx(), name='logits')(x)
  return keras.Model(latents, logits, name='critic')

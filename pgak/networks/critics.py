"""Critics: nets that classify latents as data's or as samples of the prior.

#### References

[1]: Kwot Sin Lee, Christopher Town. Mimicry: Towards the Reproducibility of GAN
     Research. CVPR workshop, 2020.
"""
import keras
from keras import layers

from pgak import settings
from pgak.networks import spectral_norm as spectral_norm_lib

__all__ = ['latent_critic']


@settings.register
def latent_critic(latent_dim: settings.Count, units: settings.Count = 512,
                  num_layers: settings.Whole = 3, residual: bool = False,
                  spectral_norm: bool = False):
  """Builds a discriminator of latents: dense layers with leaky ReLU (0.2).

  With `residual` it is the discriminator of [1] with dense layers in the place
  of convolutions: after a first dense layer, blocks `x + dense(ReLU(dense(
  ReLU(x))))`, then a ReLU and the logit.

  Args:
    latent_dim: number of latent dimensions H.
    units: units of each hidden layer.
    num_layers: hidden layers, or residual blocks.
    residual: whether they are residual blocks.
    spectral_norm: whether all kernels are divided by their spectral norm.

  Returns:
    `keras.Model`: float `[B, H]` to logits `[B, 1]`; a large one means "from
    the prior".
  """
  def dense(width, **kwargs):
    return spectral_norm_lib.maybe_normalised(
        layers.Dense(width, **kwargs), spectral_norm)

  latents = keras.Input((latent_dim,), name='latents')
  x = latents
  if residual:
    x = dense(units)(x)
    for _ in range(num_layers):
      inner = dense(units)(keras.ops.relu(x))
      x = layers.Add()([x, dense(units)(keras.ops.relu(inner))])
    x = keras.ops.relu(x)
  else:
    for _ in range(num_layers):
      x = layers.LeakyReLU(negative_slope=0.2)(dense(units)(x))
  # No sigmoid: the losses take logits. In float32 also under a bfloat16 policy.
  logits = dense(1, dtype=keras.config.floatx(), name='logits')(x)
  return keras.Model(latents, logits, name='critic')

"""The latents that polishing decodes.

They are latents of the training images with noise. With a density, half of them
are samples of it near these latents in the place of noise: the decoder then
learns to decode what it is given later.
"""
import tensorflow as tf

from pgak import capabilities
from pgak import errors
from pgak import noise
from pgak import priors
from pgak.priors import ex_post

__all__ = ['made', 'prior']

# How often the density moves each latent. They are kept: to move them anew in
# each step would take as long as the step.
_DRAWS = 2


def prior(model, polishing):
  """Returns the density of a `Polishing`, not fitted, or None.

  Args:
    model: `GenerativeAutoencoder`, built.
    polishing: a `Polishing`.

  Raises:
    errors.UserError: if it cannot move given latents.
  """
  if not polishing.density:
    return None
  made_prior = priors.resolve(polishing.density)(model)
  if not hasattr(made_prior, 'near'):
    raise errors.UserError(
        f'`polish.density` is {capabilities.name_of(made_prior)}, which has no '
        'samples near given latents: set @FlowMatching, or None.')
  return made_prior


def made(model, images, polishing, seed, run=None, step=0, dataset=None):
  """Encodes all images, by the weights that the model is evaluated with.

  Args:
    model: `GenerativeAutoencoder`, compiled.
    images: `ImageArray`, whose latents, float32 `[N, H]`, stay in memory, and
      with a density twice as many beside.
    polishing: a `Polishing`.
    seed: int, which decides the noise, with the step.
    run: `RunDirectory` that keeps the density; without a density not read.
    step: int, the step of the weights; the same.
    dataset: `data.Dataset` of the images; the same.

  Returns:
    A function of positions `[B]` in the split and a step to latents `[B, H]`.
  """
  density, moved = prior(model, polishing), None
  with model.averaged_weights():
    encoded = model.encode_split(images)  # [N, H]
    if density:
      density = ex_post.fitted_prior(
          model, priors.Choice(density), run, step, dataset)
  if density:
    moved = tf.stack([
        density.near(encoded, seed * _DRAWS + draw, polishing.time)
        for draw in range(_DRAWS)])  # [2, N, H]
  sigma = tf.constant(polishing.noise * encoded.std(0))
  latents = tf.constant(encoded)

  def at(indices, step):
    number = indices.shape[0]
    normal = noise.normal([number, latents.shape[1]],
                          noise.seed(seed, step, 'polish'))
    noisy = tf.gather(latents, indices) + sigma * normal
    if moved is None:
      return noisy
    draws = tf.random.stateless_uniform(
        [number], noise.seed(seed, step, 'polish_draw'), 0, _DRAWS,
        indices.dtype)
    near = tf.gather_nd(moved, tf.stack([draws, indices], 1))
    return tf.where(tf.range(number)[:, tf.newaxis] < number // 2, near, noisy)

  return at

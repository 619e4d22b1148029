"""What a trained model is asked to do: encode, decode, reconstruct, sample.

Users give and get uint8 images, or float32 vectors, and float32 latents.
"""
import numpy as np
import tensorflow as tf

from pgak import batches
from pgak import counts
from pgak import errors
from pgak import noise as noise_lib

__all__ = ['Verbs', 'checked_latents', 'drawn']


def drawn(mean, sigma, normal):
  """Returns `mean + sigma * normal`, or `mean` where `sigma` is None."""
  return mean if sigma is None else mean + sigma * normal


class Verbs:
  """The verbs of a model with `encoder`, `decoder`, `prior`, `value_range`.

  Images are uint8 `[B, h, w, C]`. Floats are taken where `value_range` says
  what they are, such as `(0., 1.)`: an image in another range than its reader
  believes gives wrong latents and no error. Vectors are floats `[B, D]`.
  """

  # === The posterior ===

  def encode_mean(self, floats, training=False):
    """Returns the latents of floats in the model's range.

    Args:
      floats: float `[B, h, w, C]` in the model's value range, or `[B, D]`.
      training: whether batch norm takes the batch's own statistics.

    Returns:
      float `[B, H]`; a stochastic encoder's means.
    """
    self.require('encode', 'encode')
    outputs = self.encoder(floats, training=training)
    return outputs[0] if self.is_stochastic else outputs

  def gaussian(self, floats, training=False):
    """Returns what the encoder gives: `(mean, log_variance)`, each `[B, H]`.

    The log-variance of a deterministic encoder is None.
    """
    if not self.is_stochastic:
      return self.encode_mean(floats, training), None
    mean, log_variance = self.encoder(floats, training=training)
    return mean, log_variance

  def posterior(self, floats, training=False):
    """Returns q(z | x) as training draws from it.

    Args:
      floats: as for `encode_mean`.
      training: as for `encode_mean`.

    Returns:
      `(mean, sigma)`, each float `[B, H]`; sigma, a standard deviation, is None
      where training adds no noise to the latents.
    """
    mean, log_variance = self.gaussian(floats, training)
    return mean, None if log_variance is None else tf.exp(0.5 * log_variance)

  def draw(self, examples, seed):
    """Draws latents of examples from the `posterior`.

    Args:
      examples: as for `encode`.
      seed: int, or int64 `[2]` as `pgak.noise.seed` makes it.

    Returns:
      float32 `[B, H]`.
    """
    if isinstance(seed, (int, np.integer)):
      seed = noise_lib.seed(seed, 0, 'posterior')
    mean, sigma = self.posterior(self.to_model(examples, None, 'draw'))
    if sigma is None:
      return mean
    return drawn(mean, sigma, noise_lib.normal(tf.shape(mean), seed,
                                               mean.dtype))

  # === Examples and latents ===

  def to_model(self, examples, value_range=None, verb='encode'):
    """Returns examples as floats in the model's range.

    Args:
      examples: uint8 images; floats with their `value_range`; vectors; or a
        dictionary of such.
      value_range: `(low, high)` of the images, black and white; None for uint8.
      verb: string, who asks, for the error.

    Raises:
      UserError: if images are not uint8 and no range is given, or if they lie
        outside it.
    """
    return self.kind.to_model(examples, value_range, verb)

  def encode(self, examples, value_range=None):
    """Returns the latents of examples.

    Args:
      examples: uint8 `[B, h, w, C]`, or floats with their `value_range`; of a
        model of vectors float `[B, D]`.
      value_range: `(low, high)` of float images; None for uint8.

    Returns:
      float32 `[B, H]`; a stochastic encoder's means.

    Raises:
      UserError: if images are not uint8 and no range is given, or if they lie
        outside it.
      NoEncoderError: if the model has no encoder.
    """
    return _encoded(self, examples, value_range, 'encode')

  def decode(self, latents):
    """Returns uint8 images `[B, h, w, C]` of float latents `[B, H]`.

    Raises:
      UserError: if the latents have another shape, or if one of them is NaN or
        infinite.
    """
    images = batches.of_rows(lambda z: self.decoder(z, training=False),
                             checked_latents(latents, self.latent_dim))
    return self.kind.to_users(images)

  def reconstruct(self, examples, value_range=None):
    """Returns uint8 images, encoded and decoded again; see `encode`."""
    return self.decode(_encoded(self, examples, value_range, 'reconstruct'))

  def interpolate(self, start, end, steps, spherical=False, value_range=None):
    """Decodes points between the latents of pairs of examples.

    Args:
      start: B examples, as for `encode`.
      end: as many others.
      steps: int of at least 2, points on each line, both ends included.
      spherical: whether a line is the arc
        `(sin((1 - t) w) a + sin(t w) b) / sin(w)`, w the angle between a and b,
        in the place of the straight one. Where there is no arc, it is straight.
      value_range: as for `encode`.

    Returns:
      uint8 `[B, steps, h, w, C]`, from the reconstruction of `start` to that of
      `end`.

    Raises:
      UserError: as `encode` does, if there are not as many starts as ends, or
        if steps is no such number; see `counts.rows`.
    """
    if len(start) != len(end):
      raise errors.UserError(
          '`interpolate` wants as many starts as ends, but has '
          f'{len(start)} and {len(end)}.')
    line = [max(len(start), 1), *self.image_shape]
    steps = int(counts.rows(steps, line, 'steps', least=2))
    ends = [_encoded(self, x, value_range, 'interpolate') for x in (start, end)]
    weights = _arcs if spherical else _lines
    latents = tf.add_n([
        weight * z[:, tf.newaxis]
        for weight, z in zip(weights(*ends, steps), ends)])
    images = self.decode(tf.reshape(latents, [-1, latents.shape[-1]]))
    return tf.reshape(images, [len(start), steps, *self.image_shape])

  def sample(self, n, seed=0):
    """Returns n new uint8 images `[n, h, w, C]`, repeatable by seed.

    Raises:
      UserError: if n is no such number; see `counts.rows`.
    """
    counts.rows(n, self.image_shape)
    return self.decode(self.prior.sample(n, seed))


def checked_latents(latents, latent_dim):
  """Returns a user's latents as a float tensor, if they can be decoded.

  Args:
    latents: `[B, latent_dim]`.
    latent_dim: int.

  Raises:
    UserError: if they have another shape, or if one is NaN or infinite.
  """
  latents = tf.convert_to_tensor(latents)
  if not latents.dtype.is_floating:
    latents = tf.cast(latents, tf.float32)
  if not latents.shape.is_compatible_with([None, latent_dim]):
    raise errors.UserError(
        f'`decode` takes latents of the shape [B, {latent_dim}], and these '
        f'have {latents.shape.as_list()}.')
  return batches.require_finite(latents, 'latents')


def _encoded(model, examples, value_range, verb):
  """Returns the latents of a user's examples."""
  return batches.of_rows(
      model.encode_mean, model.to_model(examples, value_range, verb))


def _lines(start, end, steps):
  """Returns the weights `[1, steps, 1]` of both ends of straight lines."""
  del end
  share = tf.linspace(tf.zeros([], start.dtype), 1., steps)
  return [w[tf.newaxis, :, tf.newaxis] for w in (1. - share, share)]


def _arcs(start, end, steps):
  """Returns the weights `[B, steps, 1]` of both ends of arcs."""
  straight = _lines(start, end, steps)
  cosine = tf.reduce_sum(tf.math.l2_normalize(start, -1)
                         * tf.math.l2_normalize(end, -1), -1)
  angle = tf.acos(tf.clip_by_value(cosine, -1., 1.))[:, tf.newaxis, tf.newaxis]
  has_arc = tf.sin(angle) > 1e-3
  divisor = tf.where(has_arc, tf.sin(angle), 1.)
  return [tf.where(has_arc, tf.sin(w * angle) / divisor, w) for w in straight]

"""What the models of images given a condition have in common."""
import keras
import numpy as np
import tensorflow as tf

from pgak import batches
from pgak import errors
from pgak import losses
from pgak import noise as noise_lib
from pgak.data import kinds
from pgak.models import base
from pgak.models import verbs

__all__ = ['ConditionalAutoencoder', 'absolute_error']


def absolute_error(images, reconstructed):
  """Mean absolute error of images `[B, h, w, C]`, float `[B]`."""
  return losses.feature_error([images], [reconstructed], [1.], 'l1')


class ConditionalAutoencoder(base.GenerativeAutoencoder):
  """Base class of models that make images given a condition.

  A batch is `{'images': [B, h, w, C], 'conditions': [B, h, w, K]}`, as the data
  set `pairs` yields it. The encoder takes `[images, conditions]`; the decoder
  takes `[latents, conditions]`, and its first output are the images. The prior
  draws given conditions: `prior.sample(conditions, seed)`.

  A subclass has `latents_of(normal, conditions)`, which maps draws of N(0, I)
  to latents.
  """

  image_error = staticmethod(absolute_error)

  @property
  def condition_shape(self):
    """`(height, width, channels)` of the conditions."""
    return tuple(self.decoder.inputs[1].shape[1:])

  @property
  def value_range(self):
    layer = self.decoder.get_layer('images')
    return kinds.VALUE_RANGES[layer.activation.__name__]

  @property
  def kind(self):
    return kinds.Pairs(self.image_shape, self.value_range, self.condition_shape)

  @property
  def noise_shapes(self):
    return {'posterior': (noise_lib.normal, (self.latent_dim,))}

  def latents_of(self, normal, conditions):
    """Returns draws of the prior, made of draws of N(0, I).

    Args:
      normal: float `[B, H]`.
      conditions: float `[B, h, w, K]` in the model's value range.
    """
    raise NotImplementedError

  def render(self, latents, conditions, training=False):
    """Returns float images `[B, h, w, C]` of latents and float conditions."""
    outputs = self.decoder([latents, conditions], training=training)
    return outputs[0] if isinstance(outputs, (list, tuple)) else outputs

  def draw_latents(self, conditions, seed=0):
    """Returns latents `[B, H]` given float conditions, repeatable by seed.

    A draw is a function of the seed, its place in the batch and its condition.
    """
    normal = noise_lib.normal(
        [tf.shape(conditions)[0], self.latent_dim],
        noise_lib.seed(seed, 0, 'prior'), tf.as_dtype(keras.config.floatx()))
    return self.latents_of(normal, conditions)

  def _float(self, conditions, value_range=None, verb='sample'):
    if conditions is None:
      raise errors.UserError(
          f'{type(self).__name__} makes images given conditions, and here are '
          'none: give `conditions`, or take a command that works on pairs '
          '(--protocol=learned_priors_pairs; --kind=samples or '
          'reconstruction).')
    return self.kind.images.to_model(conditions, value_range, verb)

  # === Use: uint8 images and conditions in, uint8 images out ===

  def encode_mean(self, images, conditions=None, training=False):
    """Returns the means `[B, H]` of float images given float conditions."""
    if conditions is None:
      self._float(None)
    return self.encoder([images, conditions], training=training)

  def posterior(self, floats, training=False):
    """Returns `(mean, sigma)` of q(z | x, y), whose variance is 1.

    Args:
      floats: `{'images', 'conditions'}` in the model's value range.
      training: as for `encode_mean`.
    """
    mean = self.encode_mean(floats['images'], floats['conditions'], training)
    return mean, tf.ones_like(mean)

  def encode(self, images, conditions=None, value_range=None):
    """Returns latents `[B, H]` of images `[B, h, w, C]` given conditions.

    Args:
      images: uint8, or floats with their `value_range`.
      conditions: the same, `[B, h, w, K]`.
      value_range: `(low, high)` of both; None for uint8.
    """
    return batches.of_rows(self.encode_mean, *_equally_many(
        'images', self.kind.images.to_model(images, value_range, 'encode'),
        self._float(conditions, value_range, 'encode')))

  def decode(self, latents, conditions=None):
    """Returns uint8 images `[B, h, w, C]` of latents and uint8 conditions.

    Raises:
      UserError: as other models do, and if there are not equally many.
    """
    given = self._float(conditions, verb='decode')
    latents = verbs.checked_latents(latents, self.latent_dim)
    return self.kind.to_users(batches.of_rows(
        self.render, *_equally_many('latents', latents, given)))

  # pylint: disable-next=arguments-renamed
  def reconstruct(self, images, conditions=None, value_range=None):
    """Returns uint8 images, encoded and decoded again; see `encode`."""
    floats, given = _equally_many(
        'images', self.kind.images.to_model(images, value_range, 'reconstruct'),
        self._float(conditions, value_range, 'reconstruct'))
    latents = batches.of_rows(self.encode_mean, floats, given)
    return self.kind.to_users(batches.of_rows(self.render, latents, given))

  def interpolate(self, start, end, steps, spherical=False, value_range=None):
    raise errors.UserError(
        f'{type(self).__name__} makes images given conditions, of which two '
        'images have two: encode them, and decode the latents between theirs '
        'with the conditions that you want.')

  # pylint: disable-next=arguments-renamed
  def sample(self, conditions=None, seed=0):
    """Returns a new uint8 image for each uint8 condition `[B, h, w, K]`."""
    if not np.ndim(conditions):  # A number of samples, as of other models.
      conditions = None
    latents = batches.of_rows(
        lambda given: self.draw_latents(given, seed), self._float(conditions))
    return self.decode(latents, conditions)


def _equally_many(name, batch, conditions):
  """Returns both, if they are."""
  numbers = batch.shape[0], conditions.shape[0]
  if None not in numbers and numbers[0] != numbers[1]:
    raise errors.UserError(
        f'`{name}` and `conditions` must be equally many, but are {numbers[0]} '
        f'and {numbers[1]}.')
  return batch, conditions

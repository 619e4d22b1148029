"""Base class of models that make images given a condition."""
import keras
import numpy as np
import tensorflow as tf

from pgak import batches
from pgak import errors
from pgak import losses
from pgak import noise as noise_lib
from pgak.data import kinds
from pgak.models import base
from pgak.networks import weight_norm
from pgak.priors import conditions as conditions_lib

__all__ = ['ConditionalAutoencoder']


class ConditionalAutoencoder(base.GenerativeAutoencoder):
  """Base class of models that make images given a condition.

  A batch is `{'images': [B, h, w, C], 'conditions': [B, h, w, K]}`, as the data
  set `pairs` yields it. The encoder takes `[images, conditions]`; the decoder
  takes `[latents, conditions]`, and its first output are the images. The prior
  is conditional: `prior.sample(conditions, seed)`.

  A subclass has `latents_of(normal, conditions)`, which maps samples of N(0, I)
  to latents.

  Attributes:
    data_start: whether the first batch of a run sets the scales and offsets of
      the weight-normalised layers, as the VUNet authors' code has it.
  """

  data_start = False

  # The L1 distance of the VUNet authors' code, there of VGG's features, too.
  image_error = staticmethod(losses.absolute_error)
  nets = {'encoder': '@vunet_encoder()', 'decoder': '@vunet_decoder()'}

  @property
  def condition_shape(self):
    """`(height, width, channels)` of the conditions."""
    return tuple(self.decoder.inputs[1].shape[1:])

  @property
  def kind(self):
    return kinds.Pairs(self.image_shape, self.value_range, self.condition_shape)

  @property
  def noise_shapes(self):
    return {'posterior': (noise_lib.normal, (self.latent_dim,))}

  def latents_of(self, normal, conditions):
    """Returns samples from the prior, made of samples of N(0, I).

    Args:
      normal: float `[B, H]`.
      conditions: float `[B, h, w, K]` in the model's value range.
    """
    raise NotImplementedError

  def render(self, latents, given=None, training=False):
    outputs = self.decoder([latents, given], training=training)
    # The decoder of `VUNet` gives the prior's means, too.
    return outputs[0] if isinstance(outputs, (list, tuple)) else outputs

  def draw_latents(self, n, seed=0, given=None):
    """Returns samples from the prior; see `GenerativeModel.draw_latents`.

    Each is a function of the seed, its place in the batch and its condition.
    """
    conditions_lib.require_number(n, batches.size_of(given), 'conditions')
    normal = noise_lib.normal(
        [tf.shape(given)[0], self.latent_dim], noise_lib.seed(seed, 0, 'prior'),
        tf.as_dtype(keras.config.floatx()))
    return batches.in_batches(
        lambda *x: batches.of_rows(self.latents_of, *x), normal, given)

  def condition(self, given, verb='sample'):
    if given is None:
      raise errors.UserError(
          f'{type(self).__name__} makes images given conditions, and here are '
          'none: give `conditions`, or take a command that works on pairs '
          '(--protocol=learned_priors_pairs; --kind=samples or '
          'reconstruction).')
    return self.kind.images.to_model(given, None, verb)

  def encode_mean(self, floats, training=False):
    # Where the finer means see a sample of the coarser scale, they see its mean
    # here: the same images have the same latents.
    size = tf.shape(floats['images'])[0]
    normal = tf.zeros([size, self.latent_dim], keras.config.floatx())
    return self.mean_and_sample(floats, normal, training)[0]

  def mean_and_sample(self, floats, normal, training=False):
    """Returns the means of q(z | x, y) and a sample, each float `[B, H]`.

    Args:
      floats: `{'images', 'conditions'}` in the model's value range.
      normal: float `[B, H]`, a sample of N(0, I). An encoder of three inputs is
        given it, since its finer means depend on the sample of the coarser
        scale.
      training: as for `encode_mean`.
    """
    given = [normal] if len(self.encoder.inputs) == 3 else []
    mean = self.encoder([floats['images'], floats['conditions'], *given],
                        training=training)
    # Unit-variance Gaussians, as in the VUNet authors' code.
    return mean, mean + normal

  def posterior(self, floats, training=False):
    """Returns `(mean, sigma)` of q(z | x, y), whose variance is 1.

    Args:
      floats: `{'images', 'conditions'}` in the model's value range.
      training: as for `encode_mean`, which says what the mean is where the
        finer scale follows the coarser one.
    """
    mean = self.encode_mean(floats, training)
    return mean, tf.ones_like(mean)

  def drawn(self, floats, normal):
    return self.mean_and_sample(floats, normal)[1]

  def start_from(self, batch):
    """Sets the weight-normalised layers by a batch; see `WeightNormConv2D`.

    `train` calls it once, with the first batch of a new run, of a model whose
    `data_start` is True; before Keras's own `fit` call it yourself.

    Args:
      batch: `{'images', 'conditions'}`, floats in the model's value range.
    """
    noise = self.draw_noise(batch, tf.constant(0, tf.int64), 'start')
    with weight_norm.set_by_data(self.encoder, self.decoder):
      # Without dropout, whose count is state.
      self.terms(batch, noise, training=False)

  # === Use: a pair is a dictionary, or two arrays ===

  def encode(self, images, conditions=None, value_range=None):
    """Returns latents `[B, H]` of images `[B, h, w, C]` given conditions.

    Args:
      images: uint8, or floats with their `value_range`; or a dictionary of
        `images` and `conditions`.
      conditions: the same, `[B, h, w, K]`; None beside a dictionary.
      value_range: `(low, high)` of both; None for uint8.
    """
    # Its own signature, since users of pairs often have two arrays.
    return super().encode(self._pairs(images, conditions), value_range)

  def reconstruct(self, images, conditions=None, value_range=None):
    """Returns uint8 images, encoded and decoded again; see `encode`."""
    pairs = self._pairs(images, conditions)
    latents = super().encode(pairs, value_range)

    def decode(latents, conditions):
      # Not by `decode`, which takes conditions as uint8 alone.
      floats = self.kind.images.to_model(conditions, value_range, 'reconstruct')
      return self.kind.to_users(batches.of_rows(self.render, latents, floats))

    return batches.in_batches(decode, latents, pairs['conditions'])

  def sample(self, n=None, seed=0, given=None):
    """Returns a new uint8 image for each condition `[n, h, w, K]`, uint8.

    The conditions are `given`, or the first argument.
    """
    # An array in the place of a number: `sample(conditions)` is the usual call.
    if given is None and np.ndim(n):
      n, given = None, n
    return super().sample(n, seed, given)

  def interpolate(self, start, end, steps, spherical=False, value_range=None):
    raise errors.UserError(
        f'{type(self).__name__} makes images given conditions, of which two '
        'images have two: encode them, and decode the latents between theirs '
        'with the conditions that you want.')

  def _pairs(self, images, conditions):
    if isinstance(images, dict):
      return images
    if conditions is None:
      # Raises: no conditions are given.
      self.condition(None)
    return {'images': images, 'conditions': conditions}

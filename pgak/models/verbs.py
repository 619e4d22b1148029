"""The verbs of a trained model: encode, decode, reconstruct, sample.

Users give and get examples of the model's kind, uint8 images or float32
vectors, and float32 latents. Arrays may be of any size: they are cut into
batches. A tensor in a graph is one call, so that an export's signatures trace
the same verbs.
"""
import keras
import numpy as np
import tensorflow as tf

from pgak import batches
from pgak import capabilities
from pgak import counts
from pgak import errors
from pgak import noise as noise_lib
from pgak.models import lines

__all__ = ['Encoding', 'Generation', 'checked_latents', 'drawn']

# Of a split read from the disk, whose examples are held beside their floats.
_READ = 500


def drawn(mean, sigma, normal):
  """Returns `mean + sigma * normal`, or `mean` where `sigma` is None."""
  return mean if sigma is None else mean + sigma * normal


def _lacking(verb):
  """Returns a method that says why a model without an encoder lacks it."""

  def method(self, *args, **kwargs):
    del args, kwargs
    self.require(verb, 'encode')

  return method


class Generation:
  """The verbs of every model: it has `decoder`, `prior` and `kind`.

  Images are uint8 `[B, h, w, C]`, or floats with their `value_range`, such as
  `(0., 1.)`: images that are taken for another range give wrong latents and no
  error. Vectors are floats `[B, D]`.
  """

  # === Capabilities ===

  @property
  def can(self):
    """Capabilities of the model and its kind of data: `pgak.capabilities`."""
    return self.kind.can | {'sample'}

  @property
  def has_encoder(self):
    """Whether the model gives latents of images; a GAN does not."""
    return 'encode' in self.can

  @property
  def is_stochastic(self):
    """Whether the encoder gives a Gaussian, `[mean, log_variance]`."""
    return False

  def lacks(self, *needs):
    """Returns why the model with its prior lacks one of `needs`, or ''."""
    return capabilities.lacks(needs, self._all_can, **self._named)

  def require(self, what, *needs):
    """Raises UserError if one of `needs`, of the request `what`, is lacking."""
    capabilities.require(what, needs, self._all_can, **self._named)

  @property
  def _all_can(self):
    return self.can | capabilities.of_prior(self.prior)

  @property
  def _named(self):
    return dict(model=self.name,
                prior=f'the prior {capabilities.label_of(self.prior)}',
                data=f'the {self.kind.name} of {self.name}')

  # === Latents to examples ===

  def to_model(self, examples, value_range=None, verb='encode'):
    """Returns examples as floats in the model's range.

    Args:
      examples: uint8 images; floats with their `value_range`; vectors; or a
        dictionary of such.
      value_range: `(low, high)` of the images, black and white; None for uint8.
      verb: string, the name of the caller, for the error.

    Raises:
      UserError: if images are not uint8 and no range is given, or if they lie
        outside it.
    """
    return self.kind.to_model(examples, value_range, verb)

  def render(self, latents, given=None, training=False):
    """Returns the decoder's outputs for latents, floats in the model's range.

    Args:
      latents: float `[B, H]`.
      given: floats `[B, ...]` that the images are conditioned on, or None.
      training: whether batch norm takes the batch's own statistics.
    """
    del given
    return self.decoder(latents, training=training)

  def draw_latents(self, n, seed=0, given=None):
    """Returns samples from the prior, float `[n, H]`, repeatable by seed.

    Args:
      n: int; None where something is given.
      seed: int.
      given: what they are conditioned on, floats `[n, ...]`, or labels `[n]` or
        attributes for a prior that can; or None.
    """
    if given is None:
      return self.prior.sample(n, seed)
    return self.prior.sample(n, seed, given)

  def decode(self, latents, given=None):
    """Returns uint8 images `[B, h, w, C]` of float latents `[B, H]`.

    Args:
      latents: float `[B, H]`.
      given: as many conditions, for a model of pairs, or None.

    Raises:
      UserError: if the latents have another shape, or if one of them is NaN or
        infinite; if conditions are needed and none are given, or not as many
        as there are latents.
    """
    latents = checked_latents(latents, self.latent_dim)
    given = self.condition(given, 'decode')
    require_equally_many(latents=latents, conditions=given)
    return batches.in_batches(
        lambda *x: self.kind.to_users(batches.of_rows(self.render, *x)),
        latents, *([] if given is None else [given]))

  def sample(self, n, seed=0, given=None):
    """Returns n new uint8 images `[n, h, w, C]`, repeatable by seed.

    Args:
      n: int; None, or their number, where something is given.
      seed: int.
      given: conditions `[n, ...]`, for a model of pairs; or, for a prior that
        takes them, labels `[n]` or attributes, `{name: 0 or 1}`.

    Raises:
      UserError: if n is no such number, see `counts.rows`; or if something is
        given that neither the model nor its prior takes.
    """
    if 'condition' in self.can:
      latents = self.draw_latents(n, seed, self.condition(given))
      return self.decode(latents, given)
    if given is None:
      counts.rows(n, self.image_shape)
    else:
      self.require('`sample` with what is given', 'condition')
    return self.decode(self.draw_latents(n, seed, given))

  encode = _lacking('encode')
  encode_mean = _lacking('encode')
  draw = _lacking('draw')
  reconstruct = _lacking('reconstruct')
  interpolate = _lacking('interpolate')
  encode_split = _lacking('the latents of images')

  def condition(self, given, verb='sample'):
    """Returns a user's conditions as floats; None for a model that takes none.

    Raises:
      UserError: if something is given to a model that takes nothing, or nothing
        to one that needs it.
    """
    if given is not None:
      # Asked of the model alone: what a prior takes is no condition.
      capabilities.require(f'`{verb}` with conditions', ['condition'], self.can,
                           **self._named)
    return None


class Encoding:
  """The verbs of a model that has an encoder, too."""

  @property
  def can(self):
    return super().can | {'encode'}

  # === The posterior ===

  def encode_mean(self, floats, training=False):
    """Returns the latents of floats in the model's range.

    Args:
      floats: float `[B, h, w, C]` in the model's value range, or `[B, D]`.
      training: whether batch norm takes the batch's own statistics.

    Returns:
      float `[B, H]`; a stochastic encoder's means.
    """
    outputs = self.encoder(floats, training=training)
    return outputs[0] if self.is_stochastic else outputs

  def gaussian(self, floats, training=False):
    """Returns the encoder's outputs `(mean, log_variance)`, each `[B, H]`.

    The log-variance of a deterministic encoder is None.
    """
    if not self.is_stochastic:
      return self.encode_mean(floats, training), None
    mean, log_variance = self.encoder(floats, training=training)
    return mean, log_variance

  def posterior(self, floats, training=False):
    """Returns q(z | x).

    Args:
      floats: as for `encode_mean`.
      training: as for `encode_mean`.

    Returns:
      `(mean, sigma)`, each float `[B, H]`; sigma, a standard deviation, is None
      where q(z | x) is a point. Noise that a model adds in training for other
      reasons, such as `latent_noise`, is not in it.
    """
    mean, log_variance = self.gaussian(floats, training)
    return mean, None if log_variance is None else tf.exp(0.5 * log_variance)

  def draw(self, examples, seed):
    """Samples latents of examples from the `posterior`.

    Args:
      examples: as for `encode`.
      seed: int, or int64 `[2]` as `pgak.noise.seed` makes it.

    Returns:
      float32 `[B, H]`.
    """
    if isinstance(seed, (int, np.integer)):
      seed = noise_lib.seed(seed, 0, 'posterior')
    first = (next(iter(examples.values())) if isinstance(examples, dict)
             else examples)
    # All at once, so that they do not depend on the batches.
    normal = noise_lib.normal([tf.shape(first)[0], self.latent_dim], seed,
                              tf.as_dtype(keras.config.floatx()))
    return _in_batches(lambda part, n: self.drawn(
        self.to_model(part, None, 'draw'), n), examples, normal)

  def drawn(self, floats, normal):
    """Returns samples of the `posterior`, made of samples of N(0, I).

    Args:
      floats: as for `encode_mean`.
      normal: float `[B, H]`.
    """
    return drawn(*self.posterior(floats), normal)

  # === Examples to latents ===

  def encode(self, examples, value_range=None):
    """Returns the latents of examples.

    Args:
      examples: uint8 `[B, h, w, C]`, or floats with their `value_range`; of a
        model of vectors float `[B, D]`; of one of pairs a dictionary of uint8
        `images` and `conditions`.
      value_range: `(low, high)` of float images; None for uint8.

    Returns:
      float32 `[B, H]`; a stochastic encoder's means.

    Raises:
      UserError: if images are not uint8 and no range is given, or if they lie
        outside it.
    """
    return self._encoded(examples, value_range, 'encode')

  def encode_split(self, array, positions=None, is_drawn=False):
    """Returns the latents of a split, read from the disk in batches.

    Args:
      array: a split of a data set, such as `data.ImageArray`.
      positions: integers `[N]`, which of its examples; None for all.
      is_drawn: whether to draw from the posterior instead of taking its mean.

    Returns:
      float32 array `[N, H]`.
    """

    @tf.function(reduce_retracing=True)
    def encode(batch, first):
      if is_drawn:
        return self.draw(batch, noise_lib.seed(0, first, 'density'))
      return self.encode(batch)

    read = getattr(array, 'examples', array.read)
    positions = np.arange(len(array)) if positions is None else positions
    return np.concatenate([
        encode(read(positions[i:i + _READ]), tf.constant(i))
        for i in range(0, len(positions), _READ)])

  def reconstruct(self, examples, value_range=None):
    """Returns uint8 images, encoded and decoded again; see `encode`."""
    latents = self._encoded(examples, value_range, 'reconstruct')
    return self.decode(latents)

  def interpolate(self, start, end, steps, spherical=False, value_range=None):
    """Decodes points between the latents of pairs of examples.

    Args:
      start: B examples, as for `encode`.
      end: as many others.
      steps: int of at least 2, points on each line, both ends included.
      spherical: whether a line is an arc; see `lines.between`.
      value_range: as for `encode`.

    Returns:
      uint8 `[B, steps, h, w, C]`, from the reconstruction of `start` to that of
      `end`.

    Raises:
      UserError: as `encode` does, if there are not as many starts as ends, or
        if steps is no such number; see `counts.rows`.
    """
    sizes = [batches.size_of(x) for x in (start, end)]
    if None not in sizes and sizes[0] != sizes[1]:
      raise errors.UserError(
          '`interpolate` wants as many starts as ends, but has '
          f'{sizes[0]} and {sizes[1]}.')
    line = [max(sizes[0] or 1, 1), *self.image_shape]  # One step of all lines.
    steps = counts.rows(steps, line, 'steps', least=2)  # Bounds the memory.
    latents = lines.between(
        *(self._encoded(x, value_range, 'interpolate') for x in (start, end)),
        steps, spherical)
    images = self.decode(tf.reshape(latents, [-1, latents.shape[-1]]))
    return tf.reshape(
        images, [tf.shape(latents)[0], steps, *self.image_shape])

  def _encoded(self, examples, value_range, verb):
    """Returns the latents of a user's examples."""

    def encode(part):
      floats = self.to_model(part, value_range, verb)
      leaves = tf.nest.flatten(floats)  # `batches` takes tensors.
      return batches.of_rows(
          lambda *x: self.encode_mean(tf.nest.pack_sequence_as(floats, x)),
          *leaves)

    return _in_batches(encode, examples)


def _in_batches(function, examples, *arrays):
  """`batches.in_batches`, of examples that may be a dictionary of arrays."""
  if not isinstance(examples, dict):
    return batches.in_batches(function, examples, *arrays)
  require_equally_many(**examples)
  names = list(examples)
  return batches.in_batches(
      lambda *x: function(dict(zip(names, x)), *x[len(names):]),
      *examples.values(), *arrays)


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


def require_equally_many(**named):
  """Raises UserError unless all arrays that are not None are equally many."""
  sizes = {name: batches.size_of(x)
           for name, x in named.items() if x is not None}
  known = [size for size in sizes.values() if size is not None]
  if len(set(known)) > 1:
    raise errors.UserError(
        f'{" and ".join(f"`{n}`" for n in sizes)} must be equally many, but '
        f'are {" and ".join(map(str, sizes.values()))}.')

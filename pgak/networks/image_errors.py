"""Errors of reconstructions in the place of the squared error of pixels.

A model takes any function of images and reconstructions, float `[B, h, w, C]`,
to one number an image, `[B]`: `train.image_error = @HuberError()`. `MixedError`
adds some of them with weights.

#### References

[1]: Zhou Wang, Alan C. Bovik, Hamid R. Sheikh, Eero P. Simoncelli. Image
     Quality Assessment: From Error Visibility to Structural Similarity. IEEE
     Transactions on Image Processing, 2004.
[2]: Nicolas Bonneel, Julien Rabin, Gabriel Peyre, Hanspeter Pfister. Sliced and
     Radon Wasserstein Barycenters of Measures. Journal of Mathematical Imaging
     and Vision, 2015.
"""
import keras
import numpy as np
import tensorflow as tf

from pgak import errors
from pgak import losses
from pgak import settings

__all__ = ['AbsoluteError', 'HuberError', 'MixedError', 'PatchError',
           'SSIMError', 'SquaredError']


class ImageError:
  """Base class of the errors that are made of settings.

  Attributes:
    value_range: `(low, high)` of the images; None until a model gives its own.
  """

  # Names of the constructor's arguments.
  arguments = ()
  value_range = None

  def __init__(self):
    self.value_range = None

  def get_config(self):
    """Returns the arguments and the range, as Keras's files keep them."""
    return {n: getattr(self, n) for n in (*self.arguments, 'value_range')}

  @classmethod
  def from_config(cls, config):
    config = dict(config)
    value_range = config.pop('value_range', None)
    made = cls(**config)
    made.value_range = value_range and tuple(value_range)
    return made

  def _width(self):
    """Returns the width of the value range; 1 where there is none (vectors)."""
    low, high = self.value_range or (0., 1.)
    return high - low


def _mean(values):
  return tf.reduce_mean(values, list(range(1, values.shape.rank)))


def _registered(error):
  return keras.saving.register_keras_serializable('pgak')(
      settings.register(error))


@_registered
class SquaredError(ImageError):
  """`mean{ (x'[i] - x[i])**2 : i }`, a model's own error; for `MixedError`."""

  def __init__(self):
    super().__init__()

  def __call__(self, images, reconstructed):
    return losses.reconstruction(images, reconstructed)


@_registered
class AbsoluteError(ImageError):
  """`mean{ |x'[i] - x[i]| : i }`, L1: an edge costs no more than it must."""

  def __init__(self):
    super().__init__()

  def __call__(self, images, reconstructed):
    return losses.absolute_error(images, reconstructed)


@_registered
class HuberError(ImageError):
  """Squared where it is small, absolute where it is large.

  With `d = x'[i] - x[i]` in units of the value range's width and the width w

  ```none
  w^2 mean{ d^2 where |d| <= delta, 2 delta |d| - delta^2 elsewhere }
  ```

  so that small differences weigh as in the squared error.

  Args:
    delta: where it changes, as a share of the value range.
  """

  arguments = ('delta',)

  def __init__(self, delta: settings.Positive = 0.1):
    super().__init__()
    self.delta = delta

  def __call__(self, images, reconstructed):
    width = self._width()
    size = tf.abs(reconstructed - images) / width
    small = tf.minimum(size, self.delta)
    # Of the whole size it is small^2 + 2 delta (size - small).
    return width**2 * _mean(tf.square(small)
                            + 2. * self.delta * (size - small))


@_registered
class SSIMError(ImageError):
  """`1 - SSIM`, structural similarity [1] over Gaussian windows, 0 to 2.

  Args:
    window: side of the windows in pixels, 11 in [1]; smaller images need a
      smaller one.
    sigma: standard deviation of the windows' weights in pixels.
  """

  arguments = ('window', 'sigma')

  def __init__(self, window: settings.Count = 7,
               sigma: settings.Positive = 1.5):
    super().__init__()
    self.window = window
    self.sigma = sigma

  def __call__(self, images, reconstructed):
    _require_images('SSIMError', images, self.window)
    found = tf.image.ssim(
        tf.cast(images, tf.float32), tf.cast(reconstructed, tf.float32),
        self._width(), filter_size=self.window, filter_sigma=self.sigma)
    return tf.cast(1. - found, reconstructed.dtype)


@_registered
class PatchError(ImageError):
  """Sliced Wasserstein distance [2] between the patches of two images.

  All patches of `size x size` of an image and of its reconstruction are
  projected on the same fixed directions; along each, both are sorted and
  compared:

  ```none
  mean{ (sort(P'_k) - sort(P_k))^2 : directions k, positions }
  ```

  Where a patch stands does not matter. So it asks for textures and edges in the
  right number, which a squared error gives up where their place is uncertain.
  It does not see the image as a whole: mix it with another error. On a CPU
  sorting takes several times as long as a step of a small net, and longer the
  more pixels an image has; in proportion to the directions.

  Args:
    size: side of the patches in pixels.
    directions: number of random directions of unit length, drawn once.
    seed: int that decides them.
  """

  arguments = ('size', 'directions', 'seed')

  def __init__(self, size: settings.Count = 5,
               directions: settings.Count = 32, seed: settings.Seed = 0):
    super().__init__()
    self.size = size
    self.directions = directions
    self.seed = seed

  def _kernel(self, channels):
    """The directions as a convolution's kernel, `[size, size, C, K]`."""
    drawn = np.random.default_rng(self.seed).normal(
        size=(self.size, self.size, channels, self.directions))
    lengths = np.sqrt(np.square(drawn).sum((0, 1, 2)))
    return tf.constant(drawn / lengths, tf.float32)

  def __call__(self, images, reconstructed):
    _require_images('PatchError', images, self.size)
    kernel = self._kernel(images.shape[-1])

    def projected(x):
      found = tf.nn.conv2d(tf.cast(x, tf.float32), kernel, 1, 'VALID')
      found = tf.reshape(found, [
          -1, found.shape[1] * found.shape[2], self.directions])
      # The values of one direction, in order: [B, directions, positions].
      return tf.sort(tf.transpose(found, [0, 2, 1]), -1)

    error = _mean(tf.math.squared_difference(
        projected(images), projected(reconstructed)))
    return tf.cast(error, reconstructed.dtype)


@_registered
class MixedError(ImageError):
  """`sum{ weights[i] terms[i] : i }`.

  ```python
  train.image_error = @MixedError()
  MixedError.terms = (@SquaredError(), @PatchError())
  MixedError.weights = (1., 0.3)
  ```

  Args:
    terms: functions of images and reconstructions.
    weights: one number each; by default 1.

  Raises:
    UserError: if there are not as many weights as terms.
  """

  def __init__(self, terms: tuple[settings.called('@SquaredError()', 2), ...],
               weights: tuple[settings.NonNegative, ...] | None = None):
    # The setter below gives its terms a range, and there are none yet.
    self.terms = ()
    super().__init__()
    self.terms = tuple(terms)
    self.weights = tuple(weights or [1.] * len(self.terms))
    if len(self.weights) != len(self.terms):
      raise errors.UserError(
          f'MixedError has {len(self.terms)} terms but {len(self.weights)} '
          'weights: give one per term.')

  @property
  def value_range(self):
    return self._value_range

  @value_range.setter
  def value_range(self, value_range):
    """Gives the range to all terms that have none of their own."""
    self._value_range = value_range
    for term in self.terms:
      if getattr(term, 'value_range', value_range) is None:
        term.value_range = value_range

  def __call__(self, images, reconstructed):
    return tf.add_n([weight * term(images, reconstructed)
                     for weight, term in zip(self.weights, self.terms)])

  def get_config(self):
    return {'terms': [keras.saving.serialize_keras_object(t)
                      for t in self.terms], 'weights': list(self.weights),
            'value_range': self.value_range}

  @classmethod
  def from_config(cls, config):
    terms = map(keras.saving.deserialize_keras_object, config['terms'])
    return super().from_config(config | {
        'terms': tuple(terms), 'weights': tuple(config['weights'])})


def _require_images(name, images, smallest):
  if images.shape.rank != 4:
    raise errors.UserError(
        f'{name} compares images, and these are vectors of {images.shape[-1]} '
        'numbers: leave train.image_error out.')
  if min(images.shape[1:3]) < smallest:
    raise errors.UserError(
        f'{name} looks at {smallest}x{smallest} pixels at once, more than '
        f'these images of {images.shape[1]}x{images.shape[2]} have: lower its '
        f'{"window" if name == "SSIMError" else "size"}.')

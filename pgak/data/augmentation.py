"""Random changes of the training images, repeatable by the step.

The changes are those of keras-cv's layers, applied by its `Augmenter`. Left to
themselves, these layers draw from generators that keep a state (most of them
from a `tf.random.Generator`, brightness and contrast from `tf.random.uniform`
with a global seed), so that a run that is resumed, or whose input is read by
two threads, would not repeat. Here every generator of every layer is replaced
by one stand-in whose numbers are a function of a seed that is handed in with
each batch: the layers keep no state at all, the n-th draw of a step is always
the same, and batches may be made in any order.
"""
import tensorflow as tf

from pgak import errors
from pgak import noise
from pgak import settings

__all__ = ['Augmentation', 'augmenter']


@settings.register
def augmenter(horizontal_flip: bool = True, translation: settings.Fraction = 0.,
              rotation: settings.Fraction = 0., zoom: settings.Fraction = 0.,
              brightness: settings.Fraction = 0.,
              contrast: settings.Fraction = 0.):
  """Makes the function that changes a training batch; all but the flip is off.

  Call it outside of `tf.function` and outside of a strategy's scope.

  Args:
    horizontal_flip: whether half of the images are mirrored.
    translation: largest shift, as a share of the height and of the width.
    rotation: largest angle either way, as a share of a full turn.
    zoom: largest change of size, as a share.
    brightness: largest shift of the grey levels, as a share of 255.
    contrast: largest change of the distance from the mean grey level, as a
      share.

  Returns:
    An `Augmentation`. Pixels that move in from outside repeat the edge.

  Raises:
    UserError: if a share is outside of [0, 1], or if nothing is asked for.
  """
  shares = dict(translation=translation, rotation=rotation, zoom=zoom,
                brightness=brightness, contrast=contrast)
  if not horizontal_flip and not any(shares.values()):
    raise errors.UserError(
        'The augmenter changes nothing; set one of '
        f'augmenter.horizontal_flip, {", ".join(shares)}, or leave it out.')
  return Augmentation(_layers(horizontal_flip, **shares))


def _layers(horizontal_flip, translation, rotation, zoom, brightness,
            contrast):
  # Imported late: it takes a second, and most runs do without it.
  from keras_cv import layers
  # The global policy may be bfloat16, which does not hold 256 grey levels.
  edge = dict(fill_mode='nearest', dtype='float32')
  grey = dict(value_range=(0., 255.), dtype='float32')
  chosen = [
      (horizontal_flip, lambda: layers.RandomFlip(dtype='float32')),
      (translation, lambda: layers.RandomTranslation(
          translation, translation, **edge)),
      (rotation, lambda: layers.RandomRotation(rotation, **edge)),
      (zoom, lambda: layers.RandomZoom(zoom, **edge)),
      (brightness, lambda: layers.RandomBrightness(brightness, **grey)),
      (contrast, lambda: layers.RandomContrast(factor=contrast, **grey))]
  return [make() for wanted, make in chosen if wanted]


class Augmentation:
  """keras-cv layers whose draws are a function of the seed of each call.

  Args:
    layers: list of keras-cv layers that draw with `_random_generator.uniform`
      or with a uniform factor sampler named `factor`.

  Example:

  ```python
  change = data.augmenter(horizontal_flip=True)
  changed = change(images, noise.seed(run_seed, step, 'augmentation'))
  ```
  """

  def __init__(self, layers):
    from keras_cv import layers as keras_cv_layers
    self._draws = _Draws()
    for layer in layers:
      layer._random_generator = self._draws  # pylint: disable=protected-access
      sampler = getattr(layer, 'factor', None)
      if callable(sampler):
        layer.factor = self._draws.sampler(sampler.lower, sampler.upper)
    self._augmenter = keras_cv_layers.Augmenter(layers)

  def __call__(self, images, seed):
    """Changes images; the same images and seed give the same result.

    Args:
      images: float32 tensor `[B, h, w, c]` in [0, 255].
      seed: int64 tensor `[2]`, as `noise.seed` makes it.

    Returns:
      float32 tensor of the same shape and range.
    """
    self._draws.restart(seed)
    changed = self._augmenter(images)
    return tf.clip_by_value(tf.ensure_shape(changed, images.shape), 0., 255.)


class _Draws:
  """Uniform numbers by the name of their place: (seed, how many came before).

  It has the one method of `tf.random.Generator` that the layers call. The count
  lives in Python, so that in a graph each draw is a fixed op with its own seed.
  """

  def restart(self, seed):
    self._seed = seed
    self._count = 0

  def uniform(self, shape, minval=0., maxval=1., dtype=tf.float32):
    self._count += 1
    # Steps never reach 2^48, so that two draws never share a seed.
    place = tf.constant([0, self._count << 48], tf.int64)
    draw = noise.uniform(shape, tf.bitwise.bitwise_xor(self._seed, place))
    return tf.cast(minval + (maxval - minval) * draw, dtype)

  def sampler(self, low, high):
    return lambda shape=(), dtype=tf.float32: self.uniform(
        shape, low, high, dtype)

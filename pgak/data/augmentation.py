"""Random changes of the training images, repeatable by the step.

The changes are those of keras-cv's layers. By themselves these layers draw from
generators with a state, so that a run that is resumed, or whose input is read
by two threads, would not repeat. Here the random numbers are a function of a
seed that comes with each batch, and the layers' `augment_images` applies them.
So the n-th number of a step is always the same, and batches may be made in any
order.
"""
import itertools
import math

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
  """Makes a function that augments a training batch; by default it only flips.

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
  return Augmentation(_changes(horizontal_flip, **shares))


def _changes(horizontal_flip, translation, rotation, zoom, brightness,
             contrast):
  """Returns `(layer, draw)` of each change that is wanted.

  `draw(uniform, n)` makes what the layer's `augment_images` takes for n images,
  of numbers `uniform(shape, low, high)`.
  """
  # Imported late: it takes a second, and most runs do without it.
  from keras_cv import layers
  # The global policy may be bfloat16, which does not hold 256 grey levels.
  edge = dict(fill_mode='nearest', dtype='float32')
  grey = dict(value_range=(0., 255.), dtype='float32')
  turn = 2. * math.pi * rotation
  changes = []
  if horizontal_flip:
    changes.append((layers.RandomFlip(dtype='float32'), lambda uniform, n: {
        'flip_horizontals': uniform([n, 1], 0., 1.),
        # keras-cv flips above 1/2: never.
        'flip_verticals': tf.zeros([n, 1])}))
  if translation:
    changes.append((
        layers.RandomTranslation(translation, translation, **edge),
        lambda uniform, n: {
            f'{way}_translations': uniform([n, 1], -translation, translation)
            for way in ('height', 'width')}))
  if rotation:
    changes.append((layers.RandomRotation(rotation, **edge),
                    lambda uniform, n: {'angles': uniform([n], -turn, turn)}))
  if zoom:
    changes.append((
        layers.RandomZoom(zoom, **edge), lambda uniform, n: dict.fromkeys(
            # One factor for both, so that shapes keep their proportions.
            ('height_zooms', 'width_zooms'),
            uniform([n, 1], 1. - zoom, 1. + zoom))))  # [n, 1]
  if brightness:
    changes.append((
        layers.RandomBrightness(brightness, **grey), lambda uniform, n:
        255. * uniform([n, 1, 1, 1], -brightness, brightness)))
  if contrast:
    changes.append((
        layers.RandomContrast(factor=contrast, **grey), lambda uniform, n:
        uniform([n, 1, 1, 1], 1. - contrast, 1. + contrast)))
  return changes


class Augmentation:
  """keras-cv's layers, with random numbers that depend on each call's seed.

  Args:
    changes: list of `(layer, draw)`: a keras-cv layer that changes images by
      its `augment_images(images, transformations)`, and a function
      `draw(uniform, n)` that makes its transformations of n images, where
      `uniform(shape, low, high)` makes uniform numbers.

  Example:

  ```python
  change = data.augmenter(horizontal_flip=True)
  changed = change(images, noise.seed(run_seed, step, 'augmentation'))
  ```
  """

  def __init__(self, changes):
    self._changes = changes

  def __call__(self, images, seed):
    """Changes images; the same images and seed give the same result.

    Args:
      images: float32 tensor `[B, h, w, c]` in [0, 255].
      seed: int64 tensor `[2]`, as `noise.seed` makes it.

    Returns:
      float32 tensor of the same shape and range.
    """
    # Counted per call: the n-th number of a batch has the n-th place.
    places = itertools.count(1)

    def uniform(shape, low, high):
      # Steps never reach 2^48, so that two draws never share a seed.
      place = tf.constant([0, next(places) << 48], tf.int64)
      draw = noise.uniform(shape, tf.bitwise.bitwise_xor(seed, place))
      return low + (high - low) * draw

    changed = images
    for layer, draw in self._changes:
      changed = layer.augment_images(
          images=changed, transformations=draw(uniform, tf.shape(images)[0]))
    # Brightness and contrast go beyond black and white.
    return tf.clip_by_value(tf.ensure_shape(changed, images.shape), 0., 255.)

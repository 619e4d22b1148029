"""A small classifier of a data set, trained once, whose features we compare.

It is quick and knows the data set, where Inception knows photographs of 299
pixels; so its distance is named after it and is no FID.
"""
import hashlib
import math
import warnings

import gin
import keras
import numpy as np
import tensorflow as tf

from pgak import batches
from pgak import errors
from pgak import settings
from pgak.metrics import features
from pgak.metrics import fitted_nets

__all__ = ['build', 'classifier', 'has_classes', 'of_data_set',
           'require_labels']

# Part of the cache's key: another training procedure needs another number, or
# old weights would be restored.
_VERSION = 1
# MNIST's whole training split; of larger sets so many do, and fit into memory.
_MAX_TRAINING_IMAGES = 60000
_MAX_TRAINING_BYTES = 3 << 30  # As many images of 128 x 128 x 3.
# Of labels below it each has a logit, with or without training images. Further
# ones with gaps, such as dates, are numbered.
_MAX_LABEL = 1000


def build(image_shape, num_classes, filters=32, size=64, seed=0):
  """Builds the classifier.

  Args:
    image_shape: `(H, W, C)`.
    num_classes: int.
    filters: filters of the first of three convolutions.
    size: units of the penultimate layer, the number of features.
    seed: int, decides the first weights.

  Returns:
    A functional `keras.Model` from float32 `[B, H, W, C]` in `[-1, 1]` to
    `[features, logits]`, float32 `[B, size]` and `[B, num_classes]`.
  """
  # float32 whatever the model's precision, on which no score may depend.
  options = dict(activation='relu', dtype='float32')

  def initializer(layer):
    return fitted_nets.initializer(seed, layer)

  inputs = keras.Input(image_shape, dtype='float32')
  x = inputs
  for i, (width, strides) in enumerate(((1, 1), (2, 2), (2, 2))):
    x = keras.layers.Conv2D(
        width * filters, 3, strides, 'same', kernel_initializer=initializer(i),
        **options)(x)
  x = keras.layers.Flatten(dtype='float32')(x)
  x = keras.layers.Dense(
      size, kernel_initializer=initializer(3), **options)(x)
  logits = keras.layers.Dense(
      num_classes, kernel_initializer=initializer(4), dtype='float32')(x)
  return keras.Model(inputs, [x, logits])


def _cross_entropy(labels, outputs):
  _, logits = outputs
  return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(
      labels=labels, logits=logits))


def _batches(images, labels, steps, batch_size, seed):
  generator = np.random.default_rng(seed)
  for _ in range(steps):
    chosen = generator.integers(0, len(images), batch_size)
    yield images[chosen], labels[chosen]


def _accuracy(network, images, labels):
  # Enough for a warning, and it costs no pass over all images.
  images, labels = images[:5000], labels[:5000]
  logits = np.concatenate([
      network(fitted_nets.preprocess(images[i:i + 500]), training=False)[1]
      for i in range(0, len(images), 500)])
  return float((logits.argmax(-1) == labels).mean())


def has_classes(labels):
  """Returns whether labels, or None, are integers of two classes or more."""
  labels = np.asarray(labels)
  return (labels.ndim == 1 and labels.dtype.kind in 'iu'
          and len(np.unique(labels)) > 1)


def require_labels(name, labels):
  """Returns labels as an array, if there are two classes or more.

  Args:
    name: string, the data set.
    labels: integers `[N]`, or None.

  Raises:
    UserError: if there are none.
  """
  if not has_classes(labels):
    raise errors.UnavailableError(
        f'The data set {name} has no class labels, so there is no classifier '
        'to measure it with; take a protocol with Inception features, such as '
        'fid768_test.')
  return np.asarray(labels)


def _hash(*arrays):
  digest = hashlib.sha256()
  for array in arrays:
    # Equal bytes of another shape or type are other data.
    digest.update(f'{array.dtype} {array.shape}'.encode())
    digest.update(np.ascontiguousarray(array))
  return digest.hexdigest()[:16]


def of_data_set(dataset):
  """Makes the features of the classifier of a data set's training images.

  Args:
    dataset: a `data.Dataset`.

  Returns:
    A `features.FeatureNet`, made by `classifier` with gin's settings.

  Raises:
    UserError: if the data set has no class labels.
  """
  train = dataset.split('train')
  labels = require_labels(dataset.name, train.labels)
  chosen = _chosen(labels, train.image_shape)
  return gin.get_configurable(classifier)(
      dataset.name, train.read(chosen), labels[chosen])


def _chosen(labels, image_shape):
  """Returns the positions of the images that a classifier is trained on."""
  # The first, as scores were made so far; but an own folder is read class by
  # class, and they may lack some.
  first = np.arange(min(len(labels), _MAX_TRAINING_IMAGES,
                        _MAX_TRAINING_BYTES // math.prod(image_shape)))
  if len(np.unique(labels[first])) == len(np.unique(labels)):
    return first
  return batches.positions(len(labels), len(first))


def _numbered(labels):
  """Returns the classes, `[K]`, if they are numbered; None if labels are."""
  classes = np.unique(labels)
  usual = 0 <= classes[0] and classes[-1] < max(_MAX_LABEL, 2 * len(classes))
  return None if usual else classes


@settings.register(denylist=['name', 'images', 'labels'])
def classifier(name, images, labels, steps: settings.Whole = 500,
               batch_size: settings.Count = 128, filters: settings.Count = 32,
               size: settings.Count = 64, seed: settings.Seed = 0):
  """Makes the features of a classifier of a data set, trained at most once.

  The weights are kept in the cache under the content of the data and all
  settings.

  Args:
    name: string, the data set.
    images: uint8 `[N, H, W, C]`, its training images.
    labels: integers `[N]`, their classes.
    steps: train steps.
    batch_size: images in a train step.
    filters: filters of the first convolution.
    size: number of features, the units of the penultimate layer.
    seed: int, decides the first weights and the batches.

  Returns:
    A `features.FeatureNet` for uint8 images of that shape; its metric is
    `frechet_<name>_classifier`.

  Raises:
    UserError: if the data set has no class labels.
  """
  labels = require_labels(name, labels)  # [N]
  classes = _numbered(labels)
  places = (labels if classes is None else np.searchsorted(classes, labels)
            ).astype(np.int32)
  num_classes = int(places.max()) + 1
  labels = labels.astype(np.int32)
  choices = dict(
      version=_VERSION, name=name, data=_hash(images, labels), steps=steps,
      batch_size=batch_size, filters=filters, size=size, seed=seed)
  kept = fitted_nets.Kept(name, choices)
  network = build(images.shape[1:], num_classes, filters, size, seed)
  if not kept.restore(network):
    fitted_nets.descend(network, keras.optimizers.Adam(1e-3), _cross_entropy,
                        _batches(images, places, steps, batch_size, seed))
    accuracy = _accuracy(network, images, places)
    if accuracy < 0.5:
      warnings.warn(
          f'The classifier of {name} has an accuracy of only {accuracy:.0%} on '
          'its own training images; raise classifier.steps before you trust '
          'its distance.')
    kept.save(network, training_accuracy=accuracy)
  return features.FeatureNet(
      # Only the features leave the net; class probabilities are made of them by
      # the head.
      keras.Model(network.inputs, network.outputs[0]), fitted_nets.preprocess,
      name=f'{name}_classifier', metric=f'frechet_{name}_classifier',
      resize='none', batch_size=500, head=network.layers[-1].get_weights(),
      classes=classes)

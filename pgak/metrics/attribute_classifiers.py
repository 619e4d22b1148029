"""A small classifier of the binary attributes of a data set, trained once."""
import hashlib
import warnings

import keras
import numpy as np
import tensorflow as tf

from pgak import errors
from pgak import settings
from pgak.metrics import features
from pgak.metrics import fitted_nets

__all__ = ['AttributeClassifiers', 'attribute_classifiers', 'batches_of',
           'build', 'cross_entropy', 'hash_of', 'judged', 'require_both']

# Part of the cache's key: another training procedure needs another number, or
# old weights would be restored.
_VERSION = 1
_BATCH = 500
_FEWEST_LAYERS = 2
_SMALLEST_SIDE = 7


def build(image_shape, num_attributes, filters=16, dropout=0.5, seed=0):
  """Builds the net: convolutions of stride 2, and one logit an attribute.

  Args:
    image_shape: `(H, W, C)`.
    num_attributes: int A.
    filters: filters of the first convolution; each other one has twice as many
      as the one before; there are two or more, until the images are 7 pixels
      wide or less.
    dropout: share of the last features that a train step leaves out.
    seed: int, decides the first weights.

  Returns:
    A functional `keras.Model` from float32 `[B, H, W, C]` in `[-1, 1]` to
    logits, float32 `[B, A]`.
  """
  # A score must not depend on the precision that the model is trained in.
  options = dict(dtype='float32')
  x = inputs = keras.Input(image_shape, **options)
  layer = 0
  while layer < _FEWEST_LAYERS or max(x.shape[1:3]) > _SMALLEST_SIDE:
    x = keras.layers.Conv2D(
        # Without a bias: batch norm adds one.
        filters << layer, 3, 2, 'same', use_bias=False,
        kernel_initializer=fitted_nets.initializer(seed, layer), **options)(x)
    x = keras.layers.BatchNormalization(momentum=0.9, **options)(x)
    x = keras.layers.ReLU(**options)(x)
    layer += 1
  x = keras.layers.Flatten(**options)(x)
  x = keras.layers.Dropout(dropout, seed=seed, **options)(x)
  x = keras.layers.Dense(
      num_attributes, kernel_initializer=fitted_nets.initializer(seed, layer),
      **options)(x)
  return keras.Model(inputs, x)


class AttributeClassifiers:
  """Trained classifiers of binary attributes, and how good they are.

  Attributes:
    name: string, the data set, the number of attributes and a hash of all that
      decides the training.
    names: tuple of A strings.
    accuracy: float64 `[A]`, shares of held-out images that are classified
      correctly.
    majority: float64 `[A]`, the accuracy of always predicting the majority
      class; a classifier not above its own has learned nothing.
  """

  def __init__(self, network, name, names, accuracy, majority):
    self.name = name
    self.names = tuple(names)
    self.accuracy = np.asarray(accuracy, np.float64)
    self.majority = np.asarray(majority, np.float64)
    self._net = features.FeatureNet(
        network, fitted_nets.preprocess, name, 'none', 'none',
        batch_size=_BATCH)

  def logits(self, batches):
    """Returns float32 `[N, A]`; an image has an attribute if it is above 0.

    Args:
      batches: iterable of uint8 `[b, H, W, C]`.
    """
    return np.concatenate(list(self._net(batches)))


@settings.register(denylist=['name', 'names', 'train', 'masks', 'held_out',
                        'held_out_masks'])
def attribute_classifiers(name, names, train, masks, held_out, held_out_masks,
                          *, steps: settings.Whole = 1000,
                          batch_size: settings.Count = 128,
                          filters: settings.Count = 16,
                          dropout: settings.Decay = 0.5, flip: bool = True,
                          seed: settings.Seed = 0):
  """Makes classifiers of the attributes of a data set, trained at most once.

  One net has a logit for each. AdamW descends the mean cross-entropy of the
  attributes, with half a cosine down to 0 from 1e-3. The weights are kept in
  the cache under the content of the data and all settings.

  Args:
    name: string, the data set.
    names: A strings, the attributes.
    train: the `data.ImageArray` to train on, N images.
    masks: boolean `[N, A]`, which of them have each attribute.
    held_out: the `data.ImageArray` that accuracy is measured on, M images.
    held_out_masks: boolean `[M, A]`.
    steps: train steps.
    batch_size: images in a train step.
    filters: filters of the first convolution.
    dropout: share of the last features that a train step leaves out.
    flip: whether a train step flips half of its images left to right; False
      suits digits better.
    seed: int, decides the first weights, the batches and the flips.

  Returns:
    An `AttributeClassifiers`.

  Raises:
    UserError: if the training images all have an attribute, or none has.
  """
  require_both(name, names, masks)
  options = dict(steps=steps, batch_size=batch_size, filters=filters,
                  dropout=dropout, flip=flip, seed=seed)
  choices = dict(
      version=_VERSION, name=name, names=list(names), data=train.fingerprint,
      masks=hash_of(masks), held_out=held_out.fingerprint, **options)
  kept = fitted_nets.Kept(name, choices)
  network = build(train.image_shape, len(names), filters, dropout, seed)
  if kept.restore(network) is None:
    _train(network, train, masks, options)
    kept.save(network)
  return judged(network, f'{name}_attributes{len(names)}_{kept.key[:8]}', names,
                held_out, held_out_masks)


def judged(network, name, names, held_out, held_out_masks,
           function='attribute_classifiers'):
  """Returns classifiers with their accuracy; warns where they learned nothing.

  Args:
    network: `keras.Model` of what `fitted_nets.preprocess` returns to logits
      `[B, A]`.
    name: string, the features' name in scores.
    names: A strings, the attributes.
    held_out: the `data.ImageArray` to judge by, M images.
    held_out_masks: boolean `[M, A]`.
    function: name of the function whose steps a warning says to raise.

  Returns:
    `AttributeClassifiers`.
  """
  majority = np.maximum(held_out_masks.mean(0), 1. - held_out_masks.mean(0))
  unjudged = AttributeClassifiers(network, name, names, majority, majority)
  accuracy = _accuracy(unjudged, held_out, held_out_masks)
  _warn(name, accuracy, majority, function)
  return AttributeClassifiers(network, name, names, accuracy, majority)


def require_both(name, names, masks):
  for attribute, column in zip(names, masks.T):
    if column.all() or not column.any():
      raise errors.UserError(
          f'{"All" if column.any() else "None"} of the training images of '
          f'{name} have the attribute {attribute}, so no classifier can learn '
          'it; leave it out of attribute_net.attributes.')


def _warn(name, accuracy, majority, function):
  # Many attributes of CelebA are rare, so a high accuracy alone shows nothing.
  if accuracy.mean() <= majority.mean():
    warnings.warn(
        f'The attribute classifiers {name} are right for {accuracy.mean():.1%} '
        f'of held-out images, and the majority class for '
        f'{majority.mean():.1%}; raise {function}.steps before you trust '
        'them.')


def _train(network, train, masks, options):
  """Descends the cross-entropy; the order is a function of the seed."""
  rate = keras.optimizers.schedules.CosineDecay(1e-3, max(options['steps'], 1))
  fitted_nets.descend(
      network, keras.optimizers.AdamW(rate, weight_decay=1e-2), cross_entropy,
      batches_of(train, masks, options))


def cross_entropy(targets, logits):
  return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(
      labels=targets, logits=logits))


def batches_of(train, masks, options):
  generator = np.random.default_rng(options['seed'])
  for _ in range(options['steps']):
    chosen = generator.integers(0, len(train), options['batch_size'])
    images = train.read(chosen)  # uint8 [B, H, W, C]
    if options['flip']:
      flipped = generator.random(len(chosen)) < 0.5  # [B]
      images = np.where(
          flipped[:, None, None, None], images[:, :, ::-1], images)
    yield images, masks[chosen].astype(np.float32)


def _accuracy(classifiers, held_out, masks):
  batches = (held_out.read(np.arange(i, min(i + _BATCH, len(held_out))))
             for i in range(0, len(held_out), _BATCH))
  # A logit of 0 is a probability of 1/2.
  return ((classifiers.logits(batches) > 0.) == masks).mean(0)


def hash_of(masks):
  """Returns 16 hexadecimal digits of boolean masks of any shape."""
  packed = np.packbits(masks).tobytes()
  return hashlib.sha256(f'{masks.shape}'.encode() + packed).hexdigest()[:16]

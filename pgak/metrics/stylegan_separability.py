"""Linear separability by the procedure of StyleGAN, as far as it is published.

It differs from `attribute_separability`, pgak's small form: the latents are not
standardised, and each attribute has a classifier of its own, a net as deep as a
discriminator at the images' size. 40 of them at 128x128 need a GPU.

#### References

[1]: Tero Karras, Samuli Laine, Timo Aila. A Style-Based Generator Architecture
     for Generative Adversarial Networks. CVPR, 2019.
[2]: Tero Karras, Timo Aila, Samuli Laine, Jaakko Lehtinen. Progressive Growing
     of GANs for Improved Quality, Stability, and Variation. ICLR, 2018.
"""
import hashlib

import gin
import keras
import numpy as np

from pgak import errors
from pgak import settings
from pgak.metrics import attribute_classifiers
from pgak.metrics import attribute_separability
from pgak.metrics import fitted_nets
from pgak.metrics import metric
from pgak.networks import pg_gan

__all__ = ['build', 'stylegan_classifiers']

_VERSION = 1
_SMALLEST_SIDE = 4


def build(image_shape, base_filters=128, max_filters=512, seed=0):
  """Builds the net of one attribute: a discriminator after [2, table 2].

  Blocks of two convolutions halve the images until a side would fall below 4
  pixels. There is no channel of the batch's deviation, as the discriminator has
  one: what a classifier says of an image may not depend on the others.

  Args:
    image_shape: `(H, W, C)`.
    base_filters: filters at the full size, doubled with each halving.
    max_filters: the most filters.
    seed: int, decides the first weights.

  Returns:
    A functional `keras.Model` from float32 `[B, H, W, C]` in `[-1, 1]` to
    logits, float32 `[B, 1]`.
  """
  seeds = iter(range(1000 * seed, 1000 * (seed + 1)))

  def learned(layer, gain):
    wrapped = pg_gan.EqualisedLearningRate(layer, gain, dtype='float32')
    layer.kernel_initializer = keras.initializers.RandomNormal(
        0., 1., seed=next(seeds))
    return wrapped

  def activated(x, layer):
    # The gain of He's constant before a (leaky) ReLU, [2, sec. 4.1].
    x = learned(layer, np.sqrt(2.))(x)
    return keras.layers.LeakyReLU(0.2, dtype='float32')(x)

  def conv(x, filters, size=3):
    return activated(x, keras.layers.Conv2D(
        filters, size, padding='same', dtype='float32'))

  inputs = keras.Input(image_shape, dtype='float32')
  filters = min(base_filters, max_filters)
  x = conv(inputs, filters, 1)
  while min(x.shape[1:3]) // 2 >= _SMALLEST_SIDE:
    wider = min(2 * filters, max_filters)
    x = conv(conv(x, filters), wider)
    x = keras.layers.AveragePooling2D(2, dtype='float32')(x)
    filters = wider
  x = keras.layers.Flatten(dtype='float32')(conv(x, filters))
  x = activated(x, keras.layers.Dense(filters, dtype='float32'))
  return keras.Model(
      inputs, learned(keras.layers.Dense(1, dtype='float32'), 1.)(x))


@settings.register(denylist=['name', 'names', 'train', 'masks', 'held_out',
                             'held_out_masks'])
def stylegan_classifiers(name, names, train, masks, held_out, held_out_masks,
                         *, steps: settings.Whole = 20000,
                         batch_size: settings.Count = 8,
                         base_filters: settings.Count = 128,
                         max_filters: settings.Count = 512, flip: bool = True,
                         seed: settings.Seed = 0):
  """Makes a classifier of each attribute, each trained at most once.

  Adam(0, 0.99) with epsilon 1e-8 descends the cross-entropy at the constant
  rate 1e-3, as [1]'s discriminator. How many steps [1]'s classifiers had is not
  in the texts that pgak is made from: 20,000 of 8 images are pgak's choice.

  Args:
    name: string, the data set.
    names: A strings, the attributes.
    train: the `data.ImageArray` to train on, N images.
    masks: boolean `[N, A]`, which of them have each attribute.
    held_out: the `data.ImageArray` that says how good they are, M images.
    held_out_masks: boolean `[M, A]`.
    steps: train steps of each.
    batch_size: images in a train step.
    base_filters: filters at the full size, doubled with each halving.
    max_filters: the most filters.
    flip: whether a train step flips half of its images left to right.
    seed: int, decides the first weights, the batches and the flips.

  Returns:
    `attribute_classifiers.AttributeClassifiers`.

  Raises:
    UserError: if images are smaller than 8 pixels, or if the training images
      all have an attribute, or none has.
  """
  if min(train.image_shape[:2]) < 2 * _SMALLEST_SIDE:
    raise errors.UserError(
        f'{name} has images of {train.image_shape[0]}x{train.image_shape[1]}, '
        'and the classifiers of stylegan_separability need 8 pixels: measure '
        'separability instead.')
  attribute_classifiers.require_both(name, names, masks)
  options = dict(steps=steps, batch_size=batch_size, flip=flip, seed=seed)
  shape = dict(base_filters=base_filters, max_filters=max_filters, seed=seed)
  choices = dict(version=_VERSION, form='stylegan', name=name,
                 data=train.fingerprint, **(shape | options))
  nets, keys = [], []
  for attribute, column in zip(names, masks.T):
    # One file each, so that an interrupted training goes on with the next one.
    kept = fitted_nets.Kept(name, choices | dict(
        attribute=attribute, mask=attribute_classifiers.hash_of(column)))
    net = build(train.image_shape, **shape)
    if kept.restore(net) is None:
      _train(net, train, column[:, np.newaxis], options)
      kept.save(net)
    nets.append(net)
    keys.append(kept.key)
  images = keras.Input(train.image_shape, dtype='float32')
  together = keras.Model(
      images, keras.ops.concatenate([net(images) for net in nets], -1))
  key = hashlib.sha256(''.join(keys).encode()).hexdigest()[:8]
  return attribute_classifiers.judged(
      together, f'{name}_stylegan{len(names)}_{key}', names, held_out,
      held_out_masks, function='stylegan_classifiers')


def _train(net, train, mask, options):
  fitted_nets.descend(
      net, keras.optimizers.Adam(1e-3, 0., 0.99, 1e-8),
      attribute_classifiers.cross_entropy,
      attribute_classifiers.batches_of(train, mask, options))


def _prepared(dataset):
  return gin.get_configurable(attribute_separability.attribute_net)(
      dataset, make=stylegan_classifiers)


@metric.register(
    'stylegan_separability', scope='prior', prepare=_prepared,
    roots=('attribute_net', 'stylegan_classifiers', 'separations',
           'separability'),
    better={'stylegan_separability_*_*': 'neither',
            'stylegan_separability_z*': 'lower',
            'stylegan_separability_*': 'neither', 'attribute_*': 'neither'})
def _compute(context):
  found = gin.get_configurable(attribute_separability.separations)(
      context, {'standardise': False}, 'stylegan_')
  yield from attribute_separability.values_of(context, found)

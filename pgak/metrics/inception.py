"""Inception-2015, the net behind the Frechet inception distance, in Keras.

The graph is the one of TensorFlow's `inception-2015-12-05.tgz` [1] with its
batch norm folded into the convolutions. Only its `pool_3` features make an FID
[2]; the features of the lower blocks make distances of other names.

#### References

[1]: Christian Szegedy, Vincent Vanhoucke, Sergey Ioffe, Jonathon Shlens,
     Zbigniew Wojna. Rethinking the Inception Architecture for Computer Vision.
     CVPR, 2016.
[2]: Martin Heusel, Hubert Ramsauer, Thomas Unterthiner, Bernhard Nessler, Sepp
     Hochreiter. GANs Trained by a Two Time-Scale Update Rule Converge to a
     Local Nash Equilibrium. NIPS, 2017.
"""
from typing import Literal

import keras
import numpy as np
import tensorflow as tf

from pgak import errors
from pgak import settings
from pgak.metrics import features
from pgak.metrics import inception_weights

__all__ = ['LEVELS', 'average_pool', 'build', 'inception', 'metric_name',
           'preprocess', 'set_weights']

# Level -> number of features, in the order of the graph.
LEVELS = {'64': 64, '192': 192, '768': 768, '1280': 1280, 'pool_3': 2048}

# Pixels of a side for which the graph was trained.
_SIZE = 299


def _conv(x, op, filters, height, width, padding='same', strides=1):
  return keras.layers.Conv2D(
      filters, (height, width), strides, padding, activation='relu',
      dtype='float32', name=op)(x)


def _tower(x, scope, *shapes, reduce=False):
  """A chain of convolutions `scope/conv`, `scope/conv_1` and so on.

  Args:
    x: input tensor.
    scope: name of the tower in the graph.
    *shapes: `(filters, height, width)` of each convolution.
    reduce: whether the last one has stride 2 and no padding.
  """
  # The names are the graph's: weights are assigned by them.
  for i, shape in enumerate(shapes):
    last = reduce and i == len(shapes) - 1
    x = _conv(x, f'{scope}_conv' + (f'_{i}' if i else ''), *shape,
              padding='valid' if last else 'same', strides=2 if last else 1)
  return x


def _max_pool(x):
  return keras.layers.MaxPooling2D(3, 2, dtype='float32')(x)


def average_pool(x):
  # TensorFlow's average leaves the padding out, as the graph needs it.
  return keras.layers.AveragePooling2D(3, 1, 'same', dtype='float32')(x)


def _join(*branches):
  return keras.layers.Concatenate(dtype='float32')(branches)


# The blocks have the sides of their feature maps in their names, [1, table 1].
def _block_35(x, name, pooled):
  return _join(
      _tower(x, name, (64, 1, 1)),
      _tower(x, f'{name}_tower', (48, 1, 1), (64, 5, 5)),
      _tower(x, f'{name}_tower_1', (64, 1, 1), (96, 3, 3), (96, 3, 3)),
      _tower(average_pool(x), f'{name}_tower_2', (pooled, 1, 1)))


def _block_17(x, name, inner):
  # A 7x7 convolution factorised into 1x7 and 7x1, [1, sec. 3.2].
  row, column = (inner, 1, 7), (inner, 7, 1)
  return _join(
      _tower(x, name, (192, 1, 1)),
      _tower(x, f'{name}_tower', (inner, 1, 1), row, (192, 7, 1)),
      _tower(x, f'{name}_tower_1', (inner, 1, 1), column, row, column,
             (192, 1, 7)),
      _tower(average_pool(x), f'{name}_tower_2', (192, 1, 1)))


def _block_8(x, name, pool):
  left = _tower(x, f'{name}_tower', (384, 1, 1))
  right = _tower(x, f'{name}_tower_1', (448, 1, 1), (384, 3, 3))
  return _join(
      _tower(x, name, (320, 1, 1)),
      # Side by side, not one after the other: [1, fig. 7].
      _conv(left, f'{name}_tower_mixed_conv', 384, 1, 3),
      _conv(left, f'{name}_tower_mixed_conv_1', 384, 3, 1),
      _conv(right, f'{name}_tower_1_mixed_conv', 384, 1, 3),
      _conv(right, f'{name}_tower_1_mixed_conv_1', 384, 3, 1),
      _tower(pool(x), f'{name}_tower_2', (192, 1, 1)))


def _stem_64(x):
  x = _conv(x, 'conv', 32, 3, 3, 'valid', strides=2)
  x = _conv(x, 'conv_1', 32, 3, 3, 'valid')
  return _max_pool(_conv(x, 'conv_2', 64, 3, 3))


def _stem_192(x):
  x = _conv(x, 'conv_3', 80, 1, 1, 'valid')
  return _max_pool(_conv(x, 'conv_4', 192, 3, 3, 'valid'))


def _blocks_768(x):
  x = _block_35(x, 'mixed', 32)
  x = _block_35(x, 'mixed_1', 64)
  x = _block_35(x, 'mixed_2', 64)
  x = _join(
      _tower(x, 'mixed_3', (384, 3, 3), reduce=True),
      _tower(x, 'mixed_3_tower', (64, 1, 1), (96, 3, 3), (96, 3, 3),
             reduce=True),
      _max_pool(x))
  for name, inner in (('mixed_4', 128), ('mixed_5', 160), ('mixed_6', 160),
                      ('mixed_7', 192)):
    x = _block_17(x, name, inner)
  return x


def _block_1280(x):
  return _join(
      _tower(x, 'mixed_8_tower', (192, 1, 1), (320, 3, 3), reduce=True),
      _tower(x, 'mixed_8_tower_1', (192, 1, 1), (192, 1, 7), (192, 7, 1),
             (192, 3, 3), reduce=True),
      _max_pool(x))


def _blocks_2048(x):
  x = _block_8(x, 'mixed_9', average_pool)
  # The last block of the 2015 graph takes the maximum, unlike Inception-v3.
  return _block_8(
      x, 'mixed_10', keras.layers.MaxPooling2D(3, 1, 'same', dtype='float32'))


_STAGES = (_stem_64, _stem_192, _blocks_768, _block_1280, _blocks_2048)


def build(level):
  """Builds the net up to a level, no further, with random weights.

  Args:
    level: one of `LEVELS`: '64' and '192' are the outputs of the stem's two
      max pools, '768' that of mixed_7, '1280' that of mixed_8 and 'pool_3'
      that of mixed_10, each averaged over its positions.

  Returns:
    A functional `keras.Model` from float32 `[B, 299, 299, 3]`, which is
    `(x - 128) / 128` of values x in `[0, 255]`, to float32 features
    `[B, LEVELS[level]]`.

  Raises:
    UserError: if there is no such level.
  """
  if str(level) not in LEVELS:
    raise errors.UserError(
        f'There are no Inception features {level!r}; choose one of '
        f'{", ".join(LEVELS)}.')
  inputs = keras.Input((_SIZE, _SIZE, 3), dtype='float32')
  x = inputs
  for stage in _STAGES[:list(LEVELS).index(str(level)) + 1]:
    x = stage(x)  # [B, h, w, c]
  # float32 whatever the model's precision, on which no score may depend.
  outputs = keras.layers.GlobalAveragePooling2D(dtype='float32')(x)
  return keras.Model(inputs, outputs, trainable=False,
                     name=f'inception_2015_{level}')


def _convolutions(network):
  return [layer for layer in network.layers
          if isinstance(layer, keras.layers.Conv2D)]


def set_weights(network, weights, source='the weights'):
  """Sets a net's weights by the names of the graph's ops.

  Args:
    network: what `build` returned.
    weights: dictionary from `<op>/kernel`, `[h, w, in, out]`, and `<op>/bias`,
      `[out]`, to arrays; it may hold more than the net needs.
    source: where they are from, for the error.

  Raises:
    UserError: if one is missing or has another shape.
  """
  for layer in _convolutions(network):
    for variable, part in ((layer.kernel, 'kernel'), (layer.bias, 'bias')):
      key = f'{layer.name}/{part}'
      # A file that stops early is a likely mistake with a remedy of its own.
      if key not in weights and layer.name.startswith(('mixed_9', 'mixed_10')):
        raise errors.UserError(
            f'{source} stops before {layer.name}, so it has no pool_3 features '
            'and gives no FID: take the whole inception-2015-12-05.tgz, or a '
            'protocol with features 768, such as fid768_test.')
      if key not in weights or weights[key].shape != tuple(variable.shape):
        found = weights[key].shape if key in weights else 'nothing'
        raise errors.UserError(
            f'{source} is not Inception-2015: {key} should have the shape '
            f'{tuple(variable.shape)} and {found} was found; '
            f'{inception_weights.HOW_TO_GET}')
      variable.assign(weights[key])


def preprocess(images):
  # The op of the graph itself: TF1's bilinear, without half-pixel centres.
  # Another resize gives another FID for the same images.
  images = tf.raw_ops.ResizeBilinear(
      images=tf.cast(images, tf.float32), size=[_SIZE, _SIZE],
      align_corners=False, half_pixel_centers=False)
  # The graph's own constants; not 127.5, which would map to [-1, 1].
  images = (images - 128.) / 128.
  # After the resize, which costs a third for one channel.
  return tf.repeat(images, 3, -1) if images.shape[-1] == 1 else images


def metric_name(level):
  # Published FIDs are of pool_3, so no other level may have that name alone.
  return {'pool_3': 'fid', '768': 'fid_768'}.get(
      level, f'frechet_inception_2015_{level}')


def _head(level, weights):
  """The classes' weights, where the file has them."""
  kernel = weights.get('softmax/kernel')
  if level != 'pool_3' or kernel is None:
    return None
  # The published inception score leaves out the graph's bias.
  return kernel, np.zeros(kernel.shape[-1])


@settings.register
def inception(level: Literal[tuple(LEVELS)] = 'pool_3',
              weights: settings.Path | None = None,
              batch_size: settings.Count = 50):
  """Makes the features of Inception-2015 at one level.

  Args:
    level: one of `LEVELS`.
    weights: path of an `.npz`, of `classify_image_graph_def.pb` or of
      `inception-2015-12-05.tgz`; by default they are looked for as
      `inception_weights.find` does it.
    batch_size: images in one forward pass.

  Returns:
    A `features.FeatureNet` of uint8 images, of any size, grey or RGB. Its
    metric is `fid` for pool_3 and `fid_768` for 768; other levels have names
    without that word. With pool_3 and the whole graph it has classes, too.

  Raises:
    UserError: if the weights are not available, are damaged, are those of
      another net, or stop below the level.
  """
  network = build(level)
  path = inception_weights.find(weights)
  loaded = inception_weights.load(path)
  # Shapes alone do not do: another Inception's may be equal.
  inception_weights.check(loaded, path)
  set_weights(network, loaded, path)
  return features.FeatureNet(
      network, preprocess, name=f'inception_2015_{level}',
      metric=metric_name(str(level)), resize=f'tf1_bilinear_{_SIZE}',
      batch_size=batch_size, head=_head(str(level), loaded),
      preprocessing=f'resized to {_SIZE} x {_SIZE} by the bilinear op of '
      'TensorFlow 1, without half-pixel centres or antialias, and (x - 128) / '
      '128, as the published FID')

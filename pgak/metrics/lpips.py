"""LPIPS: a perceptual distance of images, fitted to human judgements.

#### References

[1]: Richard Zhang, Phillip Isola, Alexei A. Efros, Eli Shechtman, Oliver Wang.
     The Unreasonable Effectiveness of Deep Features as a Perceptual Metric.
     CVPR, 2018.
"""
import hashlib
import zipfile
from typing import Literal

import gin
import numpy as np
from scipy import stats
import tensorflow as tf

from pgak import errors
from pgak import settings
from pgak.metrics import lpips_nets
from pgak.metrics import metric
from pgak.metrics import reconstruction
from pgak.networks import pretrained

__all__ = ['LPIPS', 'diversity', 'load_heads', 'prepared', 'tap_distance']

NETS = tuple(lpips_nets.CHANNELS)

# Fingerprints of the published linear weights of version 0.1.
_PUBLISHED = {'squeeze': '68f1b1752260e033', 'vgg': '9153a2043dccf3b5',
              'alex': '718a8b40b0d22f96'}

# Added to a norm, so that nothing is divided by 0 where no channel is active.
_EPSILON = 1e-10


def _find(names, what, setting):
  """Returns the first file of some names in the folder of such files.

  Raises:
    UserError: if there is none.
  """
  for name in names:
    if (path := pretrained.folder() / name).is_file():
      return path
  raise errors.UnavailableError(
      f'There are no {what}: name the file by LPIPS.{setting}, or put '
      f'{" or ".join(names)} into {pretrained.folder()}, or into a folder '
      'that PGAK_PERCEPTUAL names.')


def _backbone_of(net, weights):
  """Returns the `pretrained.Convolutions` of a net."""
  if weights == 'imagenet' and net != 'vgg':
    raise errors.UserError(
        f"Keras has no ImageNet weights of LPIPS's {net}: name a file by "
        'LPIPS.weights.')
  if weights not in (None, 'imagenet'):
    return pretrained.read(weights)
  if net == 'squeeze':
    # torchvision's file first: its distance is LPIPS itself, see `LPIPS`.
    names = ['squeezenet1_1.npz',
             'squeezenet_weights_tf_dim_ordering_tf_kernels_notop.h5']
    return pretrained.read(_find(names, 'SqueezeNet weights', 'weights'))
  if net == 'alex':
    return pretrained.read(_find(['alexnet.npz'], 'AlexNet weights', 'weights'))
  path = pretrained.folder() / 'vgg16.npz'
  if weights is None and path.is_file():
    return pretrained.read(path)
  return pretrained.imagenet('VGG16')


def load_heads(net, path=None):
  """Reads the linear weights of each tap's channels.

  Args:
    net: 'squeeze', 'vgg' or 'alex'.
    path: an `.npz` with `lin<k>.model.1.weight` `[1, C, 1, 1]` for the taps k
      from 0, as the published files `weights/v0.1/<net>.pth` have them; by
      default `<net>.npz` in the folder of `LPIPS`.

  Returns:
    `(heads, version)`: a list of float32 `[C]`; 'v0.1' where they are the
    published ones, else 'heads-' and a hash of them.

  Raises:
    UserError: if they are not available, belong to another net, or are
      negative.
  """
  path = path or _find(
      [f'{net}.npz'], f"linear weights of LPIPS's {net} (the published "
      f'weights/v0.1/{net}.pth, as .npz)', 'heads')
  heads = []
  try:
    with np.load(path, allow_pickle=False) as arrays:
      # By number, so that the order of the names in the file does not matter.
      for k in range(len(arrays.files)):
        heads.append(arrays[f'lin{k}.model.1.weight'].ravel())
  except (OSError, EOFError, KeyError, ValueError,
          zipfile.BadZipFile) as error:
    raise errors.UserError(
        f"The linear weights {path} of LPIPS's {net} cannot be read "
        f'({type(error).__name__}): they are an .npz with '
        'lin0.model.1.weight and so on.') from error
  if tuple(map(len, heads)) != lpips_nets.CHANNELS[net]:
    raise errors.UserError(
        f"The linear weights {path} are not those of LPIPS's {net}: they are "
        f'for {tuple(map(len, heads))} channels, and its taps have '
        f'{lpips_nets.CHANNELS[net]}.')
  # [1, sec. 3] keeps them from becoming negative, so that no difference of
  # features makes images more alike.
  if not all(np.all(head >= 0.) for head in heads):
    raise errors.UserError(
        f'The linear weights {path} are not all at least 0, so they make no '
        'distance: get the file again.')
  return heads, _version(net, heads)


def _version(net, heads):
  # Little-endian float32, so that a hash is the same on every machine.
  digest = hashlib.sha256(np.concatenate(heads).astype('<f4').tobytes())
  found = digest.hexdigest()[:16]
  # Distances by other weights do not compare, so they have another name.
  return 'v0.1' if _PUBLISHED.get(net) == found else f'heads-{found[:8]}'


@settings.register
class LPIPS:
  """Distance of paired images by the features of a net, [1, eq. 1], v0.1.

  `sum{ mean{ w[l] . (u[l] - u'[l])**2 } : taps l }`: u are a tap's activations,
  each position's vector of channels divided by its norm, w the published
  weights, not negative, and the mean is over positions. 0 for equal images.

  The published nets are torchvision's, whose input `[-1, 1]` is shifted by
  (-.030, -.088, -.188) and divided by (.458, .448, .450), in RGB. Their files
  (see `networks.pretrained`) give LPIPS itself. Nets in Keras's layout, VGG16
  of `keras.applications` and the widespread SqueezeNet 1.1 `.h5`, were
  converted from Caffe's: trained by others, on mean-subtracted BGR in [0, 255].
  They get that input here; with another one their features are meaningless. The
  published linear weights were not fitted to their channels, so their distance
  is not shown to be LPIPS to the digit; `backbone` says which of the two it is.

  Files are looked for in the folder that the environment's `PGAK_PERCEPTUAL`
  names, else in `perceptual/` of the cache: `squeeze.npz`, `vgg.npz` and
  `alex.npz` are the linear weights, `squeezenet1_1.npz`, `vgg16.npz` and
  `alexnet.npz` the nets as torchvision has them.

  Attributes:
    label: string with net and version, such as 'lpips_squeeze_v0.1'.
    backbone: string, the net, the layout of its weights and their hash.
    smallest: least number of pixels of a side.

  Example:

  ```python
  distance = lpips.LPIPS('squeeze')
  distance(images, others)   # uint8 [B, h, w, C] twice: float32 [B]
  ```
  """

  def __init__(self, net: Literal[NETS] = 'squeeze',
               weights: settings.Path | None = None,
               heads: settings.Path | None = None,
               batch_size: settings.Count = 32):
    """Builds the net.

    Args:
      net: 'squeeze', 'vgg' or 'alex'.
      weights: the net's file; 'imagenet' for VGG16 by Keras's loader; by
        default a file in the folder, or Keras's loader where it has the net.
      heads: file of the linear weights, as for `load_heads`.
      batch_size: pairs in one forward pass.

    Raises:
      UserError: if weights are not available, or are of another net.
    """
    self._heads, version = load_heads(net, heads)
    convolutions = _backbone_of(net, weights)
    self.net = net
    self.label = f'lpips_{net}_{version}'
    layout = 'caffe' if convolutions.colors is pretrained.CAFFE else 'torch'
    self.backbone = f'{net}_{layout}_{convolutions.fingerprint}'
    self.smallest = lpips_nets.SMALLEST[net]
    self.batch_size = batch_size
    self._network = lpips_nets.backbone(net, convolutions)
    # One graph for batches of any size: the last one is smaller.
    batch = tf.TensorSpec([None, None, None, 3])
    self._compiled = tf.function(
        self._distance, input_signature=[batch, batch])

  def __call__(self, images, others):
    """Compares images one by one.

    Args:
      images: uint8, or float on [-1, 1], `[B, h, w, 1 or 3]`.
      others: like `images`.

    Returns:
      float32 `[B]`, not negative.

    Raises:
      UserError: if the images are smaller than `smallest`.
      ValueError: if the two differ in shape.
    """
    images, others = _prepared(images), _prepared(others)
    if images.shape != others.shape or images.shape.rank != 4:
      raise ValueError('`images` and `others` must have one shape [B, h, w, C]'
                       f', not {images.shape} and {others.shape}.')
    self.check_size(images.shape[1:3])
    starts = range(0, len(images), self.batch_size)
    # All taps of both images are in memory at once, so batches must be small.
    found = [self._compiled(images[i:i + self.batch_size],
                            others[i:i + self.batch_size]) for i in starts]
    return tf.concat(found, 0) if found else tf.zeros([0])

  def check_size(self, size):
    """Raises UserError if images of `(height, width)` are too small."""
    if min(size) < self.smallest:
      raise errors.UserError(
          f'LPIPS with {self.net} needs images of at least {self.smallest} '
          f'pixels a side, not {size[0]}x{size[1]}: choose another net '
          '(squeeze needs 17, vgg 16, alex 31), or larger images.')

  def _distance(self, images, others):
    taps = zip(self._heads, self._network(images, training=False),
               self._network(others, training=False))
    return tf.add_n([tap_distance(a, b, head) for head, a, b in taps])


def _prepared(images):
  """Returns images as float32 `[B, h, w, 3]` on [0, 1]."""
  images = tf.convert_to_tensor(images)
  is_bytes = images.dtype == tf.uint8
  images = tf.cast(images, tf.float32)
  images = images / 255. if is_bytes else (images + 1.) / 2.
  # The nets are of RGB; grey has three equal channels.
  return tf.repeat(images, 3, -1) if images.shape[-1] == 1 else images


def tap_distance(activations, others, head):
  # [B, h, w, C]
  difference2 = tf.math.squared_difference(_unit(activations), _unit(others))
  return tf.reduce_mean(tf.tensordot(difference2, head, 1), [1, 2])


def _unit(activations):
  return activations / (tf.norm(activations, axis=-1, keepdims=True) + _EPSILON)


def diversity(distance, pairs):
  """Mean distance of pairs of images, such as samples of one condition.

  Args:
    distance: function of two batches to their distances `[B]`, an `LPIPS`.
    pairs: iterable of `(images, others)`, each as `LPIPS` takes them.

  Returns:
    `(mean, standard error)` over all pairs; the error holds for pairs
    that were drawn independently.

  Raises:
    UserError: with fewer than two pairs, or if a distance is not finite.
  """
  found = [np.asarray(distance(a, b), np.float64) for a, b in pairs]
  # np.concatenate refuses an empty list, for which there is a better sentence.
  values = np.concatenate([np.zeros(0), *found])
  if len(values) < 2:
    raise errors.UnavailableError(
        'A diversity with its standard error needs two pairs of images at '
        f'least, and there are {len(values)}.')
  if not np.isfinite(values).all():
    raise errors.UserError(
        'The distance of some pairs is not finite: the images or the weights '
        'are damaged.')
  return float(values.mean()), float(stats.sem(values))


def prepared(dataset):
  """Makes the net for a data set, by gin's settings.

  Raises:
    UserError: if weights are not available, or the images are too small.
  """
  net = gin.get_configurable(LPIPS)()
  net.check_size(dataset.image_shape[:2])
  return net


@metric.register('lpips', scope='model', needs=('encode',),
                 prepare=prepared, roots=('LPIPS',),
                 better={'lpips*': 'lower'})
def _compute(context):
  net = context.prepared
  yield metric.Value(
      net.label, reconstruction.perceptual_distance(
          net, context.model, context.encoded, context.num_encoded),
      features=net.backbone, images='reconstructions')

"""The convolutions of published nets: read from files, and put into a net.

A net that was trained elsewhere comes with a way of preparing its images, which
follows from its file's layout; so `Convolutions` holds both. The layouts:

- `.npz`, as PyTorch names and orders a net's state: `<n>.weight`
  `[out, in, h, w]` and `<n>.bias` `[out]`, n counting the modules. A first
  convolution of 1x1 from three channels to three prepares RGB on [0, 1].
  Without it the names must be torchvision's, `features.<n>.weight`, whose nets
  see RGB less its mean in units of its standard deviation. Such a file is made
  by `np.savez('vgg19.npz', **{name: tensor.numpy() for name, tensor in
  torchvision.models.vgg19(weights='IMAGENET1K_V1').state_dict().items()})`.
- `.h5`, as Keras names them: those converted from Caffe, whose nets see BGR on
  [0, 255] less its mean. Both Keras's older layout and its `.weights.h5`.
"""
import dataclasses
import hashlib
import os
import re
import zipfile

import h5py
import keras
import numpy as np
import tensorflow as tf

from pgak import errors
from pgak import files

__all__ = ['CAFFE', 'Colors', 'Convolutions', 'TORCHVISION', 'assign',
           'convolution', 'folder', 'frozen_net', 'imagenet', 'input_images',
           'read', 'vgg_layers', 'vgg_weights']

# `(matrix, offset)`: a net's input is `rgb @ matrix + offset`, RGB on [0, 1].
CAFFE = (255. * np.eye(3)[::-1], np.array([-103.939, -116.779, -123.68]))
_MEAN, _STD = np.array([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]])
TORCHVISION = (np.diag(1. / _STD), -_MEAN / _STD)


@dataclasses.dataclass(frozen=True)
class Convolutions:
  """A net's convolutions, and the preparation of its images.

  Attributes:
    weights: `{layer: (kernel [h, w, in, out], bias [out])}`, float32, in the
      order of the net.
    colors: `(matrix [3, 3], offset [3])`: the net sees `rgb @ matrix + offset`
      of RGB on [0, 1].
    source: string, where they are from.
  """
  weights: dict
  colors: tuple
  source: str

  @property
  def fingerprint(self):
    """A hash of all weights, 8 hexadecimal digits, for a score's name."""
    digest = hashlib.sha256()
    for name in sorted(self.weights):
      for array in self.weights[name]:
        digest.update(np.ascontiguousarray(array, np.float32).tobytes())
    return digest.hexdigest()[:8]


# === Files ===


def folder():
  """Returns where such files are: `PGAK_PERCEPTUAL`, or `perceptual/` of the
  cache.
  """
  named = os.environ.get('PGAK_PERCEPTUAL')
  return files.local(named) if named else (
      files.cache_directory() / 'perceptual')


def read(path):
  """Reads the convolutions of a net from a file.

  Args:
    path: an `.npz` or `.h5` file in a layout of this module's docstring, also
      by its name in `folder()`.

  Returns:
    `Convolutions`.

  Raises:
    UserError: if the file is not there, damaged, or of another kind.
  """
  path = files.local(path)
  # By its path first: a file beside the user wins over one of the cache.
  path = path if path.is_file() else folder() / path
  readers = {'.npz': _read_npz, '.h5': _read_h5, '.hdf5': _read_h5}
  if not path.is_file():
    raise errors.UserError(
        f'There are no weights at {path}: give the path of the file, or put it '
        'into a folder that PGAK_PERCEPTUAL names.')
  if path.suffix not in readers:
    raise errors.UserError(
        f'The weights {path} are neither an .npz nor an .h5 file.')
  try:
    weights, colors = readers[path.suffix](path)
  except (OSError, EOFError, KeyError, ValueError,
          zipfile.BadZipFile) as error:
    raise errors.UserError(
        f'The weights {path} cannot be read ({type(error).__name__}): get the '
        'file again.') from error
  if not weights:
    raise errors.UserError(
        f'The weights {path} hold no convolutions: an .npz has pairs '
        "'<n>.weight' and '<n>.bias', an .h5 is Keras's of a whole net.")
  if colors is None:
    raise errors.UserError(
        f'The weights {path} do not say which images their net was trained '
        "on: name them 'features.<n>.weight', as torchvision does, or begin "
        'with the 1x1 convolution that prepares RGB on [0, 1].')
  return Convolutions(weights, colors, str(path))


def _order(name):
  """Modules count from 0; within one, names come as they are written."""
  return [int(n) for n in re.findall(r'(?:^|\.)(\d+)(?=\.|$)', name)]


def _read_npz(path):
  with np.load(path, allow_pickle=False) as arrays:
    found = {key: arrays[key] for key in arrays.files}
  names = [key.removesuffix('.weight') for key in found
           if key.endswith('.weight') and found[key].ndim == 4]
  # A file keeps the order in which it was written, which need not be the net's.
  names.sort(key=_order)
  weights = {n: (found[f'{n}.weight'].transpose(2, 3, 1, 0),  # [h, w, in, out]
                 found[f'{n}.bias']) for n in names}
  if names and weights[names[0]][0].shape == (1, 1, 3, 3):
    kernel, offset = weights.pop(names[0])
    return weights, (kernel[0, 0], offset)
  known = bool(names) and all(n.startswith('features.') for n in names)
  return weights, TORCHVISION if known else None


def _read_h5(path):
  with h5py.File(path, 'r') as file:
    root = file.get('model_weights', file)  # In a whole model.
    if 'layers' in root:
      # Today's layers have their class's name and a number: conv2d, conv2d_1.
      layers = root['layers']
      names = sorted(layers, key=lambda n: int(n.rpartition('_')[2] or 0)
                     if n.rpartition('_')[2].isdecimal() else 0)
      pairs = [(name, [layers[name]['vars'][k]
                       for k in sorted(layers[name]['vars'])])
               for name in names]
    else:
      # The older layout names layers and weights in attributes.
      pairs = [(name, [root[name][w] for w in root[name].attrs['weight_names']])
               for name in map(_text, root.attrs['layer_names'])]
    return {name: tuple(np.asarray(a) for a in arrays)
            for name, arrays in pairs
            # Kernel and bias.
            if len(arrays) == 2 and arrays[0].ndim == 4}, CAFFE


def _text(name):
  return name.decode() if isinstance(name, bytes) else name


def imagenet(name):
  """Returns the convolutions of a net of `keras.applications`, on ImageNet.

  Keras downloads them once and keeps them in `~/.keras/models`.

  Args:
    name: 'VGG16' or 'VGG19'.

  Returns:
    `Convolutions`.

  Raises:
    UserError: if they cannot be downloaded.
  """
  try:
    network = getattr(keras.applications, name)(
        include_top=False, weights='imagenet')
  except Exception as error:  # Keras raises bare `Exception`s here.
    lower = name.lower()
    raise errors.UserError(
        f"{name}'s ImageNet weights are not here and Keras cannot download "
        f'them ({type(error).__name__}): put its file '
        f'{lower}_weights_tf_dim_ordering_tf_kernels_notop.h5 into '
        '~/.keras/models, or name a file by the setting `weights`.') from error
  return Convolutions(
      {layer.name: tuple(layer.get_weights()) for layer in network.layers
       if isinstance(layer, keras.layers.Conv2D)}, CAFFE,
      f'keras.applications.{name}')


# === Nets ===


@keras.saving.register_keras_serializable('pgak')
class Colors(keras.layers.Layer):
  """Prepares images as a published net was trained on them; grey is repeated.

  Args:
    colors: `(matrix [3, 3], offset [3])`, as `Convolutions` has them.
    value_range: `(low, high)` of the images.
  """

  def __init__(self, colors, value_range, name='input'):
    super().__init__(dtype='float32', trainable=False, name=name)
    self.colors = [np.asarray(c, np.float32).tolist() for c in colors]
    self.value_range = tuple(float(v) for v in value_range)

  def call(self, images):
    low, high = self.value_range
    matrix, offset = self.colors
    rgb = (images - low) / (high - low)
    if images.shape[-1] == 1:
      rgb = tf.repeat(rgb, 3, -1)
    return tf.tensordot(rgb, tf.constant(matrix), 1) + tf.constant(offset)

  def compute_output_shape(self, input_shape):
    return (*input_shape[:-1], 3)

  def get_config(self):
    return {'colors': self.colors, 'value_range': self.value_range,
            'name': self.name}


def input_images():
  """Returns a net's input: float32 images of any size, grey or RGB."""
  return keras.Input((None, None, None), dtype='float32', name='images')


class _Convolution(keras.layers.Conv2D):
  """A convolution whose weights no tape watches."""

  def add_weight(self, *args, **settings):
    return super().add_weight(*args, **{**settings, 'trainable': False})


def convolution(x, name, filters, size=3, strides=1, padding='same'):
  """Adds a convolution without activation, whose weights are set later."""
  # No initializer that draws: another net's first weights would change.
  return _Convolution(
      filters, size, strides, padding, kernel_initializer='zeros',
      dtype='float32', name=name)(x)


def frozen_net(images, outputs, name, weights, source):
  """Returns the functional `keras.Model` of a net with its weights, frozen.

  Args:
    images: its input, as `input_images` gives it.
    outputs: list of tensors.
    name: string.
    weights: `{layer: (kernel, bias)}` for each of its convolutions.
    source: where they are from, for the error.

  Raises:
    UserError: if weights are missing or have another shape.
  """
  network = keras.Model(images, outputs, trainable=False, name=name)
  return assign(network, weights, source)


def assign(network, weights, source):
  """Sets the weights of a net's convolutions by their names; returns the net.

  Raises:
    UserError: if one is missing or has another shape.
  """
  # By name, so that a file may hold more layers than the net.
  for layer in network.layers:
    if not isinstance(layer, keras.layers.Conv2D):
      continue
    if layer.name not in weights:
      raise errors.UserError(
          f'{source} has no weights of {layer.name}, which {network.name} '
          f'needs: it has {", ".join(weights)}.')
    shapes = [np.shape(array) for array in weights[layer.name]]
    wanted = [tuple(layer.kernel.shape), tuple(layer.bias.shape)]
    if shapes != wanted:
      raise errors.UserError(
          f'{source} is not of {network.name}: {layer.name} should have the '
          f'shapes {wanted}, and has {shapes}.')
    layer.set_weights(weights[layer.name])
  return network


def vgg_layers(depth):
  """Returns the names of VGG's convolutions, `conv1_1` to `conv5_<n>`.

  Args:
    depth: 16 or 19, as the net is called.
  """
  per_block = {16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}[depth]
  return [f'conv{block}_{i + 1}' for block, number in enumerate(per_block, 1)
          for i in range(number)]


def vgg_weights(convolutions, depth):
  """Returns VGG's weights by the names of `vgg_layers`; the last may be absent.

  Args:
    convolutions: `Convolutions` of VGG, named by Keras (`block1_conv1`) or
      numbered, in PyTorch's way or in Keras's of today; they may end early.
    depth: 16 or 19.
  """
  found = convolutions.weights
  if any(re.fullmatch(r'block\d_conv\d', name) for name in found):
    return {re.sub(r'block(\d)_conv(\d)', r'conv\1_\2', name): arrays
            for name, arrays in found.items()}
  # Numbered: the order is all there is, and `zip` ends where the file does.
  return dict(zip(vgg_layers(depth), found.values()))

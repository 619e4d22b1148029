"""VGG19's convolutions, whose activations measure how alike two images look.

#### References

[1]: Karen Simonyan, Andrew Zisserman. Very Deep Convolutional Networks for
     Large-Scale Image Recognition. ICLR, 2015.
[2]: Leon A. Gatys, Alexander S. Ecker, Matthias Bethge. Image Style Transfer
     Using Convolutional Neural Networks. CVPR, 2016.
"""
import keras

from pgak import errors
from pgak import settings
from pgak.networks import pretrained

__all__ = ['LAYERS', 'smallest_image', 'vgg19']

LAYERS = ('relu1_1', 'relu2_1', 'relu3_1', 'relu4_1')

_CONVOLUTIONS = pretrained.vgg_layers(19)


def _convolution_of(layer):
  return layer.replace('relu', 'conv')


def _check(layers):
  known = ['input', *_CONVOLUTIONS,
           *(c.replace('conv', 'relu') for c in _CONVOLUTIONS)]
  if not layers:
    raise errors.UserError("VGG19's features need at least one of its layers.")
  for layer in layers:
    if layer not in known:
      raise errors.UserError(
          f'VGG19 has no layer {layer!r}: choose out of input, conv1_1, '
          'relu1_1 and so on to relu5_4, of which blocks 1 and 2 have two and '
          'blocks 3 to 5 four.')


def _block(layer):
  return 1 if layer == 'input' else int(layer[4])


def smallest_image(layers):
  """Returns the smallest side, in pixels, of images that reach all layers.

  Each of the pools before a block halves the sides, rounding down.
  """
  return 2 ** (max(map(_block, layers)) - 1)


def _check_reach(layers, weights, source):
  """Refuses layers that a file of weights, which may end early, lacks."""
  for layer in layers:
    wanted = _convolution_of(layer)
    if layer != 'input' and wanted not in weights:
      last = [name for name in _CONVOLUTIONS if name in weights][-1]
      raise errors.UserError(
          f'{source} stops after {last}, so there is no {layer}: choose layers '
          "up to there, or weights of the whole net, such as 'imagenet'.")


def _activations(x, last):
  """Yields `(name, tensor)` from the prepared images to a convolution's ReLU.
  """
  yield 'input', x
  for name in _CONVOLUTIONS[:_CONVOLUTIONS.index(last) + 1]:
    block, place = name[4:].split('_')
    if place == '1' and block != '1':
      x = keras.layers.MaxPooling2D(2, dtype='float32', name=f'pool{block}')(x)
    # The two to the block's number, but no more than the published 512.
    x = pretrained.convolution(x, name, min(32 * 2 ** int(block), 512))
    yield name, x
    name = name.replace('conv', 'relu')
    x = keras.layers.ReLU(dtype='float32', name=name)(x)
    yield name, x


@settings.register
def vgg19(layers: settings.Several[str] = LAYERS,
          weights: settings.Path = 'imagenet',
          value_range: tuple[float, float] = (-1., 1.)):
  """Builds VGG19 up to the last of some layers, [1, table 1, E], frozen.

  Weights 'imagenet' are Keras's, converted from the published ones. A file has
  one of the layouts of `networks.pretrained`, from which follows how its images
  are prepared; it may stop early.

  The file `vgg_normalised`, whose numbered modules begin with a 1x1
  convolution, holds weights that [2]'s authors scaled so that each filter's
  mean activation over images and positions is 1. Its first module turns RGB on
  [0, 1] into BGR on [0, 255] less the mean, just as Keras does. The net that it
  is mostly used in pads by reflection and rounds a pool's size up; here VGG19
  pads with zeros and rounds down, as published, so that activations near the
  border differ. By the scaling its layers count about equally, whereas the mean
  squares of those of 'imagenet' differ by orders of magnitude.

  Args:
    layers: names: `conv<i>_<j>` before and `relu<i>_<j>` after the activation,
      or 'input', the prepared images themselves.
    weights: 'imagenet', or the path of a file, or its name in the folder that
      the environment's `PGAK_PERCEPTUAL` names.
    value_range: `(low, high)` of the images.

  Returns:
    Functional `keras.Model` from float images `[B, h, w, 1 or 3]` of any size
    to the list of the layers' activations, float32 `[B, h', w', C]`; with one
    layer Keras gives the tensor itself.

  Raises:
    UserError: if the weights are not available, or stop before a layer.
  """
  layers = tuple(layers)
  _check(layers)
  found = (pretrained.imagenet('VGG19') if weights == 'imagenet'
           else pretrained.read(weights))
  arrays = pretrained.vgg_weights(found, 19)
  _check_reach(layers, arrays, found.source)
  images = pretrained.input_images()
  x = pretrained.Colors(found.colors, value_range)(images)
  # Layers behind the last that is asked for are not built.
  deepest = max((_CONVOLUTIONS.index(_convolution_of(n))
                 for n in layers if n != 'input'), default=0)
  activations = dict(_activations(x, _CONVOLUTIONS[deepest]))
  return pretrained.frozen_net(
      images, [activations[n] for n in layers], 'vgg19', arrays, found.source)

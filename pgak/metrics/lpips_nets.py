"""The nets behind LPIPS: SqueezeNet 1.1, VGG16 and AlexNet, with their taps.

#### References

[1]: Forrest N. Iandola, Song Han, Matthew W. Moskewicz, Khalid Ashraf, William
     J. Dally, Kurt Keutzer. SqueezeNet: AlexNet-level accuracy with 50x fewer
     parameters and <0.5MB model size. 2016.
[2]: Karen Simonyan, Andrew Zisserman. Very Deep Convolutional Networks for
     Large-Scale Image Recognition. ICLR, 2015.
[3]: Alex Krizhevsky. One weird trick for parallelizing convolutional neural
     networks. 2014.
"""
import keras

from pgak import errors
from pgak.networks import pretrained

__all__ = ['CHANNELS', 'SMALLEST', 'backbone', 'squeeze_weights']

# Channels of each tap, from the images to the depth.
CHANNELS = {'squeeze': (64, 128, 256, 384, 384, 512, 512),
            'vgg': (64, 128, 256, 512, 512),
            'alex': (64, 192, 384, 256, 256)}

# The least pixels of a side with which the last tap has a position.
SMALLEST = {'squeeze': 17, 'vgg': 16, 'alex': 31}

# Fire modules by torchvision's numbers: the published net counts on from 2.
_FIRES = {3: 2, 4: 3, 6: 4, 7: 5, 9: 6, 10: 7, 11: 8, 12: 9}


def _relu(x):
  return keras.layers.ReLU(dtype='float32')(x)


def _fire(x, name, squeezed):
  """Squeezes the channels and expands them eightfold, [1, sec. 3.2]."""
  x = _relu(pretrained.convolution(x, f'{name}_squeeze1x1', squeezed, 1))
  left = pretrained.convolution(x, f'{name}_expand1x1', 4 * squeezed, 1)
  right = pretrained.convolution(x, f'{name}_expand3x3', 4 * squeezed)
  return keras.layers.Concatenate(dtype='float32')([_relu(left), _relu(right)])


def _pool_up(x):
  """Pools 3x3 by 2, the size rounded up.

  The zeros stand beside at least one value that is not negative, so they change
  no maximum.
  """
  # torchvision pools with ceil_mode; Keras has no such option.
  x = keras.layers.ZeroPadding2D(((0, 1), (0, 1)), dtype='float32')(x)
  return keras.layers.MaxPooling2D(3, 2, dtype='float32')(x)


def _squeeze(x):
  """SqueezeNet 1.1's first convolution, and all stages that widen or pool."""
  # Without padding, as in torchvision.
  x = _relu(pretrained.convolution(x, 'conv1', 64, strides=2, padding='valid'))
  taps = [x]
  x = _fire(_fire(_pool_up(x), 'fire2', 16), 'fire3', 16)
  taps.append(x)
  x = _fire(_fire(_pool_up(x), 'fire4', 32), 'fire5', 32)
  taps.append(x)
  x = _pool_up(x)
  for name, squeezed in (('fire6', 48), ('fire7', 48), ('fire8', 64),
                         ('fire9', 64)):
    x = _fire(x, name, squeezed)
    taps.append(x)
  return taps


def _vgg(x):
  """VGG16: the last activation of each block."""
  taps, block = [], '1'
  for name in pretrained.vgg_layers(16):
    if name[4] != block:
      taps.append(x)
      # The tap is before the pooling.
      x, block = keras.layers.MaxPooling2D(2, dtype='float32')(x), name[4]
    x = _relu(pretrained.convolution(
        x, name, min(32 * 2 ** int(block), 512)))
  return [*taps, x]


def _alex(x):
  """AlexNet of one column, [3]: the activation of each convolution."""
  # torchvision pads by 2 here, where "same" would pad by other amounts.
  x = keras.layers.ZeroPadding2D(2, dtype='float32')(x)
  x = _relu(pretrained.convolution(x, 'conv1', 64, 11, 4, 'valid'))
  taps = [x]
  for i, (filters, size) in enumerate(((192, 5), (384, 3), (256, 3), (256, 3)),
                                      2):
    # The last three convolutions follow each other without pooling, [3].
    if i < 4:
      x = keras.layers.MaxPooling2D(3, 2, dtype='float32')(x)
    x = _relu(pretrained.convolution(x, f'conv{i}', filters, size))
    taps.append(x)
  return taps


def squeeze_weights(found):
  """Names of both layouts: `fire2/squeeze1x1`, `features.3.squeeze`."""
  names = {'conv1': 'conv1', 'features.0': 'conv1'}
  for number, fire in _FIRES.items():
    for theirs, ours in (('squeeze', 'squeeze1x1'), ('expand1x1', 'expand1x1'),
                         ('expand3x3', 'expand3x3')):
      names[f'features.{number}.{theirs}'] = f'fire{fire}_{ours}'
      names[f'fire{fire}/{ours}'] = f'fire{fire}_{ours}'
  return {names[n]: arrays for n, arrays in found.weights.items() if n in names}


def _alex_weights(found):
  # By position: the five convolutions are the only layers kept of the file.
  return dict(zip([f'conv{i}' for i in range(1, 6)], found.weights.values()))


_BUILDERS = {
    'squeeze': (_squeeze, squeeze_weights),
    'vgg': (_vgg, lambda found: pretrained.vgg_weights(found, 16)),
    'alex': (_alex, _alex_weights),
}


def backbone(net, convolutions):
  """Builds a net with its weights, frozen.

  Args:
    net: 'squeeze', 'vgg' or 'alex'.
    convolutions: `pretrained.Convolutions` of it.

  Returns:
    Functional `keras.Model` from float images `[B, h, w, 1 or 3]` on [0, 1] to
    the list of its taps, float32 `[B, h', w', C]` with C as in `CHANNELS`.

  Raises:
    UserError: if the weights are those of another net.
  """
  if net not in _BUILDERS:
    raise errors.UserError(
        f'LPIPS has no net {net!r}: choose squeeze, vgg or alex.')
  build, named = _BUILDERS[net]
  images = pretrained.input_images()
  taps = build(pretrained.Colors(convolutions.colors, (0., 1.))(images))
  return pretrained.frozen_net(
      images, taps, f'lpips_{net}', named(convolutions), convolutions.source)

"""An error of images that compares features of VGG19.

#### References

[1]: Justin Johnson, Alexandre Alahi, Li Fei-Fei. Perceptual Losses for
     Real-Time Style Transfer and Super-Resolution. ECCV, 2016.
[2]: Patrick Esser, Ekaterina Sutter, Bjoern Ommer. A Variational U-Net for
     Conditional Appearance and Shape Generation. CVPR, 2018.
"""
from typing import Literal

import keras
import tensorflow as tf

from pgak import errors
from pgak import losses
from pgak import settings
from pgak.networks import vgg19 as vgg19_lib

__all__ = ['PerceptualError']


@keras.saving.register_keras_serializable('pgak')
@settings.register
class PerceptualError:
  """Error of images in VGG19's features, [1, eq. 2], and in pixels.

  `pixel mse(x, x') + perceptual sum{ w[l] mean|phi[l](x') - phi[l](x)|**2 }`
  over layers l; the means are over positions and channels. It takes the place
  of a model's squared error of pixels:

  ```python
  train.image_error = @PerceptualError()
  ```

  The net is no part of the model: its weights are constant and in no
  checkpoint. The error is computed in float32.

  [2]'s error is that of layers 'input', 'relu1_2', 'relu2_2' and so on to
  'relu5_2', distance 'l1', perceptual 5.

  Attributes:
    value_range: `(low, high)` of the images; None until a model gives its own.
  """

  def __init__(self, layers: settings.Several[str] = vgg19_lib.LAYERS,
               layer_weights: tuple[settings.NonNegative, ...] | None = None,
               weights: settings.Path = 'imagenet', *,
               pixel: settings.NonNegative = 0.,
               perceptual: settings.NonNegative = 1.,
               distance: Literal['l1', 'l2'] = 'l2', relative: bool = False,
               resize: settings.Count | None = None,
               value_range: tuple[float, float] | None = None):
    """Builds the net.

    Args:
      layers: names of layers, as for `vgg19`.
      layer_weights: one number per layer; 1 each by default.
      weights: 'imagenet' or the path of a file, as for `vgg19`.
      pixel: weight of `losses.reconstruction`, in the images' value range.
      perceptual: weight of the sum over layers.
      distance: 'l2' for squared, 'l1' for absolute differences of features.
      relative: whether each layer's error is divided by the mean square (l1:
        absolute value) of its activations of `images`: then it does not depend
        on their scale, which differs by many orders between weights' files and
        between layers, and a model's other weights keep their meaning.
      resize: side in pixels that images are resized to first (bilinear), so
        that small ones reach deep layers; None for as they are.
      value_range: `(low, high)` of the images; by default the model's.

    Raises:
      UserError: if the weights are not available, stop before a layer, or the
        settings do not fit each other.
    """
    self.layers = tuple(layers)
    self.weights = str(weights)
    self.layer_weights = tuple(layer_weights or [1.] * len(self.layers))
    if len(self.layer_weights) != len(self.layers):
      raise errors.UserError(
          f'PerceptualError has {len(self.layers)} layers but '
          f'{len(self.layer_weights)} layer_weights: give one per layer.')
    self.pixel = pixel
    self.perceptual = perceptual
    self.distance = distance
    self.relative = relative
    self.resize = resize
    self.value_range = value_range
    # Built for [0, 1]: the model's own range is not known yet.
    self._network = vgg19_lib.vgg19(self.layers, weights, (0., 1.))

  def get_config(self):
    """Returns the arguments, as Keras's files keep them; the net is apart."""
    names = ('layers', 'layer_weights', 'weights', 'pixel', 'perceptual',
             'distance', 'relative', 'resize', 'value_range')
    return {n: getattr(self, n) for n in names}

  @classmethod
  def from_config(cls, config):
    return cls(**config)

  def features(self, images):
    """Returns the layers' activations of images in the value range."""
    if len(images.shape) != 4:
      raise errors.UserError(
          f'VGG19 sees images, and these are vectors of {images.shape[-1]} '
          'numbers: leave train.image_error out.')
    if self.value_range is None:
      raise ValueError('`PerceptualError.value_range` must be set to the '
                       "model's before images are compared.")
    low, high = self.value_range
    rgb = (tf.cast(images, tf.float32) - low) / (high - low)  # [0, 1]
    if self.resize:
      rgb = tf.image.resize(rgb, [self.resize, self.resize])
    # Before the net is called: pools would leave nothing, and Keras says less.
    self._check_size(rgb.shape[1:3])
    found = self._network(rgb, training=False)
    # Keras gives the tensor itself where there is one output.
    return found if isinstance(found, (list, tuple)) else [found]

  def _check_size(self, size):
    smallest = vgg19_lib.smallest_image(self.layers)
    if min(size) < smallest:
      raise errors.UserError(
          f'Images of {size[0]}x{size[1]} do not reach all of VGG19\'s '
          f'{", ".join(self.layers)}, which needs {smallest} pixels: choose '
          'earlier layers, or set PerceptualError.resize.')

  def __call__(self, images, reconstructed):
    """Compares images.

    Args:
      images: float `[B, h, w, 1 or 3]` in the value range.
      reconstructed: float, like `images`.

    Returns:
      float `[B]`, of the type of `reconstructed`.
    """
    error = self.perceptual * losses.feature_error(
        self.features(images), self.features(reconstructed),
        self.layer_weights, self.distance, self.relative)
    error = tf.cast(error, reconstructed.dtype)
    if self.pixel:
      error += self.pixel * losses.reconstruction(images, reconstructed)
    return error

"""Errors of reconstructions: mean squared error, PSNR and SSIM.

#### References

[1]: Zhou Wang, Alan C. Bovik, Hamid R. Sheikh, Eero P. Simoncelli. Image
     Quality Assessment: From Error Visibility to Structural Similarity. IEEE
     Transactions on Image Processing, 2004.
"""
import numpy as np
import tensorflow as tf

from pgak.metrics import metric
from pgak.metrics import reference

__all__ = ['perceptual_distance', 'psnr', 'reconstruction',
           'reconstruction_mse', 'ssim']

# Limits PSNR to 100 dB: of equal images it would be infinite, and so would a
# mean with one of them.
_SMALLEST_ERROR = 1e-10


def psnr(images, others):
  """Peak signal-to-noise ratio of each image, `-10 log10(mse)`, in dB.

  Args:
    images: float `[B, h, w, C]` on [0, 1].
    others: float, like `images`.

  Returns:
    float `[B]`, 100 at the most.
  """
  error = tf.reduce_mean(tf.math.squared_difference(images, others), [1, 2, 3])
  error = tf.maximum(error, _SMALLEST_ERROR)
  return -10. * tf.math.log(error) / tf.math.log(10.)


def ssim(images, others):
  """Structural similarity of each image, [1, eq. 13].

  The window is Gaussian, of 11 pixels and a standard deviation of 1.5 as in
  [1]; for images that are smaller, of the largest odd number of pixels within.

  Args:
    images: float `[B, h, w, C]` on [0, 1].
    others: float, like `images`.

  Returns:
    float `[B]`, at most 1: the mean over windows and channels.
  """
  window = min(11, *images.shape[1:3])
  window -= 1 - window % 2  # Odd, so that it has a centre.
  return tf.image.ssim(images, others, 1., filter_size=window)


def _batches(model, array, number):
  """Yields images and reconstructions, float32 `[b, h, w, C]` on [0, 1]."""
  low, high = model.value_range
  for batch in reference.read(array, number):
    images = model.to_model(batch)
    # Not `model.reconstruct`, which rounds to uint8.
    decoded = model.render(model.encode_mean(images))
    yield (images - low) / (high - low), (decoded - low) / (high - low)


def _means(values_of, model, array, limit):
  """Means over images of what a function gives for a batch, by name."""
  number, totals = reference.count(array, limit), {}
  for images, decoded in _batches(model, array, number):
    for name, values in values_of(images, decoded).items():
      # float64, so that a mean of many images does not depend on their order.
      total = float(tf.reduce_sum(tf.cast(values, tf.float64)))
      totals[name] = totals.get(name, 0.) + total
  return {name: total / number for name, total in totals.items()}


def _mse(images, others):
  return tf.reduce_mean(
      tf.math.squared_difference(images, others), [1, 2, 3])


def reconstruction_mse(model, array, limit=None):
  """Mean squared error of reconstructions, of pixels in [0, 1], not rounded.

  A stochastic encoder counts by its mean; batch norm is in inference mode.

  Args:
    model: a `GenerativeAutoencoder`.
    array: a `data.ImageArray`.
    limit: takes the first so many images; None for all.

  Returns:
    Float: the mean over images, pixels and channels.
  """
  return _means(lambda a, b: {'mse': _mse(a, b)}, model, array, limit)['mse']


def reconstruction(model, array, limit=None):
  """Mean errors of a model's reconstructions, of pixels in [0, 1], not rounded.

  Args:
    model: as for `reconstruction_mse`.
    array: a `data.ImageArray`.
    limit: takes the first so many images; None for all.

  Returns:
    Dictionary of means over images: `reconstruction_mse`, as the function of
    that name; `psnr` in dB; `ssim`.
  """
  return _means(
      lambda a, b: {'reconstruction_mse': _mse(a, b), 'psnr': psnr(a, b),
                    'ssim': ssim(a, b)}, model, array, limit)


def perceptual_distance(distance, model, array, limit=None):
  """Mean distance of images to their reconstructions, before rounding.

  Args:
    distance: function of two float batches on [-1, 1] to their distances `[B]`,
      an `lpips.LPIPS`.
    model: as for `reconstruction_mse`.
    array: a `data.ImageArray`.
    limit: takes the first so many images; None for all.

  Returns:
    Float: the mean over images.
  """
  return _means(lambda a, b: {'distance': distance(2. * a - 1., 2. * b - 1.)},
                model, array, limit)['distance']


@metric.register('reconstruction', scope='model', needs=('encode',),
                 better={'reconstruction_mse': 'lower', 'psnr': 'higher',
                         'ssim': 'higher'})
def _compute(context):
  found = reconstruction(context.model, context.encoded, context.num_encoded)
  for name, value in found.items():
    yield metric.Value(name, value, features='pixels', images='reconstructions')


@metric.register('reconstruction_mse', scope='model', needs=('encode',),
                 better={'reconstruction_mse': 'lower'})
def _error_alone(context):
  # `reconstruction` measures it, too, and scores need each value once.
  if 'reconstruction' not in context.protocol.metrics:
    yield metric.Value(
        'reconstruction_mse', reconstruction_mse(
            context.model, context.encoded, context.num_encoded),
        features='pixels', images='reconstructions')


@metric.register('mse', scope='model', needs=('encode',), of='vectors',
                 better={'mse': 'lower'})
def _of_vectors(context):
  real = context.encoded.read(np.arange(context.num_encoded))
  made = context.model.reconstruct(real).numpy()  # [N, D]
  error = np.mean((made.astype(np.float64) - real)**2)
  yield metric.Value('mse', float(error), features='vectors',
                     images='reconstructions')

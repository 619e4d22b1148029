"""Heads: from features to latents (and log-variances), and to images."""
import math
from typing import Annotated, Literal

import keras
from keras import layers

from pgak import errors
from pgak import settings
from pgak.networks import outputs
from pgak.networks import pg_gan
from pgak.networks import spectral_norm as spectral_norm_lib

__all__ = ['ImageShape', 'Shape', 'ValueRange', 'decoder', 'encoder',
           'map_channels']

ImageShape = Annotated[
    tuple[settings.Count, settings.Count, settings.Count], settings.Says(
        '(height, width, channels), such as (64, 64, 3)')]
Shape = Annotated[ImageShape | tuple[settings.Count], settings.Says(
    '(height, width, channels), such as (64, 64, 3), or (D,) for vectors')]
ValueRange = Annotated[tuple[float, float] | None, settings.Says(
    '(-1., 1.), (0., 1.), or None for vectors')]


def _output_layer(value_range, image_shape, output, leak):
  """The last layer of a decoder; it is linear for vectors alone."""
  of_vectors = len(image_shape) == 1
  if of_vectors != (value_range is None):
    right = 'None' if of_vectors else '(-1., 1.) or (0., 1.)'
    raise settings.SettingError(
        f'A decoder of the shape {tuple(image_shape)} cannot have the range '
        f'{value_range}: ' + settings.remedy(
            f'bind `decoder.value_range = {right}`.',
            f'give `value_range={right}`.'))
  if of_vectors:
    if output == 'clipped':
      raise settings.SettingError(
          'Vectors have no range to be clipped to: leave out '
          + settings.remedy("`decoder.output = 'clipped'`.",
                            "`output='clipped'`."))
    # A layer that does nothing, but has the name and the dtype of the others.
    return layers.Activation('linear', dtype=keras.config.floatx(),
                             name='images')
  return outputs.output_layer(value_range, output, leak)


_Tensor = Annotated[keras.KerasTensor, settings.Says(
    'a Keras tensor, as @conv_mnist_encoder and @conv_mnist_decoder do')]
_NETWORKS = 'networks, such as --gin_file=networks/conv.gin'
_HINTS = {'network': _NETWORKS, 'latent_dim': 'latent_dim, such as 64',
          'image_shape': 'image_shape, such as (28, 28, 1)'}


_OTHER = ('choose the networks for these data: --gin_file=networks/conv.gin or '
          'networks/residual.gin for images of any size, networks/mlp.gin for '
          'vectors')


def _called(network, name, inputs, *others):
  """Calls a network; Keras's error for a wrong shape becomes one sentence."""
  try:
    return settings.made(network, name, _Tensor, inputs, *others)
  except settings.SettingError:
    raise
  except ValueError as e:
    raise settings.SettingError(
        f'`{name} = @{network.__name__}` cannot take {tuple(inputs.shape[1:])} '
        f'({errors.reason(e, 100)}): {_OTHER}.') from e


# The factor of the tanh in the RAE authors' code.
_LARGEST_LOG_SIGMA = 5.


@settings.register(hints=_HINTS)
def encoder(network: settings.reference('@conv_mnist_encoder'),
            image_shape: Shape, latent_dim: settings.Count,
            log_variance: bool = False, initial_sigma: settings.Positive = 0.1,
            *, batch_norm_latents: bool = False, spectral_norm: bool = False,
            equalised: bool = False,
            sigma_head: Literal['linear', 'tanh'] = 'linear'):
  """Builds an encoder: images to latents, or to a Gaussian over latents.

  An image discriminator is one, too: the mean of its latents is its output.

  Args:
    network: function of a Keras tensor of images to one of features `[B, F]`,
      or `[B, h, w, F]` for latents that are a map, flattened; see `maps`.
    image_shape: `(height, width, channels)`, or `(D,)` for vectors.
    latent_dim: number of latent dimensions H.
    log_variance: True for the stochastic encoder of VAE, VPGA and LVPGA.
    initial_sigma: the standard deviation that a stochastic encoder begins
      with. The default for all is 0.1, as in the PGA authors' code: latents of
      different images then differ from the first step. With 1, as in the RAE
      authors' code, noise as large as the latents hides the differences until
      the encoder has lowered it, and the KL term may collapse the posterior
      before that.
    batch_norm_latents: whether the latents go through batch norm without scale
      and offset, so that each dimension has mean 0 and variance 1 over data.
    spectral_norm: whether the kernel of the latents is divided by its spectral
      norm, as the last one of a discriminator.
    equalised: whether it has an equalised learning rate, as PG-GAN's critic.
    sigma_head: 'linear' for a dense layer that gives log sigma^2 (the PGA
      authors' code); 'tanh' for log sigma = 5 tanh(dense layer) (the RAE
      authors' code), so that sigma stays within [e^-5, e^5].

  Returns:
    `keras.Model`: float `[B, height, width, channels]` to latents `[B, H]`, or
    with `log_variance` to `[mean, log_variance]`, each `[B, H]`.

  Raises:
    ValueError: if a Gaussian's latents are to be normalised.
  """
  if log_variance and batch_norm_latents:
    raise settings.SettingError(
        'The latents of a stochastic encoder are not normalised: '
        + settings.remedy(
            'bind `encoder.batch_norm_latents = False` in its scope.',
            'give `batch_norm_latents=False`.'))
  images = keras.Input(tuple(image_shape), name='images')
  features = _called(network, 'encoder.network', images)
  # The heads stay in full precision under a mixed policy.
  dtype = keras.config.floatx()
  # Linear: the latents of a prior such as N(0, I) are not bounded.
  head = _head(features, latent_dim, use_bias=not batch_norm_latents,
               dtype=dtype, name='latents')
  head = spectral_norm_lib.maybe_normalised(head, spectral_norm)
  if equalised:
    head = pg_gan.EqualisedLearningRate(head, 1.)
  mean = _flat(head(features))  # [B, H]
  if batch_norm_latents:
    # Without scale and offset, which would undo the normalisation.
    mean = layers.BatchNormalization(
        center=False, scale=False, epsilon=1e-5, dtype=dtype,
        name='normalised_latents')(mean)
  if not log_variance:
    return keras.Model(images, mean, name='encoder')
  return keras.Model(images, [mean, _log_variance(
      features, latent_dim, sigma_head, initial_sigma)], name='encoder')


def _head(features, latent_dim, **options):
  """A layer from features to latents: dense, or of a map a conv of 1x1."""
  *places, _ = features.shape[1:]
  if not places:
    return layers.Dense(latent_dim, **options)
  return layers.Conv2D(map_channels(latent_dim, places), 1, **options)


def _flat(latents):
  _, *places, _ = latents.shape
  if not places:
    return latents
  return layers.Flatten(dtype=latents.dtype)(latents)


def map_channels(latent_dim, places):
  """Returns the channels C of a map of latents, H = h w C.

  Args:
    latent_dim: H.
    places: `(h, w)`.

  Raises:
    errors.UserError: if H is no multiple of h w.
  """
  number = math.prod(places)
  channels, rest = divmod(latent_dim, number)
  if rest or not channels:
    raise settings.SettingError(
        f'`latent_dim = {latent_dim}` does not fill a map of '
        f'{" x ".join(map(str, places))} places: choose a multiple of '
        f'{number}, such as {4 * number} for 4 channels.')
  return channels


def _log_variance(features, latent_dim, sigma_head, initial_sigma):
  log_sigma, dtype = math.log(initial_sigma), keras.config.floatx()
  bounded = sigma_head == 'tanh'
  if bounded and abs(log_sigma) >= _LARGEST_LOG_SIGMA:
    raise settings.SettingError(
        f'`encoder.initial_sigma = {initial_sigma:g}` is beyond what '
        "`encoder.sigma_head = 'tanh'` reaches: choose one between e^-5 and "
        'e^5.')
  # The bias alone decides the first sigma, on average over the features.
  bias = (math.atanh(log_sigma / _LARGEST_LOG_SIGMA) if bounded
          else 2. * log_sigma)
  x = _flat(_head(
      features, latent_dim, dtype=dtype, name='log_variance',
      bias_initializer=keras.initializers.Constant(bias))(features))
  # log sigma^2 = 2 log sigma
  return 2. * _LARGEST_LOG_SIGMA * keras.ops.tanh(x) if bounded else x


@settings.register(hints=_HINTS)
def decoder(network: settings.reference('@conv_mnist_decoder'),
            image_shape: Shape, latent_dim: settings.Count,
            value_range: ValueRange = (-1., 1.),
            output: outputs.Output = 'squashed',
            leak: settings.NonNegative = 0.01):
  """Builds a decoder: latents to images.

  Args:
    network: function of a Keras tensor `[B, H]` and the number of channels to
      one of images before the last activation.
    image_shape: `(height, width, channels)`, or `(D,)` for vectors.
    latent_dim: number of latent dimensions H.
    value_range: `(-1, 1)` for a tanh at the end, `(0, 1)` for a sigmoid; None
      for vectors, which have no activation there.
    output: 'squashed' for that tanh or sigmoid, or 'clipped' for an output that
      is linear inside the range and clipped outside.
    leak: slope of a clipped output outside the range, in training alone.

  Returns:
    `keras.Model`: float `[B, H]` to `[B, height, width, channels]`.

  Raises:
    ValueError: if the net makes images of another shape, or for another range.
  """
  last = _output_layer(value_range, image_shape, output, leak)
  latents = keras.Input((latent_dim,), name='latents')
  images = _called(network, 'decoder.network', latents, image_shape[-1])
  if tuple(images.shape[1:]) != tuple(image_shape):
    raise settings.SettingError(
        f'`decoder.network` makes images of {tuple(images.shape[1:])}, but '
        f'`image_shape` is {tuple(image_shape)}: {_OTHER}.')
  return keras.Model(latents, last(images), name='decoder')

"""The parts of a model: checks, priors that are parts, averaged weights."""
import contextlib
import inspect
import warnings
from typing import Annotated

import keras

from pgak import settings

__all__ = ['ConditionalLike', 'FlowLike', 'GeneratorLike', 'averaged_weights',
           'check', 'check_stochastic', 'made_prior']

_Made = Annotated[object, settings.Has(
    ('sample', 'trainable_variables'), 'a prior that was made')]
# What makes a prior, given the number of latent dimensions, or the prior.
FlowLike = settings.reference('@FlowPrior') | _Made
GeneratorLike = settings.reference('@LatentGenerator') | _Made
ConditionalLike = settings.reference('@ConditionalFlow') | _Made


def made_prior(model, reference, decoder, needs=()):
  """Makes a prior for the latents of a decoder, or takes the one that is given.

  Args:
    model: string, the model's name in gin.
    reference: function or class, called with the latent size; or a prior that
      was made for it.
    decoder: `keras.Model`, latents `[B, H]` to images.
    needs: names of methods besides `sample` that the model calls.
  """
  # What needs nothing beyond `sample` is trained against a discriminator.
  such_as = 'FlowPrior' if needs else 'LatentGenerator'
  names = ('sample', 'trainable_variables', *needs)
  words = f'a prior that is trained with the model, such as @{such_as}'
  latent_dim = decoder.inputs[0].shape[-1]
  # A class has `sample`, too, and must be called all the same.
  if not hasattr(reference, 'sample') or inspect.isclass(reference):
    return settings.made(reference, f'{model}.prior', Annotated[
        object, settings.Has(names, words)], latent_dim)
  lacking = [name for name in names if not hasattr(reference, name)]
  if lacking or getattr(reference, 'latent_dim', latent_dim) != latent_dim:
    raise settings.SettingError(
        f'`prior` of {model} must be {words}, of {latent_dim} dimensions as '
        f'the decoder has, and this {type(reference).__name__} '
        + (f'has no `{lacking[0]}`.' if lacking else
           f'has {reference.latent_dim}.'))
  return reference


@contextlib.contextmanager
def averaged_weights(parts, optimizers):
  """Context in which parts have the averaged weights of their optimizers.

  Args:
    parts: `{part: keras.Model or Layer}`.
    optimizers: `{part: keras.optimizers.Optimizer}`.
  """
  kept = {}
  for part, optimizer in optimizers.items():
    # Until the first step Keras's averages are zeros.
    if optimizer.use_ema and int(optimizer.iterations.numpy()) > 0:
      variables = parts[part].trainable_variables
      # By identity: `==` of Keras's variables compares their values.
      kept.update({id(v): (v, v.numpy()) for v in variables})
      optimizer.finalize_variable_values(variables)
  try:
    yield
  finally:
    for variable, value in kept.values():
      variable.assign(value)


def check_stochastic(encoder, model, wanted):
  """Raises ValueError unless the encoder is stochastic or not, as wanted."""
  # `networks.encoder` has two outputs with `log_variance`, one without.
  if (len(encoder.outputs) == 2) != wanted:
    outputs = 'mean and log-variance' if wanted else 'latents alone'
    way = settings.remedy(
        f'bind `encoder.log_variance = {wanted}` in its scope',
        f'make it by `networks.encoder` with `log_variance={wanted}`')
    raise ValueError(f'{model} needs an encoder that gives {outputs}: {way}.')


def check(model):
  """Checks that the parts of a model fit each other and its update table.

  Args:
    model: `GenerativeAutoencoder`.

  Raises:
    settings.SettingError: names what does not fit.
  """
  _check_table(model)
  _check_error(model)
  name = type(model).__name__
  for part, net in model.parts.items():
    # The decoder decides: its shapes are the model's.
    shape = _shape(net, 'inputs')
    wanted = {'images': model.image_shape, 'latents': (model.latent_dim,)}.get(
        model.takes.get(part))
    if shape and wanted and shape != wanted:
      raise settings.SettingError(
          f'`{name}.{part}` takes {shape}, and the decoder '
          f'{_of_decoder(wanted, model)}: {_same("image_shape", "latent_dim")} '
          'for all its nets.')
  latents = _shape(model.encoder, 'outputs') if 'encode' in model.can else None
  if latents and latents != (model.latent_dim,):
    raise settings.SettingError(
        f'`{name}.encoder` makes latents of {latents}, and the decoder takes '
        f'{(model.latent_dim,)}: {_same("latent_dim")} for both.')


def _same(*names):
  named = ' and '.join(f'`{n}`' for n in names)
  return settings.remedy(f'bind the same {named}', f'give the same {named}')


def _of_decoder(shape, model):
  return (f'makes {shape}' if shape == model.image_shape
          else f'takes latents of {shape}')


def _shape(net, ends):
  """Returns the shape of one input or output; None where Keras knows none."""
  tensors = getattr(net, ends, None)
  return tuple(tensors[0].shape[1:]) if tensors else None


def _check_error(model):
  if not model.compares_images:
    # In the instance: the class's own is there for all.
    if 'image_error' in vars(model):
      # A run of an older version may have it, and goes on.
      warnings.warn(
          f'No term of {type(model).__name__} compares images: '
          + settings.remedy('`train.image_error`', '`model.image_error`')
          + ' is not read.', stacklevel=3)
    return
  dtype, floats = model.decoder.outputs[0].dtype, keras.config.floatx()
  if dtype != floats:
    raise settings.SettingError(
        f'The decoder of {type(model).__name__} makes {dtype}, and its images '
        f'are compared in {floats}: give its last layer `dtype="{floats}"`.')


def _check_table(model):
  name, parts, rows = type(model).__name__, set(model.parts), model.table.rows
  for term, row in rows.items():
    if set(row) - parts:
      raise settings.SettingError(
          f'`{name}.updates` says that {term!r} updates {tuple(row)}: the '
          f'parts of {name} are {", ".join(sorted(parts))}.')
  # A term may update nothing, to be watched, and a part may stay as it is.
  if not any(rows.values()):
    raise settings.SettingError(
        f'No term of {name} updates anything: give one of '
        f'{", ".join(model.term_weights)} a weight, or a part in '
        f'`{name}.updates`.')

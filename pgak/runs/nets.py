"""The nets of a model, bound where a configuration binds none."""
import inspect

import gin

from pgak import errors
from pgak.runs import gin_errors
from pgak.runs import gin_internals

__all__ = ['bind', 'named']


def bind():
  """Binds what model classes name as their nets and nothing binds.

  For every class with `nets` that the configuration refers to, such as that of
  `train.model`, this has the effect of a gin file with `VAE.encoder =
  @gaussian/encoder()`. What is already bound, in any scope of the reference,
  stays.

  Raises:
    errors.UserError: names the class whose `nets` gin cannot read.
  """
  for scopes, selector, model in gin_internals.referred_classes():
    wanted = named(model)
    missing = [name for name in wanted if name not in _bound(selector, scopes)]
    for argument in missing:
      _bind(selector, model, argument, wanted[argument])
    if missing:
      # Gin makes the nets in the order of their bindings, and a net's first
      # weights depend on how many were made before it.
      unscoped = _bound(selector, [''])
      gin_internals.bind_first(
          selector, [name for name in wanted if name in unscoped])


def named(model):
  """Returns `{argument: gin text}`: the nets of a class, in their order.

  Those of its parents count, too, unless it replaces them. An argument with a
  default is none of them: there the default is meant.

  Args:
    model: class, of whose attribute `nets` gin may bind what `__init__` takes.
  """
  nets = {}
  # From the most general class on, so that a class overrides its parents.
  for parent in reversed(model.__mro__):
    nets |= vars(parent).get('nets', {})
  parameters = inspect.signature(model).parameters if nets else {}
  return {name: nets[name] for name, parameter in parameters.items()
          if name in nets and parameter.default is parameter.empty}


def _bound(selector, scopes):
  """Returns the arguments of a class that are bound in some of the scopes."""
  return {argument for scope, name, argument, _ in
          gin_internals.bound_values() if name == selector and scope in scopes}


def _bind(selector, model, argument, text):
  try:
    if not isinstance(text, str):
      raise TypeError(f'it is of the type {type(text).__name__}')
    # As a binding, so that config.gin records it and old runs read it.
    gin.parse_config(f'{selector}.{argument} = {text}')
  except (ValueError, TypeError, SyntaxError, KeyError) as e:
    raise errors.UserError(
        f'The class {model.__name__} names {argument!r}: {text!r} among its '
        f'`nets`; it must be gin text: {gin_errors.sentence(e)}'
    ) from e

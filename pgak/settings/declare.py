"""Functions and classes that gin may bind, with checked arguments.

`register` and `configurable` stand where gin's decorators of these names would.
The annotation of an argument is its type and range:

```python
@settings.register
def sgd(learning_rate: Positive, momentum: Fraction = 0.9,
        ema_decay: Fraction | None = None): ...
```

An argument is checked wherever it comes from, a gin file or Python. None is
allowed only by `| None`; a bool is no number; an int serves as a float, and a
float with a whole value, such as 1e3, as an int; NaN and infinity are refused.
A class checks what it was given, not what it hands on to its parent.
"""
import functools
import inspect
import os

import gin

from pgak import errors
from pgak.settings import kinds
from pgak.settings import values

__all__ = ['SettingError', 'checked', 'configurable', 'made', 'register',
           'remedy', 'several']


class SettingError(errors.UserError, ValueError):
  """A setting of a wrong type, out of its range, or missing."""


def several(*names):
  """Returns a decorator: one string or path does where a list of them is due.

  Without it a string would be taken for the list of its characters. Paths are
  given on as strings.

  Args:
    *names: of the function's arguments.
  """
  def decorate(function):
    signature = inspect.signature(function)

    @functools.wraps(function)
    def call(*args, **kwargs):
      given = signature.bind(*args, **kwargs)
      for name in names:
        value = given.arguments.get(name)
        if isinstance(value, str | os.PathLike):
          value = (value,)
        if isinstance(value, list | tuple):
          given.arguments[name] = tuple(
              os.fspath(v) if isinstance(v, os.PathLike) else v for v in value)
      return function(*given.args, **given.kwargs)

    return call

  return decorate


def register(function=None, *, hints=None, **options):
  """Registers a function or class with gin, and checks its arguments.

  Args:
    function: function or class.
    hints: `{argument: where it comes from}`, for the sentence that says that
      it is missing, such as '--gin_file=datasets/mnist.gin'.
    **options: as for `gin.register`.

  Returns:
    The function with its check, or the class, whose `__init__` has it.
  """
  if function is None:
    return lambda f: register(f, hints=hints, **options)
  # Checked first: gin then calls the check, also for values out of a file.
  made_sure = checked(function, hints)
  gin.register(made_sure, **options)
  return made_sure


def configurable(function=None, *, name=None, hints=None, **options):
  """As `register`, for the few functions that gin also binds for Python."""
  if function is None:
    return lambda f: configurable(f, name=name, hints=hints, **options)
  return gin.configurable(name, **options)(checked(function, hints, name))


def checked(function, hints=None, name=None):
  """Makes a function or class check its arguments by their annotations.

  Args:
    function: function or class.
    hints: as for `register`.
    name: string that sentences name it by; its own name by default.

  Returns:
    The checking function, or the same class.
  """
  name = name or function.__name__
  if not inspect.isclass(function):
    return _checked_call(function, name, hints or {})
  inherited = function.__init__
  # A subclass without `__init__` has its parent's, which is wrapped already.
  init = getattr(inherited, '__wrapped__', inherited)
  function.__init__ = _checked_call(init, name, hints or {}, is_init=True)
  return function


def _checked_call(function, name, hints, is_init=False):
  signature = inspect.signature(function)

  @functools.wraps(function)
  def call(*args, **kwargs):
    # Called by a subclass's `__init__`, which answers for what it passes on.
    if is_init and type(args[0]).__init__ is not call:
      return function(*args, **kwargs)
    # Partial, so that what is missing is said in our words and not in Python's.
    bound = signature.bind_partial(*args, **kwargs)
    for argument, value in bound.arguments.items():
      wanted = signature.parameters[argument].annotation
      bound.arguments[argument] = _allowed(value, wanted, name, argument)
    _require_all(signature, bound.arguments, name, hints)
    return function(*bound.args, **bound.kwargs)

  # Keras reads the signature of `__init__`, and does not look behind wrappers.
  call.__signature__ = signature
  # So that `@cosine` without brackets is not taken for the schedule it makes.
  kinds.mark(call, name)
  return call


def _require_all(signature, given, name, hints):
  missing = [p for p in signature.parameters.values() if p.name not in given
             and p.default is p.empty
             and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
  if missing:
    named = values.listed([f'`{name}.{p.name}`' for p in missing], 'and')
    ways = values.listed([_way(name, p, hints) for p in missing], 'and')
    verb = 'is' if len(missing) == 1 else 'are'
    raise SettingError(f'{named} {verb} not set: {ways}.')


def _way(name, parameter, hints):
  wanted = parameter.annotation
  text = 'a value' if wanted is parameter.empty else values.described(wanted)
  return remedy(
      f'add {hints[parameter.name]}' if parameter.name in hints else
      f'bind {name}.{parameter.name} to {text}',
      f'give `{parameter.name}`, {text}')


def remedy(in_gin, in_python):
  """Returns the remedy in an error, for users of gin or of Python.

  Args:
    in_gin: string, for a user who configures by gin: which binding to make.
    in_python: string, for a user who calls functions: which argument to give.
  """
  # Where anything is bound, the user works with gin.
  return in_gin if gin.config_str() else in_python


def _allowed(value, wanted, name, argument):
  try:
    return values.converted(value, wanted)
  except values.Mismatch:
    shown = f'{name}.{argument} = {_shown(value)}'
    raise SettingError(f'`{shown}`{_macro(name, argument)} must be '
                       f'{values.described(wanted)}.') from None


def made(reference, name, kind, *arguments):
  """Calls a reference and checks what it makes.

  Args:
    reference: function or class, such as gin gives for `@digits`.
    name: string, the setting that holds it, such as 'train.dataset'.
    kind: type of what it makes, as an annotation.
    *arguments: what to call it with.

  Returns:
    What it makes.

  Raises:
    SettingError: if it cannot be called so, or makes something else.
  """
  shown = f'`{name} = {_shown(reference)}`'
  if not kinds.is_uncalled(reference):
    raise SettingError(f'{shown} must be a reference without brackets to what '
                       f'makes {values.described(kind)}.')
  try:
    # Before the call, so that a TypeError of its inside is not mistaken.
    inspect.signature(reference).bind_partial(*arguments)
  except ValueError:  # Some built-in functions have no signature.
    pass
  except TypeError:
    raise SettingError(f'{shown} does not take what it is called with: it must '
                       f'make {values.described(kind)}.') from None
  try:
    result = reference(*arguments)
  except TypeError as e:
    # Gin's words, for a class that was registered with gin alone.
    missing = str(e).partition('No values supplied by Gin or caller for '
                               'arguments: ')[2].partition('\n')[0]
    if not missing:
      raise
    raise SettingError(f'{shown} is called without {missing}, which no binding '
                       'sets: bind them.') from e
  try:
    return values.converted(result, kind)
  except values.Mismatch:
    raise SettingError(f'{shown} makes {_shown(result)}; it must make '
                       f'{values.described(kind)}.') from None


def _shown(value):
  """Returns a value as gin would write it, shortened."""
  if kinds.is_uncalled(value):
    value = getattr(value, 'func', value)
    return '@' + getattr(value, '__name__', type(value).__name__)
  text = ' '.join(repr(value).split())
  # An address, which would differ from run to run.
  if text.startswith('<') and text.endswith('>'):
    return f'<{type(value).__name__}>'
  return text if len(text) <= 60 else f'{text[:57]}...'


def _macro(name, argument):
  """Says which macro a setting is bound to, or ''."""
  scope = gin.current_scope()
  # The innermost scope first, as gin looks a binding up.
  for length in range(len(scope), -1, -1):
    try:
      bound = gin.query_parameter(
          '/'.join([*scope[:length], f'{name}.{argument}']))
    except ValueError:
      continue
    text = repr(bound)
    # gin shows a macro as %name; a plain string may hold the sign, too.
    if '%' in text and not isinstance(bound, str):
      return f' (bound as {text})'
    return ''
  return ''

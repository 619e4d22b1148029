"""The range of a model's floats: its decoder's, or the one it was given."""
import contextvars
import inspect

from pgak import errors

from pgak.data import kinds

__all__ = ['TakesRange', 'check', 'given']

# No argument of `__init__`: subclasses of one's own need not pass it on.
_GIVEN = contextvars.ContextVar('value_range', default=None)


class _RangeError(errors.UserError, ValueError):
  """A model whose images have no known range, or one that cannot be."""


class TakesRange(type):
  """Lets each model be called with `value_range`, beside its own arguments.

  The range belongs to the base class, and is no setting in gin, where networks
  and data read one macro.
  """

  @property
  def __signature__(cls):
    # Keras reads it; by default it would be that of `__call__`.
    own = inspect.signature(cls.__init__)
    return own.replace(parameters=list(own.parameters.values())[1:])

  def __call__(cls, *args, value_range=None, **kwargs):
    if value_range is None:
      return super().__call__(*args, **kwargs)
    # Set only while the model is made, so that others keep their own.
    mark = _GIVEN.set(_checked(value_range, cls.__name__))
    try:
      return super().__call__(*args, **kwargs)
    finally:
      _GIVEN.reset(mark)


def given():
  """Returns the `value_range` of the model under construction, or None."""
  return _GIVEN.get()


def _checked(value_range, name):
  try:
    low, high = (float(v) for v in value_range)
  except (TypeError, ValueError):
    # Refused below, in one sentence for all mistakes.
    low = high = 0.
  if not low < high:
    raise _RangeError(
        f'`value_range = {value_range!r}` of {name} must be (low, high), black '
        'and white, such as (0., 1.).')
  return low, high


def check(model):
  """Refuses a decoder of images whose range is not known.

  Args:
    model: `GenerativeModel` with its decoder.

  Raises:
    ValueError: says how to give the range.
  """
  try:
    found = model.value_range
  except (AttributeError, ValueError) as e:
    found, reason = None, e
  else:
    reason = None
  # Vectors need no range: they are the same for users and for the model.
  is_of_images = kinds.Images.fits(model.image_shape)
  if found is None and (is_of_images or reason):
    raise _RangeError(
        f'The decoder of {type(model).__name__} ends in '
        f'{type(model.decoder.layers[-1]).__name__}, which does not say in '
        'which range its images lie: end it in '
        "keras.layers.Activation('sigmoid') for (0, 1) or 'tanh' for (-1, 1), "
        'or give `value_range=(low, high)`.') from reason

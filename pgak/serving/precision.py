"""An export that computes in 16 bits, and how far its answers are off."""
import contextlib
from typing import Literal

import numpy as np
import tensorflow as tf

from pgak import errors
from pgak import networks

__all__ = ['PRECISIONS', 'Precision', 'computed_in']

PRECISIONS = ('float32', 'bfloat16', 'float16')
Precision = Literal[PRECISIONS]
# Draws that are compared.
_COMPARED = 64


@contextlib.contextmanager
def computed_in(model, precision):
  """Within it, a model's encoder and decoder compute in a precision.

  The prior stays in float32, and so do the last layers.

  Args:
    model: `GenerativeModel`, whose nets are functional `keras.Model`s.
    precision: out of `PRECISIONS`.

  Yields:
    What `metadata.json` says of it: `{'precision': string}` and, but for
    float32, `precision_difference`, the largest difference from float32 that
    was found in answers, `images` in grey levels (vectors in their unit) and
    `latents` as a share of the largest.

  Raises:
    errors.UserError: if numbers become NaN or infinite.
  """
  nets = [net for net in (getattr(model, name, None)
                          for name in ('encoder', 'decoder')) if net]
  with networks.full_precision(*nets):
    if precision == 'float32':
      yield {'precision': precision}
      return
    given, latents, full = _answers(model)
    with networks.lower_precision(precision, *nets):
      _, _, lower = _answers(model, given, latents, full[0])
      _require_finite(model, latents, given, precision)
      yield {'precision': precision, 'precision_difference': {
          name: _difference(x, y)
          for name, x, y in zip(('images', 'latents'), full, lower)}}


def _answers(model, given=None, latents=None, images=None):
  """Returns conditions, latents, and what the nets make: images, latents."""
  if latents is None:
    given, latents = _draws(model)
  more = [] if given is None else [given]
  decoded = np.asarray(tf.function(model.decode)(latents, *more))
  if 'encode' not in model.can:
    return given, latents, [decoded]
  # The same images for both: what the encoder changes is counted alone.
  images = decoded if images is None else images
  return given, latents, [decoded, np.asarray(
      tf.function(model.encode)(images, *more))]


def _draws(model):
  if 'condition' not in model.kind.can:
    return None, tf.cast(model.prior.sample(_COMPARED, 0), tf.float32)
  given = np.random.default_rng(0).integers(
      0, 256, (_COMPARED, *model.condition_shape)).astype(np.uint8)
  return given, model.draw_latents(None, 0, model.condition(given))


def _require_finite(model, latents, given, precision):
  floats = model.render(
      latents, None if given is None else model.condition(given))
  if not np.isfinite(floats).all():
    raise errors.UserError(
        f'In {precision} the decoder makes NaN or infinity: export with '
        'export.precision = "bfloat16" or "float32".')


def _difference(full, lower):
  """Returns the largest difference, of float latents as a share."""
  error = float(np.abs(full.astype(np.float64) - lower).max(initial=0.))
  if full.dtype.kind in 'iu':
    return int(error)
  return error / (float(np.abs(full).max(initial=0.)) + 1e-6)

"""Images of a conditional model for given conditions, in batches and pictures.

The counterpart of `sampling` for models of pairs.
"""
import weakref

import numpy as np
import tensorflow as tf

from pgak.pictures import grids

__all__ = ['generate', 'picture', 'reconstruction_rows', 'sample_rows',
           'side_by_side']


def generate(model, conditions, seed=0, batch_size=500, rounding='nearest'):
  """Yields a new image for each condition, in batches.

  Args:
    model: `models.ConditionalAutoencoder`.
    conditions: uint8 `[N, h, w, K]`.
    seed: int that decides the latents; two seeds give two independent images.
    batch_size: images in a batch, which decides the latents, too; the last one
      may be smaller.
    rounding: see `Images.to_users` in `pgak.data.kinds`.

  Yields:
    uint8 arrays `[b, h, w, C]`.
  """
  make = _function(model, rounding)
  for number, first in enumerate(range(0, len(conditions), batch_size)):
    # Noise is a function of the seed and the position in a batch, so each batch
    # has a seed of its own; 2^20 of them before two seeds meet.
    batch_seed = tf.constant((seed << 20) + number, tf.int64)
    yield make(conditions[first:first + batch_size], batch_seed).numpy()


# One compiled function per model and rounding. Keys are weak, so that a model
# is freed when its last user drops it.
_functions = weakref.WeakKeyDictionary()


def _function(model, rounding):
  functions = _functions.setdefault(model, {})
  if rounding not in functions:
    # A proxy: the function must not keep its own key alive.
    functions[rounding] = _new_function(weakref.proxy(model), rounding)
  return functions[rounding]


def _new_function(model, rounding):

  # The last batch is smaller, which is no reason for another graph.
  @tf.function(reduce_retracing=True)
  def make(conditions, seed):
    conditions = model.kind.images.to_model(conditions)
    latents = model.draw_latents(None, seed, conditions)
    return model.kind.to_users(model.render(latents, conditions), rounding)

  return make


def sample_rows(model, images, conditions, num_samples=6, seed=0):
  """Returns rows of a condition, its image and several samples.

  Args:
    model: `models.ConditionalAutoencoder`.
    images: uint8 `[N, h, w, C]`.
    conditions: uint8 `[N, h, w, K]`.
    num_samples: samples in a row.
    seed: int that decides them.

  Returns:
    uint8 `[N, 2 + num_samples, h, w, 1 or 3]`.
  """
  # A seed for each column: no two columns, nor those of two seeds, are alike.
  made = [np.concatenate(list(generate(
      model, conditions, seed * num_samples + i))) for i in range(num_samples)]
  return side_by_side([conditions, images, *made])


def reconstruction_rows(model, images, conditions):
  """Returns rows of a condition, its image and the reconstruction.

  The arguments are those of `sample_rows`.
  """
  made = model.reconstruct(images, conditions).numpy()
  return side_by_side([conditions, images, made])


def picture(rows):
  """Returns a uint8 grid `[H, W, 1 or 3]` of such rows, `[N, M, h, w, c]`."""
  tiles = grids.enlarged(rows.reshape(-1, *rows.shape[2:]))  # [N M, h, w, c]
  return grids.grid(tiles, rows.shape[1])


def side_by_side(columns):
  """Stacks columns of images; grey ones become RGB if another column is."""
  channels = max(c.shape[-1] for c in columns)  # 1 or 3
  return np.stack([c if c.shape[-1] == channels
                   else c[..., :1].repeat(channels, -1) for c in columns], 1)

"""What the export of a model of pairs answers; see `signatures`.

Conditions are uint8 pictures as the data set has them. Over REST:

    {"signature_name": "generate",
     "inputs": {"conditions": [...], "seed": 1}}
"""
import numpy as np
import tensorflow as tf

from pgak import batches
from pgak.serving import bounds as bounds_lib

__all__ = ['ConditionalEndpoints']


class ConditionalEndpoints:
  """The functions of one conditional model, to be traced and saved.

  Args:
    model: a built `models.ConditionalAutoencoder`.
    max_count: the most images that one call makes or takes.

  Every method's tensors are named as its arguments and as the keys of what it
  returns; `[B, ...]` is any number of examples, none included.
  """

  crop = None
  antialias = True

  def __init__(self, model, max_count=1024):
    self.model = model
    self.max_count = max_count

  def signatures(self):
    """Returns `{name: (function, list of named tf.TensorSpec)}`.

    `generate` is first, so that it is the `serving_default`.
    """
    model = self.model
    images = tf.TensorSpec([None, *model.image_shape], tf.uint8, 'images')
    conditions = tf.TensorSpec([None, *model.condition_shape], tf.uint8,
                               'conditions')
    latents = tf.TensorSpec([None, model.latent_dim], tf.float32, 'latents')
    specs = {
        'generate': [conditions, tf.TensorSpec([], tf.int64, 'seed')],
        'decode': [latents, conditions],
        'encode': [images, conditions],
        'reconstruct': [images, conditions],
        'sample_latents': [conditions, tf.TensorSpec([], tf.int64, 'seed')],
    }
    return {name: (bounds_lib.checked(getattr(self, name), inputs,
                                      self.bounds(name)), inputs)
            for name, inputs in specs.items()}

  def bounds(self, signature):
    """Returns what one request may ask for, `{name: (least, most)}`.

    See `bounds.py`.
    """
    del signature  # Each of them makes or takes images, or their conditions.
    return {'batch': (0, self.max_count)}

  def generate(self, conditions, seed):
    """uint8 `[B, h, w, k]` and int64 [] -> images uint8 `[B, h, w, c]`.

    An image is a function of the seed, its condition and its place.
    """
    return {'images': batches.never_empty(
        lambda c: self.model.sample(c, seed), conditions)}

  def sample_latents(self, conditions, seed):
    """As `generate`, before decoding -> latents float32 `[B, H]`."""
    return {'latents': batches.never_empty(
        lambda c: self.model.draw_latents(
            None, seed, self.model.condition(c)), conditions)}

  def decode(self, latents, conditions):
    """float32 `[B, H]`, uint8 `[B, h, w, k]` -> images uint8 `[B, h, w, c]`."""
    return {'images': batches.never_empty(
        self.model.decode, latents, conditions)}

  def encode(self, images, conditions):
    """uint8 `[B, h, w, c]`, `[B, h, w, k]` -> latents float32 `[B, H]`."""
    return {'latents': batches.never_empty(
        self.model.encode, images, conditions)}

  def reconstruct(self, images, conditions):
    """uint8 `[B, h, w, c]`, `[B, h, w, k]` -> images uint8 `[B, h, w, c]`."""
    return {'images': batches.never_empty(
        self.model.reconstruct, images, conditions)}

  def expected_calls(self):
    """Asks the model itself: `{signature: (inputs, outputs)}`, NumPy arrays."""
    draw = np.random.default_rng(0).integers
    images, conditions = (
        draw(0, 256, (3, *shape)).astype(np.uint8)
        for shape in (self.model.image_shape, self.model.condition_shape))
    seed = np.int64(2)
    given = {'conditions': conditions, 'seed': seed}
    pair = {'images': images, 'conditions': conditions}
    with tf.device('CPU:0'):
      latents = tf.function(self.encode)(images, conditions)['latents']
      code = {'latents': latents.numpy(), 'conditions': conditions}
      inputs = {'generate': given, 'sample_latents': given, 'decode': code,
                'encode': pair, 'reconstruct': pair, 'serving_default': given}
      calls = {name: (arrays, tf.function(getattr(
          self, 'generate' if name == 'serving_default' else name))(**arrays))
               for name, arrays in inputs.items()}
    return tf.nest.map_structure(np.asarray, calls)

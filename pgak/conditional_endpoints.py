"""What the export of a model of pairs answers; see `endpoints`.

Conditions are uint8 pictures as the data set has them. Over REST:

    {"signature_name": "generate",
     "inputs": {"conditions": [...], "seed": 1}}
"""
import numpy as np
import tensorflow as tf

from pgak import images as images_lib

__all__ = ['ConditionalEndpoints']


class ConditionalEndpoints:
  """The functions of one conditional model, to be traced and saved.

  Args:
    model: a built `models.ConditionalAutoencoder`.
    max_count: the most images that one call makes.

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
    return {name: (self._checked(getattr(self, name), inputs), inputs)
            for name, inputs in specs.items()}

  def generate(self, conditions, seed):
    """uint8 `[B, h, w, k]` and int64 [] -> images uint8 `[B, h, w, c]`.

    An image is a function of the seed, its condition and its place.
    """
    return {'images': self._never_empty(
        lambda c: self.model.sample(c, seed), conditions)}

  def sample_latents(self, conditions, seed):
    """As `generate`, before decoding -> latents float32 `[B, H]`."""
    return {'latents': self._never_empty(
        lambda c: self.model.draw_latents(
            images_lib.to_float(c, self.model.value_range), seed), conditions)}

  def decode(self, latents, conditions):
    """float32 `[B, H]`, uint8 `[B, h, w, k]` -> images uint8 `[B, h, w, c]`."""
    return {'images': self._never_empty(self.model.decode, latents, conditions)}

  def encode(self, images, conditions):
    """uint8 `[B, h, w, c]`, `[B, h, w, k]` -> latents float32 `[B, H]`."""
    return {'latents': self._never_empty(self.model.encode, images, conditions)}

  def reconstruct(self, images, conditions):
    """uint8 `[B, h, w, c]`, `[B, h, w, k]` -> images uint8 `[B, h, w, c]`."""
    return {'images': self._never_empty(
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

  def _checked(self, function, specs):
    """Makes a function check its inputs' shapes and number when it runs."""

    def checked(*inputs):
      batch = [tf.shape(tensor)[0] for tensor, spec in zip(inputs, specs)
               if spec.shape.rank]
      checks = [
          tf.debugging.Assert(
              tf.reduce_all(tf.equal(batch, batch[0])),
              ['All inputs must hold equally many examples, but hold', batch]),
          tf.debugging.Assert(
              batch[0] <= self.max_count,
              [f'At most {self.max_count} images are made at once, but asked '
               'for are', batch[0]])]
      with tf.control_dependencies(checks):
        inputs = [tf.ensure_shape(tf.identity(tensor), spec.shape)
                  for tensor, spec in zip(inputs, specs)]
      return function(*inputs)

    return checked

  def _never_empty(self, function, *batch):
    """Calls a function of batches with one zero example where there is none.

    TensorFlow's convolutions on a CPU fail on an empty batch.
    """
    size = tf.shape(batch[0])[0]
    missing = tf.cast(tf.equal(size, 0), tf.int32)
    padded = [tf.ensure_shape(
        tf.pad(x, [[0, missing]] + [[0, 0]] * (len(x.shape) - 1)),
        [None, *x.shape[1:]]) for x in batch]
    return function(*padded)[:size]

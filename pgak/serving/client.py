"""Loads an export and asks it, without the classes that made it.

A server is asked the same through its signatures; see `signatures.py`.
"""
import re

import numpy as np
import tensorflow as tf

from pgak import batches
from pgak import counts
from pgak import errors
from pgak import files
from pgak.data import kinds
from pgak.serving import bounds as bounds_lib

__all__ = ['METADATA', 'ServedModel', 'find_version', 'is_export', 'versions']

METADATA = 'metadata.json'
_NO_FLOW = 'a distribution that is no flow'


class ServedModel:
  """An export, loaded without the classes that made it.

  It answers as a model does: everything is uint8 images `[B, h, w, c]` (float32
  `[B, D]` of a model of vectors) or float32 latents `[B, H]`, as NumPy arrays.

  Args:
    path: folder of an export's version, or the folder that holds versions, of
      which the largest is taken.

  Raises:
    errors.UserError: if there is no export, or if it is damaged.

  Example:

  ```python
  served = serving.ServedModel('exports/digits')
  images = served.sample(16, seed=0)          # uint8 [16, 8, 8, 1]
  latents = served.encode(images)             # float32 [16, 8]
  lines = served.interpolate(images[:2], images[2:4], steps=5)
  ```
  """

  def __init__(self, path):
    self.path = find_version(path)
    try:
      self.metadata = files.load_json(self.path / METADATA)
      self._loaded = tf.saved_model.load(str(self.path))
      self.image_shape = tuple(self.metadata['image_shape'])
      self.latent_dim = self.metadata['latent_dim']
      # Version 0.4 names no kind.
      self.kind = kinds.named(self.metadata.get('kind'), self.image_shape)
    except (KeyError, OSError, TypeError, ValueError,
            tf.errors.OpError) as error:
      raise errors.UserError(
          f'The export in {self.path} cannot be read ({_reason(error)}): '
          'export the run again.') from error

  def encode(self, images, value_range=None):
    """Returns the latents `[B, H]` of images `[B, h, w, c]`.

    Args:
      images: uint8, or floats with their `value_range`, which are rounded to
        grey levels; float32 `[B, D]` of a model of vectors.
      value_range: `(low, high)` of float images, black and white; None for
        uint8.

    Raises:
      errors.UserError: if the export has no encoder, if images are not uint8
        and no range is given, or if they lie outside it; of `reconstruct` and
        `interpolate`, too.
    """
    self._require_encoder('encode')
    return self._in_batches(
        'encode', images=self._images(images, value_range, 'encode'))

  def decode(self, latents):
    """Returns uint8 images `[B, h, w, c]` of latents `[B, H]`.

    Raises:
      errors.UserError: if one is NaN or infinite; so do all that take latents
        or vectors.
    """
    return self._in_batches('decode', latents=np.asarray(latents, np.float32))

  def reconstruct(self, images, value_range=None):
    """Returns uint8 images, encoded and decoded again; see `encode`."""
    self._require_encoder('reconstruct')
    return self._in_batches(
        'reconstruct', images=self._images(images, value_range, 'reconstruct'))

  def interpolate(self, start, end, steps, value_range=None):
    """Returns uint8 `[B, steps, h, w, c]`, lines between pairs of images.

    Args:
      start: B images, as for `encode`.
      end: as many others.
      steps: images in a line, which is straight in the latent space; the ends
        are the reconstructions of the two.
      value_range: as for `encode`.

    Raises:
      errors.UserError: if steps is no whole number within the export's bounds.
    """
    self._require_encoder('interpolate')
    bounds = self._bounds('interpolate')
    steps = int(counts.whole(steps, 'steps', *bounds['steps']))
    return self._in_batches(
        'interpolate', bounds['batch * steps'][1] // steps,
        {'steps': np.int32(steps)},
        start=self._images(start, value_range, 'interpolate'),
        end=self._images(end, value_range, 'interpolate'))

  def sample(self, n, seed=0):
    """Returns n new uint8 images `[n, h, w, c]`, repeatable by seed.

    Raises:
      errors.UserError: if n is no whole number within the export's bounds.
    """
    return self.decode(self.sample_latents(n, seed))

  def sample_latents(self, n, seed=0):
    """Returns the latents `[n, H]` that `sample` decodes."""
    self._require_no_conditions()
    counts.whole(n, 'count', *self._bounds('sample_latents')['count'])
    counts.whole(seed, 'seed', -2**63, 2**63 - 1)
    return self._call('sample_latents', seed=np.int64(seed), count=np.int32(n))

  def log_prob(self, latents):
    """Returns the log-density `[B]` of latents `[B, H]`, in nats.

    Raises:
      errors.UserError: if what it samples from has no density.
    """
    self._require('log_prob', 'a distribution without a density', 'gmm')
    return self._in_batches(
        'log_prob', latents=np.asarray(latents, np.float32))

  def latent_to_base(self, latents):
    """Returns the draws `[B, H]` of N(0, I) behind latents `[B, H]`.

    Raises:
      errors.UserError: if what it samples from is no flow.
    """
    self._require('latent_to_base', _NO_FLOW, 'real_nvp')
    return self._in_batches(
        'latent_to_base', latents=np.asarray(latents, np.float32))

  def base_to_latent(self, base):
    """The inverse of `latent_to_base`."""
    self._require('base_to_latent', _NO_FLOW, 'real_nvp')
    return self._in_batches(
        'base_to_latent', base=np.asarray(base, np.float32))

  def _require(self, signature, distribution, other):
    self._require_no_conditions()
    if signature not in self._loaded.signatures:
      raise errors.UserError(
          f'The export in {self.path} samples from {distribution}: export the '
          f'run with another --prior, such as {other}.')

  @property
  def has_encoder(self):
    """Whether it answers what needs one, such as `encode`."""
    return 'encode' in self._loaded.signatures

  def _require_encoder(self, signature):
    if not self.has_encoder:
      raise errors.UserError(
          f'The export in {self.path} is of a model without an encoder, which '
          f'{signature} needs: export one that has an encoder.')

  # === Calls ===

  def _images(self, images, value_range, verb):
    # What a signature takes is what users see.
    kind = self.kind.in_range((0., 255.))
    return kind.to_users(kind.to_model(images, value_range, verb)).numpy()

  def _in_batches(self, signature, size=1000, settings=None, **batch):
    size = min(size, self._bounds(signature).get('batch', [0, size])[1])
    # No images at all still make one call, which knows the answer's shape.
    longest, *others = (len(array) for array in batch.values())
    if any(other != longest for other in others):
      raise errors.UserError(
          f'{bounds_lib.equally_many(batch)} {longest} and {others[0]}.')
    return np.concatenate([
        self._call(signature, **(settings or {}), **{
            name: array[i:i + size] for name, array in batch.items()})
        for i in range(0, max(longest, 1), size)])

  def _bounds(self, signature):
    return bounds_lib.stated(self.metadata, signature)

  def _require_no_conditions(self):
    if 'condition_shape' in self.metadata:
      raise errors.UserError(
          f'The export in {self.path} makes images given conditions: load it '
          'with tf.saved_model.load and call its signatures, such as '
          'generate(conditions, seed).')

  def _call(self, signature, **inputs):
    self._require_no_conditions()
    for name, array in inputs.items():
      if np.asarray(array).dtype == np.float32:  # Version 0.4 does not look.
        batches.require_finite(tf.constant(array), name)
    try:
      outputs = self._loaded.signatures[signature](
          **{name: tf.constant(array) for name, array in inputs.items()})
    except tf.errors.InvalidArgumentError as error:
      raise errors.UserError(
          f'The export\'s {signature} refuses its inputs: {_reason(error)}.'
      ) from error
    (tensor,) = outputs.values()
    return tensor.numpy()


def versions(output):
  """Returns the numbers of the versions in a folder, in order."""
  return sorted(int(p.name) for p in output.iterdir() if p.name.isdecimal())


def is_export(path):
  """Returns whether a folder is an export, or holds versions of one."""
  try:
    find_version(path)
  except errors.UserError:
    return False
  return True


def find_version(path):
  """Returns the folder of a version: the path, or the largest version in it.

  Raises:
    errors.UserError: if neither holds an export.
  """
  path = files.local(path)
  if path.is_dir() and not (path / 'saved_model.pb').exists():
    numbers = versions(path)
    path = path / str(numbers[-1]) if numbers else path
  if not (path / 'saved_model.pb').exists():
    raise errors.UserError(
        f'There is no export in {path}: give the folder that pgak_export '
        'wrote, or one of the versions in it.')
  return path


def _reason(error):
  """Returns the one line of an error that says what is wrong."""
  lines = [line for line in str(error).splitlines()
           if line and not line.startswith('\t')]
  line = (lines or [type(error).__name__])[-1]
  line = re.sub(r'[][]', '', line.removeprefix('assertion failed: '))
  return line.rstrip('.')

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
from pgak.serving import given as given_lib
from pgak.serving import old_requests
from pgak.serving import versions

__all__ = ['METADATA', 'ServedModel', 'remedy', 'seeds_of']

METADATA = 'metadata.json'
_NO_FLOW = 'a distribution that is no flow'


class ServedModel:
  """An export, loaded without the classes that made it.

  It answers as a model does: everything is uint8 images `[B, h, w, c]` (float32
  `[B, D]` of a model of vectors) or float32 latents `[B, H]`, as NumPy arrays.
  It makes an export's checks before it sends anything, and cuts what is large
  into requests that are allowed. Exports of version 0.4 are asked as well.

  Samples may be `given` labels, integers `[n]`, or attributes, `{name: 0 or 1}`
  or integers `[n, A]`, where the exported density has learned some. An export
  of a model of pairs is given conditions, uint8 `[n, h, w, k]`, with all that
  it makes or encodes.

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
    self.path = versions.find(path)
    try:
      self.metadata = files.load_json(self.path / METADATA)
      self._loaded = tf.saved_model.load(str(self.path))
      self.image_shape = tuple(self.metadata['image_shape'])
      self.latent_dim = self.metadata['latent_dim']
      self._is_old = self.metadata.get('signatures_version', 1) < 2
      self._max_batch = self.metadata['max_count' if self._is_old
                                      else 'max_batch']
      # Version 0.4 names no kind.
      self.kind = kinds.named(self.metadata.get('kind'), self.image_shape)
    except (KeyError, OSError, TypeError, ValueError,
            tf.errors.OpError) as error:
      raise errors.UserError(
          f'The export in {self.path} cannot be read ({_reason(error)}): '
          'export the run again.') from error

  def encode(self, images, value_range=None, conditions=None):
    """Returns the latents `[B, H]` of images `[B, h, w, c]`.

    Args:
      images: uint8, or floats with their `value_range`, which are rounded to
        grey levels; float32 `[B, D]` of a model of vectors.
      value_range: `(low, high)` of float images, black and white; None for
        uint8.
      conditions: uint8 `[B, h, w, k]`, of a model of pairs; here and of
        `decode` and `reconstruct`.

    Raises:
      errors.UserError: if the export has no encoder, if images are not uint8
        and no range is given, or if they lie outside it; of `reconstruct` and
        `interpolate`, too.
    """
    self.require_encoder('encode')
    return self._in_batches('encode', **self._given(conditions), **self._named(
        self._images(images, value_range, 'encode')))

  def decode(self, latents, conditions=None):
    """Returns uint8 images `[B, h, w, c]` of latents `[B, H]`.

    Raises:
      errors.UserError: if one is NaN or infinite; so do all that take latents
        or vectors.
    """
    return self._in_batches('decode', latents=np.asarray(latents, np.float32),
                            **self._given(conditions))

  def reconstruct(self, images, value_range=None, conditions=None):
    """Returns uint8 images, encoded and decoded again; see `encode`."""
    self.require_encoder('reconstruct')
    return self._in_batches(
        'reconstruct', **self._given(conditions), **self._named(
            self._images(images, value_range, 'reconstruct')))

  def interpolate(self, start, end, steps, value_range=None, spherical=False):
    """Returns uint8 `[B, steps, h, w, c]`, lines between pairs of images.

    Args:
      start: B images, as for `encode`.
      end: as many others.
      steps: images in a line; the ends are the reconstructions of the two.
      value_range: as for `encode`.
      spherical: whether a line is an arc in the latent space, in the place of a
        straight one.

    Raises:
      errors.UserError: if there are not as many starts as ends, if steps is no
        whole number within bounds, or if an export of version 0.4 is asked for
        arcs.
    """
    self._require_no_conditions('interpolate')
    self.require_encoder('interpolate')
    start, end = (self._images(x, value_range, 'interpolate')
                  for x in (start, end))
    if len(start) != len(end):
      raise errors.UserError(f'{bounds_lib.equally_many(["start", "end"])} '
                             f'{len(start)} and {len(end)}.')
    signature = 'interpolate_spherical' if spherical else 'interpolate'
    if spherical and signature not in self._loaded.signatures:
      raise errors.UserError(
          f'The export in {self.path} has straight lines alone: export the run '
          'again.')
    if self._is_old:
      return old_requests.interpolate(
          self._call, self.metadata, start, end, steps)
    line = [max(len(start), 1), *self.image_shape]  # One step of all lines.
    steps = int(counts.rows(steps, line, 'steps', least=2))
    weight = np.linspace(0., 1., steps, dtype=np.float32)
    images = self._in_batches(
        signature, start=np.repeat(start, steps, 0),
        end=np.repeat(end, steps, 0), weight=np.tile(weight, len(start)))
    return images.reshape(-1, steps, *images.shape[1:])

  def sample(self, n, seed=0, given=None):
    """Returns n new uint8 images `[n, h, w, c]`, repeatable by seed.

    The first is `sample(1, seed)[0]` of the model, the others those by the
    seeds of `seeds_of`. An export of version 0.4 gives `sample(n, seed)` of the
    model.

    Args:
      n: int; None, or their number, where there is something given for each;
        or, of a model of pairs, the conditions.
      seed: int.
      given: labels, attributes or conditions, see above; or None.

    Raises:
      errors.UserError: if n is no number of draws, see `counts.rows`; if
        something is given that the export does not take, or nothing to one of a
        model of pairs.
    """
    # As a model of pairs takes them.
    if given is None and np.ndim(n):
      n, given = None, n
    if given is None and 'condition_shape' not in self.metadata:
      return self.decode(self.sample_latents(n, seed))
    return self.generate(self._seeds(n, seed, given), given)

  def sample_latents(self, n, seed=0, given=None):
    """Returns the latents `[n, H]` that `sample` decodes.

    Args:
      n: as for `sample`.
      seed: int.
      given: conditions, of a model of pairs; or None.
    """
    if self._is_old:
      self._require_no_conditions('sample_latents')
      counts.whole(seed, 'seed', -2**63, 2**63 - 1)
      return old_requests.sample_latents(self._call, self.metadata, n, seed)
    return self._made('sample_latents', self._seeds(n, seed, given), given)

  def generate(self, seeds, given=None):
    """Returns a uint8 image for each seed, `sample(1, seed)[0]` of the model.

    Args:
      seeds: integers `[B]`.
      given: as for `sample`, one for each seed, or one value of an attribute
        for all.

    Raises:
      errors.UserError: if the export is one of version 0.4, which makes images
        of one seed, or if seeds are no whole numbers.
    """
    if self._is_old:
      raise errors.UserError(
          f'The export in {self.path} makes all images of one seed: call '
          '`sample`, or export the run again.')
    seeds = np.asarray(seeds)
    if seeds.ndim != 1 or (seeds.size and seeds.dtype.kind not in 'iu'):
      raise errors.UserError('`seeds` must be whole numbers, [B].')
    return self._made('generate', seeds.astype(np.int64), given)

  def _seeds(self, n, seed, given):
    if self._is_old:
      raise errors.UserError(
          f'The export in {self.path}, of version 0.4, is given one seed and '
          'nothing else: export the run again.')
    counts.whole(seed, 'seed', -2**63, 2**63 - 1)
    n = given_lib.number(self.metadata, n, given)
    counts.rows(n, self.image_shape)
    return seeds_of(seed, n)

  def _made(self, signature, seeds, given):
    suffix, inputs = given_lib.request(self.metadata, given, len(seeds))
    signature += suffix
    if signature not in self._loaded.signatures:
      raise errors.UserError(f'An export has no signature {signature}: call '
                             '`sample` or `generate` with what is given.')
    return self._in_batches(signature, seed=seeds, **inputs)

  def log_prob(self, latents, given=None):
    """Returns the log-density `[B]` of latents `[B, H]`, in nats.

    Args:
      latents: `[B, H]`.
      given: labels, integers `[B]`, for the density given these; or None.

    Raises:
      errors.UserError: if what it samples from has no density.
    """
    self._require('log_prob', 'a distribution without a density', 'gmm')
    latents = np.asarray(latents, np.float32)
    suffix, inputs = given_lib.request(self.metadata, given, len(latents))
    if suffix == '_attributes':
      raise errors.UserError(
          'An export has log-densities by label, and none by attributes: load '
          'the run by pgak.load for these.')
    return self._in_batches(f'log_prob{suffix}', latents=latents, **inputs)

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
    self._require_no_conditions(signature)
    if signature not in self._loaded.signatures:
      raise errors.UserError(
          f'The export in {self.path} samples from {distribution}: export the '
          f'run with {remedy(self.metadata, other)}.')

  @property
  def has_density(self):
    """Whether it answers `log_prob`."""
    return 'log_prob' in self._loaded.signatures

  @property
  def has_encoder(self):
    """Whether it answers what needs one, such as `encode`."""
    return 'encode' in self._loaded.signatures

  def require_encoder(self, signature):
    """Raises UserError, which names what was asked for, if it has none."""
    if not self.has_encoder:
      raise errors.UserError(
          f'The export in {self.path} is of a model without an encoder, which '
          f'{signature} needs: export one that has an encoder.')

  # === Calls ===

  def _images(self, images, value_range, verb):
    # What a signature takes is what users see.
    kind = getattr(self.kind, 'images', self.kind).in_range((0., 255.))
    return kind.to_users(kind.to_model(images, value_range, verb)).numpy()

  def _named(self, examples):
    """Returns the input of a signature that takes examples."""
    taken = self.metadata['signatures']['encode']['inputs']
    return {next(iter(taken)): examples}

  def _in_batches(self, signature, **batch):
    size = min(self._max_batch, 1000)
    longest = max(len(array) for array in batch.values())
    # No rows at all still make one call, which knows the answer's shape.
    return np.concatenate([
        self._call(signature, **{
            name: array[i:i + size] for name, array in batch.items()})
        for i in range(0, max(longest, 1), size)])

  def _require_no_conditions(self, signature):
    if 'condition_shape' in self.metadata:
      raise errors.UserError(
          f'The export in {self.path} makes images given conditions, and so '
          f'has no {signature}: call sample, generate, decode, encode or '
          'reconstruct with conditions.')

  def _given(self, conditions):
    """Returns conditions as a signature's input; `{}` where it takes none."""
    if conditions is None and 'condition_shape' not in self.metadata:
      return {}
    if 'condition_shape' not in self.metadata:
      raise errors.UserError(f'The export in {self.path} takes no conditions: '
                             'leave them out.')
    return given_lib.request(self.metadata, conditions, None)[1]

  def _call(self, signature, **inputs):
    inputs = {name: np.asarray(x, object if name.endswith('_bytes') else None)
              for name, x in inputs.items()}
    if self._is_old:
      for name, array in inputs.items():  # The graphs of 0.4 do not look.
        if array.dtype == np.float32:
          batches.require_finite(tf.constant(array), name)
    else:
      bounds_lib.require(self.metadata['signatures'][signature], inputs)
    try:
      outputs = self._loaded.signatures[signature](
          **{name: tf.constant(array) for name, array in inputs.items()})
    except tf.errors.InvalidArgumentError as error:
      raise errors.UserError(
          f'The export\'s {signature} refuses its inputs: {_reason(error)}.'
      ) from error
    (tensor,) = outputs.values()
    return tensor.numpy()


def remedy(metadata, prior):
  """Returns what a run is exported with where a density lacks something.

  Args:
    metadata: what `metadata.json` holds.
    prior: name of one that has it.
  """
  trips = '_round_trips_' in str(metadata.get('density'))
  return ('density.round_trips = 0, or ' if trips else '') + (
      f'another --prior, such as {prior}')


def seeds_of(seed, n):
  """Returns n seeds for one: itself, and others that follow from it.

  Seeds beside each other give other seeds: the i-th is the bits of
  `seed + i * 0x9e3779b97f4a7c15`, mixed by the finalizer of SplitMix64 [1].

  Args:
    seed: int of 64 bits.
    n: int.

  Returns:
    int64 `[n]`.

  #### References

  [1]: Guy L. Steele, Doug Lea, Christine H. Flood. Fast Splittable
       Pseudorandom Number Generators. OOPSLA, 2014.
  """
  bits = np.arange(n, dtype=np.uint64) * np.uint64(0x9e3779b97f4a7c15)
  bits += np.int64(seed).astype(np.uint64)
  for shift, factor in ((30, 0xbf58476d1ce4e5b9), (27, 0x94d049bb133111eb)):
    bits = (bits ^ (bits >> np.uint64(shift))) * np.uint64(factor)
  mixed = (bits ^ (bits >> np.uint64(31))).astype(np.int64)
  return np.where(np.arange(n) > 0, mixed, np.int64(seed))


def _reason(error):
  """Returns the one line of an error that says what is wrong."""
  lines = [line for line in str(error).splitlines()
           if line and not line.startswith('\t')]
  line = (lines or [type(error).__name__])[-1]
  line = re.sub(r'[][]', '', line.removeprefix('assertion failed: '))
  return line.rstrip('.')

"""What an export answers: the functions behind its named signatures.

Each takes and returns what a client has, uint8 images, float32 latents, or the
bytes of picture files; pre- and post-processing are inside. Every input and
output has as many rows, and row i of an answer is a function of row i alone, so
that a server may merge requests and split them. Over REST:

    {"instances": [1, 2, 3]}
    {"signature_name": "generate_png", "instances": [7]}
    {"signature_name": "encode_image", "instances": [{"b64": "iVBORw0KG..."}]}

A tensor name that ends in `_bytes` is what TensorFlow Serving's REST interface
writes in base64.
"""
import math

import tensorflow as tf

from pgak import capabilities
from pgak import noise as noise_lib
from pgak.data import decoding
from pgak.data import graph_decoding
from pgak.data import kinds
from pgak.data import pixels
from pgak.models import lines
from pgak.models import seeds as seeds_lib
from pgak.serving import bounds as bounds_lib
from pgak.serving import compiled

__all__ = ['Endpoints', 'MAX_BATCH', 'MAX_BYTES', 'MAX_PIXELS', 'NEEDS',
           'VERSION']

VERSION = 2
# The most rows of a request, and bytes of an answer.
MAX_BATCH = 1024
MAX_BYTES = 64 << 20
# Of a file sent to `encode_image`: a small file may unpack to very many.
MAX_PIXELS = 1 << 25

# What a signature needs; see `pgak.capabilities`.
NEEDS = {
    'encode': ('encode',), 'encode_image': ('encode', 'pixels'),
    'generate_png': ('pixels',), 'interpolate': ('encode',),
    'interpolate_spherical': ('encode',), 'reconstruct': ('encode',),
    'log_prob': ('log_density',), 'latent_to_base': ('base',),
    'base_to_latent': ('base',), 'generate_class': ('labels',),
    'log_prob_class': ('labels', 'log_density'),
    'generate_attributes': ('attributes',)}
# Not missed where the prior has none.
_OF_PRIOR = ('log_prob', 'latent_to_base', 'base_to_latent', 'generate_class',
             'log_prob_class', 'generate_attributes')
# What a density may have learned besides, of data that have some.
_LEARNED = ('labels', 'attributes')
_CHANNELS = 'a picture file has 1 or 3 channels'
_MAPS = 'there are arcs between latents that are vectors alone'
# What examples of a kind are called.
_NOUNS = kinds.Table({kinds.Kind: 'images', kinds.Vectors: 'vectors'})


class Endpoints:
  """The functions of one model, to be traced and saved.

  Args:
    model: a built `GenerativeModel`, or whatever has its `can`, `kind`,
      `encode`, `decode`, `prior`, `image_shape` and `latent_dim`.
    max_batch: the most rows of one request; None for 1,024, or fewer where an
      answer would be of more than 64 MiB.
    batch_sizes: None; or the sizes, increasing ints, that batches are padded to
      for functions that XLA compiles: see `compiled`.
    crop: None, or the side in pixels of the square that `encode_image` cuts
      from the middle of a larger photograph, as the model's data were cut.
    antialias: whether `encode_image` smooths before it shrinks, likewise.
    resize: its kernel, likewise; see `decoding.resize`.
    background: what shows through a transparent picture, likewise; see
      `decoding.decode`.

  Every method's tensors are in the order of its `specs`; `[B, ...]` is any
  number of rows, none included. Of a model of vectors, `images uint8
  [B, h, w, c]` is `vectors float32 [B, D]`. A call that asks for what is out of
  bounds raises `InvalidArgumentError` with a sentence that says so.
  """

  def __init__(self, model, max_batch=None, batch_sizes=None, crop=None,
               antialias=True, resize='bicubic', background=pixels.WHITE):
    self.model = model
    self.noun = _NOUNS.of(model.kind)
    self.latent_shape = tuple(
        getattr(model, 'latent_shape', (model.latent_dim,)))
    self.max_batch = max_batch or self._usual_max_batch()
    self.batch_sizes = batch_sizes and compiled.up_to(
        batch_sizes, self.max_batch)
    self.crop = crop
    self.antialias = antialias
    self.resize = resize
    self.background = background
    self._mapping = seeds_lib.mapping(model)
    self._functions = {}

  # === What there is ===

  def specs(self):
    """Returns `{name: inputs}` of all signatures, lists of `tf.TensorSpec`.

    `generate` is first, so that it is the `serving_default`.
    """
    seed = tf.TensorSpec([None], tf.int64, 'seed')
    label = tf.TensorSpec([None], tf.int32, 'label')
    attributes = tf.TensorSpec([None, len(self.attributes)], tf.int32,
                               'attributes')
    latents, base = (tf.TensorSpec([None, *self.latent_shape], tf.float32, name)
                     for name in ('latents', 'base'))
    images = self._examples(self.noun)
    line = [self._examples('start'), self._examples('end'),
            tf.TensorSpec([None], tf.float32, 'weight')]
    return {
        'generate': [seed],
        'generate_png': [seed],
        'sample_latents': [seed],
        'decode': [latents],
        'encode': [images],
        'encode_image': [tf.TensorSpec([None], tf.string, 'image_bytes')],
        'reconstruct': [images],
        'interpolate': line,
        'interpolate_spherical': line,
        'log_prob': [latents],
        'latent_to_base': [latents],
        'base_to_latent': [base],
        'generate_class': [seed, label],
        'log_prob_class': [latents, label],
        'generate_attributes': [seed, attributes],
    }

  def signatures(self):
    """Returns `{name: (function, list of named tf.TensorSpec)}`."""
    return {name: (bounds_lib.checked(getattr(self, name), inputs,
                                      self.bounds(name)), inputs)
            for name, inputs in self.specs().items() if not self._lacks(name)}

  def bounds(self, signature):
    """Returns what one request may ask for, `{name: (least, most)}`.

    See `bounds.py`.
    """
    known = {'weight': (0, 1), 'label': (0, len(self.labels) - 1),
             'attributes': (-1, 1)}
    return {'batch': (0, self.max_batch)} | {
        spec.name: known[spec.name] for spec in self.specs()[signature]
        if spec.name in known}

  @property
  def states_noise(self):
    """Whether latents are drawn together, see `models.seeds`."""
    return self._mapping is not None

  @property
  def labels(self):
    """The labels that the density has learned, in order; or `()`."""
    return self._learned('classes')

  @property
  def attributes(self):
    """Names of the attributes that the density has learned; or `()`."""
    return self._learned('attributes')

  def _learned(self, name):
    if 'condition' in capabilities.of_prior(self.model.prior):
      return tuple(getattr(self.model.prior, name, ()))
    return ()

  @property
  def left_out(self):
    """`{signature: reason}` of those that the export cannot have."""
    return {name: reason for name in self.specs()
            if (reason := self._lacks(name))}

  @property
  def missed(self):
    """Those of `left_out` that other models have with whatever density."""
    return {name: reason for name, reason in self.left_out.items()
            if name not in _OF_PRIOR and reason not in (_MAPS, _CHANNELS)}

  def _lacks(self, name):
    model = self.model
    can = model.can | capabilities.of_prior(model.prior)
    needs = NEEDS.get(name, ())
    for what in _LEARNED:
      if what in needs and not getattr(self, what):
        return f'the density has not learned {what}'
    if name == 'interpolate_spherical' and self.latent_shape[1:]:
      return _MAPS
    reason = capabilities.lacks(
        [n for n in needs if n not in _LEARNED], can,
        model=getattr(model, 'name', 'the model'),
        prior=f'the prior {capabilities.label_of(model.prior)}',
        data=f'the {model.kind.name} that it makes')
    if not reason and 'pixels' in needs and model.image_shape[-1] not in (1, 3):
      return _CHANNELS
    return reason

  # === What is answered ===

  def generate(self, seed, *given):
    """int64 `[B]` -> images uint8 `[B, h, w, c]`, each by its own seed.

    `generate([s])[0]` is `model.sample(1, s)[0]`. A density that has learned
    labels or attributes answers for the latents as a whole, as `log_prob` does:
    each label comes as often as in the training data, by the velocity for an
    unknown label, and not by a label drawn first, which would have another
    log-density, and guidance.
    """
    return {self.noun: self._decode(self._draw(seed, *given), *given)}

  def generate_png(self, seed, *given):
    """As `generate` -> image_bytes string `[B]`, a PNG file each."""
    images, = self.generate(seed, *given).values()
    return {'image_bytes': tf.io.encode_png(images)}

  def sample_latents(self, seed, *given):
    """As `generate`, before decoding -> latents float32 `[B, H...]`."""
    return {'latents': self._draw(seed, *given)}

  def decode(self, latents, *given):
    """float32 `[B, H...]` -> images uint8 `[B, h, w, c]`."""
    return {self.noun: self._decode(latents, *given)}

  def encode(self, images, *given):
    """uint8 `[B, h, w, c]` -> latents float32 `[B, H...]`.

    A stochastic encoder answers with its mean.
    """
    return {'latents': self._encode(images, *given)}

  def reconstruct(self, images, *given):
    """uint8 `[B, h, w, c]` -> images uint8 `[B, h, w, c]`."""
    return {self.noun: self._decode(self._encode(images, *given), *given)}

  def interpolate(self, start, end, weight):
    """Decodes a point of the line between the latents of two images.

    Args:
      start: uint8 `[B, h, w, c]`.
      end: uint8 `[B, h, w, c]`.
      weight: float32 `[B]`; 0 gives the reconstruction of `start`, 1 that of
        `end`.

    Returns:
      images: uint8 `[B, h, w, c]`.
    """
    return self._between(start, end, weight, False)

  def interpolate_spherical(self, start, end, weight):
    """As `interpolate`, on the arc between the two; see `lines.between`."""
    return self._between(start, end, weight, True)

  def log_prob(self, latents):
    """float32 `[B, H...]` -> log_prob float32 `[B]`, in nats.

    The log-density of what `generate` draws its latents from.
    """
    return {'log_prob': self._run('log_prob', self.model.prior.log_prob,
                                  latents)}

  def latent_to_base(self, latents):
    """float32 `[B, H]` -> base float32 `[B, H]`.

    The samples of N(0, I) that the flow maps to these latents.
    """
    return {'base': self._run('latent_to_base',
                              self.model.prior.latent_to_base, latents)}

  def base_to_latent(self, base):
    """float32 `[B, H]` -> latents float32 `[B, H]`, the flow's other way."""
    return {'latents': self._run('base_to_latent',
                                 self.model.prior.base_to_latent, base)}

  def generate_class(self, seed, label):
    """As `generate`, of a class: label int32 `[B]`, 0 to K - 1."""
    latents = self._draw(seed, self._classes(label))
    return {self.noun: self._decode(latents)}

  def log_prob_class(self, latents, label):
    """As `log_prob`, given a class: label int32 `[B]`, 0 to K - 1."""
    return {'log_prob': self._run('log_prob_class', self.model.prior.log_prob,
                                  latents, self._classes(label))}

  def generate_attributes(self, seed, attributes):
    """As `generate`, with attributes int32 `[B, A]`: 1 yes, -1 no, 0 either.
    """
    return {self.noun: self._decode(self._draw(seed, attributes))}

  def encode_image(self, image_bytes):
    """string `[B]`, picture files of any size -> latents float32 `[B, H...]`.

    PNG, JPEG, GIF (the first frame), BMP and WebP are decoded and rotated
    upright as for the data set `images`, and what is not read is refused in a
    sentence (see `graph_decoding`). The middle of a picture is cut out, the
    largest part with the proportions of the model's images (or the square
    `crop`, where the picture holds one), and resized by bicubic interpolation.
    A picture of the model's own size stays as it is.
    """
    images = tf.map_fn(
        self._read_image, image_bytes, parallel_iterations=4,
        fn_output_signature=tf.TensorSpec(self.model.image_shape, tf.uint8))
    return {'latents': self._encode(images)}

  # === Of what ===

  def _draw(self, seeds, *given):
    """Returns latents, each by its own seed (and of what it is given)."""
    if self._mapping is None:
      return seeds_lib.one_by_one(self.model.prior, seeds, *given)
    shapes, from_noise = self._mapping
    drawn = noise_lib.of_seeds(shapes, seeds)

    def mapped(*rows):
      noise = dict(zip(shapes, rows))
      return tf.cast(from_noise(noise, *rows[len(shapes):]), tf.float32)

    # By rank: labels [B] and attributes [B, A] are two functions.
    ranks = [x.shape.rank for x in given]
    return self._run(f'draw_{ranks}', mapped,
                     *drawn.values(), *self._conditions(*given))

  def _encode(self, images):
    return self._run('encode', self.model.encode, images)

  def _decode(self, latents):
    return self._run('decode', self.model.decode, latents)

  def _conditions(self, *given):
    """Returns what latents are given as their map takes it."""
    return given

  def _between(self, start, end, weight, spherical):
    latents = lines.at(self._encode(start), self._encode(end), weight,
                       spherical)
    return {self.noun: self._decode(latents)}

  def _classes(self, label):
    return tf.gather(tf.constant(self.labels, tf.int64), label)

  def _run(self, name, function, *batch):
    """Calls what is compiled, where XLA is to; one function for each name."""
    if name not in self._functions:
      self._functions[name] = compiled.inner(function, self.batch_sizes)
    return self._functions[name](*batch)

  def _usual_max_batch(self):
    spec = self._examples(self.noun)
    largest = max(math.prod(spec.shape[1:]) * spec.dtype.size,
                  4 * math.prod(self.latent_shape))
    return max(min(MAX_BATCH, MAX_BYTES // largest), 1)

  def _examples(self, name):
    spec = self.model.kind.spec()
    return tf.TensorSpec(spec.shape, spec.dtype, name)

  def _read_image(self, contents):
    """Returns uint8 `[h, w, c]` of one file's bytes, a scalar string."""
    height, width, channels = self.model.image_shape
    image = graph_decoding.decode(
        contents, channels, self.background, MAX_PIXELS)
    image = _centre_window(image, height, width, self.crop)
    return decoding.resize(image, height, width, self.antialias, self.resize)


def _centre_window(pixels, height, width, crop):
  """Cuts the largest centred window of aspect height : width, or `crop`^2."""
  rows, columns = tf.unstack(tf.shape(pixels)[:2])
  window_rows, window_columns = decoding.largest_window(
      rows, columns, height, width)
  if crop is not None:
    # What has the model's size was cut before.
    cut = (tf.minimum(rows, columns) >= crop) & (
        (rows != height) | (columns != width))
    window_rows = tf.where(cut, crop, window_rows)
    window_columns = tf.where(cut, crop, window_columns)
  return tf.image.crop_to_bounding_box(
      pixels, (rows - window_rows) // 2, (columns - window_columns) // 2,
      window_rows, window_columns)

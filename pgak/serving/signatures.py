"""What an export answers: the functions behind its named signatures.

Each takes and returns what a client has, uint8 images, float32 latents, or the
bytes of picture files; pre- and post-processing are inside. A tensor name
that ends in `_bytes` is what TensorFlow Serving's REST interface writes in
base64. Nothing here needs XLA, and all but the work on files has GPU kernels.

Over REST, a request names its signature and gives its tensors as `inputs` (not
as `instances`, which would split the scalars):

    {"signature_name": "generate_png", "inputs": {"seed": 1, "count": 4}}
    {"signature_name": "encode_image",
     "inputs": {"image_bytes": [{"b64": "iVBORw0KGgo..."}]}}
"""
import numpy as np
import tensorflow as tf

from pgak import batches
from pgak import capabilities
from pgak.data import decoding
from pgak.data import graph_decoding
from pgak.data import pixels
from pgak.serving import bounds as bounds_lib

__all__ = ['Endpoints', 'MAX_PIXELS', 'NEEDS']

# Of a file sent to `encode_image`: a small file may unpack to very many.
MAX_PIXELS = 1 << 25

# What a signature needs; see `pgak.capabilities`.
NEEDS = {
    'encode': ('encode',), 'encode_image': ('encode', 'pixels'),
    'generate_png': ('pixels',), 'interpolate': ('encode',),
    'reconstruct': ('encode',), 'log_prob': ('log_density',),
    'latent_to_base': ('base',), 'base_to_latent': ('base',)}
# Not missed where the prior has none.
_OF_PRIOR = ('log_prob', 'latent_to_base', 'base_to_latent')


class Endpoints:
  """The functions of one model, to be traced and saved.

  Args:
    model: a built `GenerativeAutoencoder`, or whatever has its `can`, `kind`,
      `encode`, `decode`, `prior`, `image_shape` and `latent_dim`.
    max_count: the most images that one call makes or takes; of what is latents
      alone, 100 times as many.
    crop: None, or the side in pixels of the square that `encode_image` cuts
      from the middle of a larger photograph, as the model's data were cut.
    antialias: whether `encode_image` smooths before it shrinks, likewise.
    resize: its kernel, likewise; see `decoding.resize`.
    background: what shows through a transparent picture, likewise; see
      `decoding.decode`.

  Every method's tensors are named as its arguments and as the keys of what it
  returns; `[B, ...]` is any number of images, none included. Of a model of
  vectors, images are float32 `[B, D]` under the same names. A call that asks
  for too much raises `InvalidArgumentError` with a sentence that says so.
  """

  def __init__(self, model, max_count=1024, crop=None, antialias=True,
               resize='bicubic', background=pixels.WHITE):
    self.model = model
    self.max_count = max_count
    self.crop = crop
    self.antialias = antialias
    self.resize = resize
    self.background = background

  def signatures(self):
    """Returns `{name: (function, list of named tf.TensorSpec)}`.

    `decode` is first, so that it is the `serving_default`.
    """
    latents = tf.TensorSpec([None, self.model.latent_dim], tf.float32,
                            'latents')
    draw = [tf.TensorSpec([], tf.int64, 'seed'),
            tf.TensorSpec([], tf.int32, 'count')]
    specs = {
        'decode': [latents],
        'encode': [self._images('images')],
        'encode_image': [tf.TensorSpec([None], tf.string, 'image_bytes')],
        'generate': draw,
        'generate_png': draw,
        'interpolate': [self._images('start'), self._images('end'),
                        tf.TensorSpec([], tf.int32, 'steps')],
        'reconstruct': [self._images('images')],
        'sample_latents': draw,
        'log_prob': [latents],
        'latent_to_base': [latents],
        'base_to_latent': [tf.TensorSpec(
            [None, self.model.latent_dim], tf.float32, 'base')],
    }
    return {name: (bounds_lib.checked(getattr(self, name), inputs,
                                      self.bounds(name)), inputs)
            for name, inputs in specs.items() if not self._lacks(name)}

  def bounds(self, signature):
    """Returns what one request may ask for, `{name: (least, most)}`.

    See `bounds.py`.
    """
    images, latents = (0, self.max_count), (0, 100 * self.max_count)
    return {
        'generate': {'count': images},
        'generate_png': {'count': images},
        'sample_latents': {'count': latents},
        'interpolate': {'batch': images, 'steps': (2, self.max_count),
                        'batch * steps': images},
        'log_prob': {'batch': latents},
        'latent_to_base': {'batch': latents},
        'base_to_latent': {'batch': latents},
    }.get(signature, {'batch': images})

  @property
  def left_out(self):
    """`{signature: reason}` of those that the model cannot have.

    Of what the prior cannot there is no word: each has its own.
    """
    return {name: reason for name in NEEDS
            if name not in _OF_PRIOR and (reason := self._lacks(name))}

  def _lacks(self, name):
    return capabilities.lacks(
        NEEDS.get(name, ()),
        self.model.can | capabilities.of_prior(self.model.prior),
        model=getattr(self.model, 'name', 'the model'),
        data=f'the {self.model.kind.name} that it makes')

  def decode(self, latents):
    """float32 `[B, H]` -> images uint8 `[B, h, w, c]`."""
    return {'images': self._decode(latents)}

  def encode(self, images):
    """uint8 `[B, h, w, c]` -> latents float32 `[B, H]`.

    A stochastic encoder answers with its mean.
    """
    return {'latents': self._encode(images)}

  def reconstruct(self, images):
    """uint8 `[B, h, w, c]` -> images uint8 `[B, h, w, c]`."""
    return {'images': self._decode(self._encode(images))}

  def generate(self, seed, count):
    """int64 [] and int32 [] -> images uint8 `[count, h, w, c]`.

    The images are a function of the seed; a smaller count gives the first of
    them.
    """
    return {'images': self._decode(self.model.prior.sample(count, seed))}

  def generate_png(self, seed, count):
    """As `generate` -> image_bytes string `[count]`, a PNG file each."""
    images = self.generate(seed, count)['images']
    return {'image_bytes': tf.io.encode_png(images)}

  def sample_latents(self, seed, count):
    """As `generate`, before decoding -> latents float32 `[count, H]`."""
    return {'latents': self.model.prior.sample(count, seed)}

  def log_prob(self, latents):
    """float32 `[B, H]` -> log_prob float32 `[B]`, in nats.

    The log-density of what `generate` draws its latents from. There is no such
    signature where it has none that can be computed.
    """
    return {'log_prob': batches.never_empty(
        self.model.prior.log_prob, latents)}

  def latent_to_base(self, latents):
    """float32 `[B, H]` -> base float32 `[B, H]`.

    The draws of N(0, I) that the flow maps to these latents. There are this
    signature and the next where the distribution of the latents is a flow.
    """
    return {'base': batches.never_empty(
        self.model.prior.latent_to_base, latents)}

  def base_to_latent(self, base):
    """float32 `[B, H]` -> latents float32 `[B, H]`, the flow's other way."""
    return {'latents': batches.never_empty(
        self.model.prior.base_to_latent, base)}

  def interpolate(self, start, end, steps):
    """Decodes points of the lines between the latents of pairs of images.

    Args:
      start: uint8 `[B, h, w, c]`.
      end: uint8 `[B, h, w, c]`.
      steps: int32 [], points on each line, both ends included.

    Returns:
      images: uint8 `[B, steps, h, w, c]`, from the reconstruction of `start`
      to that of `end`.
    """
    return {'images': batches.never_empty(
        lambda a, b: self.model.interpolate(a, b, steps), start, end)}

  def encode_image(self, image_bytes):
    """string `[B]`, picture files of any size -> latents float32 `[B, H]`.

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

  def expected_calls(self):
    """Asks the model itself: `{signature: (inputs, outputs)}`, NumPy arrays.

    Images stand in for the files of a tensor whose name ends in `_bytes`. They
    are computed in a graph on the CPU, as the export's own outputs are when the
    two are compared: eager mode and a GPU round otherwise, in bfloat16 by as
    much as a grey level.
    """
    model = self.model
    decode = tf.function(model.decode, reduce_retracing=True)
    draw = {'seed': np.int64(2), 'count': np.int32(3)}
    with tf.device('CPU:0'):
      latents = model.prior.sample(4, 1)
      decoded = decode(latents)
      drawn = model.prior.sample(3, 2)
      generated = decode(drawn)
      further = _calls_of_prior(model.prior, latents)
      if 'encode' in model.can:
        further |= _calls_of_encoder(model, decode, decoded[:2])
    calls = {
        'decode': ({'latents': latents}, {'images': decoded}),
        'generate': (draw, {'images': generated}),
        'generate_png': (draw, {'image_bytes': generated}),
        'sample_latents': (draw, {'latents': drawn}),
        'serving_default': ({'latents': latents}, {'images': decoded}),
    }
    answered = {name: call for name, call in (calls | further).items()
                if not self._lacks(name)}
    return tf.nest.map_structure(np.asarray, answered)

  def _images(self, name):
    spec = self.model.kind.spec()
    return tf.TensorSpec(spec.shape, spec.dtype, name)

  def _encode(self, images):
    return batches.never_empty(self.model.encode, images)

  def _decode(self, latents):
    return batches.never_empty(self.model.decode, latents)

  def _read_image(self, contents):
    """Returns uint8 `[h, w, c]` of one file's bytes, a scalar string."""
    height, width, channels = self.model.image_shape
    image = graph_decoding.decode(
        contents, channels, self.background, MAX_PIXELS)
    image = _centre_window(image, height, width, self.crop)
    return decoding.resize(image, height, width, self.antialias, self.resize)


def _calls_of_encoder(model, decode, made):
  """The calls that need an encoder, of made images and of noise."""
  encode = tf.function(model.encode, reduce_retracing=True)
  images = np.concatenate([made, _noise(model.kind)])
  encoded = encode(images)
  reconstructed = decode(encoded)
  line = decode(tf.linspace(encoded[0], encoded[-1], 3))
  return {
      'encode': ({'images': images}, {'latents': encoded}),
      'encode_image': ({'image_bytes': images}, {'latents': encoded}),
      'interpolate': (
          {'start': images[:1], 'end': images[-1:], 'steps': np.int32(3)},
          {'images': line[tf.newaxis]}),
      'reconstruct': ({'images': images}, {'images': reconstructed}),
  }


def _noise(kind):
  """Two examples that no model has made."""
  low, high = kind.value_range or (-1., 1.)
  drawn = np.random.default_rng(0).uniform(low, high, (2, *kind.shape))
  return kind.to_users(tf.constant(drawn, tf.float32)).numpy()


def _calls_of_prior(prior, latents):
  """The calls that not every prior answers."""
  calls, can = {}, capabilities.of_prior(prior)
  if 'log_density' in can:
    density = prior.log_prob(latents)
    calls['log_prob'] = {'latents': latents}, {'log_prob': density}
  if 'base' in can:
    base = prior.latent_to_base(latents)
    # Where the inverse is a flow's, it need not be the last bit of `latents`.
    back = prior.base_to_latent(tf.identity(base))
    calls['latent_to_base'] = {'latents': latents}, {'base': base}
    calls['base_to_latent'] = {'base': base}, {'latents': back}
  return calls


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

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
import functools

import tensorflow as tf

from pgak import images as images_lib
from pgak.data import decoding
from pgak.data import graph_decoding
from pgak.data import pixels

__all__ = ['Endpoints', 'MAX_PIXELS', 'NEED_ENCODER', 'NEED_IMAGES']

# Of a file sent to `encode_image`: a small file may unpack to very many.
MAX_PIXELS = 1 << 25

NEED_ENCODER = ('encode', 'encode_image', 'interpolate', 'reconstruct')
NEED_IMAGES = ('encode_image', 'generate_png')


class Endpoints:
  """The functions of one model, to be traced and saved.

  Args:
    model: a built `GenerativeAutoencoder`, or whatever has its `encode`,
      `decode`, `prior`, `image_shape` and `latent_dim`.
    max_count: the most images that one call of `generate`, `generate_png` or
      `interpolate` makes; `sample_latents` draws 100 times as many.
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
    }
    if hasattr(self.model.prior, 'log_prob'):
      specs['log_prob'] = [latents]
    if hasattr(self.model.prior, 'latent_to_base'):
      specs['latent_to_base'] = [latents]
      specs['base_to_latent'] = [tf.TensorSpec(
          [None, self.model.latent_dim], tf.float32, 'base')]
    return {name: (_checked(getattr(self, name), inputs), inputs)
            for name, inputs in specs.items() if name not in self.left_out}

  @property
  def left_out(self):
    """Names of the signatures that the model cannot have.

    They are those that need an encoder, of one without, and those that read or
    write files, of a model of vectors.
    """
    names = () if getattr(self.model, 'has_encoder', True) else NEED_ENCODER
    vectors = images_lib.are_vectors(self.model.image_shape)
    return names + (NEED_IMAGES if vectors else ())

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
    return {'images': self._decode(self._draw(seed, count))}

  def generate_png(self, seed, count):
    """As `generate` -> image_bytes string `[count]`, a PNG file each."""
    images = self.generate(seed, count)['images']
    return {'image_bytes': tf.io.encode_png(images)}

  def sample_latents(self, seed, count):
    """As `generate`, before decoding -> latents float32 `[count, H]`."""
    return {'latents': self._draw(seed, count, 100)}

  def log_prob(self, latents):
    """float32 `[B, H]` -> log_prob float32 `[B]`, in nats.

    The log-density of the law that `generate` draws its latents from. There is
    no such signature where that law has no density that can be computed.
    """
    return {'log_prob': _never_empty(self.model.prior.log_prob, latents)}

  def latent_to_base(self, latents):
    """float32 `[B, H]` -> base float32 `[B, H]`.

    The draws of N(0, I) that the flow maps to these latents. There are this
    signature and the next where the law of the latents is a flow.
    """
    return {'base': _never_empty(self.model.prior.latent_to_base, latents)}

  def base_to_latent(self, base):
    """float32 `[B, H]` -> latents float32 `[B, H]`, the flow's other way."""
    return {'latents': _never_empty(self.model.prior.base_to_latent, base)}

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
    with tf.control_dependencies(self._check_lines(start, end, steps)):
      steps = tf.identity(steps)
    weights = tf.linspace(0., 1., steps)[:, tf.newaxis]
    from_latents = self._encode(start)[:, tf.newaxis]
    to_latents = self._encode(end)[:, tf.newaxis]
    latents = (1. - weights) * from_latents + weights * to_latents
    images = self._decode(tf.reshape(latents, [-1, self.model.latent_dim]))
    shape = [tf.shape(start)[0], steps, *self.model.image_shape]
    return {'images': tf.reshape(images, shape)}

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

  def _images(self, name):
    shape = self.model.image_shape
    return tf.TensorSpec([None, *shape], images_lib.dtype_of(shape), name)

  def _encode(self, images):
    return _never_empty(self.model.encode, images)

  def _decode(self, latents):
    return _never_empty(self.model.decode, latents)

  def _draw(self, seed, count, times=1):
    most = times * self.max_count
    with tf.control_dependencies([tf.debugging.Assert(
        (count >= 0) & (count <= most),
        [f'`count` must be 0 to {most}, but is', count])]):
      count = tf.identity(count)
    return self.model.prior.sample(count, seed)

  def _check_lines(self, start, end, steps):
    lines, ends = tf.shape(start)[0], tf.shape(end)[0]
    total = tf.cast(lines, tf.int64) * tf.cast(steps, tf.int64)
    return [
        tf.debugging.Assert(
            lines == ends, ['`start` and `end` must hold equally many images, '
                            'but hold', lines, ends]),
        tf.debugging.Assert(
            (steps >= 2) & (total <= self.max_count),
            [f'`steps` must be 2 or more, and at most {self.max_count} images '
             'are made at once, but `steps` is', steps]),
    ]

  def _read_image(self, contents):
    """Returns uint8 `[h, w, c]` of one file's bytes, a scalar string."""
    height, width, channels = self.model.image_shape
    image = graph_decoding.decode(
        contents, channels, self.background, MAX_PIXELS)
    image = _centre_window(image, height, width, self.crop)
    return decoding.resize(image, height, width, self.antialias, self.resize)


def _checked(function, specs):
  """Makes a function check its inputs' shapes when it runs.

  TensorFlow holds a signature's shapes against the dimensions of nothing that
  a server is sent, and a wrong one can end the server's process.
  """
  @functools.wraps(function)
  def checked(*inputs):
    return function(*(tf.ensure_shape(tensor, spec.shape)
                      for tensor, spec in zip(inputs, specs)))

  return checked


def _never_empty(function, batch):
  """Calls a function of a batch with one zero example where there is none.

  TensorFlow's convolutions on a CPU fail on an empty batch.
  """
  size = tf.shape(batch)[0]
  missing = tf.cast(tf.equal(size, 0), tf.int32)
  paddings = [[0, missing]] + [[0, 0]] * (batch.shape.rank - 1)
  padded = tf.ensure_shape(tf.pad(batch, paddings), batch.shape)
  return function(padded)[:size]


def _centre_window(pixels, height, width, crop):
  """Cuts the largest centred window of aspect height : width, or `crop`^2."""
  rows, columns = tf.unstack(tf.shape(pixels)[:2])
  window_rows = tf.maximum(tf.minimum(rows, columns * height // width), 1)
  window_columns = tf.maximum(tf.minimum(columns, rows * width // height), 1)
  if crop is not None:
    # What has the model's size was cut before.
    cut = (tf.minimum(rows, columns) >= crop) & (
        (rows != height) | (columns != width))
    window_rows = tf.where(cut, crop, window_rows)
    window_columns = tf.where(cut, crop, window_columns)
  return tf.image.crop_to_bounding_box(
      pixels, (rows - window_rows) // 2, (columns - window_columns) // 2,
      window_rows, window_columns)

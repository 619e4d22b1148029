"""Features of a net of one's own: a Keras model or a SavedModel, by its path.

It is given float32 images in [0, 255], or in the range that
`own_net.value_range` states, or uint8 where its input is uint8. A net for
another range usually begins with `keras.layers.Rescaling`. Images are resized
to the net's height and width where it states them, and get its number of
channels: grey is repeated to RGB, RGB averaged to grey by luminance. Outputs
of any shape become `[B, D]`. It has no classes.
"""
import hashlib
import json
import re
import zipfile

import keras
import numpy as np
import tensorflow as tf

from pgak import errors
from pgak import files
from pgak import settings
from pgak.metrics import features

__all__ = ['is_path', 'own_net']

# A covariance of so many features takes 128 MiB.
_MOST = 4096


def is_path(name):
  """Whether the name of features is a path, such as 'nets/mine.keras'."""
  return name.endswith('.keras') or '/' in name or _is_saved_model(
      files.local(name))


def _is_saved_model(path):
  return (path / 'saved_model.pb').is_file()


@settings.register(denylist=['path'])
def own_net(path, batch_size: settings.Count = 50,
            value_range: tuple[float, float] = (0., 255.)):
  """Makes the features of a net of one's own.

  A .keras file may hold code, in a Lambda layer or as a class of its author's:
  it is loaded in Keras's safe mode, which refuses both. A SavedModel is a
  program, too, which can read and write files: load only what you trust.

  Args:
    path: a `.keras` file, or the folder of a SavedModel with the signature
      `serving_default`, each with one input of images `[B, H, W, C]` and one
      output.
    batch_size: images in one forward pass.
    value_range: `(low, high)` that the net expects of black and white.

  Returns:
    A `features.FeatureNet` of uint8 images. Its name is that of the file, a
    hyphen, and 6 digits of a hash of its structure, weights and range, as in
    'mynet-3f9a12'; its metric `frechet_<name>`.

  Raises:
    UserError: if there is no such net, if it holds code, or if its input or
      output has another shape.
  """
  local = files.local(path)
  found = (_saved_model(local) if _is_saved_model(local)
           else _keras_model(local))
  net = _Net(local, *found[:3])
  low, high = value_range
  text = f'{found[3]} {low} {high}'
  digest = hashlib.sha256(text.encode()).hexdigest()[:16]
  stem = re.sub('[^A-Za-z0-9_]+', '_', local.resolve().stem).strip('_')
  name = f'{stem or "net"}-{digest[:6]}'
  resized = net.size and f'bilinear_antialias_{net.size[0]}x{net.size[1]}'
  made = features.FeatureNet(
      net, lambda images: _prepare(images, net, value_range), name=name,
      metric=f'frechet_{name}', resize=resized or 'none',
      batch_size=batch_size, fingerprint=digest, preprocessing=' '.join([
          _said(net.size), f'values in [{low:g}, {high:g}]']))
  net.check(made)
  return made


def _said(size):
  return (f'resized to {size[0]} x {size[1]}, bilinear with antialias,'
          if size else 'of the size of the images,')


# === Loading ===


def _keras_model(path):
  """Returns `(function, input's TensorSpec, output's shape, hash)`."""
  if not path.is_file() or path.suffix != '.keras':
    raise errors.UserError(
        f'There is no net at {path}: give a .keras file, or a folder with '
        'saved_model.pb.')
  try:
    model = keras.saving.load_model(path, compile=False, safe_mode=True)
    with zipfile.ZipFile(path) as archive:
      structure = json.loads(archive.read('config.json'))['config']
  except (ValueError, TypeError, OSError, KeyError, zipfile.BadZipFile) as e:
    raise _not_loaded(path, e) from e
  if len(model.inputs) != 1 or len(model.outputs) != 1:
    raise _of_other_shape(path, f'{len(model.inputs)} inputs and '
                          f'{len(model.outputs)} outputs')
  digest = hashlib.sha256(json.dumps(structure, sort_keys=True).encode())
  for array in model.get_weights():
    digest.update(np.ascontiguousarray(array).tobytes())
  spec = tf.TensorSpec(model.inputs[0].shape, model.inputs[0].dtype)
  return (lambda images: model(images, training=False), spec,
          tuple(model.outputs[0].shape), digest.hexdigest())


def _not_loaded(path, error):
  text = str(error)
  if 'safe_mode' in text or 'Lambda' in text:
    return errors.UserError(
        f'{path} holds code, in a Lambda layer or a function of its author\'s, '
        'which is not run: save the net without it, or as a SavedModel, which '
        'is a program, too.')
  if 'register_keras_serializable' in text or 'custom_objects' in text:
    return errors.UserError(
        f'{path} needs a class that Keras does not know: register it in a '
        'module that --import names.')
  return errors.UserError(f'{path} is no Keras model, or a damaged one '
                          f'({errors.reason(error)}): save it again with '
                          'model.save.')


def _saved_model(path):
  """Returns the same of a SavedModel."""
  try:
    loaded = tf.saved_model.load(str(path))
  except (OSError, ValueError, RuntimeError, KeyError, tf.errors.OpError) as e:
    raise errors.UserError(f'The SavedModel {path} is damaged: write it '
                           'again.') from e
  function = loaded.signatures.get('serving_default')
  if function is None:
    raise errors.UserError(
        f'The SavedModel {path} has no signature serving_default: export the '
        'net with Keras\'s model.export.')
  inputs = function.structured_input_signature[1]
  outputs = function.structured_outputs
  if len(inputs) != 1 or len(outputs) != 1:
    raise _of_other_shape(path, f'{len(inputs)} inputs and {len(outputs)} '
                          'outputs')
  (name, spec), (output, given) = *inputs.items(), *outputs.items()
  digest = hashlib.sha256()
  for file in sorted(p for p in path.rglob('*') if p.is_file()
                     and (p.name == 'saved_model.pb'
                          or p.parent.name == 'variables')):
    digest.update(file.read_bytes())
  def call(images, kept=loaded):  # The function needs what it was loaded with.
    del kept
    return function(**{name: images})[output]
  return call, spec, tuple(given.shape), digest.hexdigest()


def _of_other_shape(path, what):
  return errors.UserError(
      f'{path} has {what}: features are made by a net with one input of images '
      '[B, H, W, C], of 1 or 3 channels, and one output of a fixed size.')


# === The net ===


class _Net:
  """What `features.FeatureNet` asks of a Keras model.

  Attributes:
    size: `(height, width)` that images are resized to, or None.
    channels: 1 or 3, or None for those of the images.
    dtype: of the input.
    output_shape: `(None, D)`.
  """

  def __init__(self, path, call, spec, given):
    self._path = path
    self._call = call
    shape = tuple(spec.shape)
    if spec.shape.rank != 4 or shape[3] not in (1, 3, None):
      raise _of_other_shape(path, f'an input of shape {list(shape)}')
    if None in given[1:]:
      raise _of_other_shape(path, f'an output of shape {list(given)}')
    number = int(np.prod(given[1:], dtype=int))
    if number > _MOST:
      raise errors.UserError(
          f'{path} makes {number} features of an image, and {_MOST} is the '
          'most whose covariance is computed: end it with pooling.')
    self.size = None if None in shape[1:3] else shape[1:3]
    self.channels = shape[3]
    self.dtype = spec.dtype
    self.output_shape = (None, number)

  def __call__(self, images, training=False):
    del training
    made = tf.cast(self._call(images), tf.float32)
    return tf.reshape(made, [-1, self.output_shape[1]])

  def check(self, net):
    """Makes features once, so that a net that cannot is an error now."""
    images = np.zeros((1, *(self.size or (64, 64)), self.channels or 3),
                      np.uint8)
    try:
      made, = net([images])
    except (ValueError, TypeError, tf.errors.OpError) as e:
      raise errors.UserError(f'{self._path} makes no features of images of '
                             f'{images.shape[1:]} ({errors.reason(e)}).') from e
    if made.shape != (1, net.size):
      raise _of_other_shape(self._path, f'outputs of shape {list(made.shape)} '
                            'of one image')


def _prepare(images, net, value_range):
  images = tf.cast(images, tf.float32)
  given = images.shape[-1]
  if net.channels == 3 and given == 1:
    images = tf.repeat(images, 3, -1)
  elif net.channels == 1 and given == 3:
    images = tf.image.rgb_to_grayscale(images)
  if net.size and tuple(images.shape[1:3]) != tuple(net.size):
    images = tf.image.resize(images, net.size, 'bilinear', antialias=True)
  if net.dtype == tf.uint8:
    return tf.cast(tf.round(tf.clip_by_value(images, 0., 255.)), tf.uint8)
  low, high = value_range
  return tf.cast(low + images * ((high - low) / 255.), net.dtype)

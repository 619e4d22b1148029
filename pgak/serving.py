"""Exports a model for TensorFlow Serving, verifies the export, and loads it.

An export is a folder `OUTPUT/<version>/`, which TensorFlow Serving takes as it
is; of several versions it serves the largest.

    saved_model.pb, variables/    the graph: the signatures of `endpoints.py`
    metadata.json                 what it is: model, step, data set, signatures
    assets.extra/expected.npz     answers of the model itself, for `verify`
    assets.extra/tf_serving_warmup_requests
                                  a request for each signature, which the server
                                  replays before it answers anyone; only where
                                  the package tensorflow-serving-api is found
"""
import datetime
import errno
import json
import os
import pathlib
import shutil
import subprocess
import sys
import uuid

import gin
import keras
import numpy as np
import tensorflow as tf

from pgak import endpoints
from pgak import errors
from pgak import images as images_lib
from pgak import version as version_lib

__all__ = ['ServedModel', 'export', 'export_model', 'verify']

_CHECK = pathlib.Path(__file__).with_name('serving_check.py')
_EXTRA = 'assets.extra'
_METADATA = 'metadata.json'


def export_model(model, output, version=None, prior=None, max_count=1024,
                 crop=None, provenance=None, verified=True):
  """Writes a model's export to `output/<version>`, whole or not at all.

  Args:
    model: a built `GenerativeAutoencoder`.
    output: folder that holds the versions; made if absent.
    version: positive int; by default one more than the largest version there.
    prior: latent distribution to draw from, by default the model's own.
    max_count: the most images that one request may ask for.
    crop: see `endpoints.Endpoints`.
    provenance: dictionary of what else `metadata.json` shall say.
    verified: whether a fresh process checks the export before it is put in its
      place (see `verify`; 10 to 30 seconds).

  Returns:
    `pathlib.Path` of the version's folder.

  Raises:
    UserError: if the version exists or is no positive number, if `output`
      cannot be written, or if the verification fails.
  """
  output = pathlib.Path(output)
  _check_version(output, version)
  served = endpoints.Endpoints(
      model, model.prior if prior is None else prior, max_count, crop)
  part = output / f'.part-{uuid.uuid4().hex}'
  try:
    _make_folder(part / _EXTRA)
    signatures = _write_graph(served, part)
    calls = _expected_calls(model, served.prior)
    _write_expected(calls, part)
    warm_up = _write_warm_up(calls, part)
    _write_metadata(part, {**_describe(served), **(provenance or {}),
                           'warm_up_requests': warm_up,
                           'signatures': signatures})
    if verified:
      verify(part)
    return _move_into_place(part, output, version)
  finally:
    shutil.rmtree(part, ignore_errors=True)


def verify(path):
  """Checks an export in a fresh process in which pgak cannot be imported.

  It is loaded both by `tf.saved_model.load` and by TensorFlow 1's session
  loader, TensorFlow Serving's way, on the CPU; see `serving_check.py`.

  Args:
    path: folder of an export's version, or the folder that holds versions.

  Returns:
    Dictionary of loader ('object', 'session') to a dictionary of signature to
    the largest difference from the model's own answer: in grey levels (at most
    1), and for latents as a share of the largest one (at most 0.01).

  Raises:
    UserError: if there is no export, or if an answer is not the model's.
  """
  folder = _find_version(path)
  environment = dict(os.environ, CUDA_VISIBLE_DEVICES='-1',
                     TF_CPP_MIN_LOG_LEVEL='2')
  done = subprocess.run(
      [sys.executable, '-P', str(_CHECK), str(folder.resolve())],
      capture_output=True, text=True, env=environment, check=False)
  if done.returncode:
    lines = done.stderr.strip().splitlines() or ['it says nothing']
    raise errors.UserError(
        f'The export in {folder} does not give what the model gives: '
        f'{lines[-1]}')
  return json.loads(done.stdout.splitlines()[-1])


class ServedModel:
  """An export, loaded without the classes that made it.

  It answers as a model does: everything is uint8 images `[B, h, w, c]` or
  float32 latents `[B, H]`, as NumPy arrays.

  Args:
    path: folder of an export's version, or the folder that holds versions, of
      which the largest is taken.

  Raises:
    UserError: if there is no export, or if it is damaged.

  Example:

  ```python
  served = serving.ServedModel('/tmp/digits/export')
  images = served.sample(16, seed=0)          # uint8 [16, 8, 8, 1]
  latents = served.encode(images)             # float32 [16, 8]
  lines = served.interpolate(images[:2], images[2:4], steps=5)
  ```
  """

  def __init__(self, path):
    self.path = _find_version(path)
    try:
      self.metadata = json.loads((self.path / _METADATA).read_text())
      self._loaded = tf.saved_model.load(str(self.path))
      self.image_shape = tuple(self.metadata['image_shape'])
      self.latent_dim = self.metadata['latent_dim']
      self._max_count = self.metadata['max_count']
    except (KeyError, OSError, ValueError, tf.errors.OpError) as error:
      raise errors.UserError(
          f'The export in {self.path} cannot be read, export the run again: '
          f'{str(error).splitlines()[0]}') from error

  def encode(self, images):
    """Returns the latents of images."""
    return self._in_batches('encode', images=np.asarray(images, np.uint8))

  def decode(self, latents):
    """Returns the images of latents."""
    return self._in_batches('decode', latents=np.asarray(latents, np.float32))

  def reconstruct(self, images):
    """Returns what images become by encoding and decoding."""
    return self._in_batches('reconstruct', images=np.asarray(images, np.uint8))

  def interpolate(self, start, end, steps):
    """Returns uint8 `[B, steps, h, w, c]`, `start` to `end`; linear in latents.
    """
    return self._call('interpolate', start=np.asarray(start, np.uint8),
                      end=np.asarray(end, np.uint8), steps=np.int32(steps))

  def sample(self, n, seed=0):
    """Returns n images drawn from the prior, repeatable by seed."""
    return self.decode(self._call('sample_latents', seed=np.int64(seed),
                                  count=np.int32(n)))

  def _in_batches(self, signature, **inputs):
    (name, array), = inputs.items()
    # No images at all still make one call, which knows the answer's shape.
    starts = range(0, max(len(array), 1), self._max_count)
    return np.concatenate([
        self._call(signature, **{name: array[i:i + self._max_count]})
        for i in starts])

  def _call(self, signature, **inputs):
    try:
      outputs = self._loaded.signatures[signature](
          **{name: tf.constant(array) for name, array in inputs.items()})
    except tf.errors.InvalidArgumentError as error:
      raise errors.UserError(f'{signature}: {_first_line(error)}') from error
    (tensor,) = outputs.values()
    return tensor.numpy()


@gin.configurable
def export(run_dir, output=None, checkpoint='latest', prior='own', version=None,
           max_count=1024, crop=None, verify=True):
  """Exports a run."""
  raise NotImplementedError


def _check_version(output, version):
  if version is None:
    return
  if not isinstance(version, int) or version < 1:
    raise errors.UserError(
        f'The version of an export must be a positive number, not {version!r}.')
  if (output / str(version)).exists():
    raise _exists(output / str(version))


def _exists(target):
  return errors.UserError(
      f'{target} exists: choose another version, or none for the next number.')


def _make_folder(path):
  try:
    path.mkdir(parents=True)
  except OSError as error:
    raise errors.UserError(
        f'The export cannot be written to {path.parent.parent}: '
        f'{error.strerror}.') from error


def _write_graph(served, folder):
  """Saves the graph and the weights, and describes the signatures."""
  archive = keras.export.ExportArchive()
  described = {}
  for name, (function, specs) in served.signatures().items():
    traced = archive.add_endpoint(name, function, specs)
    outputs = traced.get_concrete_function().structured_outputs
    described[name] = {'inputs': _describe_specs({s.name: s for s in specs}),
                       'outputs': _describe_specs(outputs)}
  archive.write_out(str(folder), verbose=False)
  return {**described, 'serving_default': described['decode']}


def _describe_specs(specs):
  return {name: {'dtype': spec.dtype.name, 'shape': spec.shape.as_list()}
          for name, spec in specs.items()}


def _expected_calls(model, prior):
  """Asks the model itself: `{signature: (inputs, outputs)}`, NumPy arrays.

  Images stand in for the files of a tensor whose name ends in `_bytes`.
  """
  latents = prior.sample(4, 1)
  noise = np.random.default_rng(0).integers(0, 256, (2, *model.image_shape))
  images = np.concatenate([model.decode(latents)[:2], noise]).astype(np.uint8)
  draw = {'seed': np.int64(2), 'count': np.int32(3)}
  drawn = prior.sample(3, 2)
  start, middle, end = model.encode(images[:1]), None, model.encode(images[-1:])
  middle = model.decode(tf.concat([start, (start + end) / 2., end], 0))
  calls = {
      'decode': ({'latents': latents}, {'images': model.decode(latents)}),
      'encode': ({'images': images}, {'latents': model.encode(images)}),
      'encode_image': ({'image_bytes': images},
                       {'latents': model.encode(images)}),
      'generate': (draw, {'images': model.decode(drawn)}),
      'generate_png': (draw, {'image_bytes': model.decode(drawn)}),
      'interpolate': (
          {'start': images[:1], 'end': images[-1:], 'steps': np.int32(3)},
          {'images': middle[tf.newaxis]}),
      'reconstruct': ({'images': images},
                      {'images': model.reconstruct(images)}),
      'sample_latents': (draw, {'latents': drawn}),
      'serving_default': ({'latents': latents},
                          {'images': model.decode(latents)}),
  }
  return tf.nest.map_structure(np.asarray, calls)


def _write_expected(calls, folder):
  arrays = {f'{signature}/{side}/{name}': array
            for signature, sides in calls.items()
            for side, named in zip(('in', 'out'), sides)
            for name, array in named.items()}
  np.savez_compressed(folder / _EXTRA / 'expected.npz', **arrays)


def _write_warm_up(calls, folder):
  """Writes one request a signature; returns how many, 0 without the package."""
  try:
    from tensorflow_serving.apis import predict_pb2
    from tensorflow_serving.apis import prediction_log_pb2
  except ImportError:
    return 0
  path = folder / _EXTRA / 'tf_serving_warmup_requests'
  with tf.io.TFRecordWriter(str(path)) as writer:
    for signature, (inputs, _) in calls.items():
      request = predict_pb2.PredictRequest()
      # The server replays a request on the model whose folder it is in.
      request.model_spec.name = 'pgak'
      request.model_spec.signature_name = signature
      for name, array in inputs.items():
        if name.endswith('_bytes'):
          array = np.array([images_lib.encode_png(i) for i in array], object)
        request.inputs[name].CopyFrom(tf.make_tensor_proto(array))
      log = prediction_log_pb2.PredictLog(request=request)
      writer.write(prediction_log_pb2.PredictionLog(
          predict_log=log).SerializeToString())
  return len(calls)


def _describe(served):
  """Returns what `metadata.json` says of any model."""
  model = served.model
  now = datetime.datetime.now(datetime.timezone.utc)
  return {
      'pgak': version_lib.__version__,
      'tensorflow': tf.__version__,
      'keras': keras.__version__,
      'exported': now.isoformat(timespec='seconds'),
      'model': type(model).__name__,
      'step': int(model.step),
      'image_shape': list(model.image_shape),
      'latent_dim': model.latent_dim,
      'value_range': list(model.value_range),
      'prior': served.prior.name,
      'max_count': served.max_count,
      'crop': served.crop,
  }


def _write_metadata(folder, metadata):
  (folder / _METADATA).write_text(json.dumps(metadata, indent=2) + '\n')


def _move_into_place(part, output, version):
  """Renames the finished folder; two exports at once get two versions."""
  while True:
    target = output / str(version or _next_version(output))
    try:
      os.rename(part, target)
      return target
    except OSError as error:
      if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
        raise
      if version:
        raise _exists(target) from error


def _versions(output):
  return sorted(int(p.name) for p in output.iterdir() if p.name.isdecimal())


def _next_version(output):
  return max(_versions(output), default=0) + 1


def _find_version(path):
  """Returns the folder of a version: the path, or the largest version in it."""
  path = pathlib.Path(path)
  if path.is_dir() and not (path / 'saved_model.pb').exists():
    versions = _versions(path)
    path = path / str(versions[-1]) if versions else path
  if not (path / 'saved_model.pb').exists():
    raise errors.UserError(
        f'There is no export in {path}: give the folder that pgak_export '
        'wrote, or one of the versions in it.')
  return path


def _first_line(error):
  return str(error).splitlines()[0]

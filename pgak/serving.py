"""Exports a model for TensorFlow Serving, verifies the export, and loads it.

An export is a folder `OUTPUT/<version>/`, which TensorFlow Serving takes as it
is; of several versions it serves the largest.

    saved_model.pb, variables/    the graph: the signatures of `endpoints.py`
    metadata.json                 what it is: model, step, data set, density,
                                  signatures
    assets.extra/expected.npz     answers of the model itself, for `verify`
    assets.extra/tf_serving_warmup_requests
                                  a request for each signature, which the server
                                  replays before it answers anyone; only where
                                  the package tensorflow-serving-api is found
"""
import contextlib
import datetime
import errno
import json
import os
import pathlib
import subprocess
import sys

import gin
import keras
import numpy as np
import tensorflow as tf

from pgak import checkpoints
from pgak import conditional_endpoints
from pgak import endpoints
from pgak import errors
from pgak import files
from pgak import images as images_lib
from pgak import run_directory
from pgak import served_model
from pgak import translation
from pgak import version as version_lib
from pgak.data import graph_decoding
from pgak.data import pixels

__all__ = ['export', 'export_model', 'verify']

_CHECK = pathlib.Path(__file__).with_name('serving_check.py')
_EXTRA = 'assets.extra'


@gin.configurable(denylist=['run_dir'])
def export(run_dir, output=None, checkpoint='latest', prior='own', version=None,
           max_count=1024, verified=True):
  """Exports a checkpoint of a run for TensorFlow Serving.

  Args:
    run_dir: path of the run directory, whose configuration gin holds.
    output: folder that holds the versions; by default `export` in `run_dir`.
    checkpoint: 'latest', 'best' or a step.
    prior: what `generate` draws from: 'own' for the model's, or the name or
      class of another, which is fitted if need be; see `densities`.
    version: positive int; by default one more than the largest version there.
    max_count: the most images that one request may ask for.
    verified: whether a fresh process checks the export before it is put in its
      place (see `verify`; 10 to 30 seconds).

  Returns:
    `pathlib.Path` of the version's folder.

  Raises:
    errors.UserError: if the run or its checkpoint cannot be had, and as
      `export_model` does.
  """
  run = run_directory.RunDirectory(run_dir)
  output = pathlib.Path(output).expanduser() if output else run.export
  _check_settings(output, version, max_count)
  model = checkpoints.load_configured(run, checkpoint, prior)
  recorded = run.config['data']
  preprocessing = recorded['preprocessing']
  averaged = any(o.use_ema for o in model.optimizers.values())
  if not model.has_encoder:
    print(f'{model.name} has no encoder: the signatures '
          f'{", ".join(endpoints.NEED_ENCODER)} are left out.')
  if images_lib.are_vectors(model.image_shape):
    print(f'{model.name} makes vectors: the signatures '
          f'{", ".join(endpoints.NEED_IMAGES)} are left out.')
  return export_model(
      model, output, version, max_count, **_preparation(preprocessing),
      provenance={'ema': averaged, 'dataset': recorded}, verified=verified)


def _preparation(preprocessing):
  """Returns how the model's data were made of pictures, for `Endpoints`.

  Version 0.4 stated no background, and dropped the transparency of pictures
  from a folder.
  """
  old_folder = 'fractions' in preprocessing and (
      'background' not in preprocessing)
  background = preprocessing.get(
      'background', None if old_folder else pixels.WHITE)
  return {'crop': preprocessing.get('crop'),
          'antialias': preprocessing.get('antialias', True),
          'resize': preprocessing.get('resize', 'bicubic'),
          'background': tuple(background) if isinstance(background, list)
                        else background}


def export_model(model, output, version=None, max_count=1024, crop=None,
                 antialias=True, resize='bicubic', background=pixels.WHITE,
                 provenance=None, verified=True):
  """Writes a model's export to `output/<version>`, whole or not at all.

  Args:
    model: a built `GenerativeAutoencoder`; `generate` draws from its prior.
    output: folder that holds the versions; made if absent.
    version: positive int; by default one more than the largest version there.
    max_count: the most images that one request may ask for.
    crop: how the model's data were cut; see `endpoints.Endpoints`.
    antialias: how they were resized; see there.
    resize: by which kernel; see there.
    background: what they were laid on; see there.
    provenance: dictionary of what else `metadata.json` shall say.
    verified: whether a fresh process checks the export before it is put in its
      place (see `verify`; 10 to 30 seconds).

  Returns:
    `pathlib.Path` of the version's folder.

  Raises:
    errors.UserError: if the version exists or is no positive number, if
      `output` cannot be written, or if the verification fails.
  """
  output = pathlib.Path(output)
  _check_settings(output, version, max_count)
  served = _endpoints(model, max_count, crop=crop, antialias=antialias,
                      resize=resize, background=background)
  with _written_to(output), files.beside(output / 'version') as part:
    (part / _EXTRA).mkdir(parents=True)
    signatures = _write_graph(served, part)
    calls = (served.expected_calls() if translation.is_conditional(model)
             else _expected_calls(model, served.left_out))
    _write_expected(calls, part)
    warm_up = _write_warm_up(calls, part)
    metadata = {**_describe(served), **(provenance or {}),
                'warm_up_requests': warm_up, 'signatures': signatures}
    (part / served_model.METADATA).write_text(
        json.dumps(metadata, indent=2) + '\n')
    if verified:
      verify(part)
    files.flush(part)
    return _move_into_place(part, output, version)


def verify(path):
  """Checks an export in a fresh process in which pgak cannot be imported.

  It is loaded both by `tf.saved_model.load` and by TensorFlow 1's session
  loader, TensorFlow Serving's way, on the CPU; see `serving_check.py`.

  Args:
    path: folder of an export's version, or the folder that holds versions.

  Returns:
    Dictionary of loader ('object', 'session') to a dictionary of signature to
    the largest difference from the model's own answer: in grey levels (at most
    1), and for latents and log-densities as a share of the largest one (at most
    0.01).

  Raises:
    errors.UserError: if there is no export, or if an answer is not the model's.
  """
  folder = served_model.find_version(path)
  environment = dict(os.environ, CUDA_VISIBLE_DEVICES='-1',
                     TF_CPP_MIN_LOG_LEVEL='2')
  done = subprocess.run(
      [sys.executable, '-P', str(_CHECK), str(folder.resolve())],
      capture_output=True, text=True, env=environment, check=False)
  if done.returncode:
    lines = done.stderr.strip().splitlines() or ['it says nothing']
    raise errors.UserError(f'The export fails its verification: {lines[-1]}')
  return json.loads(done.stdout.splitlines()[-1])


# === Writing ===


def _check_settings(output, version, max_count):
  # Three images are what the verification asks for.
  for name, value, least in (('version', version, 1),
                             ('max_count', max_count, 3)):
    if value is not None and (not isinstance(value, int) or value < least):
      raise errors.UserError(
          f'`export.{name}` must be a whole number of at least {least}, not '
          f'{value!r}.')
  if version and (output / str(version)).exists():
    raise _exists(output / str(version))


def _exists(target):
  return errors.UserError(
      f'{target} exists: choose another version, or none for the next number.')


def _endpoints(model, max_count, **preparation):
  if translation.is_conditional(model):
    return conditional_endpoints.ConditionalEndpoints(model, max_count)
  return endpoints.Endpoints(model, max_count, **preparation)


@contextlib.contextmanager
def _written_to(output):
  """Tells in a sentence that something cannot be written there."""
  try:
    yield
  except (OSError, tf.errors.OpError) as error:
    reason = errors.unwritable(error) or getattr(error, 'strerror', None)
    if not reason:
      raise
    raise errors.UserError(
        f'The export cannot be written to {output} ({reason}): make room '
        'there, or choose another --output.') from error


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
  # The first one is what a server answers where none is named.
  return {**described, 'serving_default': described[next(iter(described))]}


def _describe_specs(specs):
  return {name: {'dtype': spec.dtype.name, 'shape': spec.shape.as_list()}
          for name, spec in specs.items()}


def _expected_calls(model, left_out=()):
  """Asks the model itself: `{signature: (inputs, outputs)}`, NumPy arrays.

  Images stand in for the files of a tensor whose name ends in `_bytes`. The
  answers are a graph's on the CPU, as those that they are held against: eager
  mode and a GPU round otherwise, in bfloat16 by as much as a grey level.
  """
  decode = tf.function(model.decode, reduce_retracing=True)
  draw = {'seed': np.int64(2), 'count': np.int32(3)}
  with tf.device('CPU:0'):
    latents = model.prior.sample(4, 1)
    decoded = decode(latents)
    drawn = model.prior.sample(3, 2)
    generated = decode(drawn)
    further = _calls_of_prior(model.prior, latents)
    if model.has_encoder:
      further |= _calls_of_encoder(model, decode, decoded[:2])
  calls = {
      'decode': ({'latents': latents}, {'images': decoded}),
      'generate': (draw, {'images': generated}),
      'generate_png': (draw, {'image_bytes': generated}),
      'sample_latents': (draw, {'latents': drawn}),
      'serving_default': ({'latents': latents}, {'images': decoded}),
  }
  answered = {name: call for name, call in (calls | further).items()
              if name not in left_out}
  return tf.nest.map_structure(np.asarray, answered)


def _calls_of_encoder(model, decode, made):
  """The calls that need an encoder, of made images and of noise."""
  encode = tf.function(model.encode, reduce_retracing=True)
  images = np.concatenate([made, _noise(model.image_shape)])
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


def _noise(image_shape):
  """Two images, or vectors, that no model has made."""
  generator = np.random.default_rng(0)
  if images_lib.are_vectors(image_shape):
    return generator.normal(size=(2, *image_shape)).astype(np.float32)
  return generator.integers(0, 256, (2, *image_shape)).astype(np.uint8)


def _calls_of_prior(prior, latents):
  """The calls that not every prior answers."""
  calls = {}
  if hasattr(prior, 'log_prob'):
    density = prior.log_prob(latents)
    calls['log_prob'] = {'latents': latents}, {'log_prob': density}
  if hasattr(prior, 'latent_to_base'):
    base = prior.latent_to_base(latents)
    # Where the inverse is a flow's, it need not be the last bit of `latents`.
    back = prior.base_to_latent(tf.identity(base))
    calls['latent_to_base'] = {'latents': latents}, {'base': base}
    calls['base_to_latent'] = {'base': base}, {'latents': back}
  return calls


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
      'step': int(keras.ops.convert_to_numpy(model.step)),
      'image_shape': list(model.image_shape),
      'latent_dim': model.latent_dim,
      **({'condition_shape': list(model.condition_shape)}
         if translation.is_conditional(model) else {}),
      'value_range': model.value_range and list(model.value_range),
      'prior': model.prior.name,
      'density': _describe_density(model.prior),
      'max_count': served.max_count,
      'crop': served.crop,
      'antialias': served.antialias,
      **_describe_pictures(served),
      'left_out': list(getattr(served, 'left_out', ())),
  }


def _describe_pictures(served):
  """Says how `encode_image` reads pictures, and which it refuses."""
  if 'encode_image' not in served.signatures():
    return {}
  return {'resize': served.resize, 'background': served.background,
          'image_formats': list(graph_decoding.FORMATS),
          'image_limits': {'max_pixels': endpoints.MAX_PIXELS,
                           'refused': list(graph_decoding.LIMITS)}}


def _describe_density(prior):
  """Says how the prior was made and, where it was fitted, to what."""
  described = {'label': getattr(prior, 'label', prior.name),
               'settings': getattr(prior, 'settings', {})}
  if hasattr(prior, 'source'):
    described['fitted_to'] = prior.source
  return described


def _move_into_place(part, output, version):
  """Renames the finished folder; two exports at once get two versions."""
  while True:
    free = max(served_model.versions(output), default=0) + 1
    target = output / str(version or free)
    try:
      os.rename(part, target)
      return target
    except OSError as error:
      if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
        raise
      if version:
        raise _exists(target) from error

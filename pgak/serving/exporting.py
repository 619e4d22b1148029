"""Exports a model for TensorFlow Serving, verifies the export, and loads it.

An export is a folder `OUTPUT/<version>/`, which TensorFlow Serving takes as it
is; of several versions it serves the largest.

    saved_model.pb, variables/    the graph: the signatures of `signatures.py`
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
from typing import Annotated

import keras
import numpy as np
import tensorflow as tf

from pgak import errors
from pgak import files
from pgak import priors
from pgak import settings
from pgak import version as version_lib
from pgak.data import graph_decoding
from pgak.data import kinds
from pgak.data import pixels
from pgak.pictures import png
from pgak.runs import checkpoints
from pgak.runs import run_directory
from pgak.serving import client
from pgak.serving import conditional_signatures
from pgak.serving import signatures

__all__ = ['CHECK', 'TABLE', 'export', 'export_model', 'move_into_place',
           'preparation_of', 'verify', 'write_warm_up']

CHECK = pathlib.Path(__file__).with_name('check.py')
_EXTRA = 'assets.extra'

# Three images are what the verification asks for.
MaxCount = Annotated[int, settings.Range(3, 2**31 - 1)]


@settings.configurable(module='pgak.serving', denylist=['run_dir'])
def export(run_dir: settings.Path, output: settings.Path | None = None,
           checkpoint: settings.Checkpoint = 'latest',
           prior: priors.Spec | None = None,
           version: settings.Count | None = None,
           max_count: MaxCount = 1024, verified: bool = True,
           overwrite: bool = False):
  """Exports a checkpoint of a run for TensorFlow Serving.

  Args:
    run_dir: path of the run directory, whose configuration gin holds.
    output: folder that holds the versions; by default `export` in `run_dir`.
    checkpoint: 'latest', 'best' or a step.
    prior: what `generate` draws from: 'own' for the model's, or the name or
      class of another, which is fitted if need be; see `priors.ex_post`. None
      for the model's own where training makes latents and prior alike, and
      else 'gmm'.
    version: positive int; by default one more than the largest version there.
    max_count: the most images that one request may ask for.
    verified: whether a fresh process checks the export before it is put in its
      place (see `verify`; 10 to 30 seconds).
    overwrite: whether a version that is there is replaced.

  Returns:
    `pathlib.Path` of the version's folder.

  Raises:
    errors.UserError: if the run or its checkpoint is not available, and as
      `export_model` does.
  """
  run = run_directory.RunDirectory(run_dir)
  output = files.local(output) if output else run.export
  _check_version(output, version, overwrite)
  model = checkpoints.load_configured(run, checkpoint, prior)
  recorded = run.config['data']
  preprocessing = recorded['preprocessing']
  averaged = any(o.use_ema for o in model.optimizers.values())
  return export_model(
      model, output, version, max_count, **preparation_of(preprocessing),
      provenance={'ema': averaged, 'dataset': recorded}, verified=verified,
      overwrite=overwrite)


def preparation_of(preprocessing):
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


@settings.checked
def export_model(model, output, version: settings.Count | None = None,
                 max_count: MaxCount = 1024, crop=None, antialias=True,
                 resize='bicubic', background=pixels.WHITE, provenance=None,
                 verified=True, overwrite=False):
  """Writes a model's export to `output/<version>`, whole or not at all.

  Args:
    model: a built `GenerativeAutoencoder`; `generate` draws from its prior.
    output: folder that holds the versions; made if absent.
    version: positive int; by default one more than the largest version there.
    max_count: the most images that one request may ask for.
    crop: how the model's data were cut; see `signatures.Endpoints`.
    antialias: how they were resized; see there.
    resize: by which kernel; see there.
    background: what they were laid on; see there.
    provenance: dictionary of what else `metadata.json` shall say.
    verified: whether a fresh process checks the export before it is put in its
      place (see `verify`; 10 to 30 seconds).
    overwrite: whether a version that is there is replaced.

  Returns:
    `pathlib.Path` of the version's folder.

  Raises:
    errors.UserError: if the version exists or is no positive number, if
      `output` cannot be written, or if the verification fails.
  """
  output = pathlib.Path(output)
  _check_version(output, version, overwrite)
  served = _endpoints(model, max_count, crop=crop, antialias=antialias,
                      resize=resize, background=background)
  _tell_left_out(served)
  with _written_to(output), files.beside(output / 'version') as part:
    (part / _EXTRA).mkdir(parents=True)
    described = _write_graph(served, part)
    calls = served.expected_calls()
    _write_expected(calls, part)
    warm_up = write_warm_up(calls, part)
    metadata = {**_describe(served), **(provenance or {}),
                'warm_up_requests': warm_up, 'signatures': described}
    (part / client.METADATA).write_text(
        json.dumps(metadata, indent=2) + '\n')
    if verified:
      verify(part)
    files.flush(part)
    return move_into_place(part, output, version, overwrite)


def verify(path):
  """Checks an export in a fresh process in which pgak cannot be imported.

  It is loaded both by `tf.saved_model.load` and by TensorFlow 1's session
  loader, TensorFlow Serving's way, on the CPU; see `check.py`.

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
  folder = client.find_version(path)
  environment = dict(os.environ, CUDA_VISIBLE_DEVICES='-1',
                     TF_CPP_MIN_LOG_LEVEL='2')
  done = subprocess.run(
      [sys.executable, '-P', str(CHECK), str(folder.resolve())],
      capture_output=True, text=True, env=environment, check=False)
  if done.returncode:
    lines = done.stderr.strip().splitlines() or ['it says nothing']
    raise errors.UserError(f'The export fails its verification: {lines[-1]}')
  return json.loads(done.stdout.splitlines()[-1])


# === Writing ===


def _check_version(output, version, overwrite):
  target = output / str(version)
  if version and target.exists() and not (overwrite and _is_export(target)):
    raise _exists(target)


def _is_export(folder):
  return (folder / client.METADATA).is_file()


def _exists(target):
  remedy = 'give --overwrite, ' if _is_export(target) else ''
  return errors.UserError(f'{target} exists: {remedy}choose another version, '
                          'or none for the next number.')


def _of_pairs(model, max_count, **preparation):
  del preparation  # Its signatures read no files.
  return conditional_signatures.ConditionalEndpoints(model, max_count)


# Kind of data -> function that makes what answers; see `signatures.Endpoints`.
TABLE = kinds.Table({kinds.Kind: signatures.Endpoints, kinds.Pairs: _of_pairs})


def _endpoints(model, max_count, **preparation):
  return TABLE.of(model.kind)(model, max_count, **preparation)


def _tell_left_out(served):
  """Says which signatures there are not, and why."""
  left_out = getattr(served, 'left_out', {})
  for reason in dict.fromkeys(left_out.values()):
    names = [name for name, r in left_out.items() if r == reason]
    print(f'{reason}: the signatures {", ".join(names)} are left out.')


@contextlib.contextmanager
def _written_to(output):
  """Turns an error of writing there into a UserError that names the folder."""
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
                       'outputs': _describe_specs(outputs),
                       'bounds': served.bounds(name)}
  archive.write_out(str(folder), verbose=False)
  # The first one is what a server answers where none is named.
  return {**described, 'serving_default': described[next(iter(described))]}


def _describe_specs(specs):
  return {name: {'dtype': spec.dtype.name, 'shape': spec.shape.as_list()}
          for name, spec in specs.items()}


def _write_expected(calls, folder):
  arrays = {f'{signature}/{side}/{name}': array
            for signature, sides in calls.items()
            for side, named in zip(('in', 'out'), sides)
            for name, array in named.items()}
  np.savez_compressed(folder / _EXTRA / 'expected.npz', **arrays)


def write_warm_up(calls, folder):
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
          array = np.array([png.encode(i) for i in array], object)
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
      'kind': model.kind.name,
      **({'condition_shape': list(model.condition_shape)}
         if 'condition' in model.can else {}),
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
          'image_limits': {'max_pixels': signatures.MAX_PIXELS,
                           'refused': list(graph_decoding.LIMITS)}}


def _describe_density(prior):
  """Says how the prior was made and, where it was fitted, to what."""
  described = {'label': getattr(prior, 'label', prior.name),
               'settings': getattr(prior, 'settings', {})}
  if hasattr(prior, 'source'):
    described['fitted_to'] = prior.source
  return described


def move_into_place(part, output, version, overwrite=False):
  """Renames the finished folder; two exports at once get two versions."""
  if version and overwrite:
    files.put(part, output / str(version))
    return output / str(version)
  while True:
    free = max(client.versions(output), default=0) + 1
    target = output / str(version or free)
    try:
      os.rename(part, target)
      return target
    except OSError as error:
      if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
        raise
      if version:
        raise _exists(target) from error

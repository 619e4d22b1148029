"""Exports a model for TensorFlow Serving, verifies the export, and loads it.

An export is a folder `OUTPUT/<version>/`, which TensorFlow Serving takes as it
is; of several versions it serves the largest.

    saved_model.pb, variables/    the graph: the signatures of `signatures.py`
    metadata.json                 what it is: model, step, data set, density,
                                  signatures
    assets.extra/expected.npz     answers of the model itself, for `verify`
    assets.extra/batching.config  for the server's --batching_parameters_file
    assets.extra/tf_serving_warmup_requests
                                  a request for each signature, which the server
                                  replays before it answers anyone; only where
                                  the package tensorflow-serving-api is found
"""
import contextlib
import errno
import json
import os
import pathlib
import subprocess
import sys
from typing import Annotated, Literal

import numpy as np
import tensorflow as tf

from pgak import capabilities
from pgak import errors
from pgak import files
from pgak import priors
from pgak import settings
from pgak.data import kinds
from pgak.data import pixels
from pgak.runs import checkpoints
from pgak.runs import own_data
from pgak.runs import run_directory
from pgak.serving import client
from pgak.serving import compiled
from pgak.serving import conditional_signatures
from pgak.serving import expected
from pgak.serving import formats
from pgak.serving import metadata as metadata_lib
from pgak.serving import precision as precision_lib
from pgak.serving import saved_models
from pgak.serving import signatures
from pgak.serving import versions
from pgak.serving import warm_up

__all__ = ['CHECK', 'TABLE', 'export', 'export_model', 'move_into_place',
           'verify']

CHECK = pathlib.Path(__file__).with_name('check.py')
_EXTRA = 'assets.extra'

MaxBatch = Annotated[int, settings.Range(1, 2**31 - 1)]


@settings.configurable(module='pgak.serving', denylist=['run_dir'])
def export(run_dir: settings.Path, output: settings.Path | None = None,
           checkpoint: settings.Checkpoint = 'latest',
           prior: priors.Spec | None = None, *,
           version: settings.Count | None = None,
           max_batch: MaxBatch | None = None,
           max_count: MaxBatch | None = None,
           precision: precision_lib.Precision = 'float32', xla: bool = False,
           verified: bool = True, overwrite: bool = False,
           format: Literal['saved_model', 'tflite', 'onnx'] = 'saved_model'):
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
    max_batch: the most rows of one request; by default 1,024, or fewer where
      an answer would be of more than 64 MiB.
    max_count: the name that `max_batch` had in version 0.4.
    precision: 'float32', or 'bfloat16' or 'float16' for GPUs: what encoder and
      decoder compute in, but for their last layers. `metadata.json` has the
      largest difference in grey levels.
    xla: whether XLA compiles them, when they are first called with a number of
      rows, to which batches are padded: `batch_sizes` in `metadata.json`.
    verified: whether a fresh process checks the export before it is put in its
      place (see `verify`; 10 to 30 seconds).
    overwrite: whether a version that is there is replaced.
    format: 'saved_model'; or 'tflite' or 'onnx' for files of `decode` and
      `encode` alone, by default in a folder of that name in `run_dir`, which
      have no prior, precision, xla or max_batch; see `formats.py`.

  Returns:
    `pathlib.Path` of the version's folder.

  Raises:
    errors.UserError: if the run or its checkpoint is not available, and as
      `export_model` does.
  """
  run = run_directory.RunDirectory(run_dir)
  is_graph = format == 'saved_model'
  output = files.local(output) if output else (
      run.export if is_graph else run.path / format)
  if not is_graph:
    chosen = {'--precision': precision != 'float32', '--xla': xla,
              'export.max_batch': max_batch, 'export.max_count': max_count}
    formats.check(format, output, prior, [n for n, v in chosen.items() if v])
  _check_version(output, version, overwrite)
  # No density changes the files of the other formats, so that none is fitted.
  model = checkpoints.load_configured(run, checkpoint,
                                      prior if is_graph else 'own')
  recorded = run.config['data']
  averaged = any(o.use_ema for o in model.optimizers.values())
  provenance = {'ema': averaged, 'dataset': recorded}
  if not is_graph:
    with _written_to(output), files.beside(output / 'version') as part:
      formats.write(model, part, format, verified, provenance)
      return move_into_place(part, output, version, overwrite)
  return export_model(
      model, output, version, max_batch or max_count,
      **own_data.preparation_of(recorded['preprocessing']),
      provenance=provenance, precision=precision, xla=xla, verified=verified,
      overwrite=overwrite)


@settings.checked
def export_model(model, output, version: settings.Count | None = None,
                 max_batch: MaxBatch | None = None, *, crop=None,
                 antialias=True, resize='bicubic', background=pixels.WHITE,
                 provenance=None,
                 precision: precision_lib.Precision = 'float32',
                 xla: bool = False, verified=True, overwrite=False,
                 max_count: MaxBatch | None = None):
  """Writes a model's export to `output/<version>`, whole or not at all.

  Args:
    model: a built `GenerativeAutoencoder`; `generate` draws from its prior.
    output: folder that holds the versions; made if absent.
    version: positive int; by default one more than the largest version there.
    max_batch: the most rows of one request; by default 1,024, or fewer where
      an answer would be of more than 64 MiB.
    max_count: the name that `max_batch` had in version 0.4.
    precision: 'float32', or 'bfloat16' or 'float16' for GPUs: what encoder and
      decoder compute in, but for their last layers. `metadata.json` has the
      largest difference in grey levels.
    xla: whether XLA compiles them, when they are first called with a number of
      rows, to which batches are padded: `batch_sizes` in `metadata.json`.
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
  output = files.local(output)
  _check_version(output, version, overwrite)
  served = TABLE.of(model.kind)(
      model, max_batch or max_count, xla and compiled.SIZES or None, crop=crop,
      antialias=antialias, resize=resize, background=background)
  _tell_left_out(served)
  with _written_to(output), files.beside(output / 'version') as part:
    (part / _EXTRA).mkdir(parents=True)
    with precision_lib.computed_in(model, precision) as computed:
      outputs = saved_models.write(served.signatures(), part)
      calls = expected.calls(served)
    _write_extra(served, calls, part / _EXTRA)
    metadata = {**metadata_lib.describe(served, outputs), **computed,
                **(provenance or {})}
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
    errors.UserError: if there is no export, if it has the signatures of version
      0.4, or if an answer is not the model's.
  """
  folder = versions.find(path)
  if _is_old(folder):
    raise errors.UserError(f'The export in {folder} has the signatures of '
                           'version 0.4: export the run again to verify it.')
  environment = dict(os.environ, CUDA_VISIBLE_DEVICES='-1',
                     TF_CPP_MIN_LOG_LEVEL='2')
  done = subprocess.run(
      [sys.executable, '-P', str(CHECK), str(folder.resolve())],
      capture_output=True, text=True, env=environment, check=False)
  if done.returncode:
    # Negative where a signal ended it, as the system does for want of memory.
    lines = done.stderr.strip().splitlines() or [
        f'it ended with status {done.returncode} and says nothing']
    raise errors.UserError(f'The export fails its verification: {lines[-1]}')
  return json.loads(done.stdout.splitlines()[-1])


def _is_old(folder):
  try:
    metadata = files.load_json(folder / client.METADATA)
  except (OSError, ValueError):
    return False  # The check says what is wrong.
  return metadata.get('signatures_version', 1) < signatures.VERSION


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


# Kind of data -> class of what answers.
TABLE = kinds.Table({
    kinds.Kind: signatures.Endpoints,
    kinds.Pairs: conditional_signatures.ConditionalEndpoints})


def _tell_left_out(served):
  """Says which signatures there are not, and why."""
  missed = served.missed
  for reason in dict.fromkeys(missed.values()):
    names = [name for name, r in missed.items() if r == reason]
    print(f'{reason}: the signatures {", ".join(names)} are left out.')
  if not served.states_noise:
    name = capabilities.name_of(served.model.prior)
    print(f'The prior {name} does not state its noise, so that latents are '
          'drawn one by one: give it `from_noise`, see '
          'pgak.priors.MappedNoise, for a faster export.')


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


def _write_extra(served, calls, folder):
  """Writes what `verify` and a server read besides the graph."""
  arrays = {f'{signature}/{side}/{name}': array
            for signature, sides in calls.items()
            for side, named in zip(('in', 'out'), sides)
            for name, array in named.items()}
  np.savez_compressed(folder / 'expected.npz', **arrays)
  (folder / warm_up.BATCHING).write_text(
      warm_up.batching(served.max_batch, served.batch_sizes))
  warm_up.write_warm_up(
      calls, folder, sorted({1, *(served.batch_sizes or ())}))


def move_into_place(part, output, version, overwrite=False):
  """Renames the finished folder; two exports at once get two versions."""
  if version and overwrite:
    files.put(part, output / str(version))
    return output / str(version)
  while True:
    free = max(versions.numbers(output), default=0) + 1
    target = output / str(version or free)
    try:
      os.rename(part, target)
      return target
    except OSError as error:
      if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
        raise
      if version:
        raise _exists(target) from error

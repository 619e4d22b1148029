"""Exports to TensorFlow Lite and ONNX: `decode` and `encode`, as files.

An export is a folder `OUTPUT/<version>/`:

    decode.tflite, encode.tflite    or decode.onnx, encode.onnx
    metadata.json                   what it is, and how far each file's answers
                                    are from the model's

They compute what the signatures of a SavedModel do (see `signatures.py`), but
check nothing: there must be a row, and floats must be numbers.
"""
import importlib.util
import json

import numpy as np
import tensorflow as tf

from pgak import errors
from pgak import files
from pgak.serving import client
from pgak.serving import metadata
from pgak.serving import onnx
from pgak.serving import tflite
from pgak.serving import versions

__all__ = ['FORMATS', 'IMAGE_TOLERANCE', 'TOLERANCE', 'check', 'convert',
           'write']

FORMATS = {'onnx': onnx, 'tflite': tflite}
# A grey level covers the rounding of a number that lies on an edge.
IMAGE_TOLERANCE = 1.
# Of floats, as a share of the largest.
TOLERANCE = 1e-4
# One row alone, and several: a file must take any number.
_SIZES = (1, 4)


def check(name, output, prior=None, of_saved_model=()):
  """Raises UserError if a format cannot be written here, or not so.

  Args:
    name: of the format, one of `FORMATS`.
    output: `pathlib.Path` of the folder that holds the versions.
    prior: what the user wants `generate` to draw from; None for no choice.
    of_saved_model: flags and settings that the user chose and only a SavedModel
      has.
  """
  missing = [package for module, package in FORMATS[name].PACKAGES.items()
             if importlib.util.find_spec(module) is None]
  if missing:
    raise errors.UserError(
        f'--format={name} needs {" and ".join(missing)}, which '
        f'{"is" if len(missing) == 1 else "are"} not installed: pip install '
        f'{" ".join(missing)}.')
  if prior not in (None, 'own'):
    raise errors.UserError(
        f'--format={name} holds decode and encode, which no density changes: '
        'leave out --prior, or take --format=saved_model.')
  if of_saved_model:
    raise errors.UserError(
        f'--format={name} holds float32 nets for any number of rows: leave out '
        f'{" and ".join(of_saved_model)}, or take --format=saved_model.')
  # A server would take such a version for the newest, and fail to load it.
  if output.is_dir() and any(
      (output / str(number) / 'saved_model.pb').exists()
      for number in versions.numbers(output)):
    raise errors.UserError(
        f'{output} holds SavedModels, of which a server loads the largest '
        f'version: choose another --output for --format={name}.')


def write(model, folder, name, compared=True, provenance=None):
  """Writes a model's files and `metadata.json` to a folder.

  Args:
    model: a built model of images or vectors.
    folder: `pathlib.Path`; made if absent.
    name: of the format, one of `FORMATS`.
    compared: whether each file's answers are compared with the model's.
    provenance: dictionary of what else `metadata.json` shall say.

  Raises:
    errors.UserError: if the model is given conditions, if the format lacks an
      operation of its nets, or if an answer is not the model's.
  """
  if 'condition' in model.can:
    raise errors.UserError(
        f'{model.name} makes images given conditions, of which there is no '
        f'--format={name}: take --format=saved_model.')
  folder.mkdir(parents=True, exist_ok=True)
  described = {}
  for verb, spec, output in _functions(model):
    path = folder / f'{verb}.{name}'
    described[verb] = {
        'file': path.name, 'input': _describe(spec), 'output': output,
        **convert(model, verb, spec, output, path, name, compared)}
  (folder / client.METADATA).write_text(json.dumps(
      {'format': name, **metadata.of_model(model), **(provenance or {}),
       'functions': described}, indent=2) + '\n')
  files.flush(folder)


def convert(model, verb, spec, output, path, name, compared=True):
  """Writes one of a model's functions, and compares the file's answers.

  Args:
    model: a built model.
    verb: 'decode' or 'encode'.
    spec: `tf.TensorSpec` of its input.
    output: string, the name of its output.
    path: `pathlib.Path` of the file.
    name: of the format.
    compared: whether the answers are compared.

  Returns:
    Dictionary for `metadata.json`; `difference` is in grey levels, or of floats
    a share of the largest.

  Raises:
    errors.UserError: as `write`.
  """
  format_lib = FORMATS[name]
  try:
    used = format_lib.convert(
        verb, lambda rows: {output: getattr(model, verb)(rows)}, spec, path)
  except Exception as e:  # The converters raise errors of any class.
    raise errors.UserError(
        f'--format={name} cannot hold the {verb} of {model.name} '
        f'({errors.reason(e)}): take --format=saved_model.') from e
  if not compared:
    return used
  return used | {'difference': _difference(
      model, verb, format_lib.load(path), f'{verb}.{name}')}


def _functions(model):
  """Returns `(verb, input, name of the output)` of what a model can."""
  images = model.kind.spec()
  name = 'vectors' if images.shape.rank == 2 else 'images'
  found = [('decode', tf.TensorSpec(
      [None, model.latent_dim], tf.float32, 'latents'), name)]
  if model.has_encoder:
    found += [('encode', tf.TensorSpec(images.shape, images.dtype, name),
               'latents')]
  return found


def _difference(model, verb, call, what):
  """Returns how far a file's answers are from a model's, if it is not too far.
  """
  rows = _rows(model, verb)
  with tf.device('CPU:0'):
    expected = tf.function(getattr(model, verb))(rows).numpy()
  differences = [_compare(call(rows[:size]), expected[:size], what)
                 for size in _SIZES]
  return max(differences)


def _rows(model, verb):
  """Returns four latents of the prior, or what is decoded of them."""
  latents = np.asarray(model.draw_latents(max(_SIZES), 1))
  if verb == 'decode':
    return latents
  decoded = model.decode(latents).numpy().copy()
  low, high = (0, 256) if decoded.dtype == np.uint8 else (-1., 1.)
  decoded[-1] = np.random.default_rng(0).uniform(low, high, decoded.shape[1:])
  return decoded


def _compare(actual, expected, what):
  whole = expected.dtype == np.uint8
  tolerance = IMAGE_TOLERANCE if whole else TOLERANCE
  scale = 1. if whole else np.max(np.abs(expected)) + 1e-6
  if (actual.dtype, actual.shape) != (expected.dtype, expected.shape):
    raise errors.UserError(
        f'{what} gives {actual.dtype} {actual.shape}, where the model gives '
        f'{expected.dtype} {expected.shape}: take --format=saved_model.')
  error = np.abs(actual.astype(np.float64) - expected.astype(np.float64))
  difference = float(np.max(error) / scale)
  # Written so that a difference that is not a number fails.
  if not difference <= tolerance:
    raise errors.UserError(
        f'{what} differs from the model by {difference:.4g}, more than '
        f'{tolerance:g}: take --format=saved_model.')
  return difference


def _describe(spec):
  return {'name': spec.name, 'dtype': spec.dtype.name,
          'shape': spec.shape.as_list()}

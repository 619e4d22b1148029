"""Checks an export in a process that knows nothing of pgak; a script.

    python -P check.py EXPORT

`serving.verify` runs it in a fresh interpreter. It loads EXPORT (a version's
folder) with `tf.saved_model.load` and again with TensorFlow 1's session loader
under the tag `serve`, which is how TensorFlow Serving loads it, calls every
signature and compares the answers with those that the model itself gave before
it was exported (`assets.extra/expected.npz`); and each must refuse what is out
of the bounds that `metadata.json` states. Last, it replays the warm-up requests
if there are any and `tensorflow-serving-api` is installed.

It prints one line of JSON, the largest difference of each signature, and exits
with status 0; or it says on stderr what differs, and exits with status 1.
"""
import json
import os
import pathlib
import sys

import numpy as np
import tensorflow as tf

__all__ = ['check', 'check_bounds', 'check_call', 'check_properties',
           'load_object', 'read_expected']

# A grey level covers the rounding of a number that lies on an edge; latents
# may come from another device or a lower precision.
IMAGE_TOLERANCE = 1.
LATENT_TOLERANCE = 1e-2
# Of one row beside others; they differ by the order of sums alone.
ROW_TOLERANCE = 1e-4
# Of a request with too many rows; a larger one is not made.
MOST_BYTES = 1 << 30


class Mismatch(Exception):
  """An answer of the export is not the model's."""


def check(folder):
  """Checks one export and returns the largest differences.

  Args:
    folder: string, the folder of one version, which holds saved_model.pb.

  Returns:
    Dictionary of loader name ('object', 'session') to a dictionary of
    signature name to difference: grey levels of images, and of latents and
    log-densities a share of the largest.

  Raises:
    Mismatch: if an answer differs from the model's.
  """
  calls = read_expected(pathlib.Path(folder))
  metadata = json.loads((pathlib.Path(folder) / 'metadata.json').read_text())
  bounds = {name: described['bounds']
            for name, described in metadata['signatures'].items()}
  lower = metadata.get('precision', 'float32') != 'float32'
  differences = {}
  for name, load in (('object', load_object), ('session', _load_session)):
    call = load(folder)
    differences[name] = {
        signature: check_call(call, signature, inputs, outputs)
        for signature, (inputs, outputs) in calls.items()}
    check_properties(call, calls,
                     LATENT_TOLERANCE if lower else ROW_TOLERANCE)
    check_bounds(call, calls, bounds)
  _replay_warm_up(call, folder)
  return differences


def read_expected(folder):
  """Returns `{signature: (inputs, outputs)}`; keys are 'signature/in/name'."""
  calls = {}
  with np.load(folder / 'assets.extra' / 'expected.npz') as arrays:
    for key, array in arrays.items():
      signature, side, name = key.split('/')
      inputs, outputs = calls.setdefault(signature, ({}, {}))
      (outputs if side == 'out' else inputs)[name] = array
  return calls


def load_object(folder):
  """Loads as TensorFlow 2 does; returns `call(signature, inputs)`."""
  loaded = tf.saved_model.load(folder)

  def call(signature, inputs):
    outputs = loaded.signatures[signature](
        **{name: tf.constant(array) for name, array in inputs.items()})
    return {name: tensor.numpy() for name, tensor in outputs.items()}

  # The signatures do not keep the object alive that owns their variables.
  call.loaded = loaded
  return call


def _load_session(folder):
  """Loads as TensorFlow Serving does; returns `call(signature, inputs)`."""
  session = tf.compat.v1.Session(graph=tf.Graph())
  with session.graph.as_default():
    meta_graph = tf.compat.v1.saved_model.loader.load(
        session, ['serve'], folder)

  def call(signature, inputs):
    definition = meta_graph.signature_def[signature]
    return session.run(
        {name: info.name for name, info in definition.outputs.items()},
        {definition.inputs[name].name: array
         for name, array in inputs.items()})

  return call


def check_call(call, signature, inputs, expected):
  inputs = {name: _to_wire(name, array) for name, array in inputs.items()}
  outputs = call(signature, inputs)
  if outputs.keys() != expected.keys():
    raise Mismatch(f'{signature} returns {sorted(outputs)}, not '
                   f'{sorted(expected)}')
  return max(_compare(signature, _from_wire(name, outputs[name]), array)
             for name, array in expected.items())


def _to_wire(name, array):
  """Images stand in for the encoded files of a tensor named `..._bytes`."""
  if not name.endswith('_bytes'):
    return array
  return np.array([tf.io.encode_png(image).numpy() for image in array], object)


def _from_wire(name, array):
  if not name.endswith('_bytes'):
    return array
  return np.stack([tf.io.decode_png(png).numpy() for png in array])


def _compare(what, actual, expected, tolerance=LATENT_TOLERANCE):
  """Returns the difference of two arrays of images or of latents."""
  if (actual.dtype, actual.shape) != (expected.dtype, expected.shape):
    raise Mismatch(
        f'{what} gives {actual.dtype} {actual.shape}, where the model gives '
        f'{expected.dtype} {expected.shape}')
  if expected.dtype == np.uint8:
    scale, tolerance = 1., IMAGE_TOLERANCE
  else:
    scale = np.max(np.abs(expected), initial=0.) + 1e-6
  error = actual.astype(np.float64) - expected.astype(np.float64)
  difference = float(np.max(np.abs(error), initial=0.) / scale)
  # Written so that a difference that is not a number fails.
  if not difference <= tolerance:
    raise Mismatch(f'{what} differs from the model by {difference:.4g}, more '
                   f'than {tolerance:g}')
  return difference


def check_properties(call, calls, row_tolerance=ROW_TOLERANCE):
  """Each row of an answer is a function of its own row alone."""
  for signature, (inputs, _) in calls.items():
    wired = {name: _to_wire(name, array) for name, array in inputs.items()}
    _check_rows(call, signature, wired, row_tolerance)
    for name, array in inputs.items():
      if array.ndim > 1 and not name.endswith('_bytes'):
        _check_refused(call, signature, wired | {name: array[:, 1:]})
      if len(inputs) > 1 and len(array) > 1:
        _check_refused(call, signature, wired | {name: wired[name][:1]},
                       f'fewer rows of {name}')
  if 'latent_to_base' in calls:
    latents = calls['latent_to_base'][0]['latents']
    base = call('latent_to_base', {'latents': latents})['base']
    back = call('base_to_latent', {'base': base})['latents']
    _compare('base_to_latent of latent_to_base', back, latents)


def _check_rows(call, signature, inputs, tolerance):
  """Asks for the rows in another order, one of them alone, and none."""
  (name, whole), = _answer(call, signature, inputs).items()
  orders = {'in the other order': slice(None, None, -1),
            'without the others': slice(-1, None), 'again': slice(None)}
  for how, order in orders.items():
    rows = _answer(call, signature, {n: a[order] for n, a in inputs.items()})
    _compare(f'{signature} of rows {how}', rows[name], whole[order], tolerance)
  none = call(signature, {n: a[:0] for n, a in inputs.items()})
  if len(none[name]):
    raise Mismatch(f'{signature} makes something of nothing')


def _answer(call, signature, inputs):
  return {name: _from_wire(name, array)
          for name, array in call(signature, inputs).items()}


def check_bounds(call, calls, bounds):
  """What is out of a signature's bounds, or NaN, is an error."""
  for signature, (inputs, _) in calls.items():
    row = {name: _to_wire(name, array[:1]) for name, array in inputs.items()}
    for name, (least, most) in bounds[signature].items():
      if name == 'batch':
        if (most + 1) * sum(a.nbytes for a in row.values()) > MOST_BYTES:
          continue
        _check_refused(
            call, signature,
            {n: np.repeat(a, most + 1, 0) for n, a in row.items()},
            f'more than {most} rows')
        continue
      for value in (least - 1, most + 1):
        _check_refused(call, signature, row | {
            name: np.full_like(row[name], value)}, f'{value} for {name}')
    for name, array in row.items():
      if array.dtype == np.float32:
        _check_refused(call, signature, row | {name: array * np.nan},
                       f'NaN for {name}')


def _check_refused(call, signature, inputs, what='an input of a wrong shape'):
  """Such a request is an error, where unchecked it may end the process."""
  try:
    call(signature, inputs)
  except (tf.errors.InvalidArgumentError, ValueError):
    return
  raise Mismatch(f'{signature} takes {what}')


def _replay_warm_up(call, folder):
  path = os.path.join(folder, 'assets.extra', 'tf_serving_warmup_requests')
  try:
    from tensorflow_serving.apis import prediction_log_pb2
  except ImportError:
    return
  if not os.path.exists(path):
    return
  options = tf.data.Options()
  options.autotune.enabled = False  # Its thread would keep the end waiting.
  for record in tf.data.TFRecordDataset(path).with_options(options):
    log = prediction_log_pb2.PredictionLog.FromString(record.numpy())
    request = log.predict_log.request
    call(request.model_spec.signature_name,
         {name: tf.make_ndarray(proto)
          for name, proto in request.inputs.items()})


def main(arguments):
  # Where pgak is installed, an export that needs it would load without a word.
  sys.modules['pgak'] = None
  try:
    print(json.dumps(check(arguments[1])))
  except Mismatch as error:
    sys.exit(f'{error}.')


if __name__ == '__main__':
  main(sys.argv)

"""Requests as a server takes them: merged, as JSON, as messages, and of 0.4."""
import base64
import io
import json
import threading

import numpy as np
from PIL import Image
import pytest
import rest
import tensorflow as tf
import tiny_models

from pgak.serving import check
from pgak.serving import exporting
from pgak.serving import warm_up

MOST = 8
ROWS = (1, 2, 5, 1, 3)


@pytest.fixture(name='folder', scope='module')
def _folder(tmp_path_factory):
  return exporting.export_model(
      tiny_models.make('VAE'), tmp_path_factory.mktemp('export'),
      max_batch=MOST, verified=False)


@pytest.fixture(name='loaded', scope='module')
def _loaded(folder):
  return tf.saved_model.load(str(folder))


@pytest.fixture(name='metadata', scope='module')
def _metadata(folder):
  return json.loads((folder / 'metadata.json').read_text())


@pytest.fixture(name='calls', scope='module')
def _calls(folder):
  """`{signature: its inputs}`, files as a client sends them."""
  return {name: {n: check._to_wire(n, array) for n, array in inputs.items()}
          for name, (inputs, _) in check.read_expected(folder).items()}


def asked(loaded, signature, inputs):
  outputs = loaded.signatures[signature](
      **{name: tf.constant(array) for name, array in inputs.items()})
  return {name: tensor.numpy() for name, tensor in outputs.items()}


# === Merged by TensorFlow's own scheduler ===


def merging(loaded, signature, names):
  """Returns a function of inputs, whose simultaneous calls are merged.

  It returns the answer and, for each row, how many shared its batch.
  """
  @tf.nondifferentiable_batch_function(
      num_batch_threads=1, max_batch_size=MOST, batch_timeout_micros=500000,
      allowed_batch_sizes=[4, MOST])
  def together(*inputs):
    answer, = loaded.signatures[signature](**dict(zip(names, inputs))).values()
    number = tf.shape(inputs[0])[0]
    return answer, tf.fill([number], number)

  # With a known number of rows, the merged function would be made for it.
  specs = loaded.signatures[signature].structured_input_signature[1]
  return tf.function(
      lambda *inputs: together(*inputs), autograph=False,
      input_signature=[specs[name] for name in names])


def at_once(function, requests):
  """Calls a function of each request's inputs in a thread of its own."""
  found = [None] * len(requests)

  def call(i):
    try:
      found[i] = [np.asarray(x) for x in function(*requests[i])]
    except tf.errors.OpError as error:
      found[i] = error

  threads = [threading.Thread(target=call, args=(i,))
             for i in range(len(requests))]
  for thread in threads:
    thread.start()
  for thread in threads:
    thread.join()
  return found


@pytest.mark.parametrize('signature', ['generate', 'interpolate'])
def test_merged_requests_are_answered_as_separate_ones(loaded, calls,
                                                       signature):
  inputs = calls[signature]
  ends = np.cumsum(ROWS)
  rows = np.arange(ends[-1]) % 4
  requests = [[tf.constant(a[rows[end - n:end]]) for a in inputs.values()]
              for n, end in zip(ROWS, ends)]
  found = at_once(merging(loaded, signature, list(inputs)), requests)
  assert max(shared.max() for _, shared in found) == MOST
  for (answer, _), request in zip(found, requests):
    alone, = asked(loaded, signature, dict(zip(inputs, request))).values()
    assert np.abs(answer.astype(int) - alone.astype(int)).max() <= 1


def test_a_bad_row_fails_its_batch_and_nothing_later(loaded):
  function = merging(loaded, 'decode', ['latents'])
  good, bad = np.zeros([3, 3], 'f'), np.full([1, 3], np.nan, 'f')
  found = at_once(function, [[tf.constant(x)] for x in (good, bad)])
  for error in found:  # Merged: four rows are a batch.
    assert isinstance(error, tf.errors.InvalidArgumentError)
    assert '`latents` must be finite' in str(error)
  images, _ = function(tf.constant(good))
  np.testing.assert_array_equal(
      images, asked(loaded, 'decode', {'latents': good})['images'])


# === REST and gRPC ===


def test_every_signature_is_asked_in_rows_of_json(loaded, metadata, calls):
  assert set(calls) == set(metadata['signatures'])
  for signature, inputs in calls.items():
    described = metadata['signatures'][signature]
    sent = rest.inputs(rest.request(inputs), described['inputs'])
    outputs = asked(loaded, signature, sent)
    answer = json.loads(rest.predictions(outputs))['predictions']
    assert len(answer) == len(next(iter(inputs.values())))
    expected, = asked(loaded, signature, inputs).values()
    for row, value in zip(answer, expected):
      row = base64.b64decode(row['b64']) if isinstance(value, bytes) else row
      np.testing.assert_allclose(
          *(np.asarray(Image.open(io.BytesIO(x))) if isinstance(x, bytes)
            else np.asarray(x, float) for x in (row, value)), rtol=1e-5,
          atol=1e-5)


def test_requests_of_the_contract(loaded, metadata):
  signatures = metadata['signatures']
  for name, instances in {
      'serving_default': [1, 2, 3], 'generate_png': [7],
      'sample_latents': [{'seed': 7}]}.items():
    text = json.dumps({'instances': instances})
    sent = rest.inputs(text, signatures[name]['inputs'])
    answer, = asked(loaded, name, sent).values()
    assert len(answer) == len(instances)


@pytest.mark.parametrize('signature, instances', [
    ('generate', [1.5]), ('generate', []), ('generate', [{'count': 3}]),
    ('interpolate', [{'weight': 0.5}]), ('decode', [[0., 1., 2.], [0., 1.]])])
def test_rows_that_a_server_refuses(metadata, signature, instances):
  described = metadata['signatures'][signature]['inputs']
  with pytest.raises(ValueError):
    rest.inputs(json.dumps({'instances': instances}), described)


def test_a_message_goes_there_and_back(loaded, calls):
  predict_pb2 = pytest.importorskip('tensorflow_serving.apis.predict_pb2')
  for signature, inputs in calls.items():
    request = predict_pb2.PredictRequest()
    request.model_spec.signature_name = signature
    for name, array in inputs.items():
      request.inputs[name].CopyFrom(tf.make_tensor_proto(array))
    read = predict_pb2.PredictRequest.FromString(request.SerializeToString())
    outputs = asked(loaded, read.model_spec.signature_name, {
        name: tf.make_ndarray(t) for name, t in read.inputs.items()})
    response = predict_pb2.PredictResponse()
    for name, array in outputs.items():
      response.outputs[name].CopyFrom(tf.make_tensor_proto(array))
    back = predict_pb2.PredictResponse.FromString(response.SerializeToString())
    for name, array in outputs.items():
      np.testing.assert_array_equal(tf.make_ndarray(back.outputs[name]), array)


# === Requests of version 0.4 ===


@pytest.mark.parametrize('signature, inputs', [
    ('generate', {'seed': np.int64(1), 'count': np.int32(4)}),
    ('generate', {'seed': np.int64(1)}),
    ('generate_png', {'seed': np.int64(1), 'count': np.int32(4)}),
    ('sample_latents', {'seed': np.int64(1), 'count': np.int32(4)}),
    ('interpolate', {'steps': np.int32(3)}),
    ('serving_default', {'latents': np.zeros([2, 3], 'f')})])
def test_an_old_request_is_an_error(loaded, calls, signature, inputs):
  if 'steps' in inputs:
    inputs = inputs | {n: calls['interpolate'][n] for n in ('start', 'end')}
  with pytest.raises((TypeError, tf.errors.InvalidArgumentError)):
    asked(loaded, signature, inputs)


# === The batching file ===


def parameters(text):
  """Returns `{name: value}`, or a list of values, of such a file's text."""
  found = {}
  for line in text.splitlines():
    name, value = line.replace(' { value', '').rstrip(' }').split(': ')
    value = {'true': True}.get(value, value)
    found.setdefault(name, []).append(value if value is True else int(value))
  return {name: values if name == 'allowed_batch_sizes' else values[0]
          for name, values in found.items()}


def test_the_batching_file_asks_for_no_more_than_the_export_takes(
    folder, metadata):
  found = parameters((folder / 'assets.extra' / 'batching.config').read_text())
  assert found['max_batch_size'] <= metadata['max_batch']
  assert found['max_execution_batch_size'] <= metadata['max_batch']
  assert found['enable_large_batch_splitting'] is True
  assert 'allowed_batch_sizes' not in found


def test_sizes_are_named_with_xla_alone():
  found = parameters(warm_up.batching(20, (1, 4, 16, 20)))
  assert found['allowed_batch_sizes'] == [1, 4, 16, 20]
  assert found['max_execution_batch_size'] == 20

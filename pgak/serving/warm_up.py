"""What a server of an export reads besides its graph: warm-up and batching."""
import numpy as np
import tensorflow as tf

from pgak.pictures import png

__all__ = ['BATCHING', 'WARM_UP', 'batching', 'write_warm_up']

WARM_UP = 'tf_serving_warmup_requests'
BATCHING = 'batching.config'
# What one request may ask for, and so what a client waits for at the most.
_TIMEOUT_MICROS = 2000


def batching(max_batch, batch_sizes=None):
  """Returns the text of a file for the server's `--batching_parameters_file`.

  An export refuses a batch of more than `max_batch` rows, merged or not.

  Args:
    max_batch: int, the export's.
    batch_sizes: None; or the sizes that XLA compiles for, increasing ints up to
      `max_batch`, which the server then fills its batches up to.
  """
  sizes = ''.join(f'allowed_batch_sizes: {n}\n' for n in batch_sizes or ())
  return (f'max_batch_size {{ value: {max_batch} }}\n'
          f'batch_timeout_micros {{ value: {_TIMEOUT_MICROS} }}\n'
          'enable_large_batch_splitting { value: true }\n'
          f'max_execution_batch_size {{ value: {max_batch} }}\n{sizes}')


def write_warm_up(calls, folder, sizes=(1,)):
  """Writes requests, which a server replays before it answers anyone.

  Args:
    calls: `{signature: (inputs, outputs)}`, as `expected.calls` gives them.
    folder: `pathlib.Path` of the folder `assets.extra`.
    sizes: ints; of each signature one request with so many rows.

  Returns:
    How many were written; 0 without the package `tensorflow-serving-api`.
  """
  try:
    from tensorflow_serving.apis import predict_pb2
    from tensorflow_serving.apis import prediction_log_pb2
  except ImportError:
    return 0
  with tf.io.TFRecordWriter(str(folder / WARM_UP)) as writer:
    for signature, (inputs, _) in calls.items():
      for size in sizes:
        request = predict_pb2.PredictRequest()
        # The server replays a request on the model whose folder it is in.
        request.model_spec.name = 'pgak'
        request.model_spec.signature_name = signature
        for name, array in inputs.items():
          request.inputs[name].CopyFrom(
              tf.make_tensor_proto(_rows(name, array, size)))
        log = prediction_log_pb2.PredictLog(request=request)
        writer.write(prediction_log_pb2.PredictionLog(
            predict_log=log).SerializeToString())
  return len(calls) * len(sizes)


def _rows(name, array, number):
  """Returns the first rows of an input, again and again up to a number."""
  if name.endswith('_bytes'):
    array = np.array([png.encode(i) for i in array], object)
  return array[np.arange(number) % len(array)]

"""Asks a server by gRPC for images; needs the package tensorflow-serving-api.

  python docs/serving/grpc_client.py localhost:8500 digits 1 2 3
"""
import sys

import grpc
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2
from tensorflow_serving.apis import prediction_service_pb2_grpc

# gRPC's own limit is 4 MB an answer: 171 to 341 images of 64x64x3. An export's
# answers have at most 64 MiB, and the server may write a uint8 value as two
# bytes.
_LIMIT = 128 << 20


def request(model, seeds):
  """Returns the request for an image a seed."""
  asked = predict_pb2.PredictRequest()
  asked.model_spec.name = model
  asked.model_spec.signature_name = 'generate'
  asked.inputs['seed'].CopyFrom(tf.make_tensor_proto(seeds, tf.int64))
  return asked


def images(address, model, seeds, timeout=10.):
  """Returns uint8 images `[B, h, w, c]` of B seeds, a NumPy array."""
  options = [('grpc.max_receive_message_length', _LIMIT)]
  with grpc.insecure_channel(address, options) as channel:
    stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
    answer = stub.Predict(request(model, seeds), timeout=timeout)
  return tf.make_ndarray(answer.outputs['images'])


if __name__ == '__main__':
  found = images(*sys.argv[1:3], [int(seed) for seed in sys.argv[3:]])
  print(f'{found.dtype.name} images {found.shape}')

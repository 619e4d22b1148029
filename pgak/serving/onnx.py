"""Functions as ONNX files, which ONNX Runtime runs.

tf2onnx converts; both come with the extra `onnx`. The input and output of a
file have the names of the function's, and any number of rows.
"""
import importlib
import logging
import pathlib

import tensorflow as tf

__all__ = ['OPSET', 'PACKAGES', 'convert', 'load']

# The version of ONNX's set of operations that is written; runtimes read older
# ones, too. This is the first with all that the nets need in float32.
OPSET = 17
# Name to import -> name to install.
PACKAGES = {'onnxruntime': 'onnxruntime', 'tf2onnx': 'tf2onnx'}


def convert(name, function, spec, path):
  """Writes a function as an ONNX file; see `tflite.convert`."""
  tf2onnx = importlib.import_module('tf2onnx')
  logging.getLogger('tf2onnx').setLevel(logging.ERROR)
  traced = tf.function(function, input_signature=[spec])
  proto, _ = tf2onnx.convert.from_function(
      traced, input_signature=[spec], opset=OPSET)
  proto.graph.name = name
  pathlib.Path(path).write_bytes(proto.SerializeToString())
  return {'converter': f'tf2onnx {tf2onnx.__version__}', 'opset': OPSET}


def load(path):
  """Returns what a file computes; see `tflite.load`."""
  onnxruntime = importlib.import_module('onnxruntime')
  session = onnxruntime.InferenceSession(
      str(path), providers=['CPUExecutionProvider'])
  (inputs,) = session.get_inputs()

  def call(array):
    (answer,) = session.run(None, {inputs.name: array})
    return answer

  return call

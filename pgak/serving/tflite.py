"""Functions as TensorFlow Lite files, which LiteRT's interpreter runs.

The converter is TensorFlow's own; the interpreter comes with the extra
`tflite`. A file holds one signature, named as the function, with the names of
its input and output, and takes any number of rows.
"""
import importlib
import pathlib
import tempfile

import tensorflow as tf

from pgak.serving import saved_models

__all__ = ['PACKAGES', 'convert', 'load']

# Name to import -> name to install.
PACKAGES = {'ai_edge_litert': 'ai-edge-litert'}


def convert(name, function, spec, path):
  """Writes a function as a TensorFlow Lite file.

  Args:
    name: string, of its signature.
    function: takes one tensor and gives a dictionary of one.
    spec: the input's `tf.TensorSpec`, with a name.
    path: `pathlib.Path` of the file.

  Returns:
    Dictionary of what was used.

  Raises:
    Exception: of the converter's, such as for an operation that TensorFlow Lite
      does not have.
  """
  # Through a SavedModel: `from_concrete_functions` leaves Keras's variables
  # without values, and their answers are what the memory held.
  with tempfile.TemporaryDirectory() as folder:
    saved_models.write({name: (function, [spec])}, folder)
    converter = tf.lite.TFLiteConverter.from_saved_model(
        folder, signature_keys=[name])
    pathlib.Path(path).write_bytes(converter.convert())
  return {'converter': f'tensorflow {tf.__version__}'}


def load(path):
  """Returns what a file computes, as a function of one array.

  Args:
    path: of the file.
  """
  interpreter_lib = importlib.import_module('ai_edge_litert.interpreter')
  interpreter = interpreter_lib.Interpreter(model_path=str(path))
  (signature,) = interpreter.get_signature_list()
  runner = interpreter.get_signature_runner(signature)
  (name,) = runner.get_input_details()

  def call(array):
    (answer,) = runner(**{name: array}).values()
    return answer

  return call

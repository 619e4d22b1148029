"""Writes functions as the signatures of a SavedModel."""
import tensorflow as tf

__all__ = ['write']


def write(functions, folder):
  """Writes functions, and the variables that they read, as a SavedModel.

  Each is traced once. `keras.export.ExportArchive` holds functions that are
  not traced yet, which saving traces twice: in most of an export's time.

  Args:
    functions: `{signature: (function, specs)}`, of functions that take a tensor
      for each of the `tf.TensorSpec`, which have names, and give a dictionary
      of tensors. The first is `serving_default`, too.
    folder: to write to.

  Returns:
    `{signature: {name: tf.TensorSpec}}` of the outputs.
  """
  traced = {name: tf.function(
      function, specs, autograph=False).get_concrete_function()
            for name, (function, specs) in functions.items()}
  saved = tf.Module()
  # TensorFlow refuses a function of variables that nothing saved holds.
  saved.used = [function.variables for function in traced.values()]
  for name, function in traced.items():
    setattr(saved, name, function)
  tf.saved_model.save(saved, str(folder), {
      'serving_default': next(iter(traced.values())), **traced})
  return {name: function.structured_outputs
          for name, function in traced.items()}

"""Runs pgak's compiled functions on a host that has JAX and no TensorFlow.

`Folder.save`, with TensorFlow, compiles a function by XLA and stores its
StableHLO; the values of the variables that it reads are stored once for all
functions of a folder. `Program`, with JAX, calls such a function again and
again on JAX's device, and keeps the new values of the variables there.

A function needs static shapes and repeatable random numbers, which pgak's are.
The values travel rounded to float16, and `save` rounds TensorFlow's own alike,
so that both sides begin with the same.
"""
import json
import pathlib
import re

import numpy as np

__all__ = ['FEW', 'Folder', 'MANY', 'Program', 'full', 'travelling']

# Examples in one call: of small nets, and of Inception.
MANY = 500
FEW = 100


def travelling(value):
  """Returns an array as it is stored: large floats in two bytes."""
  if value.dtype == np.float32 and value.size > 1000:
    return value.astype(np.float16)
  return value


class Folder:
  """A folder of functions, written with TensorFlow.

  Args:
    path: folder, which is made.
  """

  def __init__(self, path):
    self.path = pathlib.Path(path)
    self.path.mkdir(parents=True, exist_ok=True)
    self._values, self._variables = {}, {}

  def save(self, name, function, args, full_precision=False):
    """Compiles a function and stores it.

    Args:
      name: string, the file's name.
      function: function of tensors that returns a tensor.
      args: list of arrays, such as it will be called with.
      full_precision: whether its products are float32's on a GPU, too; by
        default they are as TensorFlow's own setting says, TensorFloat-32.
    """
    import tensorflow as tf
    usual = tf.config.experimental.tensor_float_32_execution_enabled()
    tf.config.experimental.enable_tensor_float_32_execution(
        usual and not full_precision)
    compiled = tf.function(function, jit_compile=True)
    tensors = [tf.constant(a) for a in args]
    concrete = compiled.get_concrete_function(*tensors)
    # A captured input is the handle of a variable: the inputs' order is kept.
    by_handle = {id(v.handle): v for v in concrete.variables}
    captured = [by_handle[id(t)] for t in concrete.captured_inputs]
    text = compiled.experimental_get_compiler_ir(*tensors)(stage='stablehlo')
    tf.config.experimental.enable_tensor_float_32_execution(usual)
    # mhlo is XLA's own dialect; JAX 0.11 takes StableHLO alone.
    text = re.sub(r'\bmhlo\.copy\b', 'stablehlo.optimization_barrier', text)
    (self.path / f'{name}.mlir').write_text(text)
    (self.path / f'{name}.json').write_text(json.dumps(
        {'variables': [self._keep(v) for v in captured], 'args': len(args)}))

  def _keep(self, variable):
    key = self._variables.setdefault(
        id(variable.handle), f'v{len(self._variables)}')
    value = self._values.setdefault(key, travelling(variable.numpy()))
    # Both sides begin with the rounded values.
    variable.assign(value.astype(variable.dtype.as_numpy_dtype))
    return key

  def share(self, variables, others):
    """Stores two lists of equal variables once; call it before `save`."""
    for variable, other in zip(variables, others, strict=True):
      key = f'v{len(self._variables)}'
      for v in (variable, other):
        self._variables[id(v.value.handle)] = key

  def keys_of(self, variables):
    """Returns the keys of those of some variables that are kept."""
    keys = (self._variables.get(id(v.value.handle)) for v in variables)
    return [key for key in keys if key]

  def close(self, omitted=(), **arrays):
    """Writes the variables' values, and further arrays by name.

    Args:
      omitted: keys of variables whose values are known otherwise.
      **arrays: further arrays.
    """
    kept = {k: v for k, v in self._values.items() if k not in set(omitted)}
    np.savez_compressed(self.path / 'values.npz', **kept, **arrays)

  def assign(self, values, variables):
    """Assigns what a `Program` has trained to the variables it stands for.

    Args:
      values: `{key: array}`, from `Program.state`.
      variables: Keras's variables, of which those that were kept are set.
    """
    for variable in variables:
      key = self._variables.get(id(variable.value.handle))
      if key in values:
        variable.assign(values[key])


class Program:
  """A stored function, on JAX's first device.

  Args:
    path: the folder.
    name: the file's name.
    values: `{key: array}`, the variables' values.
  """

  def __init__(self, path, name, values):
    import jax
    import jax.extend.backend
    from jax._src.interpreters import mlir
    from jax._src.lib import xla_client
    from jax._src.lib.mlir import ir
    jax.config.update('jax_enable_x64', True)  # Steps are int64.
    self._jax, self._device = jax, jax.devices()[0]
    path = pathlib.Path(path)
    about = json.loads((path / f'{name}.json').read_text())
    text = (path / f'{name}.mlir').read_text()
    self._keys, self._num_args = about['variables'], about['args']
    self._updates = _new_values(text, self._num_args)
    with mlir.make_ir_context():
      self._executable = jax.extend.backend.get_backend().compile_and_load(
          ir.Module.parse(text), xla_client.DeviceList((self._device,)),
          xla_client.CompileOptions())
    self.assign(values)

  def __call__(self, *args):
    """Calls it with arrays; returns its outputs, on the device."""
    results = self._executable.execute_sharded(
        [self.put(a) for a in args] + self._state)
    outputs = [o for o, in results.disassemble_into_single_device_arrays()]
    # They stay on the device: a train step reads what the last one wrote.
    for output, variable in self._updates.items():
      self._state[variable] = outputs[output]
    return [o for i, o in enumerate(outputs) if i not in self._updates]

  def assign(self, values):
    """Sets the variables, by `{key: array}` of at least these."""
    self._state = [self.put(full(values[key])) for key in self._keys]

  @property
  def device_kind(self):
    """What the device is called."""
    return self._device.device_kind

  @property
  def state(self):
    """`{key: array}` of the variables' present values."""
    return dict(zip(self._keys, map(np.asarray, self._state)))

  def put(self, array):
    """Returns an array on the device: an argument that stays there."""
    return self._jax.device_put(array, self._device)


def full(value):
  """Returns an array as it was before `travelling`, but for its last digits."""
  return value.astype(np.float32) if value.dtype == np.float16 else value


def _new_values(text, num_args):
  """Returns `{output: variable}` of the outputs that are variables' new values.

  XLA marks each with the parameter whose memory it may reuse.
  """
  return {int(output): int(parameter) - num_args
          for parameter, output in re.findall(
              r'parameter_number = (\d+) : i64\}, output_index = '
              r'array<i64: (\d+)>', text)}

"""Lists the operations of a TensorFlow of another version, with attributes.

    pip download --no-deps tensorflow-cpu==2.20.0
    python tests/list_ops.py tensorflow_cpu-2.20.0-*.whl \
      tests/serving/tensorflow_2.20.0_ops.txt.gz

TensorFlow Serving is built on the TensorFlow of its own version, so these are
what a server knows. That TensorFlow is not imported, only its C library asked.
One line an operation: its name and those of its attributes.
"""
import ctypes
import gzip
import pathlib
import subprocess
import sys
import tempfile
import zipfile

_LIBRARIES = ('tensorflow/libtensorflow_framework.so.2',
              'tensorflow/libtensorflow_cc.so.2')

__all__ = ['read', 'write']


class _Buffer(ctypes.Structure):
  """TF_Buffer of tensorflow/c/tf_buffer.h."""
  _fields_ = [('data', ctypes.c_void_p), ('length', ctypes.c_size_t),
              ('deallocator', ctypes.c_void_p)]


def read(path):
  """Returns `{operation: names of its attributes}` of a list."""
  lines = gzip.decompress(pathlib.Path(path).read_bytes()).decode()
  return {words[0]: set(words[1:]) for words in map(
      str.split, lines.splitlines())}


def write(wheel, path):
  """Writes the list of the TensorFlow in a wheel."""
  # In a process of its own: two TensorFlows in one end it.
  done = subprocess.run([sys.executable, __file__, wheel], check=True,
                        stdout=subprocess.PIPE)
  from tensorflow.core.framework import op_def_pb2
  ops = op_def_pb2.OpList.FromString(done.stdout)
  lines = [' '.join([op.name, *sorted(a.name for a in op.attr)])
           for op in sorted(ops.op, key=lambda op: op.name)]
  pathlib.Path(path).write_bytes(
      gzip.compress('\n'.join([*lines, '']).encode(), 9, mtime=0))


def _serialised(wheel):
  """Returns the `OpList` of the TensorFlow in a wheel, serialised."""
  with tempfile.TemporaryDirectory() as folder:
    with zipfile.ZipFile(wheel) as archive:
      *_, library = [
          ctypes.CDLL(archive.extract(name, folder), ctypes.RTLD_GLOBAL)
          for name in _LIBRARIES]
  library.TF_GetAllOpList.restype = ctypes.POINTER(_Buffer)
  buffer = library.TF_GetAllOpList().contents
  return ctypes.string_at(buffer.data, buffer.length)


if __name__ == '__main__':
  if len(sys.argv) > 2:
    write(*sys.argv[1:])
  else:
    sys.stdout.buffer.write(_serialised(sys.argv[1]))

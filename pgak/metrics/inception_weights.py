"""Finds, reads and checks the weights of Inception-2015.

They come as an `.npz` with the keys `<op>/kernel` `[h, w, in, out]` and
`<op>/bias`, batch norm folded, or as TensorFlow's own frozen graph, whose batch
norm is folded here. An op of the graph `mixed_1/tower/conv` has the name
`mixed_1_tower_conv`.
"""
import os
import pathlib
import tarfile
import zipfile

from google.protobuf import message
import keras
import numpy as np
import tensorflow as tf

from pgak import errors
from pgak import files
from pgak.metrics import inception_fingerprints

__all__ = ['HOW_TO_GET', 'check', 'find', 'is_here', 'fingerprint', 'fold',
           'load']

URL = ('http://download.tensorflow.org/models/image/imagenet/'
       'inception-2015-12-05.tgz')
ARCHIVE = 'inception-2015-12-05.tgz'
GRAPH = 'classify_image_graph_def.pb'
# Where the graph multiplies the pool_3 features by the weights of the classes.
SOFTMAX = 'softmax/logits/MatMul'
HOW_TO_GET = (
    f'get {ARCHIVE} from {URL} and name it by --inception=PATH or by '
    'PGAK_INCEPTION=PATH.')
_TOLERANCE = 1e-5


def _download(target):
  try:
    with files.replacing(target) as part:
      keras.utils.get_file(
          part.name, URL, cache_dir=str(target.parent), cache_subdir='.')
  # Whatever Keras, urllib or the disk raises: for the user it is one thing.
  except Exception as error:
    raise errors.UnavailableError(
        f'The Inception weights are not here and their download failed '
        f'({type(error).__name__}); {HOW_TO_GET}') from error
  return target


def find(path=None):
  """Returns the path of the weights, downloading them as a last resort.

  Args:
    path: where they are. By default the environment's `PGAK_INCEPTION`, then
      `inception_2015/*.npz`, `*.pb` or `*.tgz` in the cache, then TensorFlow's
      archive from the network, kept in the cache.

  Raises:
    UserError: if they are not available.
  """
  path = path or os.environ.get('PGAK_INCEPTION')
  if path:
    found = files.local(path)
    if not found.is_file():
      raise errors.UnavailableError(
          f'There are no Inception weights at {path}; {HOW_TO_GET}')
    return found
  return _in_cache() or _download(_folder() / ARCHIVE)


def is_here():
  """Returns whether `find` has weights without a download."""
  return bool(os.environ.get('PGAK_INCEPTION') or _in_cache())


def _folder():
  return files.cache_directory() / 'inception_2015'


def _in_cache():
  # The archive first: an .npz may stop before pool_3.
  for pattern in ('*.tgz', '*.pb', '*.npz'):
    for found in sorted(_folder().glob(pattern)):
      return found
  return None


def load(path):
  """Reads weights from an `.npz`, a frozen graph or the archive around it.

  Args:
    path: ends in `.npz`, `.pb`, `.tgz` or `.tar.gz`.

  Returns:
    Dictionary from `<op>/kernel` and `<op>/bias` to float32 arrays.

  Raises:
    UserError: if the file is damaged or of another kind.
  """
  path = pathlib.Path(path)
  readers = {'.npz': _load_npz, '.pb': _load_graph,
             '.tgz': _load_archive, '.gz': _load_archive}
  # .tar.gz has the suffix .gz.
  if path.suffix not in readers:
    raise errors.UserError(
        f'{path} is none of .npz, .pb and .tgz; {HOW_TO_GET}')
  try:
    return readers[path.suffix](path)
  except (OSError, EOFError, KeyError, ValueError, tarfile.TarError,
          zipfile.BadZipFile, message.DecodeError) as error:
    raise errors.UserError(
        f'The Inception weights {path} cannot be read '
        f'({type(error).__name__}); remove the file and {HOW_TO_GET}'
    ) from error


def _load_npz(path):
  # A pickle could run code of whoever made the file.
  with np.load(path, allow_pickle=False) as arrays:
    return {key: arrays[key] for key in arrays.files}


def _load_graph(path):
  return fold(tf.compat.v1.GraphDef.FromString(path.read_bytes()))


def _load_archive(path):
  with tarfile.open(path) as archive:
    # Read from the archive, never unpacked: no path in it is trusted.
    names = [n for n in archive.getnames() if pathlib.Path(n).name == GRAPH]
    with archive.extractfile(names[0] if names else GRAPH) as graph:
      return fold(tf.compat.v1.GraphDef.FromString(graph.read()))


def fold(graph):
  """Reads convolutions from a frozen graph and folds their batch norm.

  The norm with scale is `gamma (x - mean) / sqrt(variance + epsilon) + beta`,
  that of nodes with `scale_after_normalization` false is without gamma; so
  `kernel' = kernel s` and `bias' = beta - mean s`, with s the factor of x.

  Args:
    graph: `GraphDef` in which every `Conv2D` that counts is the input of a
      `BatchNormWithGlobalNormalization`.

  Returns:
    Dictionary from `<op>/kernel` and `<op>/bias` to float32 arrays, as `load`;
    with `softmax/kernel`, `[2048, classes]`, where the graph has it.
  """
  nodes = {node.name: node for node in graph.node}

  def node_of(name):
    # An input is 'node', 'node:1' or, as a control input, '^node'.
    node = nodes[name.removeprefix('^').split(':')[0]]
    return node_of(node.input[0]) if node.op == 'Identity' else node

  def constant(name):
    # float64 until the folding is done.
    return tf.make_ndarray(node_of(name).attr['value'].tensor).astype(float)

  weights = {}
  for node in graph.node:
    if node.op != 'BatchNormWithGlobalNormalization':
      continue
    conv = node_of(node.input[0])
    # The order of the op's inputs: t, m, v, beta, gamma.
    mean, variance, beta, gamma = [constant(name) for name in node.input[1:5]]
    scale = 1. / np.sqrt(variance + node.attr['variance_epsilon'].f)
    if node.attr['scale_after_normalization'].b:
      scale = gamma * scale  # [out]
    op = conv.name.removesuffix('/Conv2D').replace('/', '_')
    kernel = constant(conv.input[1]) * scale
    weights[f'{op}/kernel'] = kernel.astype(np.float32)
    weights[f'{op}/bias'] = (beta - mean * scale).astype(np.float32)
  if SOFTMAX in nodes:
    weights['softmax/kernel'] = constant(
        nodes[SOFTMAX].input[1]).astype(np.float32)
  return weights


def fingerprint(array):
  """Two numbers that identify a tensor: its norm and a projection.

  Args:
    array: float array of any shape.

  Returns:
    `(sqrt(sum{ a[i]**2 }), sum{ a[i] cos(i) })` over its elements in C order,
    in float64. The second changes when elements or signs are swapped.
  """
  flat = np.asarray(array, np.float64).ravel()
  return (float(np.linalg.norm(flat)),
          float(flat @ np.cos(np.arange(flat.size, dtype=np.float64))))


def check(weights, source='the weights'):
  """Raises unless weights through mixed_8 are those of Inception-2015.

  Fingerprints may differ by 1e-5 of a tensor's norm, so that the rounding of
  another way of folding passes and another net does not. mixed_9 and mixed_10
  are not checked.

  Args:
    weights: dictionary as `load` returns it.
    source: where they are from, for the error.

  Raises:
    UserError: if a tensor is missing or differs.
  """
  # In the graph's order, so the error names the first block that is wrong.
  for key, expected in inception_fingerprints.FINGERPRINTS.items():
    if key not in weights or not np.allclose(
        fingerprint(weights[key]), expected, rtol=0.,
        atol=_TOLERANCE * expected[0]):
      raise errors.UserError(
          f'{source} is not Inception-2015 (its {key} '
          f'{"differs" if key in weights else "is missing"}), and another net '
          f'gives another distance; {HOW_TO_GET}')

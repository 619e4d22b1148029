"""The weights in a run's checkpoint, by part, read without its model.

A checkpoint names its variables in a graph of objects; nothing of the run's
configuration is parsed and none of its code is called. A run that was packed
has its weights in an .npz instead, PART/NAME by PART/NAME.
"""
import re
from typing import NamedTuple
import zipfile

import numpy as np
from tensorboard.compat.proto import trackable_object_graph_pb2
import tensorflow as tf

from pgak import errors
from pgak.data import array_members

__all__ = ['Stored', 'assign', 'names', 'read', 'write']

_GRAPH = '_CHECKPOINTABLE_OBJECT_GRAPH'
_VALUE = 'VARIABLE_VALUE'


class Stored(NamedTuple):
  """A variable in a checkpoint that has not been read.

  Attributes:
    shape: tuple.
    averaged: whether what is read is its average over training.
    read: function that returns it, a NumPy array.
  """
  shape: tuple
  averaged: bool
  read: object


def names(paths):
  """Returns names of variables that do not depend on what was made before.

  Keras numbers layers without a name through the whole process: the same
  decoder has dense_1 beside one encoder and dense_3 beside another. Here the
  layers of a kind are counted within the part: dense, dense_1 ...

  Args:
    paths: list of strings, Keras's paths of the variables of one part.

  Returns:
    List of strings in the same order.
  """
  counted = {}
  for path in paths:
    pieces = path.split('/')
    for i, piece in enumerate(pieces):
      base, number = _numbered(piece)
      counted.setdefault(('/'.join(pieces[:i]), base), set()).add(number)
  return ['/'.join(_recounted(path.split('/'), counted)) for path in paths]


def _numbered(piece):
  base, number = re.fullmatch(r'(.*?)(?:_(\d+))?', piece).groups()
  return base, int(number or 0)


def _recounted(pieces, counted):
  for i, piece in enumerate(pieces):
    base, number = _numbered(piece)
    place = sorted(counted['/'.join(pieces[:i]), base]).index(number)
    yield f'{base}_{place}' if place else base


def read(run, step):
  """Lists what a checkpoint holds of each part of its model.

  Of a part whose optimizer averages weights (EMA) the averages are read, as
  evaluation, samples and exports do.

  Args:
    run: `RunDirectory`.
    step: int, one of its checkpoints.

  Returns:
    `{part: {name: Stored}}`, names as `names` makes them.

  Raises:
    errors.UserError: if the checkpoint is damaged.
  """
  prefix = run.checkpoint_prefix(step)
  packed = run.packed_weights(step)
  if packed.is_file():
    return _packed(packed)
  try:
    return _Checkpoint(tf.train.load_checkpoint(prefix)).parts()
  except (tf.errors.OpError, AttributeError, IndexError, KeyError, OSError,
          RuntimeError, TypeError, ValueError) as e:
    raise errors.UserError(
        f'The checkpoint {prefix} is damaged ({errors.reason(e)}): choose '
        'another one.') from e


def write(path, parts):
  """Writes weights as a packed run has them.

  Args:
    path: of the .npz.
    parts: `{part: {name: Stored}}`, as `read` gives them.
  """
  with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as archive:
    for part, variables in parts.items():
      for name, stored in variables.items():
        with archive.open(f'{part}/{name}.npy', 'w', force_zip64=True) as file:
          np.lib.format.write_array(file, np.asarray(stored.read()),
                                    allow_pickle=False)


def _packed(path):
  found: dict = {}
  try:
    members = array_members.members(path)
  except errors.UserError as e:
    raise errors.UserError(
        f'The weights of the packed run are damaged ({errors.reason(e, None)}'
        '): have it packed again.') from e
  for member in members:
    part, _, name = member.name.partition('/')
    found.setdefault(part, {})[name] = Stored(member.shape, False, member.open)
  return found


def assign(model, run, step):
  """Gives a model the weights of a packed run, whole.

  Args:
    model: `GenerativeModel`.
    run: `RunDirectory` of the packed run.
    step: int.

  Raises:
    errors.UserError: if they are damaged or of another model.
  """
  stored = read(run, step)
  for part, net in model.parts.items():
    variables = net.variables
    for name, variable in zip(names([v.path for v in variables]), variables):
      found = stored.get(part, {}).get(name)
      if found is None or found.shape != tuple(variable.shape):
        raise errors.UserError(
            'The weights of the packed run do not fit its configuration (of '
            f'{part}, {name}): have it packed again.')
      variable.assign(found.read())
  model.step.assign(step)


class _Checkpoint:
  """The graph of objects in a checkpoint."""

  def __init__(self, reader):
    graph = trackable_object_graph_pb2.TrackableObjectGraph()
    graph.ParseFromString(reader.get_tensor(_GRAPH))
    self._reader = reader
    self._nodes = graph.nodes
    self._shapes = reader.get_variable_to_shape_map()

  def parts(self):
    """Returns `{part: {name: Stored}}`."""
    model = self._children(self._children(0)['model'])
    return {name: self._part(node, model[f'{name}_optimizer'])
            for name, node in model.items() if f'{name}_optimizer' in model}

  def _part(self, part, optimizer):
    # Some layers, such as a flow's, are saved by their optimizer alone.
    trained = self._children(self._children(optimizer)['_trainable_variables'])
    nodes = {n: None for n in [*self._below(part), *trained.values()]
             if self._key(n)}
    averages = self._averages(optimizer, trained)
    return {name: self._stored(node, averages) for name, node in zip(
        names([self._path(n) for n in nodes]), nodes)}

  def _children(self, node):
    return {c.local_name: c.node_id for c in self._nodes[node].children}

  def _averages(self, optimizer, trained):
    """Returns the node of each average by that of the variable."""
    children = self._children(optimizer)
    kept = children.get('_model_variables_moving_average')
    if kept is None or not self._value(self._key(children['_iterations'])):
      return {}
    kept = self._children(kept)
    return {variable: kept[place] for place, variable in trained.items()
            if place in kept}

  def _key(self, node):
    return next((a.checkpoint_key for a in self._nodes[node].attributes
                 if a.name == _VALUE), None)

  def _value(self, key):
    return self._reader.get_tensor(key)

  def _below(self, part):
    """Returns the nodes that are reached from one."""
    found = {part: None}
    left = [part]
    while left:
      new = [n for n in self._children(left.pop()).values() if n not in found]
      found |= dict.fromkeys(new)
      left += new
    return found

  def _path(self, node):
    return self._nodes[node].attributes[0].full_name

  def _stored(self, node, averages):
    key = self._key(averages.get(node, node))
    return Stored(tuple(self._shapes[key]), node in averages,
                  lambda: self._value(key))

"""The oldest server that the guide names knows each operation of an export.

One unknown operation keeps the whole model from loading.
"""
import pathlib
import re

import list_ops
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2
import tiny_models

from pgak import priors
from pgak.serving import exporting

HERE = pathlib.Path(__file__).absolute().parent
GUIDE = HERE.parent.parent / 'docs' / 'serving' / 'operating.md'


@pytest.fixture(name='known', scope='module')
def _known():
  (version,) = set(re.findall(r'tensorflow/serving:(\d[\d.]+\d)',
                              GUIDE.read_text(encoding='utf-8')))
  return list_ops.read(HERE / f'tensorflow_{version}_ops.txt.gz')


def unknown(graph, known):
  """Returns the operations and attributes of a graph that are not known.

  Args:
    graph: `GraphDef`.
    known: `{operation: names of attributes}`.
  """
  nodes = [*graph.node, *(node for function in graph.library.function
                          for node in function.node_def)]
  functions = {f.signature.name for f in graph.library.function}
  found = {node.op for node in nodes} - known.keys() - functions
  return found | {
      f'{node.op}.{name}' for node in nodes if node.op in known
      for name in node.attr
      # Those that begin so are notes that any operation may carry.
      if not name.startswith('_') and name not in known[node.op]}


def test_the_list_is_a_servers(known):
  assert len(known) > 1000
  assert {'T', 'transpose_a', 'transpose_b'} <= known['MatMul']
  assert {'DecodeImage', 'EncodePng', 'Conv2D', 'VarHandleOp'} <= known.keys()


def test_what_is_not_known_is_found(known):
  graph = tf.function(lambda x: tf.cast(x, tf.uint8) @ x).get_concrete_function(
      tf.TensorSpec([2, 2], tf.uint8)).graph.as_graph_def()
  assert unknown(graph, known) == set()
  less = {op: names - {'transpose_b'} for op, names in known.items()
          if op != 'Cast'}
  assert {'Cast', 'MatMul.transpose_b'} >= unknown(graph, less) != set()


@pytest.mark.slow
@pytest.mark.parametrize('which,prior', [
    ('VPGA', None),
    *(pytest.param(*case, marks=pytest.mark.exhaustive) for case in [
        ('FPVAE', None), ('ALAE', None), ('vectors', None), ('AE', 'gmm'),
        ('AE', 'kde'), ('AE', 'real_nvp'), ('AE', 'two_stage'),
        ('AE', 'flow_matching')])])
def test_a_server_knows_all_that_an_export_holds(
    tmp_path, known, which, prior):
  model = (tiny_models.of_vectors() if which == 'vectors'
           else tiny_models.make(which, batch_norm=True))
  if prior:
    model.prior = _fitted(prior)
  folder = exporting.export_model(model, tmp_path, verified=False)
  saved = saved_model_pb2.SavedModel.FromString(
      (folder / 'saved_model.pb').read_bytes())
  (graph,) = saved.meta_graphs
  assert unknown(graph.graph_def, known) == set()


def _fitted(name):
  """Returns a small density of latents."""
  small = {'real_nvp': dict(num_couplings=2, hidden_units=(8,), max_epochs=1),
           'two_stage': dict(depth=1, width=8, max_epochs=1),
           'flow_matching': dict(width=8, blocks=1, steps=4, batch_size=32)}
  latents = np.random.default_rng(0).normal(size=(60, tiny_models.LATENT_DIM))
  given = {'labels': np.arange(60) % 2,
           'attributes': {'Large': latents[:, 0] > 0.}}
  return priors.NAMES[name](tiny_models.LATENT_DIM, **small.get(name, {})).fit(
      latents, **given if name == 'flow_matching' else {})

"""Tests of finding, reading, folding and checking Inception's weights."""
import gzip
import os
import pathlib
import tarfile

import numpy as np
import pytest
import tensorflow as tf

from pgak import errors
from pgak.metrics import inception_fingerprints
from pgak.metrics import inception_weights

REAL = os.environ.get('PGAK_TEST_DATA') and pathlib.Path(
    os.environ['PGAK_TEST_DATA'],
    'inception_2015/inception_2015_through_mixed_8.npz')
needs_real = pytest.mark.skipif(
    not (REAL and REAL.is_file()), reason='needs the data of PGAK_TEST_DATA')


def _constant(graph, name, value):
  node = graph.node.add(name=name, op='Const')
  node.attr['value'].tensor.CopyFrom(
      tf.make_tensor_proto(np.asarray(value, np.float32)))
  return name


def _normed_conv(graph, scope, kernel, norm, scaled=True, identity=False):
  """Adds one convolution and its batch norm, as the frozen graph has them."""
  kernel = _constant(graph, f'{scope}/conv2d_params', kernel)
  if identity:
    graph.node.add(name=f'{kernel}/read', op='Identity', input=[kernel])
    kernel += '/read:0'
  graph.node.add(name=f'{scope}/Conv2D', op='Conv2D', input=['x', kernel])
  names = [_constant(graph, f'{scope}/batchnorm/{part}', norm[part])
           for part in ('mean', 'variance', 'beta', 'gamma')]
  node = graph.node.add(
      name=f'{scope}/batchnorm', op='BatchNormWithGlobalNormalization',
      input=[f'{scope}/Conv2D', *names])
  node.attr['variance_epsilon'].f = 0.001
  node.attr['scale_after_normalization'].b = scaled


def _norm(seed, size):
  generator = np.random.default_rng(seed)
  return {'mean': generator.normal(size=size),
          'variance': generator.uniform(0.01, 2., size),
          'beta': generator.normal(size=size),
          'gamma': generator.uniform(0.5, 2., size)}


def _graph():
  graph = tf.compat.v1.GraphDef()
  graph.node.add(name='x', op='Placeholder')
  kernels = np.random.default_rng(0).normal(size=(2, 3, 3, 4, 5))
  _normed_conv(graph, 'conv', kernels[0], _norm(1, 5))
  _normed_conv(graph, 'mixed_1/tower/conv_1', kernels[1], _norm(2, 5),
               scaled=False, identity=True)
  # The graph's classifier is a convolution without norm, and is not read.
  graph.node.add(name='softmax/Conv2D', op='Conv2D', input=['x', 'x'])
  return graph, kernels


@pytest.mark.parametrize('op, index, scaled', [
    ('conv', 0, True), ('mixed_1_tower_conv_1', 1, False)])
def test_folded_convolution_is_the_normed_one(op, index, scaled):
  graph, kernels = _graph()
  weights = inception_weights.fold(graph)
  norm = _norm(1 + index, 5)
  images = np.random.default_rng(3).normal(size=(2, 6, 6, 4))
  raw = tf.nn.conv2d(images, kernels[index], 1, 'SAME')
  expected = tf.nn.batch_normalization(
      raw, norm['mean'], norm['variance'], norm['beta'],
      norm['gamma'] if scaled else None, 0.001)
  found = tf.nn.conv2d(
      images, weights[f'{op}/kernel'].astype(float), 1, 'SAME'
  ) + weights[f'{op}/bias']
  np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
  assert len(weights) == 4


def test_graph_archive_and_npz_give_the_same(tmp_path):
  graph, _ = _graph()
  expected = inception_weights.fold(graph)
  plain = tmp_path / inception_weights.GRAPH
  plain.write_bytes(graph.SerializeToString())
  packed = tmp_path / inception_weights.ARCHIVE
  with tarfile.open(packed, 'w:gz') as archive:
    archive.add(plain, f'./{inception_weights.GRAPH}')
  arrays = tmp_path / 'weights.npz'
  np.savez(arrays, **expected)
  for path in (plain, packed, arrays):
    found = inception_weights.load(path)
    assert set(found) == set(expected)
    for key in expected:
      np.testing.assert_array_equal(found[key], expected[key])


def _archive_of_nothing(path):
  with tarfile.open(path, 'w:gz') as archive:
    archive.add(__file__, 'readme.txt')


@pytest.mark.parametrize('name, write', [
    ('a.npz', lambda path: path.write_bytes(b'not a zip')),
    ('a.npz', lambda path: path.write_bytes(b'')),
    ('a.pb', lambda path: path.write_bytes(b'not a graph')),
    ('a.tgz', lambda path: path.write_bytes(b'not a tar')),
    ('a.tgz', lambda path: path.write_bytes(gzip.compress(bytes(600))[:20])),
    ('a.tgz', _archive_of_nothing)])
def test_a_damaged_file_is_named(tmp_path, name, write):
  path = tmp_path / name
  write(path)
  with pytest.raises(errors.UserError, match='cannot be read') as caught:
    inception_weights.load(path)
  assert str(path) in str(caught.value)
  assert inception_weights.URL in str(caught.value)


def test_an_unknown_kind_is_named(tmp_path):
  with pytest.raises(errors.UserError, match='none of .npz'):
    inception_weights.load(tmp_path / 'weights.h5')


# === Finding ===


@pytest.fixture(name='cache')
def _cache(tmp_path, monkeypatch):
  monkeypatch.setenv('PGAK_CACHE', str(tmp_path / 'cache'))
  monkeypatch.delenv('PGAK_INCEPTION', raising=False)

  def no_network(*args, **kwargs):
    raise OSError('no network in a test')

  monkeypatch.setattr(inception_weights.keras.utils, 'get_file', no_network)
  return tmp_path / 'cache/inception_2015'


def test_the_argument_wins_over_the_environment(cache, tmp_path, monkeypatch):
  one, two = tmp_path / 'one.npz', tmp_path / 'two.npz'
  one.touch()
  two.touch()
  monkeypatch.setenv('PGAK_INCEPTION', str(two))
  assert inception_weights.find(one) == one
  assert inception_weights.find() == two
  with pytest.raises(errors.UserError, match='no Inception weights at'):
    inception_weights.find(tmp_path / 'three.npz')


def test_the_cache_is_searched_for_the_whole_net_first(cache):
  cache.mkdir(parents=True)
  (cache / 'a.npz').touch()
  assert inception_weights.find() == cache / 'a.npz'
  (cache / 'b.tgz').touch()
  assert inception_weights.find() == cache / 'b.tgz'


def test_a_failed_download_says_how_to_get_them(cache):
  with pytest.raises(errors.UserError, match='PGAK_INCEPTION=PATH'):
    inception_weights.find()
  assert not list(cache.glob('*'))


def test_a_download_goes_into_the_cache(cache, monkeypatch):
  def download(name, url, cache_dir, cache_subdir):
    assert url == inception_weights.URL
    path = pathlib.Path(cache_dir, cache_subdir, name)
    path.write_bytes(b'archive')
    return str(path)

  monkeypatch.setattr(inception_weights.keras.utils, 'get_file', download)
  path = inception_weights.find()
  assert path.read_bytes() == b'archive'
  assert list(cache.iterdir()) == [path]
  assert inception_weights.find() == path


# === Fingerprints ===


@pytest.fixture(name='tiny')
def _tiny(monkeypatch):
  generator = np.random.default_rng(4)
  weights = {'conv/kernel': generator.normal(size=(3, 3, 2, 4)).astype('f4'),
             'conv/bias': generator.normal(size=4).astype('f4')}
  monkeypatch.setattr(
      inception_fingerprints, 'FINGERPRINTS',
      {k: inception_weights.fingerprint(v) for k, v in weights.items()})
  return weights


def test_fingerprint_by_hand():
  # (3, 4): norm 5, and 3 cos 0 + 4 cos 1 = 3 + 4 * 0.5403023.
  norm, projection = inception_weights.fingerprint([[3.], [4.]])
  assert norm == 5.
  assert projection == pytest.approx(5.1612092, abs=1e-6)


def test_roundings_pass(tiny):
  inception_weights.check(tiny)
  inception_weights.check({k: v * (1. + 1e-6) for k, v in tiny.items()})


@pytest.mark.parametrize('change', [
    lambda a: a * (1. + 1e-4), lambda a: -a, lambda a: a[..., ::-1],
    lambda a: np.full_like(a, np.nan)])
def test_other_weights_do_not_pass(tiny, change):
  for key in list(tiny):
    with pytest.raises(errors.UserError, match=f'{key} differs'):
      inception_weights.check({**tiny, key: change(tiny[key])})
  with pytest.raises(errors.UserError, match='conv/bias is missing'):
    inception_weights.check({'conv/kernel': tiny['conv/kernel']})


def test_fingerprints_reach_through_mixed_8():
  ops = {key.split('/')[0] for key in inception_fingerprints.FINGERPRINTS}
  assert len(ops) == 76
  assert 'mixed_8_tower_1_conv_3' in ops
  assert not any(op.startswith(('mixed_9', 'mixed_10')) for op in ops)


@needs_real
def test_the_real_weights_pass_and_survive_folding():
  weights = inception_weights.load(REAL)
  inception_weights.check(weights, REAL)
  graph = tf.compat.v1.GraphDef()
  for key in inception_fingerprints.FINGERPRINTS:
    op, part = key.split('/')
    if part == 'kernel':
      bias = weights[f'{op}/bias']
      norm = _norm(len(op), len(bias))
      scale = norm['gamma'] / np.sqrt(norm['variance'] + 0.001)
      norm['beta'] = bias + norm['mean'] * scale
      _normed_conv(graph, op, weights[key] / scale, norm)
  folded = inception_weights.fold(graph)
  inception_weights.check(folded)
  folded['mixed_8_tower_conv_1/kernel'] *= 1.001
  with pytest.raises(errors.UserError, match='mixed_8_tower_conv_1/kernel'):
    inception_weights.check(folded)


def test_the_weights_of_the_classes_are_read_without_their_bias():
  graph, _ = _graph()
  assert 'softmax/kernel' not in inception_weights.fold(graph)
  kernel = np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32)
  _constant(graph, 'softmax/weights', kernel)
  _constant(graph, 'softmax/biases', np.ones(3))
  graph.node.add(name='softmax/logits/MatMul', op='MatMul',
                 input=['x', 'softmax/weights:0'])
  folded = inception_weights.fold(graph)
  np.testing.assert_array_equal(folded['softmax/kernel'], kernel)

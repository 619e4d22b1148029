"""Tests of the classifiers of attributes."""
import pathlib
import shutil

import numpy as np
import pytest

from pgak import data
from pgak import errors
from pgak.metrics import attribute_classifiers as classifiers_lib
from pgak.metrics import fitted_nets

NAMES = ('label=0', 'label=3', 'label=8')
SETTINGS = dict(steps=250, filters=16, dropout=.2, flip=False)


def make(**changes):
  train, test = data.digits().split('train'), data.digits().split('test')
  return classifiers_lib.attribute_classifiers(
      'digits', NAMES, train, data.attribute_masks(train, NAMES), test,
      data.attribute_masks(test, NAMES), **{**SETTINGS, **changes})


@pytest.fixture(name='kept', scope='module')
def _kept(tmp_path_factory):
  return tmp_path_factory.mktemp('cache') / 'classifiers'


@pytest.fixture(name='net', scope='module')
def _net(kept):
  with pytest.MonkeyPatch.context() as patch:
    patch.setenv('PGAK_CACHE', str(kept.parent))
    return make()


@pytest.fixture(name='own_cache', autouse=True)
def _own_cache(net, kept, tmp_path, monkeypatch):
  """A cache of the test's own, with the file of `net` alone."""
  del net
  monkeypatch.setenv('PGAK_CACHE', str(tmp_path))
  return pathlib.Path(shutil.copytree(kept, tmp_path / 'classifiers'))


def test_they_learn_and_say_how_well(net):
  test = data.digits().split('test')
  masks = data.attribute_masks(test, NAMES)
  logits = net.logits([test.read(np.arange(100)),
                       test.read(np.arange(100, 297))])
  assert logits.shape == (297, 3)
  np.testing.assert_allclose(
      net.accuracy, ((logits > 0.) == masks).mean(0), atol=1e-12)
  np.testing.assert_allclose(net.majority, 1. - masks.mean(0), atol=1e-12)
  assert (net.accuracy > net.majority).all()
  assert net.accuracy.mean() > .95
  assert net.names == NAMES
  assert net.name.startswith('digits_attributes3_')


def test_they_are_trained_once(net, own_cache, monkeypatch):
  monkeypatch.setattr(fitted_nets, 'descend', None)
  again = make()
  assert again.name == net.name
  images = [data.digits().split('test').read(np.arange(9))]
  np.testing.assert_array_equal(again.logits(images), net.logits(images))
  np.testing.assert_array_equal(again.accuracy, net.accuracy)
  # Of the same images, of which a list now says something else.
  monkeypatch.setattr(data, 'attribute_masks', lambda array, names: (
      array.labels[:, None] == [0, 3, 8]) ^ (len(array) == 297))
  with pytest.warns(UserWarning, match='before you trust'):
    np.testing.assert_allclose(make().accuracy, 1. - net.accuracy, atol=1e-12)
  path, = own_cache.iterdir()
  path.write_bytes(path.read_bytes()[:-100])
  with pytest.raises(TypeError):  # It would be trained anew.
    make()


def test_other_settings_are_other_classifiers(net):
  with pytest.warns(UserWarning, match='raise attribute_classifiers.steps'):
    untrained = make(steps=0)
  assert untrained.name != net.name
  assert untrained.accuracy.mean() < net.accuracy.mean()


def test_turned_images_keep_their_attributes():
  train = data.digits().split('train')
  masks = data.attribute_masks(train, NAMES)
  settings = dict(steps=1, batch_size=200, flip=True, seed=3)
  (images, targets), = classifiers_lib.batches_of(train, masks, settings)
  rows = np.random.default_rng(3).integers(0, 1500, 200)
  same = (images == train.read(rows)).all((1, 2, 3))
  turned = (images == train.read(rows)[:, :, ::-1]).all((1, 2, 3))
  assert (same | turned).all() and 60 < same.sum() < 140
  np.testing.assert_array_equal(targets, masks[rows])


def test_an_attribute_that_all_have_is_refused():
  train = data.digits().split('train')
  masks = np.ones([1500, 1], bool)
  with pytest.raises(errors.UserError, match='All of .* attribute Ink.*'
                     'attribute_net.attributes'):
    classifiers_lib.attribute_classifiers(
        'digits', ['Ink'], train, masks, train, masks)


@pytest.mark.parametrize('side,convolutions', [(8, 2), (28, 2), (32, 3),
                                               (64, 4), (128, 5)])
def test_the_net_suits_the_size_of_the_images(side, convolutions):
  net = classifiers_lib.build((side, side, 3), 5, filters=2)
  widths = [layer.filters for layer in net.layers if 'conv' in layer.name]
  assert widths == [2 << i for i in range(convolutions)]
  assert net.output_shape == (None, 5)

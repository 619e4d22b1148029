"""Tests of taking a part of a split that is like the whole."""
import types

import numpy as np
import pytest
import tiny_models

from pgak import data
from pgak import evaluation
from pgak.data import mixed_order
from pgak.evaluation import protocols
from pgak.models import batch_norm
from pgak.pictures import png
from pgak.training import diagnosing


def _by_class(number=300):
  """A data set of three grey levels, each a class, one class after the other.
  """
  labels = np.sort(np.arange(number) % 3)
  images = np.full([number, 3, 2, 1], 20, np.uint8)
  images += np.uint8(90 * labels)[:, None, None, None]
  return data.from_arrays({'train': images, 'test': images},
                          {'train': labels, 'test': labels}, name='levels')


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
  monkeypatch.setenv('PGAK_CACHE', str(tmp_path / 'cache'))


def test_a_split_in_a_random_order_is_itself():
  digits = data.digits().split('train')
  assert mixed_order.of_split(digits) is digits
  unlabelled = data.synthetic(image_shape=(8, 8, 1)).split('train')
  assert mixed_order.of_split(unlabelled) is unlabelled


@pytest.mark.parametrize('number', [0, 1, 2])
@pytest.mark.filterwarnings('error')
def test_of_few_examples(number):
  array = types.SimpleNamespace(labels=np.zeros(number, np.int64))
  assert mixed_order.of_split(array) is array


def test_one_that_is_read_class_by_class_is_mixed():
  dataset = _by_class()
  plain = dataset.split('train')
  mixed = mixed_order.of_data_set(dataset).split('train')
  assert sorted(mixed.labels) == sorted(plain.labels)
  assert set(mixed.labels[:20]) == {0, 1, 2}
  # Labels and images stay together.
  levels = mixed.read(np.arange(len(mixed)))[:, 0, 0, 0]
  np.testing.assert_array_equal(levels, 20 + 90 * mixed.labels)
  assert mixed.read([7]).shape == (1, 3, 2, 1)
  assert len(mixed) == len(plain) and mixed.name == plain.name
  assert mixed.kind == plain.kind and mixed.fingerprint != plain.fingerprint
  # The same in every process.
  again = mixed_order.of_split(plain)
  np.testing.assert_array_equal(mixed.labels, again.labels)


def test_pictures_in_files_are_mixed_also_without_labels(tmp_path):
  for i in range(40):
    level = np.full([4, 4, 1], 6 * i, np.uint8)
    png.write(tmp_path / f'{"cat" if i < 20 else "dog"}_{i:02}.png', level)
  plain = data.images(tmp_path, (4, 4, 1), test_fraction=0.).split('train')
  mixed = mixed_order.of_split(plain)
  assert plain.labels is None and len(mixed) == 40
  first = mixed.read(np.arange(20))[:, 0, 0, 0] < 6 * 20
  assert 4 < first.sum() < 16
  assert mixed_order.of_split(mixed) is mixed
  assert mixed.fingerprint == f'{plain.fingerprint}_mixed'


def test_pairs_in_files_are_mixed(tmp_path):
  for i in range(20):
    for kind in ('images', 'conditions'):
      (tmp_path / kind).mkdir(exist_ok=True)
      png.write(tmp_path / kind / f'{i:02}.png',
                np.full([4, 4, 3], 9 * i, np.uint8))
  plain = data.pairs(path=tmp_path, image_shape=(4, 4, 3), test_fraction=0.)
  images, conditions = mixed_order.of_data_set(plain).split('train').read_pairs(
      np.arange(20))
  levels = images[:, 0, 0, 0].tolist()
  assert levels != sorted(levels) and sorted(levels) == list(range(0, 180, 9))
  np.testing.assert_array_equal(images, conditions)


def test_a_part_of_the_reference_has_all_classes():
  protocol = protocols.Protocol(
      'part', features=('random',), metrics=('frechet',), images=('samples',),
      split='test', num_references=60, num_samples=60)
  source = evaluation.Evaluator(_by_class(), protocol).source
  assert set(source.array.read(np.arange(60)).flat) == {20, 110, 200}
  assert set(source.encoded.read(np.arange(60)).flat) == {20, 110, 200}


def test_batch_norm_is_estimated_from_all_classes():
  model = tiny_models.make('AE', batch_norm=True)
  images = _by_class().split('train')

  def means(**settings):
    batch_norm.reestimate(model, images, **settings)
    return np.concatenate([
        v.numpy() for v in model.encoder.non_trainable_variables
        if 'moving_mean' in v.path])

  of_a_third, of_all = means(num_batches=1, batch_size=100), means()
  np.testing.assert_allclose(
      of_a_third, of_all, atol=0.2 * np.abs(of_all).max())


def test_diagnostics_see_all_classes():
  model = tiny_models.make('AE')
  images = _by_class().split('train')
  observed = diagnosing.observe(model, images, 90)
  assert len(np.unique(observed.data)) == 3

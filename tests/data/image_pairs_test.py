import numpy as np
import pytest
import tiny_pairs

from pgak import data
from pgak import errors
from pgak.data import image_pairs


def test_coarse_by_hand():
  """Means of 2 x 2 pixels, 2.5 rounded up, blown up again."""
  image = np.array([[0, 4, 1, 2], [8, 0, 3, 4]], np.uint8)[None, ..., None]
  expected = [[3, 3, 3, 3]] * 2
  np.testing.assert_array_equal(
      image_pairs.coarse(image, 2)[0, ..., 0], expected)
  image[0, 0, 0, 0] = 255  # (255 + 4 + 8 + 0) / 4 = 66.75
  assert image_pairs.coarse(image, 2)[0, 1, 1, 0] == 67


def test_edges_by_hand():
  """A step of 20 upright: (1 + 2 + 1) * 20 / 2 = 40 on both of its sides."""
  image = np.zeros((1, 5, 6, 3), np.uint8)
  image[:, :, 3:] = 20
  found = image_pairs.edges(image)
  assert found.shape == (1, 5, 6, 1)
  np.testing.assert_array_equal(
      found[0, ..., 0], [[0, 0, 40, 40, 0, 0]] * 5)
  np.testing.assert_array_equal(
      image_pairs.edges(image.transpose(0, 2, 1, 3))[0, ..., 0],
      np.transpose([[0, 0, 40, 40, 0, 0]] * 5))
  image[:, :, 3:] = 255  # 510 is above the largest grey level.
  assert image_pairs.edges(image).max() == 255


@pytest.mark.parametrize('condition', ['coarse', 'edges'])
def test_pairs_of_a_data_set_keep_its_images_labels_and_splits(condition):
  own = data.digits()
  made = tiny_pairs.dataset(condition)
  assert made.name == f'digits_{condition}' and made.splits == own.splits
  assert made.image_shape == made.condition_shape == (8, 8, 1)
  array, plain = made.split('test'), own.split('test')
  assert len(array) == len(plain) == 297
  np.testing.assert_array_equal(array.labels, plain.labels)
  images, conditions = array.read_pairs([5, 0])
  np.testing.assert_array_equal(images, plain.read([5, 0]))
  np.testing.assert_array_equal(array.read([5, 0]), images)
  np.testing.assert_array_equal(array.read_conditions([5, 0]), conditions)
  np.testing.assert_array_equal(
      conditions, getattr(image_pairs, condition)(images))
  assert conditions.dtype == np.uint8 and conditions.flags['C_CONTIGUOUS']
  assert made.split('validation').split == 'test'


def test_pairs_have_the_names_of_their_images_classes():
  def named():
    return data.from_arrays(np.zeros([20, 8, 8, 1], np.uint8),
                            np.array(['cat', 'dog'] * 10))
  array = data.pairs(source=named).split('all')
  assert array.label_names == ('cat', 'dog')
  assert tiny_pairs.dataset('edges').split('test').label_names == ()


def test_a_data_set_of_ones_own_needs_no_kind():
  own = data.digits()
  class Own:
    name, image_shape, splits, split = 'own', (8, 8, 1), own.splits, own.split

  assert len(data.pairs(source=Own).split('test')) == 297


def test_what_made_the_conditions_is_told():
  found = [tiny_pairs.dataset(c).split('test') for c in ('coarse', 'edges')]
  assert found[0].fingerprint != found[1].fingerprint
  assert [a.preprocessing['condition'] for a in found] == ['coarse', 'edges']
  assert 'digits_edges/test: 297' in repr(found[1])


@pytest.mark.parametrize('settings, named', [
    (dict(), 'pairs.source'),
    (dict(source=data.digits, path='x'), 'either'),
    (dict(source=data.digits, condition='sketch'), 'coarse, edges'),
    (dict(source=lambda: data.synthetic((6, 8, 1))), '4 does'),
    (dict(source=lambda: data.swiss_roll(9)), 'swiss_roll holds vectors'),
    (dict(path='/nowhere', image_shape=(8, 8, 1)), 'no folder of pairs')])
def test_settings_that_do_not_fit_are_refused(settings, named):
  with pytest.raises(errors.UserError, match=named):
    data.pairs(**settings)


# === Batches ===


def test_a_batch_has_floats_of_both():
  array = tiny_pairs.dataset().split('train')
  batch = next(iter(data.train_batches(array, 16, seed=3)))
  assert set(batch) == {'images', 'conditions'}
  for values in batch.values():
    assert values.shape == (16, 8, 8, 1) and values.dtype == 'float32'
    assert -1. <= float(np.min(values)) < float(np.max(values)) <= 1.
  # Each condition is that of its own image.
  images = np.rint((batch['images'] + 1.) * 127.5).astype(np.uint8)
  np.testing.assert_allclose(
      batch['conditions'], image_pairs.edges(images) / 127.5 - 1., atol=1e-6)


def test_the_order_is_that_of_the_images_alone_at_any_step():
  array, plain = tiny_pairs.dataset().split('train'), data.digits().split(
      'train')
  alone = data.train_batches(plain, 8, seed=3).skip(2).take(3)
  resumed = data.train_batches(array, 8, seed=3, start_step=2).take(3)
  for one, other in zip(alone, resumed):
    np.testing.assert_array_equal(one, other['images'])


def test_replicas_get_the_slices_of_the_global_batch():
  array = tiny_pairs.dataset().split('train')
  whole = next(iter(data.train_batches(array, 8, seed=1)))
  for slot in range(2):
    part = next(iter(data.train_batches(array, 8, seed=1,
                                        replica_slots=(2, [slot]))))
    for name, values in whole.items():
      np.testing.assert_array_equal(
          part[name], values[4 * slot:4 * slot + 4])


def test_a_split_once_in_its_order():
  array = tiny_pairs.dataset().split('test')
  batches = list(data.batches(array, 100, limit=250, value_range=(0., 1.)))
  assert [len(b['images']) for b in batches] == [100, 100, 50]
  np.testing.assert_allclose(
      batches[2]['conditions'] * 255.,
      array.read_conditions(np.arange(200, 250)), atol=1e-4)


def test_an_augmenter_is_refused():
  array = tiny_pairs.dataset().split('train')
  with pytest.raises(errors.UserError, match='train.augmenter = None'):
    data.train_batches(array, 8, seed=1, augmenter=lambda images, seed: images)

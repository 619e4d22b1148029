"""Arrays in files: splits, labels, ranges, shapes, damage."""
import zipfile

import numpy as np
import pytest

from pgak import data
from pgak import errors
from pgak.data import array_files
from pgak.data import array_labels
from pgak.data import decoding

N = 40


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
  monkeypatch.setenv('PGAK_CACHE', str(tmp_path / 'cache'))


def images(number=N, shape=(6, 5)):
  """uint8 `[number, *shape]`, of which each is of one level, its number."""
  rows = np.arange(number, dtype=np.uint8).reshape([-1] + [1] * len(shape))
  return np.broadcast_to(rows, (number, *shape)).copy()


def saved(path, **arrays):
  np.savez_compressed(path, **arrays)
  return str(path)


def level(array):
  return array.read(np.arange(len(array)))[:, 0, 0, 0].tolist()


def test_a_npy_of_images_is_cut_by_places(tmp_path):
  np.save(tmp_path / 'grey.npy', images())
  made = data.from_file(str(tmp_path / 'grey.npy'))
  assert made.name == 'arrays_grey' and made.image_shape == (6, 5, 1)
  assert made.splits == ('train', 'test', 'all')
  train, test = level(made.split('train')), level(made.split('test'))
  assert sorted(train + test) == list(range(N)) and 0 < len(test) < 12
  assert made.split('validation').split == 'test'
  assert made.split('train').labels is None
  # What is added behind moves nothing that was there.
  np.save(tmp_path / 'more.npy', images(2 * N))
  more = data.from_file(str(tmp_path / 'more.npy'))
  assert [k for k in level(more.split('test')) if k < N] == test


@pytest.mark.parametrize('names', [
    ('x_train', 'y_train', 'x_test', 'y_test'),
    ('train_images', 'train_labels', 'test_images', 'test_labels'),
    ('trainX', 'trainY', 'valX', 'valY')])
def test_names_are_splits(tmp_path, names):
  path = saved(tmp_path / 'a.npz', **dict(zip(names, (
      images(), np.arange(N)[:, None] % 3, images(7), np.arange(7) % 4))))
  made = data.from_file(path)
  held = made.split('validation')
  assert held.split == ('validation' if 'valX' in names else 'test')
  assert level(held) == list(range(7))
  assert held.labels.tolist() == [0, 1, 2, 3, 0, 1, 2]
  if 'valX' in names:  # The test split is cut out of what is trained on.
    assert len(made.split('train')) + len(made.split('test')) == N
  else:
    assert level(made.split('train')) == list(range(N))


def test_labels_are_the_union_and_what_training_lacks_is_said(tmp_path, capfd):
  path = saved(tmp_path / 'a.npz', x_train=images(4), x_test=images(3),
               y_train=['cat', 'dog', 'cat', 'dog'],
               y_test=['ant', 'cat', 'emu'])
  made = data.from_file(path)
  assert made.split('train').labels.tolist() == [1, 2, 1, 2]
  assert made.split('test').labels.tolist() == [0, 1, 3]
  assert made.split('test').label_names == ('ant', 'cat', 'dog', 'emu')
  assert 'lacks' not in capfd.readouterr().out
  assert array_labels.lacking({'train': np.array([1]), 'test': np.array([1])}
                              ) == ''


def test_the_missing_classes_are_printed(tmp_path, capfd):
  data.from_file(saved(tmp_path / 'a.npz', x_train=images(4), y_train=[0] * 4,
                       x_test=images(2), y_test=[0, 7])).split('train')
  assert 'train has no example of class 7' in capfd.readouterr().err


@pytest.mark.parametrize('given, expected, words', [
    (np.array([0., .5, 1.]), [0, 128, 255], 'black is 0 and white 1'),
    (np.array([-1., 0., 1.]), [0, 128, 255], 'black is -1 and white 1'),
    (np.array([0., 100., 255.]), [0, 100, 255], 'white 255'),
    (np.array([0, 3, 255], np.int64), [0, 3, 255], 'white 255'),
    (np.array([True, False, True]), [255, 0, 255], 'white 1'),
    (np.array([0, 1, 1], np.uint8), [0, 255, 255], 'white 1'),
])
def test_the_range_is_told_by_the_numbers(tmp_path, capfd, given, expected,
                                          words):
  x = np.broadcast_to(given[:, None, None], (3, 4, 4))
  np.save(tmp_path / 'x.npy', x)
  made = data.from_file(str(tmp_path / 'x.npy'), test_fraction=0.)
  # 127.5 is rounded to the even 128.
  assert level(made.split('train')) == expected
  assert words in capfd.readouterr().err


def test_a_range_of_ones_own(tmp_path):
  np.save(tmp_path / 'x.npy', np.full([2, 4, 4], 4095, np.uint16))
  path = str(tmp_path / 'x.npy')
  with pytest.raises(errors.UserError, match='arrays.value_range'):
    data.from_file(path, test_fraction=0.).split('train')
  made = data.from_file(path, value_range=(0., 4095.), test_fraction=0.)
  assert level(made.split('train')) == [255, 255]
  with pytest.raises(errors.UserError, match='outside arrays.value_range'):
    data.from_file(path, value_range=(0., 4000.), test_fraction=0.
                   ).split('train')


@pytest.mark.parametrize('own, wanted', [
    ((6, 8), (3, 4, 1)), ((6, 8), (4, 4, 3)), ((6, 8, 3), (6, 8, 1)),
    ((6, 8, 2), (3, 3, 2)), ((6, 8, 5), (6, 8, 5))])
def test_images_come_in_the_shape_that_is_asked_for(tmp_path, own, wanted):
  np.save(tmp_path / 'x.npy', images(4, own))
  made = data.from_file(str(tmp_path / 'x.npy'), wanted, test_fraction=0.)
  read = made.split('train').read([0, 3])
  assert read.shape == (2, *wanted)
  assert read[0].max() == 0 and read[1].min() == read[1].max() == 3


def test_vectors_with_labels(tmp_path):
  x = np.random.default_rng(0).normal(size=[N, 3])
  made = data.from_file(saved(tmp_path / 'v.npz', x=x, y=np.arange(N)))
  assert made.image_shape == (3,) and made.kind.name == 'vectors'
  test = made.split('test')
  np.testing.assert_allclose(test.read(np.arange(len(test))), x[test.labels],
                             rtol=1e-6)
  assert test.unrolled is None
  assert data.vector_shades(test, [0]).tolist() == [test.labels[0]]
  with pytest.raises(errors.UserError, match=r'image_shape = \(3,\)'):
    data.from_file(str(tmp_path / 'v.npz'), (4,))


def test_a_folder_of_npy(tmp_path):
  np.save(tmp_path / 'x_train.npy', images())
  np.save(tmp_path / 'x_test.npy', images(3))
  made = data.from_file(str(tmp_path))
  assert len(made.split('train')) == N and len(made.split('test')) == 3


def test_the_fingerprint_is_of_the_pixels(tmp_path):
  for name, shift in (('a', 0), ('b', 0), ('c', 1)):
    np.save(tmp_path / f'{name}.npy', images() + np.uint8(shift))
  a, b, c = (data.from_file(str(tmp_path / f'{name}.npy')).split('train')
             .fingerprint for name in 'abc')
  assert a == b != c


def _cut(path):
  path.write_bytes(path.read_bytes()[:-9])


def _flip(path):
  """Changes bytes of the compressed array."""
  content = bytearray(path.read_bytes())
  with zipfile.ZipFile(path) as file:
    start = file.infolist()[0].header_offset + 200
  content[start:start + 4] = b'\0\0\0\0'
  path.write_bytes(content)


@pytest.mark.parametrize('arrays, break_it, words', [
    ({'x': np.array([{}, {}], object)}, None, 'Python objects'),
    ({'x': np.zeros([0, 4, 4])}, None, 'is empty'),
    ({'x': np.full([3, 4, 4], np.nan)}, None, 'not finite'),
    ({'x': np.full([3, 4, 4], 1j)}, None, 'complex128'),
    ({'x': np.zeros([3])}, None, r'shape \[3\]'),
    ({'x': np.zeros([3, 3, 32, 32])}, None, 'np.moveaxis'),
    ({'a': images(3), 'b': images(3)}, None, 'names a, b'),
    ({'x': images(3), 'y': np.arange(4)}, None, r'shape \[4\]'),
    ({'x': images(3), 'y': np.array([.5, 1., 2.])}, None, 'whole numbers'),
    ({'x_train': images(3), 'x_test': images(2, (7, 7))}, None, 'differ in'),
    ({'x': images(300, (20, 20))}, _cut, 'cannot be read'),
    ({'x': np.random.default_rng(0).integers(0, 256, [9, 20, 20], np.uint8)},
     _flip, 'damaged|cannot be read'),
])
def test_what_cannot_be_used_is_told_in_a_sentence(tmp_path, arrays, break_it,
                                                   words):
  path = tmp_path / 'a.npz'
  saved(path, **arrays)
  if break_it:
    break_it(path)
  with pytest.raises(errors.UserError, match=words):
    data.from_file(str(path)).split('train')


def test_a_npy_that_is_cut_short_or_gone(tmp_path):
  np.save(tmp_path / 'x.npy', images())
  _cut(tmp_path / 'x.npy')
  with pytest.raises(errors.UserError, match='cut short'):
    data.from_file(str(tmp_path / 'x.npy'))
  with pytest.raises(errors.UserError, match='no file of arrays'):
    data.from_file(str(tmp_path / 'y.npy'))


def test_each_split_has_an_example_where_there_are_few():
  table = {'all': array_files.array_members.Table(
      array_files.array_members.Member('x', (4, 2), np.dtype(float), None))}
  found = array_files.cut(table, {'test': 0.01, 'validation': 0.01})
  assert [len(found[s][1]) for s in ('train', 'validation', 'test')] == [
      2, 1, 1]


@pytest.mark.parametrize('image_shape, resize', [
    ((10, 10, 1), 'bicubic_antialias'), (None, None),
    # A crop alone resizes nothing.
    ((20, 12, 1), None)])
def test_scores_say_how_arrays_were_resized(image_shape, resize):
  images = np.zeros([4, 20, 20], np.uint8)
  made = data.from_arrays(images, image_shape=image_shape)
  found = made.split('train').preprocessing
  assert decoding.resize_name(found) == resize

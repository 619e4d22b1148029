"""Splits and classes by folders, by a list, and by the hash of names."""
import zipfile

import numpy as np
import pytest
import tensorflow as tf

from pgak import data
from pgak import errors
from pgak.data import splits

SHAPE = (6, 6, 1)


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
  monkeypatch.setenv('PGAK_CACHE', str(tmp_path / 'cache'))


def write(folder, *names):
  """Writes pictures, each of one level: its place among the names."""
  for level, name in enumerate(names):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    level = np.full([6, 6, 1], level, np.uint8)
    path.write_bytes(tf.io.encode_png(level).numpy())
  return folder


def levels(dataset, split):
  array = dataset.split(split)
  return sorted(array.read(np.arange(len(array)))[:, 0, 0, 0].tolist())


def many(folder, start, number):
  return [f'{folder}/{i:03}.png' for i in range(start, start + number)]


@pytest.mark.parametrize('train,validation,test', [
    ('train', 'validation', 'test'), ('Train', 'val', 'TEST'),
    ('TRAIN', 'Valid', 'Test')])
def test_folders_are_splits(tmp_path, train, validation, test, capsys):
  folder = write(tmp_path / 'x', *many(train, 0, 30), *many(validation, 0, 5),
                 *many(test, 0, 7))
  dataset = data.images(folder, SHAPE)
  assert dataset.splits == ('train', 'validation', 'test', 'all')
  assert levels(dataset, 'train') == list(range(30))
  assert levels(dataset, 'validation') == list(range(30, 35))
  assert levels(dataset, 'test') == list(range(35, 42))
  assert dataset.split('train').labels is None
  told = capsys.readouterr().err
  assert ('42 pictures (30 train, 5 validation, 7 test, by the folders train '
          'and validation and test)') in told


def test_a_given_test_split_is_never_trained_on(tmp_path):
  folder = write(tmp_path / 'x', *many('train', 0, 30), *many('test', 0, 20))
  dataset = data.images(folder, SHAPE)
  assert dataset.splits == ('train', 'test', 'all')
  assert levels(dataset, 'train') == list(range(30))
  assert dataset.split('validation').split == 'test'
  # Validation is cut out of what is trained on.
  dataset = data.images(folder, SHAPE, validation_fraction=.3)
  cut = levels(dataset, 'validation')
  assert 2 <= len(cut) <= 18 and max(cut) < 30
  assert sorted(cut + levels(dataset, 'train')) == list(range(30))
  assert levels(dataset, 'test') == list(range(30, 50))


def test_by_names_folders_mean_nothing(tmp_path):
  names = [*many('train', 0, 30), *many('test', 0, 20)]
  folder = write(tmp_path / 'x', *names)
  dataset = data.images(folder, SHAPE, splits='names', labels=False)
  # 0.4: 12 digits of the name's SHA-256, as a fraction.
  wanted = splits.partition(sorted(names), {'test': .1, 'validation': 0.})
  assert levels(dataset, 'test') == sorted(
      names.index(name) for name in wanted['test'])
  assert any(level < 30 for level in levels(dataset, 'test'))


def test_few_pictures_leave_train_something_or_all_are_told(tmp_path):
  fractions = {'test': .5, 'validation': .4}
  everywhere = [f'{i}.png' for i in range(99)]
  tested = [n for n in everywhere if splits.place_of(n) < .5][:3]
  assert splits.partition(tested, fractions) == {
      'train': [], 'validation': [], 'test': tested}
  # A single picture that is left is not taken from train.
  trained = [n for n in everywhere if splits.place_of(n) >= .9][:1]
  assert splits.partition(tested + trained, fractions)['train'] == trained
  # Of two, one is tested on, as of arrays.
  kept = splits.partition(trained * 2, {'test': .1, 'validation': 0.})
  assert kept['train'] and kept['test']
  dataset = data.images(write(tmp_path / 'x', *tested), SHAPE,
                        test_fraction=.5, validation_fraction=.4)
  with pytest.raises(errors.UserError, match='train .* is empty; choose '
                     'another of validation, test, all'):
    dataset.split('train')


def test_what_is_beside_the_splits_is_passed_over(tmp_path, capsys):
  folder = write(tmp_path / 'x', *many('train', 0, 4), *many('test', 0, 3),
                 'cover.png', 'extra/a.png')
  assert levels(data.images(folder, SHAPE), 'all') == list(range(7))
  assert ('passed over 2: 2 outside the folders of the splits (cover.png, '
          'extra/a.png)') in capsys.readouterr().err


def test_a_test_folder_alone_holds_the_test_split(tmp_path):
  folder = write(tmp_path / 'x', *many('test', 0, 3), 'a.png', 'b.png', 'c.png')
  dataset = data.images(folder, SHAPE)
  assert levels(dataset, 'test') == [0, 1, 2]
  assert levels(dataset, 'train') == [3, 4, 5]


def test_a_train_folder_alone_is_divided(tmp_path):
  folder = write(tmp_path / 'x', *many('train/a', 0, 15),
                 *many('train/b', 0, 15))
  dataset = data.images(folder, SHAPE, test_fraction=.3)
  assert 2 <= len(dataset.split('test')) <= 18
  assert dataset.split('all').label_names == ('a', 'b')


def test_a_class_may_be_called_train(tmp_path):
  folder = write(tmp_path / 'x', *many('train', 0, 4), *many('plane', 0, 4))
  every = data.images(folder, SHAPE).split('all')
  assert len(every) == 8 and every.label_names == ('plane', 'train')


def test_classes_below_the_splits_have_one_number_everywhere(tmp_path, capsys):
  folder = write(
      tmp_path / 'x', *many('train/dog', 0, 3), *many('train/cat/deep', 0, 2),
      *many('test/dog', 0, 2), *many('test/ant', 0, 1))
  dataset = data.images(folder, SHAPE)
  assert '; labels 0 ant, 1 cat, 2 dog.' not in capsys.readouterr().err
  train, test = dataset.split('train'), dataset.split('test')
  assert train.labels.tolist() == [1, 1, 2, 2, 2]
  assert test.labels.tolist() == [0, 2, 2]
  assert test.label_names == ('ant', 'cat', 'dog')
  assert '; labels 0 ant, 1 cat, 2 dog.' in capsys.readouterr().err
  assert data.images(folder, SHAPE, labels=False).split('train').labels is None


@pytest.mark.parametrize('names', [
    ['a/0.png', 'b/1.png', '2.png'],  # Not every picture is in a folder.
    ['a/0.png', 'a/1.png', 'a/b/2.png'],  # There is one class.
    ['train/a/0.png', 'train/b/1.png', 'test/2.png']])
def test_where_there_are_no_classes(tmp_path, names):
  dataset = data.images(write(tmp_path / 'x', *names), SHAPE, test_fraction=0.)
  assert dataset.split('all').labels is None


def test_a_zip_that_wraps_its_splits(tmp_path):
  folder = write(tmp_path / 'x', *many('train/a', 0, 3), *many('train/b', 0, 3),
                 *many('test/a', 0, 3))
  with zipfile.ZipFile(tmp_path / 'x.zip', 'w') as archive:
    for path in folder.rglob('*.png'):
      archive.write(path, f'photos/{path.relative_to(folder)}')
  dataset = data.images(tmp_path / 'x.zip', SHAPE)
  assert levels(dataset, 'test') == [6, 7, 8]
  assert dataset.split('train').labels.tolist() == [0, 0, 0, 1, 1, 1]


@pytest.mark.parametrize('inside', [True, False])
def test_a_list_of_splits(tmp_path, inside, monkeypatch):
  names = many('pictures', 0, 9)
  folder = write(tmp_path / 'x', *names)
  lines = [f'{name.rpartition("/")[-1]} {i % 3}' for i, name in
           enumerate(names)] + ['other.png 0']
  place = folder / 'list.txt' if inside else tmp_path / 'list.txt'
  place.write_text('\n'.join(lines) + '\n')
  dataset = data.images(folder, SHAPE,
                        partition='list.txt' if inside else str(place))
  assert dataset.splits == ('train', 'validation', 'test', 'all')
  for i, split in enumerate(dataset.splits[:3]):
    assert levels(dataset, split) == [i, i + 3, i + 6]
  place.write_text('\n'.join(lines[::-1]).replace(' 2', ' 1'))
  changed = data.images(folder, SHAPE,
                        partition='list.txt' if inside else str(place))
  assert len(changed.split('validation')) == 6


def test_a_list_without_validation_validates_on_test(tmp_path):
  folder = write(tmp_path / 'x', 'a.png', 'b.png', 'c.png')
  (folder / 'list.txt').write_text('a.png 0\nb.png 2\nc.png 0\n')
  dataset = data.images(folder, SHAPE, partition='list.txt')
  assert dataset.splits == ('train', 'test', 'all')
  assert dataset.split('validation').split == 'test'
  # Of pictures that are all for tests, train is told to be empty.
  (folder / 'list.txt').write_text('a.png 2\nb.png 2\nc.png 2\n')
  with pytest.raises(errors.UserError, match='train .* is empty'):
    data.images(folder, SHAPE, partition='list.txt').split('train')


def test_a_list_that_is_wrong_is_told(tmp_path):
  folder = write(tmp_path / 'x', 'a.png', 'b.png')
  for text, match in (('a.png 0\n', 'b.png has no line'),
                      ('a.png 0\nb.png 3\n', 'Line 2 .* 0, 1 or 2')):
    (folder / 'list.txt').write_text(text)
    with pytest.raises(errors.UserError, match=match):
      data.images(folder, SHAPE, partition='list.txt')
  with pytest.raises(errors.UserError, match='no list of splits absent.txt'):
    data.images(folder, SHAPE, partition='absent.txt')
